//! Where the state may be.

use super::tokens::token;
use super::{command, data};

#[test]
fn a_state_in_the_data_repository_is_refused() {
    let repo = data();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(repo.path().join("subscribers"), outside.path().join("link")).unwrap();
    let absolute = repo.path().join("state.sqlite");
    let link = outside.path().join("link/state.sqlite");
    let back = format!("{}/none/../link/state.sqlite", outside.path().display());
    let before = repo.git(&["status", "--porcelain", "--ignored"]);
    for state in ["state.sqlite", "new/state.sqlite", "sqlite://state.sqlite", "./subscribers/../state.sqlite"]
        .into_iter()
        .chain([absolute.to_str().unwrap(), link.to_str().unwrap(), &back])
    {
        let refused = |run: &crate::support::Run| {
            assert!(run.code == 2 && run.stderr.contains("would be in the data repository"), "{state}: {run:?}");
            assert!(run.stderr.contains("name a file elsewhere, with --state"), "{run:?}");
        };
        refused(&token(&repo, state, &["add", "crm", "--all-domains"]));
        refused(&token(&repo, state, &["list"]));
        refused(&token(&repo, state, &["revoke", "crm"]));
        refused(&repo.run(&["serve", "--only", "lookup", "--listen", "127.0.0.1:0", "--state", state]));
    }
    assert_eq!(repo.git(&["status", "--porcelain", "--ignored"]), before, "nothing is written");
    for state in [repo.path().join(".git/own.sqlite"), outside.path().join("state.sqlite")] {
        let run = token(&repo, state.to_str().unwrap(), &["add", "crm", "--all-domains"]);
        assert_eq!(run.code, 0, "{run:?}");
    }
}

/// The variable and the settings name it, too; the data need not be at git's top, or in git at all.
#[test]
fn a_state_in_the_data_repository_is_refused_however_it_is_named() {
    let repo = data();
    let settings = repo.write(".git/server.yaml", format!("state: {}/state.sqlite\n", repo.path().display()));
    let refused = |command: &mut std::process::Command| {
        let out = command.output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && said.contains("would be in the data repository"), "{out:?}");
    };
    refused(command(&repo, &[]).env("SHAPELINE_STATE", "state.sqlite"));
    refused(command(&repo, &["--settings", settings.to_str().unwrap()]).env_remove("SHAPELINE_STATE"));
    let larger = crate::support::Repo::empty();
    std::fs::remove_dir_all(repo.path().join(".git")).unwrap();
    let in_no_git = token(&repo, "state.sqlite", &["list"]);
    assert!(in_no_git.code == 2 && in_no_git.stderr.contains("would be in the data repository"), "{in_no_git:?}");
    std::fs::rename(repo.path(), larger.path().join("net")).unwrap();
    larger.commit("data below git's top");
    let beside = larger.run(&["-C", "net", "token", "list", "--state", "state.sqlite"]);
    assert!(beside.code == 2 && beside.stderr.contains("would be in the data repository"), "{beside:?}");
}
