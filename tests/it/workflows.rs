//! The workflows that `init` writes: what they may do, and that their steps do it.
#![cfg(unix)]

mod install;
mod named;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_yaml::Value;

use crate::support::Repo;

/// Walks a workflow: no text that outsiders write may reach a shell but through the environment,
/// nothing is used by a name that can move, no job has more rights than listed.
#[test]
fn workflows_hold_to_the_rules() {
    let repo = Repo::empty();
    assert_eq!(repo.run(&["init"]).code, 0);
    for name in ["check", "deploy", "drift"] {
        let text = repo.read(&format!(".github/workflows/{name}.yml"));
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        assert!(workflow["permissions"].as_mapping().unwrap().is_empty(), "{name}: permissions at the top");
        assert!(workflow["concurrency"]["group"].is_string(), "{name}: concurrency");
        assert!(!text.contains("pull_request_target") && !text.contains("INSTALL"), "{name}");
        for (job, body) in workflow["jobs"].as_mapping().unwrap() {
            assert!(body["timeout-minutes"].is_number(), "{name} {job:?}: no time-out");
            assert!(body["permissions"].is_mapping(), "{name} {job:?}: no permissions");
            let writes = format!("{:?}", body["permissions"]).contains("write");
            for step in body["steps"].as_sequence().unwrap() {
                hold_step(step, writes);
            }
        }
    }
}

/// Every run of the tool on the data in a workflow or an example for one reads a commit.
#[test]
fn in_ci_the_commit_is_read() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["action.yml", "Jenkinsfile", "docs/ci.md"].map(|path| root.join(path));
    let workflows = std::fs::read_dir(root.join("src/init/files")).unwrap().map(|file| file.unwrap().path());
    let mut runs = 0;
    for path in files.into_iter().chain(workflows.filter(|path| path.extension().is_some_and(|end| end == "yml"))) {
        let text = std::fs::read_to_string(&path).unwrap();
        let is_console = |line: &&str| line.starts_with("$ ");
        for line in text.lines().filter(|line| !is_console(line)) {
            let names =
                ["shapeline check ", "shapeline plan ", "shapeline drift ", "set -- publish ", "deploy publish"];
            let of_action = line.contains("--directory=");
            if names.iter().any(|name| line.contains(name)) || of_action {
                runs += 1;
                assert!(line.contains("--rev HEAD"), "{}: {line}", path.display());
            }
        }
    }
    assert!(runs > 15, "{runs}");
}

fn hold_step(step: &Value, job_may_write: bool) {
    if let Some(run) = step["run"].as_str() {
        assert!(!run.contains("${{"), "an expression in a shell:\n{run}");
    }
    let Some(uses) = step["uses"].as_str() else { return };
    let (action, commit) = uses.split_once('@').unwrap();
    assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{uses} is not pinned");
    if action == "actions/checkout" {
        assert!(!job_may_write, "a job that may write checks out");
        assert_eq!(step["with"]["persist-credentials"].as_bool(), Some(false));
        assert_eq!(step["with"]["fetch-depth"].as_u64(), Some(0));
    }
}

/// A data repository as a runner has it: steps of its workflows run one at a time.
struct Runner {
    repo: Repo,
    temp: tempfile::TempDir,
}

