//! The action for other repositories: its steps work, and no input reaches their shell as code.

use std::process::{Command, Output};

use serde_yaml::Value;

use super::root;
use crate::support::Repo;

fn action() -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(root().join("action.yml")).unwrap()).unwrap()
}

/// A data repository below a git repository, as a runner has it.
struct Runner {
    repo: Repo,
    temp: tempfile::TempDir,
}

impl Runner {
    /// With the example in `my net` on `main`.
    fn new() -> Self {
        let repo = Repo::empty();
        assert_eq!(repo.run(&["init", "my net"]).code, 0);
        repo.commit("Start");
        let temp = tempfile::tempdir().unwrap();
        let bin = temp.path().join(".cache/shapeline-action/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_shapeline"), bin.join("shapeline")).unwrap();
        Self { repo, temp }
    }

    /// Changes a subscriber's file, and merges that.
    fn propose(&self, ip: &str) {
        let text = format!("ip: {ip}\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
        self.repo.write(&format!("my net/subscribers/ispcustomer.co.zw/{ip}.yaml"), text);
        self.repo.commit("Proposal");
    }

    /// Runs a step as GitHub would, with these variables and no others of the step.
    fn step(&self, name: &str, env: &[(&str, &str)]) -> Output {
        let action = action();
        let steps = action["runs"]["steps"].as_sequence().unwrap();
        let step = steps.iter().find(|step| step["name"].as_str() == Some(name)).unwrap();
        assert_eq!(step["shell"].as_str(), Some("bash"));
        let listed: Vec<&str> =
            step["env"].as_mapping().into_iter().flat_map(|env| env.keys()).filter_map(Value::as_str).collect();
        assert_eq!(listed, env.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "the variables of {name}");
        Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()])
            .current_dir(self.repo.path())
            .env("HOME", self.temp.path())
            .env("RUNNER_TEMP", self.temp.path())
            .env("GITHUB_STEP_SUMMARY", self.temp.path().join("summary.md"))
            .env("GITHUB_OUTPUT", self.temp.path().join("output"))
            .env("GITHUB_ACTION_PATH", root())
            .envs(env.iter().copied())
            .output()
            .unwrap()
    }

    fn check(&self, directory: &str, base: &str, actor: &str) -> Output {
        self.step("Check", &[("DIRECTORY", directory), ("BASE", base), ("ACTOR", actor)])
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.temp.path().join(name)).unwrap_or_default()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn no_expression_is_in_a_shell_and_every_action_is_pinned() {
    let action = action();
    assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
    for step in action["runs"]["steps"].as_sequence().unwrap() {
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step:?}");
        if let Some(uses) = step["uses"].as_str() {
            let commit = uses.split_once('@').unwrap().1;
            assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{uses} is not pinned");
        }
    }
    let inputs: Vec<&str> = action["inputs"].as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
    assert_eq!(inputs, ["directory", "base", "actor", "plan"]);
}

#[test]
fn good_data_passes_and_its_plan_is_in_the_summary() {
    let runner = Runner::new();
    runner.propose("10.10.10.40");
    let check = runner.check("my net", "HEAD^1", "alice");
    assert!(check.status.success(), "{check:?}");
    let plan = runner.step("Plan", &[("DIRECTORY", "my net"), ("BASE", "HEAD^1"), ("CHECKED", "success")]);
    assert!(plan.status.success(), "{plan:?}");
    let summary = runner.read("summary.md");
    assert!(summary.contains("10.10.10.40") && summary.contains("1 added"), "{summary}");
}

#[test]
fn a_mistake_is_annotated_at_its_path_in_the_git_repository() {
    let runner = Runner::new();
    runner.propose("10.99.0.1");
    let check = runner.check("my net", "HEAD^1", "");
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    let annotations = stdout(&check);
    let place = "file=my net/subscribers/ispcustomer.co.zw/10.99.0.1.yaml,line=1,";
    let annotated = |line: &str| line.starts_with("::error ") && line.contains(place);
    assert!(annotations.lines().any(annotated), "{annotations}");
    let plan = runner.step("Plan", &[("DIRECTORY", "my net"), ("BASE", "HEAD^1"), ("CHECKED", "failure")]);
    assert!(plan.status.success(), "{plan:?}");
    assert_eq!(runner.read("summary.md"), "The data is refused: see the annotations.\n");
}

#[test]
fn without_a_base_there_is_a_check_and_no_plan() {
    let runner = Runner::new();
    assert!(runner.check("my net", "", "alice").status.success());
    let plan = runner.step("Plan", &[("DIRECTORY", "my net"), ("BASE", ""), ("CHECKED", "success")]);
    assert!(plan.status.success() && runner.read("summary.md").is_empty(), "{plan:?}");
}

#[test]
fn inputs_are_values_and_never_commands_or_options() {
    let runner = Runner::new();
    for hostile in ["$(touch owned)", "; touch owned", "`touch owned`", "--help", "-h"] {
        for (directory, base, actor) in [(hostile, "", ""), ("my net", hostile, ""), ("my net", "HEAD", hostile)] {
            let check = runner.check(directory, base, actor);
            // A strange actor owns nothing, which is no mistake where nothing was changed.
            assert_eq!(check.status.code(), Some(if actor == hostile { 0 } else { 2 }), "{hostile}: {check:?}");
            assert!(!stdout(&check).contains("Usage"), "{hostile} is taken for an option");
        }
    }
    assert!(!runner.repo.path().join("owned").exists());
    assert_eq!(runner.read("output"), "");
}

#[test]
fn the_program_is_kept_by_what_it_is_made_of() {
    let runner = Runner::new();
    assert!(runner.step("Find out what the program is made of", &[]).status.success());
    let output = runner.read("output");
    let digest = output.trim_end().strip_prefix("key=source-").unwrap();
    assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{output}");
}
