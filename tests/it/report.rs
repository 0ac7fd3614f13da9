//! What each format of `check` looks like, and what is on which stream.

use shapeline::cli::CheckFormat;
use shapeline::finding::{Finding, Severity, Where};
use shapeline::report::{Report, write};
use shapeline::source::{FileId, SourceFile, Span};

use crate::support::Repo;

/// A repository of these files, without rules run over it.
pub fn files(files: &[(&str, &str)]) -> shapeline::repo::Repo {
    let mut repo = shapeline::repo::Repo::default();
    for (path, text) in files {
        repo.sources.add(SourceFile::new(*path, *text));
    }
    repo
}

pub fn file(repo: &shapeline::repo::Repo, path: &str) -> FileId {
    repo.sources.find(path).unwrap()
}

/// The place of `meant` in a file.
pub fn place(repo: &shapeline::repo::Repo, path: &str, meant: &str) -> Where {
    let id = file(repo, path);
    let start = repo.sources.file(id).text().find(meant).unwrap() as u32;
    Where::Span(id, Span::new(start, start + meant.len() as u32))
}

pub fn written(report: &Report<'_>, format: CheckFormat) -> String {
    let mut out = Vec::new();
    write(report, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The text format as it is where there are no colours.
pub fn text(report: &Report<'_>) -> String {
    anstream::adapter::strip_str(&written(report, CheckFormat::Text)).to_string()
}

const FIRST: &str = "subscribers/ispcustomer.co.zw/a.yaml";
const SECOND: &str = "subscribers/ispcustomer.co.zw/b.yaml";

fn two_files() -> shapeline::repo::Repo {
    let record = "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n";
    files(&[(FIRST, record), (SECOND, &format!("# the second\n{record}"))])
}

fn duplicate(repo: &shapeline::repo::Repo) -> Finding {
    Finding::new("duplicate-ip", place(repo, SECOND, "10.10.10.25"), "10.10.10.25 is already taken")
        .label("taken again")
        .related(place(repo, FIRST, "10.10.10.25"), "first declared here")
        .help("give this subscriber another address")
}

#[test]
fn text_shows_both_places() {
    let repo = two_files();
    insta::assert_snapshot!(text(&Report::of(&repo, vec![duplicate(&repo)])), @r#"
    error[duplicate-ip]: 10.10.10.25 is already taken
     --> subscribers/ispcustomer.co.zw/b.yaml:2:5
      |
    2 | ip: 10.10.10.25
      |     ^^^^^^^^^^^ taken again
      |
     ::: subscribers/ispcustomer.co.zw/a.yaml:1:5
      |
    1 | ip: 10.10.10.25
      |     ----------- first declared here
      |
      = help: give this subscriber another address
    "#);
}

#[test]
fn json_names_both_places() {
    let repo = two_files();
    let out = written(&Report::of(&repo, vec![duplicate(&repo)]), CheckFormat::Json);
    insta::assert_snapshot!(out.replace(env!("CARGO_PKG_VERSION"), "0.0.0"), @r#"
    {
      "version": 1,
      "tool": {
        "name": "shapeline",
        "version": "0.0.0"
      },
      "summary": {
        "refused": true,
        "with_change": false,
        "files": 2,
        "subscribers": 0,
        "plans": 0,
        "domains": 0,
        "errors": 1,
        "warnings": 0,
        "errors_outside_change": 0,
        "warnings_outside_change": 0
      },
      "findings": [
        {
          "rule": "duplicate-ip",
          "severity": "error",
          "message": "10.10.10.25 is already taken",
          "help": "give this subscriber another address",
          "in_change": null,
          "primary": {
            "path": "subscribers/ispcustomer.co.zw/b.yaml",
            "label": "taken again",
            "whole_file": false,
            "span": {
              "start": 17,
              "end": 28
            },
            "start": {
              "line": 2,
              "column": 5
            },
            "end": {
              "line": 2,
              "column": 16
            }
          },
          "related": [
            {
              "path": "subscribers/ispcustomer.co.zw/a.yaml",
              "label": "first declared here",
              "whole_file": false,
              "span": {
                "start": 4,
                "end": 15
              },
              "start": {
                "line": 1,
                "column": 5
              },
              "end": {
                "line": 1,
                "column": 16
              }
            }
          ]
        }
      ]
    }
    "#);
}

#[test]
fn github_names_both_places() {
    let repo = two_files();
    let report = Report::of(&repo, vec![duplicate(&repo)]).in_folder("data");
    insta::assert_snapshot!(written(&report, CheckFormat::Github), @r#"
    error[duplicate-ip] data/subscribers/ispcustomer.co.zw/b.yaml:2:5: 10.10.10.25 is already taken
    ::error title=duplicate-ip,file=data/subscribers/ispcustomer.co.zw/b.yaml,line=2,endLine=2,col=5,endColumn=16::10.10.10.25 is already taken%0Ahere: taken again%0Afirst declared here: data/subscribers/ispcustomer.co.zw/a.yaml:1:5%0Ahelp: give this subscriber another address
    check: 1 error, 0 warnings
    "#);
}

#[test]
fn sarif_names_both_places() {
    let repo = two_files();
    let report = Report::of(&repo, vec![duplicate(&repo)]).in_folder("data");
    let mut log: serde_json::Value = serde_json::from_str(&written(&report, CheckFormat::Sarif)).unwrap();
    let mut results = log["runs"][0]["results"].take();
    // Its number in the table of rules changes as rules are added.
    results[0].as_object_mut().unwrap().shift_remove("ruleIndex");
    insta::assert_snapshot!(serde_json::to_string_pretty(&results).unwrap(), @r#"
    [
      {
        "ruleId": "duplicate-ip",
        "level": "error",
        "message": {
          "text": "10.10.10.25 is already taken\n[first declared here](1): data/subscribers/ispcustomer.co.zw/a.yaml:1:5\ngive this subscriber another address"
        },
        "locations": [
          {
            "physicalLocation": {
              "artifactLocation": {
                "uri": "data/subscribers/ispcustomer.co.zw/b.yaml",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "startLine": 2,
                "startColumn": 5,
                "endLine": 2,
                "endColumn": 16
              }
            },
            "message": {
              "text": "taken again"
            }
          }
        ],
        "relatedLocations": [
          {
            "id": 1,
            "physicalLocation": {
              "artifactLocation": {
                "uri": "data/subscribers/ispcustomer.co.zw/a.yaml",
                "uriBaseId": "%SRCROOT%"
              },
              "region": {
                "startLine": 1,
                "startColumn": 5,
                "endLine": 1,
                "endColumn": 16
              }
            },
            "message": {
              "text": "first declared here"
            }
          }
        ],
        "partialFingerprints": {
          "shapelineFinding/v1": "6804628a72368a1213244b56b12c3cd0"
        }
      }
    ]
    "#);
}

#[test]
fn junit_names_both_places() {
    let repo = two_files();
    let out = written(&Report::of(&repo, vec![duplicate(&repo)]), CheckFormat::Junit);
    let from = out.find("    <testcase classname=\"shapeline.check\" name=\"duplicate-ip\"").unwrap();
    let to = from + out[from..].find("</testcase>").unwrap();
    insta::assert_snapshot!(&out[from..to], @r#"
      <testcase classname="shapeline.check" name="duplicate-ip" file="subscribers/ispcustomer.co.zw/b.yaml">
        <failure message="subscribers/ispcustomer.co.zw/b.yaml:2:5: 10.10.10.25 is already taken" type="duplicate-ip">error: subscribers/ispcustomer.co.zw/b.yaml:2:5: 10.10.10.25 is already taken
    subscribers/ispcustomer.co.zw/b.yaml:2:5: taken again
    subscribers/ispcustomer.co.zw/a.yaml:1:5: first declared here
    help: give this subscriber another address</failure>
    "#);
}

#[test]
fn junit_counts_what_it_holds() {
    let repo = two_files();
    let mut warning = duplicate(&repo);
    warning.rule = "unused-plan";
    warning.severity = Severity::Warning;
    let report = Report::of(&repo, vec![duplicate(&repo), duplicate(&repo), warning]);
    let out = written(&report, CheckFormat::Junit);
    let xml = roxmltree::Document::parse(&out).unwrap();
    let suite = xml.descendants().find(|node| node.has_tag_name("testsuite")).unwrap();
    let count = |name| suite.descendants().filter(|node| node.has_tag_name(name)).count().to_string();
    assert_eq!(suite.attribute("tests"), Some(count("testcase").as_str()));
    assert_eq!(suite.attribute("failures"), Some("1"));
    assert_eq!(suite.attribute("skipped"), Some(count("skipped").as_str()));
    assert_eq!((count("failure"), count("system-out")), ("1".into(), "1".into()));
    let failure = suite.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("type"), Some("duplicate-ip"));
    assert_eq!(failure.text().unwrap().matches("first declared here").count(), 2);
}

pub fn assert_is_sarif(text: &str) {
    // A pattern in the schema as published has a bracket too many, which its errata mend.
    let schema = include_str!("../data/sarif-schema-2.1.0.json")
        .replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let log: serde_json::Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = validator.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0"})), "the schema says yes to everything");
}

#[test]
fn sarif_is_what_the_official_schema_wants() {
    let repo = two_files();
    let mut outside = duplicate(&repo);
    outside.in_change = Some(false);
    outside.severity = Severity::Warning;
    let mut inside = Finding::new("file-name", Where::File(file(&repo, FIRST)), "all of it");
    inside.in_change = Some(true);
    assert_is_sarif(&written(&Report::of(&repo, vec![outside, inside]), CheckFormat::Sarif));
    assert_is_sarif(&written(&Report::of(&repo, Vec::new()), CheckFormat::Sarif));
}

#[test]
fn sarif_describes_every_rule() {
    let repo = two_files();
    let broken = Finding::new("yaml-syntax", place(&repo, FIRST, "ip"), "no YAML");
    let out = written(&Report::of(&repo, vec![broken]), CheckFormat::Sarif);
    let log: serde_json::Value = serde_json::from_str(&out).unwrap();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids, shapeline::rules::RULES.iter().map(|rule| rule.id).collect::<Vec<_>>());
    let index = run["results"][0]["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(ids[index], "yaml-syntax");
}

#[test]
fn fingerprints_stay_when_lines_move_and_tell_equal_findings_apart() {
    let prints = |repo: &shapeline::repo::Repo, findings| {
        let out = written(&Report::of(repo, findings), CheckFormat::Sarif);
        let log: serde_json::Value = serde_json::from_str(&out).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect::<Vec<_>>()
    };
    let finding = |repo: &_| Finding::new("duplicate-ip", place(repo, FIRST, "10.10.10.25"), "taken");
    let before = files(&[(FIRST, "ip: 10.10.10.25\n")]);
    let after = files(&[(FIRST, "# moved\n\nip: 10.10.10.25\n")]);
    assert_eq!(prints(&before, vec![finding(&before)]), prints(&after, vec![finding(&after)]));
    let twice = prints(&before, vec![finding(&before), finding(&before)]);
    assert_ne!(twice[0], twice[1]);
}

#[test]
fn results_go_to_standard_output_and_the_summary_to_standard_error() {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    let run = repo.run(&["check"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    let (counts, time) = run.stderr.split_once(" (").unwrap();
    assert_eq!(counts, "check: 1 subscriber, 2 plans, 1 domain in 4 files: 0 errors, 0 warnings");
    assert!(time.ends_with(" s)\n"), "{time}");
    repo.write("subscribers/b.yaml", "ip: 10.10.10.300\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    for format in ["text", "json", "github", "sarif", "junit"] {
        let run = repo.run(&["check", "--format", format]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stdout.contains("subscribers/b.yaml") && run.stdout.contains("10.10.10.300"), "{run:?}");
        assert!(run.stderr.contains("in 5 files: 1 error, 0 warnings ("), "{run:?}");
    }
}

#[test]
fn a_clean_check_is_well_formed_in_every_format() {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    let out = |format| repo.run(&["check", "--format", format]).stdout;
    let json: serde_json::Value = serde_json::from_str(&out("json")).unwrap();
    assert_eq!((&json["version"], &json["findings"]), (&1.into(), &serde_json::json!([])));
    assert_is_sarif(&out("sarif"));
    let junit = out("junit");
    let xml = roxmltree::Document::parse(&junit).unwrap();
    assert!(xml.descendants().any(|node| node.has_tag_name("testcase")), "no case looks like no test");
    assert_eq!(out("github"), "check: 0 errors, 0 warnings\n");
}

#[test]
fn what_is_outside_the_change_comes_last_under_a_heading() {
    let repo = Repo::new();
    let bad = |ip: &str| format!("ip: {ip}\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    repo.write("subscribers/a.yaml", bad("10.10.10.300"));
    repo.commit("base");
    repo.write("subscribers/b.yaml", bad("10.10.10.400"));
    let run = repo.run(&["check", "--base", "HEAD"]);
    assert_eq!(run.code, 1, "{run:?}");
    let order = ["10.10.10.400", "Outside the change, there before it: 1 error, 0 warnings", "10.10.10.300"];
    let at = order.map(|text| run.stdout.find(text).unwrap_or_else(|| panic!("no {text} in {}", run.stdout)));
    assert!(at.is_sorted(), "{}", run.stdout);
    assert!(run.stderr.contains("2 errors (1 outside the change), 0 warnings"), "{}", run.stderr);

    let github = repo.run(&["check", "--base", "HEAD", "--format", "github"]).stdout;
    let titles: Vec<&str> = github.lines().filter(|line| line.starts_with("::")).collect();
    assert!(titles[0].starts_with("::error title=schema,file=subscribers/b.yaml,"), "{github}");
    assert!(titles[1].starts_with("::error title=schema (outside the change),file=subscribers/a.yaml,"), "{github}");

    let sarif = repo.run(&["check", "--base", "HEAD", "--format", "sarif"]).stdout;
    let log: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let states: Vec<_> = log["runs"][0]["results"].as_array().unwrap().iter().map(|r| &r["baselineState"]).collect();
    assert_eq!(states, ["new", "unchanged"]);
    let json: serde_json::Value =
        serde_json::from_str(&repo.run(&["check", "--base", "HEAD", "--format", "json"]).stdout).unwrap();
    assert_eq!(json["findings"][1]["in_change"], false);
}

#[test]
fn annotations_and_code_scanning_name_files_from_the_top_of_the_git_repository() {
    let repo = Repo::new();
    repo.write("data/domains/x.yaml", "nme: x\n");
    repo.write("data/plans/.keep", "");
    repo.write("data/subscribers/.keep", "");
    repo.commit("base");
    let out = |format| repo.run(&["-C", "data", "check", "--format", format]).stdout;
    assert!(out("github").contains(",file=data/domains/x.yaml,"), "{}", out("github"));
    assert!(out("sarif").contains("\"uri\": \"data/domains/x.yaml\""));
    // The others speak of the data repository.
    assert!(out("json").contains("\"path\": \"domains/x.yaml\""));
    assert!(out("text").contains("--> domains/x.yaml:"));
    assert!(out("junit").contains("file=\"domains/x.yaml\""));
}

#[test]
fn github_gets_errors_before_warnings() {
    let repo = two_files();
    let mut warning = Finding::new("unused-plan", place(&repo, FIRST, "ip"), "a");
    warning.severity = Severity::Warning;
    let error = Finding::new("duplicate-ip", place(&repo, SECOND, "ip"), "b");
    let out = written(&Report::of(&repo, vec![warning, error]), CheckFormat::Github);
    let commands: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("::")?.split(' ').next()).collect();
    assert_eq!(commands, ["error", "warning"]);
}

#[test]
fn text_shows_the_gravest_and_says_how_many_more_there_are() {
    let repo = files(&[(FIRST, &"ip: 1\n".repeat(300))]);
    let id = file(&repo, FIRST);
    let findings = (0..300).map(|line| {
        let mut finding =
            Finding::new("schema", Where::Span(id, Span::new(line * 6, line * 6 + 2)), format!("no {line}"));
        finding.severity = if line < 290 { Severity::Warning } else { Severity::Error };
        finding
    });
    let report = Report::of(&repo, findings.collect());
    let out = text(&report);
    assert_eq!((out.matches("error[").count(), out.matches("warning[").count()), (10, 190));
    assert!(
        out.ends_with("100 more findings not shown; `shapeline check --format json` lists all of them\n\n"),
        "{out}"
    );
    let github = written(&report, CheckFormat::Github);
    assert_eq!(github.lines().filter(|line| line.starts_with("::")).count(), 300);
}

#[test]
fn colours_are_for_terminals() {
    let repo = Repo::new();
    repo.write("subscribers/b.yaml", "ip: 1\n");
    assert!(!repo.run(&["check"]).stdout.contains('\u{1b}'));
    assert!(repo.run(&["--color", "always", "check"]).stdout.contains("\u{1b}["));
    for format in ["json", "github", "sarif", "junit"] {
        let run = repo.run(&["--color", "always", "check", "--format", format]);
        assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_does_not_hide_a_refusal() {
    let repo = Repo::new();
    repo.write("subscribers/b.yaml", "ip: 1\n");
    let run = |shell: &str| {
        let out = std::process::Command::new("bash")
            .current_dir(repo.path())
            .args(["-c", shell])
            .env("SHAPELINE", env!("CARGO_BIN_EXE_shapeline"))
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, stderr) = run("\"$SHAPELINE\" check > /dev/full");
    assert_eq!(code, Some(2));
    assert!(stderr.contains("No space left on device"), "{stderr}");
    let (code, stderr) = run("set -o pipefail; \"$SHAPELINE\" check --format json | true");
    assert_eq!((code, stderr.contains("panicked")), (Some(1), false), "{stderr}");
}

#[test]
fn the_example_in_the_documentation_is_what_is_printed() {
    let repo = Repo::new();
    repo.write(
        "subscribers/ispcustomer.co.zw/10.10.10.25.yaml",
        "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nip: 10.10.10.26\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    );
    let printed = repo.run(&["check", "--format", "json"]).stdout;
    let documentation = include_str!("../../docs/check-json.md");
    let (_, rest) = documentation.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert_eq!(example, printed.replace(&version, "\"version\": \"0.1.0\""), "mend the example in docs/check-json.md");
}