impl Runner {
    /// With the example on `main`.
    fn new() -> Self {
        let repo = Repo::empty();
        assert_eq!(repo.run(&["init"]).code, 0);
        repo.commit("Start");
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("bin")).unwrap();
        Self { repo, temp }
    }

    fn temp(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.temp(name)).unwrap_or_default()
    }

    /// Commits on a branch, and checks out its merge into `main`, as GitHub does for a proposal.
    fn propose(&self) {
        self.repo.git(&["checkout", "-q", "-b", "proposal"]);
        self.repo.commit("Proposal");
        self.repo.git(&["checkout", "-q", "main"]);
        self.repo.git(&["merge", "-q", "--no-ff", "-m", "Merge", "proposal"]);
    }

    /// Puts a program on the steps' path.
    fn program(&self, name: &str, script: &str) {
        let path = self.temp("bin").join(name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn find(&self, workflow: &str, job: &str, name: &str) -> Value {
        let text = self.repo.read(&format!(".github/workflows/{workflow}.yml"));
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        let steps = workflow["jobs"][job]["steps"].as_sequence().unwrap();
        let step = steps.iter().find(|step| step["name"].as_str() == Some(name)).unwrap();
        step.clone()
    }

    /// Runs one step as GitHub would, with `bash -e`.
    fn step(&self, workflow: &str, job: &str, name: &str, env: &[(&str, &str)]) -> Output {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_shapeline"));
        let path = std::env::join_paths(
            [self.temp("bin"), binary.parent().unwrap().to_path_buf()]
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        Command::new("bash")
            .args(["-e", "-c", self.find(workflow, job, name)["run"].as_str().unwrap()])
            .current_dir(self.repo.path())
            .env("PATH", path.unwrap())
            .env("RUNNER_TEMP", self.temp.path())
            .env("GITHUB_STEP_SUMMARY", self.temp("summary.md"))
            .env("GITHUB_SERVER_URL", "https://github.example")
            .env("GITHUB_REPOSITORY", "isp/network")
            .env("GITHUB_RUN_ID", "7")
            .envs(env.iter().copied())
            .output()
            .unwrap()
    }

    fn check(&self) -> Output {
        self.step("check", "check", "Check the proposal", &[("AUTHOR", "alice")])
    }
}

#[test]
fn a_good_proposal_passes_and_its_plan_is_shown() {
    let runner = Runner::new();
    runner.repo.subscriber("10.10.10.25", 50);
    runner.propose();
    assert!(runner.check().status.success());
    assert!(runner.step("check", "check", "Plan", &[]).status.success());
    assert!(runner.step("check", "check", "Show the plan", &[]).status.success());
    let summary = runner.read("summary.md");
    assert!(summary.contains("1 changed") && summary.contains("30 Mbps → 50 Mbps"), "{summary}");
    assert_eq!(runner.read("plan.md"), summary);
}

#[test]
fn a_proposal_with_a_mistake_is_refused_with_an_annotation() {
    let runner = Runner::new();
    runner.repo.subscriber("10.10.10.300", 50);
    // A file plan.md of a proposal is not used as the plan.
    runner.repo.write("plan.md", "@everyone all is well\n");
    runner.propose();
    let check = runner.check();
    assert_eq!(check.status.code(), Some(1));
    let annotations = String::from_utf8(check.stdout).unwrap();
    let place = "file=subscribers/ispcustomer.co.zw/10.10.10.300.yaml,line=1,";
    let annotated = |line: &str| line.starts_with("::error ") && line.contains(place);
    assert!(annotations.lines().any(annotated), "{annotations}");
    assert!(runner.step("check", "check", "Show the plan", &[]).status.success());
    assert!(runner.read("summary.md").starts_with("This proposal is refused"), "{}", runner.read("summary.md"));
}

#[test]
fn changes_that_came_to_the_branch_meanwhile_are_not_the_proposals() {
    let runner = Runner::new();
    runner.repo.git(&["checkout", "-q", "-b", "proposal"]);
    runner.repo.subscriber("10.10.10.40", 30);
    runner.repo.commit("Proposal");
    runner.repo.git(&["checkout", "-q", "main"]);
    runner.repo.subscriber("10.10.10.41", 30);
    runner.repo.commit("Meanwhile");
    runner.repo.git(&["merge", "-q", "--no-ff", "-m", "Merge", "proposal"]);
    assert!(runner.step("check", "check", "Plan", &[]).status.success());
    let plan = runner.read("plan.md");
    assert!(plan.contains("10.10.10.40") && !plan.contains("10.10.10.41"), "{plan}");
}

/// Lists the comments that it is given, stores what it is asked to post.
const GH: &str = r#"#!/bin/sh
for argument in "$@"; do
  case "$argument" in
    body=@*) cat "${argument#body=@}" > "$RUNNER_TEMP/posted.md" ;;
    --paginate) cat "$RUNNER_TEMP/comments"; exit ;;
  esac
done
echo "$@" >> "$RUNNER_TEMP/calls"
"#;

/// Runs the comment's step with this plan and these comments of ours.
fn comment(plan: &str, comments: &str) -> Runner {
    let runner = Runner::new();
    runner.program("gh", GH);
    std::fs::create_dir(runner.temp("plan")).unwrap();
    std::fs::write(runner.temp("plan/plan.md"), plan).unwrap();
    std::fs::write(runner.temp("comments"), comments).unwrap();
    let run = post(&runner);
    assert!(run.status.success(), "{run:?}");
    runner
}

fn post(runner: &Runner) -> Output {
    runner.step("check", "comment", "Write the comment, or write it anew", &[("NUMBER", "12")])
}

#[test]
fn the_first_plan_is_a_new_comment() {
    let runner = comment("## Plan $(id) `id`\n", "");
    assert!(runner.read("calls").starts_with("api --silent --method POST repos/isp/network/issues/12/comments "));
    assert_eq!(runner.read("posted.md"), "<!-- shapeline: plan -->\n## Plan $(id) `id`\n");
}

#[test]
fn a_later_plan_takes_the_place_of_the_first() {
    let runner = comment("## Plan\n", "41\n42\n");
    assert!(runner.read("calls").starts_with("api --silent --method PATCH repos/isp/network/issues/comments/41 "));
    assert_eq!(runner.read("calls").lines().count(), 1);
}

#[test]
fn a_plan_that_github_would_not_take_is_linked() {
    let runner = comment(&"x".repeat(70_000), "");
    let posted = runner.read("posted.md");
    assert!(posted.len() < 500, "{} bytes", posted.len());
    assert!(posted.contains("https://github.example/isp/network/actions/runs/7"), "{posted}");
}

