//! Marks in fixtures: what a finding must point at, and in which file.
//!
//! ```yaml
//! domain: nosuch.example
//! #       ^^^^^^^^^^^^^^ unknown-domain
//! ```
//!
//! Carets mark the offence, dashes a related place, in a comment right below the line;
//! several of them may share a line or follow each other. A `#` in column 1 with a caret or a dash
//! after it is part of the mark. Where no comment is possible, a line `# at 3:5-3:9 RULE` (or `near`)
//! anywhere in the file says the same, or a line `at PATH:3:5-3:9 RULE` in a file `expect` beside.
//! The end is the column after the last.

use std::collections::BTreeSet;
use std::path::Path;

use shapeline::rules;

/// A range that one rule points at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    pub path: String,
    pub start: (usize, usize),
    pub end: (usize, usize),
    pub rule: String,
}

/// Everything that is marked in a fixture.
#[derive(Default)]
pub struct Marks {
    pub offences: Vec<Mark>,
    pub related: BTreeSet<Mark>,
}

/// One mark a line, for comparing.
pub fn shown<'a>(marks: impl IntoIterator<Item = &'a Mark>) -> String {
    marks
        .into_iter()
        .map(|Mark { path, start, end, rule }| format!("{path}:{}:{}-{}:{} {rule}\n", start.0, start.1, end.0, end.1))
        .collect()
}

/// Every file below `dir`, with `/`, sorted.
pub fn files(dir: &Path) -> Vec<String> {
    let mut found: Vec<String> = walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| entry.path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

/// The marks of a fixture: of its `head` if it is a change.
pub fn of_fixture(dir: &Path) -> Marks {
    let data = if dir.join("head").is_dir() { dir.join("head") } else { dir.to_path_buf() };
    let mut marks = Marks::default();
    for path in files(&data) {
        // A fixture may hold bytes that are no text.
        let bytes = std::fs::read(data.join(&path)).unwrap();
        marks.add_file(&path, &String::from_utf8_lossy(&bytes));
    }
    let expect = std::fs::read_to_string(dir.join("expect")).unwrap_or_default();
    for line in expect.lines() {
        let (kind, rest) = line.split_once(' ').unwrap_or_else(|| panic!("expect: {line}"));
        let (path, rest) = rest.split_once(':').unwrap_or_else(|| panic!("expect: {line}"));
        assert!(marks.add_written(path, kind, rest), "expect: {line}");
    }
    marks.offences.sort();
    marks
}

impl Marks {
    fn add_file(&mut self, path: &str, text: &str) {
        let mut marked_line = 0;
        for (number, line) in text.split('\n').enumerate() {
            let comment = line.trim_start().strip_prefix("# ").unwrap_or_default();
            let written = comment.split_once(' ').is_some_and(|(kind, rest)| self.add_written(path, kind, rest));
            let drawn = !written && self.add_drawn(path, line, marked_line);
            if !written && !drawn {
                marked_line = number + 1;
            }
        }
    }

    /// `at 3:5-3:9 RULE`
    fn add_written(&mut self, path: &str, kind: &str, rest: &str) -> bool {
        let numbers = |text: &str| -> Option<(usize, usize)> {
            let (line, column) = text.split_once(':')?;
            Some((line.parse().ok()?, column.parse().ok()?))
        };
        let parsed = rest.split_once(' ').and_then(|(range, rule)| {
            let (start, end) = range.split_once('-')?;
            Some((numbers(start)?, numbers(end)?, rule))
        });
        let (Some((start, end, rule)), "at" | "near") = (parsed, kind) else { return false };
        self.push(kind == "near", Mark { path: path.to_owned(), start, end, rule: rule.to_owned() });
        true
    }

    /// `#   ^^^^ RULE   ---- RULE`
    fn add_drawn(&mut self, path: &str, line: &str, marked_line: usize) -> bool {
        let characters: Vec<char> = line.chars().collect();
        let Some(hash) = characters.iter().position(|c| *c != ' ').filter(|at| characters[*at] == '#') else {
            return false;
        };
        let mut found = Vec::new();
        let mut at = hash + 1;
        while at < characters.len() {
            let sign = characters[at];
            let from = at;
            while at < characters.len() && characters[at] == sign {
                at += 1;
            }
            if sign == ' ' {
                continue;
            }
            let rule: String = characters[at..].iter().skip(1).take_while(|c| **c != ' ').collect();
            if !matches!(sign, '^' | '-') || characters.get(at) != Some(&' ') || rule.is_empty() {
                return false;
            }
            at += 1 + rule.len();
            let from = if from == 1 { 0 } else { from };
            let (start, end) = ((marked_line, from + 1), (marked_line, at - rule.len()));
            found.push((sign == '-', Mark { path: path.to_owned(), start, end, rule }));
        }
        let any = !found.is_empty();
        for (related, mark) in found {
            self.push(related, mark);
        }
        any
    }

    fn push(&mut self, related: bool, mark: Mark) {
        assert!(rules::find(&mark.rule).is_some(), "{}: there is no rule {}", mark.path, mark.rule);
        if related {
            self.related.insert(mark);
        } else {
            self.offences.push(mark);
        }
    }
}

#[test]
fn marks_are_read_as_described() {
    let text = "plan: x\n#^^^ schema\ndomain: nosuch\n#       ^^^^^^ unknown-domain\n# ---- schema\n# a comment ^ here\n# at 9:1-9:2 schema\n";
    let mut marks = Marks::default();
    marks.add_file("a.yaml", text);
    assert_eq!(
        shown(&marks.offences),
        "a.yaml:1:1-1:5 schema\na.yaml:3:9-3:15 unknown-domain\na.yaml:9:1-9:2 schema\n"
    );
    assert_eq!(shown(&marks.related), "a.yaml:3:3-3:7 schema\n");
}
