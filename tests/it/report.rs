//! What each format of `check` looks like, and what is on which stream.

use shapeline::finding::{Finding, Severity, Where};
use shapeline::report::CheckFormat;
use shapeline::report::{CheckReport, write};
use shapeline::source::{FileId, SourceFile, Span};

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

pub fn written(report: &CheckReport<'_>, format: CheckFormat) -> String {
    let mut out = Vec::new();
    write(report, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The text format as it is where there are no colours.
pub fn text(report: &CheckReport<'_>) -> String {
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
    insta::assert_snapshot!(text(&CheckReport::of(&repo, vec![duplicate(&repo)])), @r#"
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
    let out = written(&CheckReport::of(&repo, vec![duplicate(&repo)]), CheckFormat::Json);
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
    let report = CheckReport::of(&repo, vec![duplicate(&repo)]).in_folder("data");
    insta::assert_snapshot!(written(&report, CheckFormat::Github), @r#"
    error[duplicate-ip] data/subscribers/ispcustomer.co.zw/b.yaml:2:5: 10.10.10.25 is already taken
    ::error title=duplicate-ip,file=data/subscribers/ispcustomer.co.zw/b.yaml,line=2,endLine=2,col=5,endColumn=16::10.10.10.25 is already taken%0Ahere: taken again%0Afirst declared here: data/subscribers/ispcustomer.co.zw/a.yaml:1:5%0Ahelp: give this subscriber another address
    check: 1 error, 0 warnings
    "#);
}

#[test]
fn sarif_names_both_places() {
    let repo = two_files();
    let report = CheckReport::of(&repo, vec![duplicate(&repo)]).in_folder("data");
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
    let out = written(&CheckReport::of(&repo, vec![duplicate(&repo)]), CheckFormat::Junit);
    let from = out.find("    <testcase classname=\"shapeline.check\" name=\"duplicate-ip\"").unwrap();
    let to = from + out[from..].find("</testcase>").unwrap();
    insta::assert_snapshot!(&out[from..to], @r#"
      <testcase classname="shapeline.check" name="duplicate-ip">
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
    let report = CheckReport::of(&repo, vec![duplicate(&repo), duplicate(&repo), warning]);
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
    // A pattern in the published schema has a bracket too many, which its errata correct.
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
    assert_is_sarif(&written(&CheckReport::of(&repo, vec![outside, inside]), CheckFormat::Sarif));
    assert_is_sarif(&written(&CheckReport::of(&repo, Vec::new()), CheckFormat::Sarif));
}

#[test]
fn sarif_describes_every_rule() {
    let repo = two_files();
    let broken = Finding::new("yaml-syntax", place(&repo, FIRST, "ip"), "no YAML");
    let out = written(&CheckReport::of(&repo, vec![broken]), CheckFormat::Sarif);
    let log: serde_json::Value = serde_json::from_str(&out).unwrap();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids, shapeline::rules::RULES.iter().map(|rule| rule.id).collect::<Vec<_>>());
    let index = run["results"][0]["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(ids[index], "yaml-syntax");
}

#[test]
fn fingerprints_stay_when_lines_move_and_distinguish_equal_findings() {
    let prints = |repo: &shapeline::repo::Repo, findings| {
        let out = written(&CheckReport::of(repo, findings), CheckFormat::Sarif);
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
