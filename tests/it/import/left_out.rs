//! Where the report of `--skip-bad` is written: it overwrites only an earlier report.

use super::{DOMAIN, PLAN, empty, files, import, imported, line, rendered};

fn source() -> String {
    line("10.10.10.25", DOMAIN, PLAN) + &line("10.10.10.5dd", DOMAIN, PLAN)
}

#[test]
fn a_report_is_written_over_an_earlier_one() {
    let repo = empty();
    for _ in 0..2 {
        imported(&repo, &source(), &["--skip-bad", "--report", "left.txt"]);
        assert_eq!(repo.read("left.txt").lines().count(), 2);
    }
}

#[test]
fn a_report_is_written_over_nothing_else() {
    let repo = empty();
    repo.write("subscribers/e.example.yaml", "ip: 10.9.0.1\ndomain: e.example\nplan: P\n");
    repo.write("shapeline.yaml", "");
    repo.write("diary.txt", "mine\n");
    repo.write("empty.txt", "");
    std::os::unix::fs::symlink("diary.txt", repo.path().join("link.txt")).unwrap();
    std::os::unix::fs::symlink("nowhere.txt", repo.path().join("dangling.txt")).unwrap();
    std::os::unix::fs::symlink("subscribers", repo.path().join("linked")).unwrap();
    let before = files(&repo);
    for (to, why) in [
        ("subscribers/e.example.yaml", "there the data is"),
        ("subscribers/new.yaml", "there the data is"),
        ("./plans/../plans/new.txt", "there the data is"),
        ("linked/new.txt", "there the data is"),
        ("shapeline.yaml", "there the data is"),
        ("source.tmp", "that is the source"),
        ("./plans/../source.tmp", "that is the source"),
        ("diary.txt", "what is there is no report of an import"),
        ("empty.txt", "what is there is no report of an import"),
        ("link.txt", "what is there is no report of an import"),
        ("dangling.txt", "what is there is no report of an import"),
        ("plans", "there the data is"),
        ("nowhere/left.txt", "that is no file in a folder that is there"),
        ("..", "that is no file in a folder that is there"),
    ] {
        let run = import(&repo, &source(), &["--skip-bad", "--report", to]);
        assert_eq!(run.code, 2, "{to}: {}\n{}", run.stdout, run.stderr);
        assert!(run.stderr.contains(why) && run.stderr.contains("--report"), "{to}: {}", run.stderr);
        assert_eq!(files(&repo), before, "{to}");
    }
    assert_eq!((repo.read("diary.txt").as_str(), repo.read("empty.txt").as_str()), ("mine\n", ""));
    assert_eq!(repo.read("shapeline.yaml"), "");
}

#[test]
fn a_data_folder_that_is_elsewhere_is_data_too() {
    let (repo, elsewhere) = (empty(), tempfile::tempdir().unwrap());
    std::fs::remove_dir(repo.path().join("plans")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), repo.path().join("plans")).unwrap();
    let to = elsewhere.path().join("left.txt");
    let run = import(&repo, &source(), &["--skip-bad", "--report", to.to_str().unwrap()]);
    assert!(run.code == 2 && run.stderr.contains("there the data is"), "{run:?}");
    assert!(!to.exists());
}

/// A source may begin as a report does.
#[test]
fn a_source_is_never_written_over() {
    let repo = empty();
    imported(&repo, &source(), &["--skip-bad", "--report", "left.txt"]);
    let text = repo.read("left.txt") + &source();
    repo.write("left.txt", &text);
    let run = repo.run(&["import", "left.txt", "--from", "shaper", "--skip-bad", "--report", "left.txt"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(repo.read("left.txt"), text);
}

#[test]
fn the_usual_place_is_looked_at_too() {
    let repo = empty();
    repo.write("source.tmp.refused.txt", "mine\n");
    let run = import(&repo, &source(), &["--skip-bad"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert_eq!(repo.read("source.tmp.refused.txt"), "mine\n");
    assert!(files(&repo).is_empty(), "nothing is written");
    // Nothing is left out, so that nothing is reported.
    imported(&repo, &line("10.10.10.25", DOMAIN, PLAN), &["--skip-bad"]);
    assert_eq!(rendered(&repo), line("10.10.10.25", DOMAIN, PLAN));
}
