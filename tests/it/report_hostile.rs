//! Nothing that a file's author writes can steer a terminal, start a workflow command, or inject
//! markup, in any format.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use shapeline::finding::{Finding, Where};
use shapeline::report::CheckFormat;
use shapeline::report::CheckReport;
use shapeline::source::Span;
use shapeline::text::characters::is_steering;

use crate::report::{assert_is_sarif, file, files, place, text, written};
use crate::support::Repo;
use crate::yaml_properties::cases;

const FORMATS: [CheckFormat; 5] =
    [CheckFormat::Text, CheckFormat::Json, CheckFormat::Github, CheckFormat::Sarif, CheckFormat::Junit];

const HOSTILE: [&str; 12] = [
    "a\n::error::forged",
    "a\r\n::add-mask::b",
    "::stop-commands::x",
    "  ::error ::x",
    "x ##[error]forged",
    "%0A::error::forged%0D%25",
    "]]><failure/>",
    "<script>alert(1)</script> & \" ' -->",
    "\u{1b}[2J\u{1b}]0;title\u{7} \u{9b}2J \u{0} \u{7f} \u{ffff}",
    "\u{202e}desrever\u{2066} \u{200b} \u{2028}::error::forged\u{85}",
    "a,b:c=d,line=7::x",
    "[link](https://ispcustomer.co.zw/) {0} \\ `",
];

/// A report in which path, text, message, labels and help all hold `value`.
fn with_report(value: &str, look: impl FnOnce(&CheckReport<'_>, &str)) {
    let path = format!("subscribers/{value}.yaml");
    let content = format!("ip: MEANT {value}\nother: RELATED\n");
    let repo = files(&[(&path, &content), ("subscribers/z.yaml", &content)]);
    let finding = Finding::new("duplicate-ip", place(&repo, &path, "MEANT"), value)
        .label(value)
        .related(place(&repo, "subscribers/z.yaml", "RELATED"), value)
        .related(Where::File(file(&repo, &path)), value)
        .help(value);
    look(&CheckReport::of(&repo, vec![finding]), &path);
}

/// A workflow command as GitHub's runner reads it off a line, in its newer form.
fn command(line: &str) -> Option<(String, BTreeMap<String, String>, String)> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (info, data) = rest.split_once("::")?;
    let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
    let unescape = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    };
    let properties = properties.split(',').filter_map(|property| property.split_once('='));
    let properties = properties.map(|(name, value)| (name.to_owned(), unescape(value))).collect();
    let data = data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let known = ["error", "warning", "notice", "debug", "group", "add-mask", "stop-commands", "set-output"];
    known.contains(&name).then(|| (name.to_owned(), properties, data))
}

/// Lines as anything might split them: a carriage return alone starts one in some logs.
fn lines(out: &str) -> impl Iterator<Item = &str> {
    out.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{b}', '\u{c}'])
}

/// What is left when the colours that the text format itself uses are taken out.
fn without_colours(out: &str) -> String {
    let mut rest = out;
    let mut left = String::new();
    while let Some(at) = rest.find("\u{1b}[") {
        let parameters = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        left.push_str(&rest[..at]);
        rest = match parameters.strip_prefix('m') {
            Some(after) => after,
            None => panic!("a sequence that is no colour in {out:?}"),
        };
    }
    left + rest
}

#[test]
fn no_format_lets_a_value_steer_a_terminal_or_a_runner() {
    for value in HOSTILE {
        with_report(value, |report, _| {
            for format in FORMATS {
                let out = without_colours(&written(report, format));
                let steering: Vec<char> = out.chars().filter(|&c| is_steering(c) && c != '\n').collect();
                assert_eq!(steering, Vec::<char>::new(), "{format:?} of {value:?}:\n{out}");
                assert!(!out.contains("##["), "{format:?} of {value:?}:\n{out}");
                let commands = lines(&out).filter(|line| command(line).is_some()).count();
                let meant = usize::from(format == CheckFormat::Github);
                assert_eq!(commands, meant, "{format:?} of {value:?}:\n{out}");
            }
        });
    }
}

#[test]
fn a_workflow_command_names_the_very_file() {
    for value in ["a,b:c", "100%", "%0A::error::", "a\n::error::b", "é 名前", "a=b"] {
        with_report(value, |report, path| {
            let out = written(report, CheckFormat::Github);
            let (name, properties, data) = out.lines().find_map(command).unwrap();
            assert_eq!((name.as_str(), properties["file"].as_str()), ("error", path));
            assert_eq!((properties["line"].as_str(), properties["title"].as_str()), ("1", "duplicate-ip"));
            assert!(data.starts_with(&value.replace('\n', "\\n")), "{data}");
            assert_eq!(data.lines().count(), 5, "message, label, two places, help: {data}");
        });
    }
}