#[test]
fn a_plan_that_is_a_link_to_the_runners_files_is_not_posted() {
    let runner = comment("## Plan\n", "");
    for made in ["posted.md", "calls", "plan/plan.md"] {
        std::fs::remove_file(runner.temp(made)).unwrap();
    }
    std::os::unix::fs::symlink("/etc/hostname", runner.temp("plan/plan.md")).unwrap();
    assert!(!post(&runner).status.success());
    assert_eq!((runner.read("posted.md").as_str(), runner.read("calls").as_str()), ("", ""));
}

/// A data repository with a target, as the runner that deploys has it.
fn deploying() -> (Runner, PathBuf) {
    let runner = Runner::new();
    let live = runner.temp("live/shaper.txt");
    std::fs::create_dir_all(live.parent().unwrap()).unwrap();
    let settings = runner.repo.read("shapeline.yaml");
    let target = format!("targets:\n  - {{name: hre-1, url: 'file://{}'}}\n", live.display());
    runner.repo.write("shapeline.yaml", settings + &target);
    runner.repo.commit("Name a target");
    (runner, live)
}

/// The two jobs of a deployment; what each said.
fn deploy(runner: &Runner, acknowledge: &str, between: impl Fn()) -> (Output, Output) {
    let env = [("ACKNOWLEDGE", acknowledge)];
    let plan = runner.step("deploy", "plan", "Plan", &env);
    between();
    std::fs::create_dir_all(runner.temp("plan")).unwrap();
    std::fs::copy(runner.temp("plan.json"), runner.temp("plan/plan.json")).unwrap();
    (plan, runner.step("deploy", "publish", "Publish", &env))
}

#[test]
fn deploy_carries_out_the_plan_that_was_shown() {
    let (runner, live) = deploying();
    let (plan, publish) = deploy(&runner, "", || {});
    assert!(plan.status.success() && publish.status.success(), "{plan:?}\n{publish:?}");
    assert_eq!(std::fs::read_to_string(&live).unwrap().lines().count(), 5);
    let summary = runner.read("summary.md");
    assert!(summary.contains("+ 10.10.10.25") && summary.contains("hre-1: 5 added"), "{summary}");
    assert!(summary.contains("version 1 is live"), "{summary}");
}

#[test]
fn deploy_refuses_what_was_not_planned() {
    let (runner, live) = deploying();
    let (plan, publish) = deploy(&runner, "", || std::fs::write(&live, "by hand\n").unwrap());
    assert!(plan.status.success());
    assert_eq!(publish.status.code(), Some(1), "{publish:?}");
    assert!(String::from_utf8_lossy(&publish.stdout).contains("is not the plan"));
    assert_eq!(std::fs::read_to_string(&live).unwrap(), "by hand\n");
}

#[test]
fn deploy_acknowledges_only_the_given_fingerprint() {
    let (runner, live) = deploying();
    std::fs::write(&live, "not understood\n").unwrap();
    let (plan, publish) = deploy(&runner, "", || {});
    assert!(plan.status.success(), "what is refused on one target does not stop the others: {plan:?}");
    assert_eq!(publish.status.code(), Some(1), "{publish:?}");
    let said = String::from_utf8_lossy(&plan.stdout).into_owned();
    let fingerprint = said.split("--ack ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let (_, run) = deploy(&runner, "$(touch owned)", || {});
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(!runner.repo.path().join("owned").exists());
    let (plan, publish) = deploy(&runner, &fingerprint, || {});
    assert!(plan.status.success() && publish.status.success(), "{plan:?}\n{publish:?}");
    assert_eq!(std::fs::read_to_string(&live).unwrap().lines().count(), 5);
}

/// What GitHub gets to see, for each way that `drift` may end.
#[test]
fn drift_is_reported_and_nothing_in_it_steers_github() {
    for (code, heading) in [(0, "## No drift"), (3, "## What is live differs"), (2, "## The comparison failed")] {
        let runner = Runner::new();
        let script = format!(
            "#!/bin/sh\necho \"$@\" > \"$RUNNER_TEMP/calls\"\nprintf '# heading\\n```\\r::error::x\\n'\nexit {code}\n"
        );
        runner.program("shapeline", &script);
        let run = runner.step("drift", "drift", "Compare what is live with what is declared", &[]);
        assert_eq!(run.status.code(), Some(code), "{run:?}");
        assert_eq!(runner.read("calls"), "drift --rev HEAD --record\n");
        let summary = runner.read("summary.md");
        assert!(summary.starts_with(heading), "{summary}");
        assert!(summary.ends_with("\n\n    # heading\n    ```\n    ::error::x\n"), "{summary}");
        let log = String::from_utf8(run.stdout).unwrap();
        assert_eq!(log.lines().filter(|line| line.starts_with("::error")).count(), usize::from(code == 3), "{log}");
        assert!(!log.contains("::error::x"), "{log}");
    }
}
