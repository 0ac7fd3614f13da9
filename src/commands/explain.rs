//! `explain`: what a rule looks for and why, or all rules in a list.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::{Result, bail};
use serde::Serialize;

use super::Outcome;
use crate::cli::{ExplainArgs, ExplainFormat};
use crate::init::SETUP;
use crate::rules::{self, Group, RULES, Rule};
use crate::text::quote::quoted;
use crate::text::suggest::nearest;

/// In place of a rule: what has to be switched on at the forge.
const SETUP_TOPIC: &str = "setup";

pub(super) fn run(args: &ExplainArgs) -> Result<Outcome> {
    if args.rule.as_deref() == Some(SETUP_TOPIC) {
        if args.format == ExplainFormat::Json {
            bail!("the set-up has no JSON format: it is a list for people");
        }
        anstream::stdout().lock().write_all(SETUP.as_bytes())?;
        return Ok(Outcome::Fine);
    }
    let rule = match &args.rule {
        Some(id) => Some(find(id)?),
        None => None,
    };
    let text = match (args.format, rule) {
        (ExplainFormat::Text, Some(rule)) => one(rule),
        (ExplainFormat::Text, None) => list(),
        (ExplainFormat::Markdown, Some(rule)) => section(rule),
        (ExplainFormat::Markdown, None) => page(),
        (ExplainFormat::Json, rule) => json(rule)?,
    };
    let mut out = crate::console::out();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Outcome::Fine)
}

fn find(id: &str) -> Result<&'static Rule> {
    match rules::find(id) {
        Some(rule) => Ok(rule),
        None => match nearest(id, RULES.iter().map(|rule| rule.id)) {
            Some(near) => bail!("there is no rule {}; did you mean {}?", quoted(id), quoted(near)),
            None => bail!("there is no rule {}; `shapeline explain` lists them all", quoted(id)),
        },
    }
}

fn in_group(group: Group) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.group == group)
}

/// What may be said of a rule's severity.
fn severity(rule: &Rule) -> String {
    let severity = rule.severity.as_str();
    if rule.fixed { format!("{severity}, always") } else { format!("{severity}, unless the settings say otherwise") }
}

/// Every rule on one line.
fn list() -> String {
    let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for group in Group::ALL {
        let _ = writeln!(text, "{}", group.name());
        for rule in in_group(group) {
            let _ = writeln!(text, "  {:width$}  {:7}  {}", rule.id, rule.severity.as_str(), rule.summary);
        }
    }
    text + "\n`shapeline explain RULE` tells more; `shapeline explain setup` lists what to switch on at the forge.\n"
}

fn one(rule: &Rule) -> String {
    const WIDTH: usize = 96;
    let mut text = format!("{}: {}\n", rule.id, rule.summary);
    let _ = writeln!(text, "Severity: {}\n\n{}", severity(rule), wrapped(rule.why, WIDTH));
    if !rule.fixed {
        let _ = writeln!(text, "In shapeline.yaml:\n\n    rules: {{{}: warning}}  # or error, 'off'\n", rule.id);
    }
    let _ = writeln!(text, "Refused:\n\n{}\nAccepted:\n\n{}", indented(rule.bad), indented(rule.good).trim_end());
    text
}

fn indented(example: &str) -> String {
    example.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}

/// Words into lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let more = word.chars().count();
        if length > 0 && length + 1 + more > width {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += more;
    }
    lines + "\n"
}

/// `docs/rules.md`
fn page() -> String {
    let mut text = String::from(
        "<!-- Written by `shapeline explain --format markdown`. Do not edit. -->\n\n\
         # Rules\n\n\
         `shapeline check` checks the data against these rules. One run reports all problems, each with every \
         place involved. `shapeline.yaml` may change how grave a rule is:\n\n\
         ```yaml\nrules: {retired-plan: error, plan-name-mismatch: 'off'}\n```\n\n\
         A rule whose severity is marked *always* cannot be changed: without it the output would be wrong, or \
         subscribers would be missing from it without a message. In the examples, a line `# PATH` starts a file; `before` and \
         `after` tell the base revision from the change, and `by` is who proposes it (`--actor`).\n",
    );
    for group in Group::ALL {
        let _ = write!(text, "\n## {}\n\n| rule | severity | |\n|---|---|---|\n", title(group));
        for rule in in_group(group) {
            let always = if rule.fixed { ", always" } else { "" };
            let _ =
                writeln!(text, "| [`{0}`](#{0}) | {1}{always} | {2} |", rule.id, rule.severity.as_str(), rule.summary);
        }
        for rule in in_group(group) {
            let _ = write!(text, "\n{}", section(rule));
        }
    }
    text
}

fn title(group: Group) -> String {
    let mut name = group.name().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

fn section(rule: &Rule) -> String {
    format!(
        "### {}\n\nSeverity: {}. Looks for: {}.\n\n{}\n\nRefused:\n\n```yaml\n{}```\n\nAccepted:\n\n```yaml\n{}```\n",
        rule.id,
        severity(rule),
        rule.summary,
        rule.why,
        rule.bad,
        rule.good
    )
}

/// The JSON shape: `version` changes when a field changes its meaning or goes.
#[derive(Serialize)]
struct Explanation {
    version: u32,
    rules: Vec<ExplainedRule>,
}

#[derive(Serialize)]
struct ExplainedRule {
    id: &'static str,
    group: &'static str,
    severity: &'static str,
    fixed: bool,
    summary: &'static str,
    why: &'static str,
    bad: &'static str,
    good: &'static str,
}

fn json(only: Option<&'static Rule>) -> Result<String> {
    let wanted = RULES.iter().filter(|rule| only.is_none_or(|only| only.id == rule.id));
    let rules = wanted.map(|rule| ExplainedRule {
        id: rule.id,
        group: rule.group.name(),
        severity: rule.severity.as_str(),
        fixed: rule.fixed,
        summary: rule.summary,
        why: rule.why,
        bad: rule.bad,
        good: rule.good,
    });
    let explanation = Explanation { version: 1, rules: rules.collect() };
    Ok(crate::text::json::json_text(&explanation)?)
}