#[test]
fn json_gives_values_back_unchanged() {
    for value in HOSTILE {
        with_report(value, |report, path| {
            let log: serde_json::Value = serde_json::from_str(&written(report, CheckFormat::Json)).unwrap();
            let finding = &log["findings"][0];
            assert_eq!([&finding["message"], &finding["help"], &finding["primary"]["label"]], [value; 3]);
            assert_eq!(finding["primary"]["path"], path);
        });
    }
}

#[test]
fn sarif_stays_valid_and_its_addresses_lead_back_to_the_file() {
    for value in HOSTILE {
        with_report(value, |report, path| {
            let out = written(report, CheckFormat::Sarif);
            assert_is_sarif(&out);
            let log: serde_json::Value = serde_json::from_str(&out).unwrap();
            let result = &log["runs"][0]["results"][0];
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            assert_eq!(percent_decoded(uri), path);
            assert!(!uri.contains(':'), "{uri} would be taken for a scheme");
            let message = result["message"]["text"].as_str().unwrap();
            let first = message.lines().next().unwrap();
            let links = first.match_indices('[').filter(|(at, _)| !first[..*at].ends_with('\\')).count();
            assert_eq!(links, 0, "{message}");
        });
    }
}

fn percent_decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
                after
            }
            _ => {
                bytes.push(*first);
                after
            }
        };
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn junit_stays_one_failure_of_plain_text() {
    for value in HOSTILE {
        with_report(value, |report, _| {
            let out = written(report, CheckFormat::Junit);
            let xml = roxmltree::Document::parse(&out).unwrap_or_else(|error| panic!("{error} in {out}"));
            let failures: Vec<_> = xml.descendants().filter(|node| node.has_tag_name("failure")).collect();
            assert_eq!(failures.len(), 1);
            assert!(failures[0].children().all(|child| child.is_text()));
            assert!(!xml.descendants().any(|node| node.has_tag_name("script")));
            let text = failures[0].text().unwrap();
            for word in value.split(|c: char| !c.is_ascii_alphanumeric()) {
                assert!(text.contains(word), "{word} is not in {text}");
            }
        });
    }
}

#[test]
fn hostile_files_on_disk_are_shown_harmless() {
    let repo = Repo::new();
    repo.write("subscribers/a\n::error::b\u{1b}[2J,:%0A.yaml", "ip: '\u{202e}1' # ##[error]x \t\n");
    for format in ["text", "json", "github", "sarif", "junit"] {
        let run = repo.run(&["check", "--format", format]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(!run.stdout.contains(|c| is_steering(c) && c != '\n'), "{run:?}");
        assert!(!run.stdout.contains("##["), "{run:?}");
        assert!(!run.stderr.contains("::error"), "{run:?}");
    }
}

#[test]
fn twenty_thousand_findings_in_one_line_of_sixteen_megabytes() {
    let record = "{ip: 10.10.10.25, name: 'é'}, ";
    let content = record.repeat(16 * 1024 * 1024 / record.len());
    let repo = files(&[("subscribers/a.yaml", &content)]);
    let id = file(&repo, "subscribers/a.yaml");
    let at = |record_at: usize| {
        let start = (record_at * record.len() + 5) as u32;
        Where::Span(id, Span::new(start, start + 11))
    };
    let records = content.len() / record.len();
    let findings = (0..20_000).map(|number| {
        Finding::new("duplicate-ip", at(records - 1 - number), "taken").related(at(number), "first declared here")
    });
    let findings: Vec<Finding> = findings.collect();
    let report = CheckReport::of(&repo, findings);
    for format in FORMATS {
        let started = Instant::now();
        let out = written(&report, format);
        let took = started.elapsed();
        assert!(out.len() > 10_000 && out.len() < 40_000_000, "{format:?}: {} bytes", out.len());
        assert!(took < Duration::from_secs(10), "{format:?} took {took:?}");
    }
    assert!(text(&report).lines().all(|line| line.chars().count() < 200));
}

mod never_panics {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(cases(256))]

        #[test]
        fn whatever_the_text_and_wherever_the_spans(
            content in "([a-zé名\u{feff}\u{1b}\u{202e}:\\[\\]# \t]{0,30}(\n|\r\n|\r)?){0,12}",
            spans in prop::collection::vec((0u32..300, 0u32..300), 1..5),
            long in 0usize..2,
        ) {
            let content = if long == 1 { format!("{content}{}", "é".repeat(600)) } else { content };
            let repo = files(&[("subscribers/a.yaml", &content)]);
            let id = file(&repo, "subscribers/a.yaml");
            let mut places = spans.iter().map(|&(from, to)| Where::Span(id, Span::new(from, to)));
            let mut finding = Finding::new("schema", places.next().unwrap(), "wrong");
            for place in places {
                finding = finding.related(place, "there");
            }
            let report = CheckReport::of(&repo, vec![finding]);
            for format in FORMATS {
                let out = without_colours(&written(&report, format));
                prop_assert!(!out.contains(|c| is_steering(c) && c != '\n'), "{format:?}: {out:?}");
            }
        }
    }
}
