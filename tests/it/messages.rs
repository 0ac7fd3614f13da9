//! What Shapeline answers to wrong input: the files in `messages/` are tables of inputs, each followed by
//! the exact answer, to be read by people as well. `INSTA_UPDATE=always` writes the answers anew.
//!
//! - A line that starts with `#` is a comment.
//! - `== TITLE` starts a case in a fresh repository: [`usual`].
//! - `--- PATH` writes a file, of the lines below that start with `| `; `--- PATH (CRLF)` ends them as on
//!   Windows, and `--- PATH (gone)` removes it.
//! - `$ ARGUMENTS` runs the program. `$ check` alone is run in this process, and shows each finding as
//!   `PLACE: SEVERITY [RULE] MESSAGE`, the other places, and the help. `$ commit` commits all files.
//! - `== lines of PATH` starts a table of lines: each is a case, put into that file of the usual
//!   repository in the place of the line for the same field.
//! - Lines that are indented by four spaces are the answer.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::support::Repo;

const PLAN: (&str, &str) = ("plans/GOLD.yaml", "name: GOLD\nup: 30 Mbps\ndown: 30 Mbps\n");
const DOMAIN: (&str, &str) = ("domains/ispcustomer.co.zw.yaml", "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\n");
const SUBSCRIBER: (&str, &str) =
    ("subscribers/office.yaml", "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: GOLD\n");

/// A repository without a mistake.
fn usual() -> Repo {
    let repo = Repo::empty();
    for (path, text) in [PLAN, DOMAIN, SUBSCRIBER] {
        repo.write(path, text);
    }
    repo
}

/// A part of a table: a case, or lines between cases.
#[derive(Default)]
struct Part {
    /// The file whose line it is, for a line of a table.
    of: Option<String>,
    /// Its lines without the answers; nothing for lines between cases.
    case: Vec<String>,
    /// All of it, as it is in the table.
    text: String,
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut of: Option<String> = None;
    for line in text.lines() {
        let title = line.strip_prefix("== ");
        if let Some(title) = title {
            of = title.strip_prefix("lines of ").map(ToOwned::to_owned);
        }
        let answer = line.starts_with("    ");
        let between = line.is_empty() || line.starts_with('#') || title.is_some();
        let goes_on = parts.last().is_some_and(|part| answer || (!part.case.is_empty() && of.is_none()));
        if between || !goes_on {
            parts.push(Part { of: of.clone(), ..Part::default() });
        }
        let part = parts.last_mut().unwrap();
        part.text += &format!("{line}\n");
        if !answer && !between {
            part.case.push(line.to_owned());
        }
    }
    parts
}

/// The part with the answers of today.
fn answered(part: &Part) -> String {
    match &part.of {
        _ if part.case.is_empty() => part.text.clone(),
        None => session(&part.case),
        Some(path) => {
            let repo = usual();
            let line = part.case.concat();
            let field = |line: &str| line.split(':').next().map(ToOwned::to_owned);
            let old = std::fs::read_to_string(repo.path().join(path)).unwrap_or_default();
            let kept: String =
                old.lines().filter(|old| field(old) != field(&line)).map(|line| format!("{line}\n")).collect();
            repo.write(path, format!("{kept}{line}\n"));
            format!("{line}\n{}", indented(&findings(&repo)))
        }
    }
}

fn indented(answer: &str) -> String {
    answer.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("    {line}\n")).collect()
}

fn findings(repo: &Repo) -> String {
    let found = crate::rules::check(repo.path(), None, &[]).text;
    // A template's own message says what to write.
    let helped = |finding: &str| finding.contains("\n    help: ") || finding.contains("[template]");
    let (mut rest, mut findings) = (found.as_str(), Vec::new());
    while let Some(end) = rest.match_indices('\n').map(|(at, _)| at + 1).find(|at| !rest[*at..].starts_with("    ")) {
        findings.push(&rest[..end]);
        rest = &rest[end..];
    }
    assert!(findings.iter().all(|finding| helped(finding)), "a finding without help:\n{found}");
    if found.is_empty() { "accepted\n".to_owned() } else { found }
}

/// Runs a case from its first line to its last.
fn session(lines: &[String]) -> String {
    let repo = usual();
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        writeln!(out, "{line}").unwrap();
        if let Some(path) = line.strip_prefix("--- ") {
            write_file(&repo, path, &lines[at + 1..]);
        } else if let Some(command) = line.strip_prefix("$ ") {
            out += &indented(&run(&repo, command));
        } else {
            assert!(line.starts_with('|'), "{line:?} is neither a file, a line of one, a command nor a comment");
        }
    }
    out
}

fn write_file(repo: &Repo, path: &str, below: &[String]) {
    let (path, how) = path.split_once(" (").unwrap_or((path, ""));
    let end = if how == "CRLF)" { "\r\n" } else { "\n" };
    let content = below.iter().map_while(|line| line.strip_prefix('|'));
    let content: String = content.map(|line| format!("{}{end}", line.strip_prefix(' ').unwrap_or(line))).collect();
    match how {
        "gone)" => std::fs::remove_file(repo.path().join(path)).unwrap(),
        _ => drop(repo.write(path, content)),
    }
}

fn run(repo: &Repo, command: &str) -> String {
    match command {
        "check" => findings(repo),
        "commit" => {
            repo.commit("A change");
            String::new()
        }
        _ => {
            let arguments = arguments(command);
            let run = repo.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
            let place = repo.path().canonicalize().unwrap();
            let text = format!("{}{}exit code {}\n", run.stdout, run.stderr, run.code);
            text.replace(place.to_str().unwrap(), "DIR").replace(repo.path().to_str().unwrap(), "DIR")
        }
    }
}

/// Words between spaces; '…' is one word.
fn arguments(command: &str) -> Vec<String> {
    let quoted = command.split('\'').enumerate().flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(ToOwned::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    quoted.collect()
}

fn tables() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/messages");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn wrong_input_gets_these_answers() {
    let update = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    let mut wrong = String::new();
    let mut cases = 0;
    for table in tables() {
        let parts = parts(&std::fs::read_to_string(&table).unwrap());
        cases += parts.iter().filter(|part| !part.case.is_empty()).count();
        let now: Vec<String> = parts.par_iter().map(answered).collect();
        for (part, now) in parts.iter().zip(&now).filter(|(part, now)| part.text != **now) {
            write!(wrong, "{}, now:\n{now}instead of:\n{}\n", table.display(), part.text).unwrap();
        }
        if update {
            std::fs::write(&table, now.concat()).unwrap();
        }
    }
    assert!(wrong.is_empty() || update, "{wrong}");
    assert!(cases >= 100, "{cases} cases: the tables are not read as such");
}
