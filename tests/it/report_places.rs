//! Every format points at the right text.
//!
//! In these texts a line `#   ^^^  --` marks the text above it: `^` what is wrong, `-` what else is
//! involved, one character under each code point. The mark is a comment, so it is part of the file.

use serde_json::Value;

use crate::support::Repo;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    line: usize,
    from: usize,
    to: usize,
}

/// Where the marks of one kind are.
fn marked(lines: &[&str], mark: char) -> Option<Range> {
    lines.iter().enumerate().filter(|(_, line)| line.starts_with('#')).find_map(|(at, line)| {
        let columns: Vec<usize> =
            line.chars().enumerate().filter(|(_, c)| *c == mark).map(|(column, _)| column + 1).collect();
        Some(Range { line: at, from: *columns.first()?, to: *columns.last()? + 1 })
    })
}

const PATH: &str = "subscribers/a.yaml";

struct Case {
    repo: Repo,
    lines: Vec<String>,
    offence: Range,
    related: Option<Range>,
}

impl Case {
    fn new(lines: &[&str], line_end: &str, start: &str) -> Self {
        let repo = Repo::new();
        let text: String = lines.iter().flat_map(|line| [line, line_end]).collect();
        repo.write(PATH, format!("{start}{text}"));
        let offence = marked(lines, '^').expect("a mark");
        let lines_owned = lines.iter().map(|line| (*line).to_owned()).collect();
        Self { repo, lines: lines_owned, offence, related: marked(lines, '-') }
    }

    fn run(&self, format: &str) -> String {
        let run = self.repo.run(&["check", "--format", format]);
        assert_eq!(run.code, 1, "{run:?}");
        run.stdout
    }

    fn parsed(&self, format: &str) -> Value {
        serde_json::from_str(&self.run(format)).unwrap()
    }

    fn assert_everywhere(&self) {
        self.assert_json();
        self.assert_sarif();
        self.assert_github();
        self.assert_junit();
        self.assert_text();
    }

    fn assert_json(&self) {
        let range = |place: &Value| {
            assert_eq!(place["start"]["line"], place["end"]["line"]);
            let number = |value: &Value| value.as_u64().unwrap() as usize;
            Range {
                line: number(&place["start"]["line"]),
                from: number(&place["start"]["column"]),
                to: number(&place["end"]["column"]),
            }
        };
        let log = self.parsed("json");
        let findings = log["findings"].as_array().unwrap();
        assert_eq!(findings.len(), 1, "{log:#}");
        assert_eq!(range(&findings[0]["primary"]), self.offence);
        assert_eq!(findings[0]["related"].get(0).map(range), self.related);
        // The bytes are those of the marked text, in the file as it is.
        let text = self.repo.read(PATH);
        let byte = |name| findings[0]["primary"]["span"][name].as_u64().unwrap() as usize;
        assert_eq!(text[byte("start")..byte("end")], self.text_at(&self.offence));
    }

    fn text_at(&self, range: &Range) -> String {
        self.lines[range.line - 1].chars().skip(range.from - 1).take(range.to - range.from).collect()
    }

    fn assert_sarif(&self) {
        let range = |location: &Value| {
            let region = &location["physicalLocation"]["region"];
            assert_eq!(region["startLine"], region["endLine"]);
            let number = |name: &str| region[name].as_u64().unwrap() as usize;
            Range { line: number("startLine"), from: number("startColumn"), to: number("endColumn") }
        };
        let log = self.parsed("sarif");
        let run = &log["runs"][0];
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        assert_eq!(range(&run["results"][0]["locations"][0]), self.offence);
        assert_eq!(run["results"][0]["relatedLocations"].get(0).map(range), self.related);
    }

    fn assert_github(&self) {
        let out = self.run("github");
        let command = out.lines().find(|line| line.starts_with("::error ")).unwrap();
        let Range { line, from, to } = self.offence;
        let properties = format!(",file={PATH},line={line},endLine={line},col={from},endColumn={to}::");
        assert!(command.contains(&properties), "{properties} is not in {command}");
        if let Some(Range { line, from, .. }) = self.related {
            assert!(command.contains(&format!(": {PATH}:{line}:{from}%0A")), "{command}");
        }
    }

    fn assert_junit(&self) {
        let out = self.run("junit");
        let xml = roxmltree::Document::parse(&out).unwrap();
        let failure = xml.descendants().find(|node| node.has_tag_name("failure")).unwrap();
        let text = failure.text().unwrap();
        assert!(text.starts_with(&format!("error: {PATH}:{}:{}: ", self.offence.line, self.offence.from)), "{text}");
        if let Some(Range { line, from, .. }) = self.related {
            assert!(text.contains(&format!("\n  {PATH}:{line}:{from}: ")), "{text}");
        }
    }

