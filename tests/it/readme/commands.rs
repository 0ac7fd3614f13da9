//! Every `shapeline …` in a document is a command line that the program accepts.

use clap::{CommandFactory, Parser};
use shapeline::cli::Cli;

use super::{Doc, codes, doc, written_docs};

/// The words of a simple command, up to the first shell syntax.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    // The output of another command is one word.
    let line = match (line.find("\"$("), line.rfind(")\"")) {
        (Some(start), Some(end)) if start < end => format!("{}VALUE{}", &line[..start], &line[end + 2..]),
        _ => line.to_owned(),
    };
    for word in line.split_whitespace() {
        if ["|", "||", "&&", ";", ">", ">>", "<", "\\", "#", "…", "2>"].contains(&word) {
            break;
        }
        words.push(word.trim_matches(['"', '\'']).trim_end_matches(';').to_owned());
    }
    words
}

/// The command lines in a document's blocks and codes, each with what it was found in.
fn command_lines(doc: &Doc) -> Vec<String> {
    let blocks = doc.blocks();
    let in_blocks = blocks.iter().flat_map(|block| block.text.lines().map(str::to_owned));
    let in_prose = doc.prose().flat_map(|(_, line)| codes(line).filter(|code| code.contains(' ')).map(str::to_owned));
    let lines: Vec<String> =
        in_blocks.chain(in_prose).map(|line| line.replace("cargo run --release --", "shapeline")).collect();
    let starts = ["$ ", "run: ", "- run: ", "- ", "sh '", "sh \""];
    let command = |line: &String| {
        let line = line.trim_start();
        let line = starts.iter().find_map(|start| line.strip_prefix(start)).unwrap_or(line);
        line.starts_with("shapeline ").then(|| line.to_owned())
    };
    lines.iter().filter_map(command).collect()
}

/// Why the program would reject the line. Words in capitals and of CI systems are placeholders.
fn refused(line: &str) -> Option<String> {
    let words = words(line);
    // The first line of what a plan's fingerprint is made of, and no command.
    if line == "shapeline plan 1" {
        return None;
    }
    let value = |word: &str| match word {
        "DATE" => "2026-12-01".to_owned(),
        "SHELL" => "bash".to_owned(),
        "SOURCE" => "crates.io".to_owned(),
        word => word.to_owned(),
    };
    let error = Cli::try_parse_from(words.iter().map(|word| value(word))).err()?;
    let answered = matches!(error.kind(), clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion);
    (!answered).then(|| format!("{line}\n{error}"))
}

#[test]
fn command_lines_are_taken() {
    let docs = written_docs();
    let lines: Vec<(String, String)> =
        docs.iter().flat_map(|doc| command_lines(doc).into_iter().map(|line| (doc.path.clone(), line))).collect();
    let refused: Vec<String> =
        lines.iter().filter_map(|(path, line)| Some(format!("{path}: {}", refused(line)?))).collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(lines.len() > 30, "command lines are found: {}", lines.len());
}

#[test]
fn a_wrong_command_line_is_reported() {
    assert!(refused("shapeline check --format sarif > shapeline.sarif").is_none());
    assert!(refused("shapeline simulate --listen X").is_some());
    assert!(refused("shapeline plan --base \"$(git merge-base HEAD main)\" > plan.txt").is_none());
    assert!(refused("shapeline check --fromat sarif").is_some());
    assert!(refused("shapeline chekc").is_some());
}

#[test]
fn every_command_is_explained_and_shown() {
    let (readme, guide) = (doc("README.md"), doc("docs/commands.md"));
    let run: Vec<String> =
        guide.blocks().iter().flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        assert!(readme.text.contains(&format!("| `{name}` |")), "README.md does not name `{name}`");
        assert!(guide.text.contains(&format!("\n## `{name}`\n")), "docs/commands.md does not explain `{name}`");
        let shown = run.iter().any(|line| line.starts_with(&format!("$ shapeline {name}")));
        assert!(shown, "docs/commands.md has no example of `{name}`");
    }
}
