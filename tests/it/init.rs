//! `init`, through the binary.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{Repo, Run};

/// Every file below `dir`, with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(dir) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            files.insert(path, std::fs::read(entry.path()).unwrap());
        }
    }
    files
}

fn initialised() -> Repo {
    let repo = Repo::empty();
    let run = repo.run(&["init"]);
    assert_eq!(run.code, 0, "{run:?}");
    repo
}

fn refused(run: &Run, repo: &Repo, before: &BTreeMap<String, Vec<u8>>) {
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert!(run.stderr.contains("nothing is written"), "{}", run.stderr);
    assert_eq!(&files(repo.path()), before, "something was written");
}

#[test]
fn a_fresh_repository_passes_check_at_once() {
    let repo = initialised();
    let run = repo.run(&["check", "--format", "github"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(!run.stdout.contains("::error") && !run.stdout.contains("::warning"), "{}", run.stdout);
    assert_eq!(repo.run(&["schema", "--check"]).code, 0);
}

#[test]
fn the_example_is_this_repositorys_own_data() {
    let repo = initialised();
    let here = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let mut seen = 0;
    for path in files(repo.path()).keys().filter(|path| path.starts_with("subscribers/") || path.starts_with("plans/"))
    {
        assert_eq!(repo.read(path), here(path), "{path}");
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn what_was_made_is_listed_with_the_next_three_commands() {
    let repo = Repo::empty();
    let run = repo.run(&["init", "my net"]);
    assert_eq!(run.code, 0, "{run:?}");
    let made = files(&repo.path().join("my net"));
    for path in made.keys() {
        assert!(run.stdout.lines().any(|line| line.trim() == path), "{path} is not listed:\n{}", run.stdout);
    }
    let (_, next) = run.stdout.split_once("Next:\n\n").unwrap();
    let next: Vec<&str> = next.lines().map(str::trim).collect();
    assert_eq!(
        next,
        [
            "cd 'my net' && shapeline check",
            "shapeline render",
            "git init -b main && git add -A && git commit -m 'Start'"
        ]
    );
}

#[test]
fn inside_a_git_repository_none_is_begun() {
    let repo = Repo::empty();
    repo.git(&["init", "-q", "-b", "main"]);
    let run = repo.run(&["init"]);
    assert!(run.stdout.ends_with("  git add -A && git commit -m 'Start'\n"), "{}", run.stdout);
    repo.git(&["add", "-A"]);
    repo.git(&["commit", "-q", "-m", "Start"]);
    assert_eq!(repo.git(&["status", "--porcelain"]), "");
    let ignored = repo.git(&["ls-files", "--others", "--ignored", "--exclude-standard"]);
    assert_eq!(ignored, "", "a file of ours is ignored by our own .gitignore");
}

#[test]
fn the_directory_option_is_where_it_starts() {
    let repo = Repo::empty();
    let run = repo.run(&["-C", repo.path().to_str().unwrap(), "init", "net"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(repo.path().join("net/shapeline.yaml").is_file());
}

#[test]
fn a_second_time_changes_nothing_and_is_fine() {
    let repo = initialised();
    let before = files(repo.path());
    let run = repo.run(&["init"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains(&format!("all {} files are there", before.len())), "{}", run.stdout);
    assert_eq!(files(repo.path()), before);
}

#[test]
fn what_is_missing_is_added_and_the_rest_left_alone() {
    let repo = initialised();
    let before = files(repo.path());
    std::fs::remove_file(repo.path().join("README.md")).unwrap();
    let run = repo.run(&["init"]);
    assert_eq!(run.code, 0, "{run:?}");
    let (new, old) = run.stdout.split_once("There already").unwrap();
    assert!(new.contains("README.md") && !new.contains("shapeline.yaml") && old.contains("shapeline.yaml"), "{run:?}");
    assert_eq!(files(repo.path()), before);
}

#[test]
fn other_files_of_these_names_are_all_listed_and_nothing_is_written() {
    let repo = Repo::empty();
    repo.write(".gitignore", "mine\n");
    repo.write(".github/CODEOWNERS", "* @me\n");
    repo.write("notes.txt", "not in the way\n");
    let before = files(repo.path());
    let run = repo.run(&["init"]);
    refused(&run, &repo, &before);
    assert!(run.stderr.contains("  .gitignore\n") && run.stderr.contains("  .github/CODEOWNERS\n"), "{}", run.stderr);
    assert!(!run.stderr.contains("notes.txt"), "{}", run.stderr);
}

#[test]
fn folders_and_files_in_each_others_place_are_in_the_way() {
    let repo = Repo::empty();
    repo.write("plans", "a file where a folder belongs\n");
    repo.write("shapeline.yaml/x", "a folder where a file belongs\n");
    let before = files(repo.path());
    let run = repo.run(&["init"]);
    refused(&run, &repo, &before);
    assert!(run.stderr.contains("  plans\n") && run.stderr.contains("  shapeline.yaml\n"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed_out_of_the_folder() {
    let (repo, outside) = (Repo::empty(), Repo::empty());
    std::os::unix::fs::symlink(outside.path(), repo.path().join("schemas")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("new"), repo.path().join("README.md")).unwrap();
    let run = repo.run(&["init"]);
    refused(&run, &repo, &BTreeMap::new());
    assert!(run.stderr.contains("  schemas\n") && run.stderr.contains("  README.md\n"), "{}", run.stderr);
    assert!(files(outside.path()).is_empty());
}

#[test]
fn a_write_that_fails_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("net");
    let mut files = shapeline::init::files(true, None).unwrap();
    // A name that no file system takes, in the middle of the list.
    files.insert(format!("m{}", "x".repeat(5000)), String::new());
    let all: Vec<String> = files.keys().cloned().collect();
    assert!(shapeline::init::write(&target, &files, &all).is_err());
    assert!(!target.exists(), "{:?}", crate::init::files(dir.path()).keys());
}

#[test]
fn a_folder_that_cannot_be_one_is_named() {
    let repo = Repo::empty();
    repo.write("taken", "");
    let run = repo.run(&["init", "taken"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("taken is not a folder"), "{}", run.stderr);
}

#[test]
fn the_editor_settings_list_every_schema() {
    let repo = initialised();
    let settings: serde_json::Value = serde_json::from_str(&repo.read(".vscode/settings.json")).unwrap();
    let mapped: Vec<&String> = settings["yaml.schemas"].as_object().unwrap().keys().collect();
    let written = shapeline::schema::schema_files();
    assert_eq!(mapped.len(), written.len());
    for path in mapped {
        assert!(repo.path().join(path).is_file(), "{path} is mapped and not there");
    }
}

#[test]
fn a_readme_of_ones_own_stays() {
    let repo = Repo::empty();
    repo.write("README.md", "# Mine\n");
    let run = repo.run(&["init"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(repo.read("README.md"), "# Mine\n");
    assert!(repo.read("SHAPELINE.md").starts_with("# Who has what on our network\n"));
    assert_eq!((repo.run(&["check"]).code, repo.run(&["init"]).code), (0, 0));
}

#[test]
fn a_repository_without_an_example_passes_check() {
    let repo = Repo::empty();
    let run = repo.run(&["init", "--empty"]);
    assert_eq!(run.code, 0, "{run:?}");
    let data = |path: &String| ["plans/", "domains/", "subscribers/"].iter().any(|folder| path.starts_with(folder));
    assert!(!files(repo.path()).keys().any(data));
    assert!(!repo.read("README.md").contains("(subscribers/ispcustomer.co.zw)"));
    let check = repo.run(&["check"]);
    assert_eq!(check.code, 0, "{check:?}");
}

#[test]
fn import_starts_a_repository_without_an_example() {
    let repo = Repo::empty();
    let live = "10.10.10.25 10.10.10.25@ispcustomer.co.zw :=set_attribute 30_MEG_UP_50_MEG_DOWN\n";
    repo.write("live.txt", live);
    let before = files(repo.path());
    let run = repo.run(&["import", "live.txt"]);
    assert!(run.code == 2 && run.stderr.contains("with --init, `import` starts a data repository"), "{run:?}");
    assert_eq!(repo.run(&["import", "--init", "missing.txt"]).code, 2);
    assert_eq!(repo.run(&["import", "--init", "live.txt", "--unit", "Mbps"]).code, 2);
    let nothing = repo.path().join("empty.txt");
    std::fs::write(&nothing, "\n").unwrap();
    assert_eq!(repo.run(&["import", "--init", "empty.txt"]).code, 1);
    std::fs::remove_file(&nothing).unwrap();
    assert_eq!(files(repo.path()), before);
    let run = repo.run(&["import", "--init", "live.txt"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(repo.run(&["render"]).stdout, live);
    // A second time it is there.
    assert_eq!(repo.run(&["import", "--init", "live.txt"]).code, 0);
}

#[test]
fn the_source_of_the_tool_is_written_where_the_workflows_read_it() {
    let repo = Repo::empty();
    let tool = "https://git.ispcustomer.co.zw/isp/shapeline.git@v0.2.0";
    let run = repo.run(&["init", "--tool", tool]);
    assert_eq!(run.code, 0, "{run:?}");
    let line = format!("\nThe workflows install Shapeline from {tool}: see .github/shapeline.env.\n");
    assert!(run.stdout.contains(&line), "{}", run.stdout);
    assert!(repo.read(".github/shapeline.env").ends_with(&format!("\nSHAPELINE_TOOL={tool}\n")));
    // What is there already is kept, and is not replaced by another.
    let before = files(repo.path());
    let again = repo.run(&["init"]);
    assert!(again.code == 0 && again.stdout.contains(&line), "{again:?}");
    let other = repo.run(&["init", "--tool", "crates.io"]);
    refused(&other, &repo, &before);
    assert!(other.stderr.contains("  .github/shapeline.env\n"), "{}", other.stderr);
}

#[test]
fn a_source_of_the_tool_that_is_none_is_refused() {
    let repo = Repo::empty();
    for (tool, says) in [
        ("", "no source is named"),
        ("-x", "not a source of Shapeline"),
        ("https://git.ispcustomer.co.zw/shapeline.git", "names no revision"),
        ("https://ispcustomer.co.zw/shapeline.tar.gz", "has no checksum"),
        ("x\n::error::y", "not a source of Shapeline"),
    ] {
        let run = repo.run(&["init", &format!("--tool={tool}")]);
        assert!(run.code == 2 && run.stderr.contains(says), "{tool}: {run:?}");
        assert!(!run.stderr.contains("\n::error"), "{run:?}");
    }
    assert!(files(repo.path()).is_empty());
}

/// A program that was not built from a known source names none.
#[test]
fn without_a_source_the_variable_is_asked_for() {
    let repo = Repo::empty();
    let run = repo.run(&["init"]);
    let named = repo.read(".github/shapeline.env").lines().last().unwrap().to_owned();
    match shapeline::init::Tool::of_this_program() {
        None => {
            assert!(run.stdout.contains("set the repository variable SHAPELINE_TOOL"), "{}", run.stdout);
            assert_eq!(named, "SHAPELINE_TOOL=");
        }
        Some(tool) => assert_eq!(named, format!("SHAPELINE_TOOL={tool}")),
    }
}
