//! What a run of `check` prints: which stream, which order, which paths, how it ends.

use shapeline::finding::{Finding, Severity, Where};
use shapeline::report::CheckFormat;
use shapeline::report::CheckReport;
use shapeline::source::Span;

use crate::report::{assert_is_sarif, file, files, place, text, written};
use crate::support::Repo;

const FIRST: &str = "subscribers/ispcustomer.co.zw/a.yaml";

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
    assert!(out("junit").contains("domains/x.yaml:") && !out("junit").contains("data/domains"));
}

#[test]
fn github_gets_errors_before_warnings() {
    let repo = files(&[(FIRST, "ip: 1\n")]);
    let mut warning = Finding::new("unused-plan", place(&repo, FIRST, "ip"), "a");
    warning.severity = Severity::Warning;
    let error = Finding::new("duplicate-ip", place(&repo, FIRST, "1"), "b");
    let out = written(&CheckReport::of(&repo, vec![warning, error]), CheckFormat::Github);
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
    let report = CheckReport::of(&repo, findings.collect());
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
fn findings_come_by_path_and_place_and_those_outside_the_change_last() {
    let repo = files(&[("plans/b.yaml", "x: 1\ny: 2\n"), ("plans/a.yaml", "x: 1\n")]);
    let finding = |path, meant, in_change| {
        let mut finding = Finding::new("schema", place(&repo, path, meant), meant);
        finding.in_change = Some(in_change);
        finding
    };
    let findings = vec![
        finding("plans/a.yaml", "x", false),
        finding("plans/b.yaml", "y", true),
        finding("plans/b.yaml", "x", true),
        finding("plans/a.yaml", "1", true),
    ];
    let report = CheckReport::of(&repo, findings);
    let order: Vec<_> =
        report.entries().iter().map(|entry| (entry.primary.path(), entry.finding.message.as_str())).collect();
    assert_eq!(order, [("plans/a.yaml", "1"), ("plans/b.yaml", "x"), ("plans/b.yaml", "y"), ("plans/a.yaml", "x")]);
}

#[test]
fn code_scanning_shows_a_file_as_a_whole_at_its_first_line() {
    let repo = Repo::new();
    repo.write("subscribers/empty.yaml", "# nothing\n");
    let run = repo.run(&["check", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "subscribers/empty.yaml");
    assert_eq!(place["region"], serde_json::json!({"startLine": 1}));
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
    // What is said before a command runs, too.
    for (args, wanted) in
        [(["--color", "always"], true), (["--color", "never"], false), (["--color=always", "-h"], true)]
    {
        let (help, wrong) =
            (repo.run(&[&args[..], &["--help"]].concat()), repo.run(&[&args[..], &["publsh"]].concat()));
        assert_eq!((help.code, help.stdout.contains('\u{1b}')), (0, wanted), "{args:?}");
        assert_eq!((wrong.stdout + &wrong.stderr).contains('\u{1b}'), wanted, "{args:?}");
    }
}

#[test]
fn the_rules_of_the_findings_are_named_once_for_people() {
    let repo = Repo::new();
    assert!(!repo.run(&["check"]).stderr.contains("explain"));
    for last in 1..=2 {
        repo.write(&format!("subscribers/{last}.yaml"), format!("ip: {last}\n"));
    }
    let one = repo.run(&["check"]).stderr;
    assert_eq!(one.matches("Run `shapeline explain schema` for the reason").count(), 1, "{one}");
    repo.write("plans/A.yaml", "name: [");
    let two = repo.run(&["check"]).stderr;
    let last = two.lines().last().unwrap();
    assert!(last.starts_with("Run `shapeline explain RULE` ") && last.contains("schema"), "{two}");
    assert_eq!(last.matches("schema").count(), 1, "{two}");
    for format in ["json", "github", "sarif", "junit"] {
        assert!(!repo.run(&["check", "--format", format]).stderr.contains("explain"), "{format}");
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
    assert_eq!(example, printed.replace(&version, "\"version\": \"0.1.0\""), "update docs/check-json.md");
}

#[test]
fn junit_skips_every_rule_on_changes_where_there_is_none() {
    let repo = Repo::new();
    repo.commit("Start");
    let skipped = |args: &[&str]| {
        let junit = repo.run(args).stdout;
        let xml = roxmltree::Document::parse(&junit).unwrap();
        let skipped = xml.descendants().filter(|node| node.has_tag_name("skipped"));
        let names = skipped.map(|node| node.parent().unwrap().attribute("name").unwrap().to_owned());
        names.filter(|name| name != "unused-plan").collect::<Vec<_>>()
    };
    let of_changes = shapeline::rules::RULES.iter().filter(|rule| rule.group == shapeline::rules::Group::Change);
    assert_eq!(skipped(&["check", "--format", "junit"]), of_changes.map(|rule| rule.id).collect::<Vec<_>>());
    assert_eq!(skipped(&["check", "--format", "junit", "--base", "HEAD"]), [""; 0]);
}
