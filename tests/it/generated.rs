//! Files that the program itself writes are what it would write today. `scripts/generate` rewrites
//! them: it runs these tests with `SHAPELINE_GENERATE=1`.

use std::fmt::Write;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};
use shapeline::cli::Cli;
use shapeline::schema::{FOLDER, schema_files};

/// Compares `path` in this repository with `text`, or writes it.
fn current(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("SHAPELINE_GENERATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return;
    }
    let is = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(is == text, "{path} is not current: run scripts/generate and commit the result");
}

#[test]
fn schemas() {
    let files = schema_files();
    for (name, text) in &files {
        current(&format!("{FOLDER}/{name}"), text);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(files.contains_key(&name), "{FOLDER}/{name} is the schema of nothing");
    }
}

/// Settings name rules, and are read below the table of rules.
#[test]
fn rule_names() {
    let mut text = String::from(RULE_NAMES);
    for rule in shapeline::rules::RULES {
        let (id, severity, fixed, summary) = (rule.id, rule.severity, rule.fixed, rule.summary);
        let name = format!(
            "RuleName {{ id: {id:?}, severity: Severity::{severity:?}, fixed: {fixed}, summary: {summary:?} }}"
        );
        writeln!(text, "    {name},").unwrap();
    }
    current("src/model/rule_names.rs", &(text + "];\n"));
}

const RULE_NAMES: &str = "\
//! The rules that settings can name. Written by scripts/generate from the table of rules. Do not edit.

use crate::finding::Severity;

/// What settings and their schema know of a rule.
pub(crate) struct RuleName {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// Whether settings may not change the severity.
    pub(crate) fixed: bool,
    pub(crate) summary: &'static str,
}

#[rustfmt::skip]
pub(crate) const RULE_NAMES: &[RuleName] = &[
";

/// This repository is a data repository too: its workflows are those of `init`, but for the tool.
#[test]
fn workflows() {
    for name in ["check.yml", "deploy.yml", "drift.yml"] {
        let text = shapeline::init::workflow(name, BUILD).unwrap();
        current(
            &format!(".github/workflows/{name}"),
            &format!("# Written by scripts/generate. Do not edit.\n#\n{text}"),
        );
    }
}

const BUILD: &str =
    "      # Here the tool is built from the same commit as the data, so a proposal can change both. In the
      # check it runs with a token that may only read, and no secrets.
      - name: Build the tool
        run: cargo install --locked --path .
";

#[test]
fn editor_settings() {
    current(".vscode/settings.json", &shapeline::init::files(true, None).unwrap()[".vscode/settings.json"]);
}

#[test]
fn command_reference() {
    let mut text = String::from(HEAD);
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    let commands: Vec<&Command> = cli.get_subcommands().collect();
    text.push_str("| command | what it does |\n|---|---|\n");
    for command in &commands {
        let name = command.get_name();
        writeln!(text, "| [`{name}`](#shapeline-{name}) | {} |", about(command)).unwrap();
    }
    text.push_str("\n## Options of every command\n\n");
    write_arguments(&mut text, cli.get_arguments().filter(|arg| arg.is_global_set()));
    writeln!(text, "\n{}", cli.get_after_help().unwrap().to_string().replace('\n', " ")).unwrap();
    for command in commands {
        write_command(&mut text, command);
    }
    current("docs/cli.md", &text);
}

const HEAD: &str = "\
<!-- Written by scripts/generate. Do not edit. -->

# Command reference

`shapeline --help` and `shapeline COMMAND --help` say the same in a terminal; `shapeline man` prints a
manual page.

";

fn write_command(text: &mut String, command: &Command) {
    let name = command.get_bin_name().unwrap();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap();
    writeln!(text, "\n## `{name}`\n\n{}\n\n```text\n{usage}\n```", about(command)).unwrap();
    let own = command.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
    let (mut own, options): (Vec<_>, Vec<_>) = own.partition(|arg| arg.is_positional());
    own.extend(options);
    if !own.is_empty() {
        text.push('\n');
        write_arguments(text, own.into_iter());
    }
    for command in command.get_subcommands() {
        write_command(text, command);
    }
}

fn write_arguments<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    text.push_str("| argument | meaning |\n|---|---|\n");
    for argument in arguments {
        writeln!(text, "| `{}` | {} |", spelled(argument).replace('|', "\\|"), meaning(argument)).unwrap();
    }
}

/// `-C, --directory <DIR>`
fn spelled(argument: &Arg) -> String {
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let value = match argument.get_action().takes_values() {
        true => argument.get_value_names().unwrap_or_default().first().map(|name| format!("<{name}>")),
        false => None,
    };
    let names: Vec<String> = short.into_iter().chain(long).collect();
    [names.join(", "), value.unwrap_or_default()].join(" ").trim().to_owned()
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('\n', " ");
    if !text.ends_with('.') {
        text.push('.');
    }
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| argument.get_action().takes_values())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({})", value.get_name(), lower(&help.to_string())),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        write!(text, " One of {}.", values.join(", ")).unwrap();
    }
    if argument.get_action().takes_values()
        && let [default] = argument.get_default_values()
    {
        write!(text, " Default: `{}`.", default.to_string_lossy()).unwrap();
    }
    text.replace('|', "\\|")
}

fn about(command: &Command) -> String {
    let text = command.get_about().unwrap().to_string();
    if text.ends_with('.') { text } else { text + "." }
}

/// The text with a small first letter, unless its first word is spelled with more capitals.
fn lower(text: &str) -> String {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    if first.chars().filter(|letter| letter.is_uppercase()).count() > 1 {
        return text.to_owned();
    }
    [&first.to_lowercase(), rest].join(" ").trim_end().to_owned()
}
