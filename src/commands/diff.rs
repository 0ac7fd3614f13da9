//! `diff`: what differs between two kept versions of a target.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::targets::{default_rev, one_target, print_json, settings};
use super::{Outcome, refusal_is_an_outcome};
use crate::cli::{DataArgs, DiffArgs, TextOrJson};
use crate::inventory::Context;
use crate::plan::{ChangePlan, text};
use crate::publish::compare::{ComparedFile, Comparison, ComparisonReport};
use crate::publish::drift::UnexplainedLine;
use crate::render::Table;
use crate::text::quote::{harmless, short_id};
use crate::text::style;

/// How many lines are listed that are no subscriber's.
const MAX_LINES: usize = 50;

pub(super) fn run(root: &Path, args: &DiffArgs) -> Result<Outcome> {
    refusal_is_an_outcome(compare(root, args))
}

fn compare(root: &Path, args: &DiffArgs) -> Result<Outcome> {
    let settings = settings(root)?;
    let target = one_target(&settings, args.target.as_deref())?;
    // For the names and rates of plans: as much of the data as can be read.
    let rev = args.rev.clone().map_or_else(|| default_rev(root), |rev| Ok(Some(rev)))?;
    let data = DataArgs { rev, on: None };
    let repo = Arc::new(super::load(root, &data)?);
    let table = Arc::new(Table::new(&repo, &Context::new(&repo, super::today(&data), None)));
    let comparison =
        Comparison::read(target, &table, args.before, args.after).with_context(|| format!("target {}", target.name))?;
    let plan = comparison.plan(&table);
    let lines = comparison.lines(&table);
    let differs = !plan.is_empty();
    match args.format {
        TextOrJson::Json => print_json(&[ComparisonReport::of(&comparison, &plan, lines)])?,
        TextOrJson::Text => print(args, target.name.as_str(), &comparison, &plan, &lines)?,
    }
    Ok(if args.exit_code && differs { Outcome::Differs } else { Outcome::Fine })
}

fn print(
    args: &DiffArgs,
    target: &str,
    comparison: &Comparison,
    plan: &ChangePlan<'_>,
    lines: &[UnexplainedLine],
) -> Result<()> {
    let mut out = crate::console::out();
    writeln!(out, "{target}: {}, compared with {}", named(&comparison.after), named(&comparison.before))?;
    if plan.is_empty() {
        match itself(args, target, comparison) {
            Some(why) => writeln!(out, "No difference: {why}")?,
            None => writeln!(out, "No difference.")?,
        }
        return Ok(());
    }
    writeln!(out)?;
    out.write_all(style::plan(text::changes(plan).trim_start_matches('\n')).as_bytes())?;
    for line in lines.iter().take(MAX_LINES) {
        writeln!(out, "only {}, line {}: {}", line.only, line.line, line.text)?;
    }
    if let Some(more) = lines.len().checked_sub(MAX_LINES + 1) {
        writeln!(out, "and {} more lines", more + 1)?;
    }
    out.flush()?;
    Ok(())
}

/// Why a version was compared with itself, if only one was named; what was meant is most likely what it changed.
fn itself(args: &DiffArgs, target: &str, comparison: &Comparison) -> Option<String> {
    let named = args.before.filter(|_| args.after.is_none())?;
    comparison.after.version.as_ref().filter(|version| version.id == named)?;
    let target = args.target.as_ref().map(|_| format!(" --target {target}")).unwrap_or_default();
    let further = comparison
        .previous
        .map(|previous| format!("; `shapeline diff {previous} {named}{target}` shows what it changed"));
    Some(format!("version {named} is the live one{}", further.unwrap_or_default()))
}

/// `version 2 (9d12ab34cd56, of 2026-11-01T00:00:00Z by alice, live)`
fn named(file: &ComparedFile) -> String {
    let Some(version) = &file.version else { return "the live file, changed outside shapeline".to_owned() };
    let commit = version.commit.as_deref().map(|commit| harmless(commit, 40));
    let commit = commit.map_or_else(|| "no commit".to_owned(), |commit| short_id(&commit).to_owned());
    let live = if file.live { ", live" } else { "" };
    let made = match version.undated {
        true => "time unknown".to_owned(),
        false => format!("of {} by {}", version.time, harmless(&version.actor, 80)),
    };
    format!("version {} ({commit}, {made}{live})", version.id)
}