    fn assert_text(&self) {
        let out = self.run("text");
        let Range { line, from, .. } = self.offence;
        let origin = out.lines().find_map(|line| line.trim_start().strip_prefix("--> ")).unwrap();
        assert_eq!(origin, format!("{PATH}:{line}:{from}"), "{out}");
        assert_eq!(underlined(&out, line, '^'), Some(self.text_at(&self.offence)), "{out}");
        if let Some(related) = &self.related {
            assert_eq!(underlined(&out, related.line, '-'), Some(self.text_at(related)), "{out}");
        }
    }
}

/// The text of a line of an excerpt above the marks, as wide as a terminal shows it.
fn underlined(out: &str, line: usize, mark: char) -> Option<String> {
    let rows: Vec<&str> = out.lines().collect();
    let start = format!("{line} | ");
    let at = rows.iter().position(|row| row.trim_start().starts_with(&start))?;
    let source = rows[at].split_once(" | ")?.1;
    let marks = rows[at + 1].split_once(" | ")?.1;
    let from = marks.find(mark)?;
    let marks = &marks[from..];
    let wide = marks.chars().take_while(|&c| c == mark).count();
    let mut column = 0;
    let mut text = String::new();
    for c in source.chars() {
        if (from..from + wide).contains(&column) {
            text.push(c);
        }
        column += if c > '\u{1100}' { 2 } else { 1 };
    }
    Some(text)
}

const IN_FLOW: [&str; 2] = [
    "- {name: 'é名前😀', ip: 10.10.10.25, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN, ip: 10.10.10.26}",
    "#                --                                                                       ^^",
];

const IN_BLOCK: [&str; 6] = [
    "- domain: ispcustomer.co.zw # é",
    "  ip: 10.10.10.25",
    "# --",
    "  plan: 30_MEG_UP_30_MEG_DOWN",
    "  ip: 10.10.10.26",
    "# ^^",
];

const FIRST_LINE: [&str; 4] =
    ["- ip: 10.10.10.300", "#     ^^^^^^^^^^^^", "  domain: ispcustomer.co.zw", "  plan: 30_MEG_UP_30_MEG_DOWN"];

#[test]
fn marks_are_under_what_they_mark() {
    let case = Case::new(&IN_FLOW, "\n", "");
    assert_eq!(case.text_at(&case.offence), "ip");
    assert_eq!(case.related.as_ref().map(|range| case.text_at(range)).as_deref(), Some("ip"));
}

#[test]
fn text_of_many_bytes_and_of_double_width() {
    Case::new(&IN_FLOW, "\n", "").assert_everywhere();
}

#[test]
fn lines_that_end_in_carriage_return_and_newline() {
    Case::new(&IN_BLOCK, "\r\n", "").assert_everywhere();
    Case::new(&IN_FLOW, "\r\n", "").assert_everywhere();
}

#[test]
fn lines_that_end_in_a_lone_carriage_return() {
    Case::new(&IN_BLOCK, "\r", "").assert_everywhere();
}

#[test]
fn a_byte_order_mark() {
    for line_end in ["\n", "\r\n"] {
        Case::new(&FIRST_LINE, line_end, "\u{feff}").assert_everywhere();
        Case::new(&IN_FLOW, line_end, "\u{feff}").assert_everywhere();
        Case::new(&IN_BLOCK, line_end, "\u{feff}").assert_everywhere();
    }
}

#[test]
fn lines_too_long_to_show() {
    let labels = ('a'..'f').map(|c| format!("{c}: {}", "ö".repeat(100))).collect::<Vec<_>>().join(", ");
    let rest = "domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN";
    let start = format!("- {{labels: {{{labels}, z: 'ö'}}, ip: ");
    let source = format!("{start}10.10.10.300, {rest}, name: x{}}}", " ".repeat(1000));
    let mark = format!("#{}^^^^^^^^^^^^", " ".repeat(start.chars().count() - 1));
    let case = Case::new(&[&source, &mark], "\n", "");
    assert_eq!(case.text_at(&case.offence), "10.10.10.300");
    let out = case.run("text");
    assert!(out.contains(&format!("--> {PATH}:1:{}", case.offence.from)), "{out}");
    let row = out.lines().find(|row| row.contains("10.10.10.300,")).unwrap();
    assert!(row.chars().count() < 200 && row.contains("1 | …") && row.ends_with('…'), "{row}");
    let marks = out.lines().find(|row| row.contains("^^^^")).unwrap();
    let column = |row: &str, what: &str| row[..row.find(what).unwrap()].chars().count();
    assert_eq!(column(row, "10.10.10.300,"), column(marks, "^"), "{out}");
}

#[test]
fn an_annotation_over_several_lines_has_no_columns() {
    let repo = Repo::new();
    let text = "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan:\n  - a\n  - b\n";
    repo.write(PATH, text);
    let out = repo.run(&["check", "--format", "github"]).stdout;
    assert!(out.contains(&format!(",file={PATH},line=4,endLine=5::")), "{out}");
}
