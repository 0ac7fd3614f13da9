//! The cache: repeated queries give the same result, and a faulty cache is ignored.

use std::path::PathBuf;

use super::{commit, fresh, history, json};
use crate::support::{Repo, Run};

fn record(ip: &str, rate: u32) -> String {
    format!("ip: {ip}\ndomain: ispcustomer.co.zw\nplan: {rate}_MEG_UP_{rate}_MEG_DOWN\n")
}

/// Two commits, of which the cache has both.
fn known() -> Repo {
    let repo = fresh();
    repo.write("subscribers/a.yaml", record("10.10.10.25", 30));
    commit(&repo, "01-01", "Alice", "Come");
    repo.write("subscribers/a.yaml", record("10.10.10.25", 50));
    commit(&repo, "02-01", "Alice", "Faster");
    assert_eq!(history(&repo, &[]).code, 0);
    assert!(cache(&repo).is_file());
    repo
}

fn cache(repo: &Repo) -> PathBuf {
    repo.path().join(".git/shapeline/history")
}

/// The output; standard error must be empty.
fn answered(repo: &Repo) -> String {
    let Run { code, stdout, stderr } = history(repo, &["10.10.10.0/24"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    stdout
}

#[test]
fn what_is_kept_is_used() {
    let repo = known();
    let before = answered(&repo);
    // Without the old version of the file, only the cache has the answer.
    let blob = repo.git(&["rev-parse", "HEAD~1:subscribers/a.yaml"]);
    let (folder, name) = blob.split_at(2);
    std::fs::remove_file(repo.path().join(".git/objects").join(folder).join(name)).unwrap();
    assert_eq!(answered(&repo), before);
    let without = history(&repo, &["--no-cache"]);
    assert_eq!(without.code, 2);
    assert!(without.stderr.contains(&blob), "{without:?}");
    // A new commit is added to it.
    repo.write("subscribers/b.yaml", record("10.10.10.26", 30));
    commit(&repo, "03-01", "Alice", "Other");
    assert_eq!(answered(&repo).lines().filter(|line| line.starts_with(['+', '~'])).count(), 3);
}

#[test]
fn without_it_nothing_is_written() {
    let repo = known();
    let before = answered(&repo);
    std::fs::remove_dir_all(cache(&repo).parent().unwrap()).unwrap();
    assert_eq!(history(&repo, &["10.10.10.0/24", "--no-cache"]).stdout, before);
    assert!(!cache(&repo).exists());
    assert_eq!(answered(&repo), before);
    assert!(cache(&repo).exists());
}

#[test]
fn whatever_is_wrong_with_it_the_answer_is_right() {
    let repo = known();
    let (right, before) = (std::fs::read(cache(&repo)).unwrap(), answered(&repo));
    let other = {
        let other = known();
        other.write("subscribers/a.yaml", record("10.10.10.77", 30));
        commit(&other, "02-02", "Mallory", "Elsewhere");
        history(&other, &[]);
        std::fs::read(cache(&other)).unwrap()
    };
    let mut wrong: Vec<Vec<u8>> = vec![Vec::new(), b"shapeline history".to_vec(), vec![0xff; 100_000]];
    for at in (0..right.len()).step_by(7) {
        wrong.push(right[..at].to_vec());
        let mut one = right.clone();
        one[at] ^= 0x40;
        wrong.push(one);
    }
    // What is there after the head, with a digest that fits.
    let head = right.windows(2).position(|two| two == b"\n\n").unwrap() + 2;
    for body in [
        &b""[..],
        &[0xff; 64],
        &[0, 0xff, 0xff, 0xff, 0xff, 0x0f],
        b"\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00",
    ] {
        let mut one = [&right[..head], body].concat();
        one.extend(<sha2::Sha256 as sha2::Digest>::digest(&one));
        wrong.push(one);
    }
    // That of another repository, of which this one has the beginning: it fits, as far as it goes.
    std::fs::write(cache(&repo), other).unwrap();
    assert_eq!(answered(&repo), before);
    assert!(wrong.len() > 100, "{}", wrong.len());
    for (number, bytes) in wrong.iter().enumerate() {
        std::fs::write(cache(&repo), bytes).unwrap();
        assert_eq!(answered(&repo), before, "number {number}");
        assert_eq!(std::fs::read(cache(&repo)).unwrap(), right, "number {number} is put right");
    }
}

#[test]
fn what_is_no_file_is_left_alone() {
    let repo = known();
    let before = answered(&repo);
    std::fs::remove_file(cache(&repo)).unwrap();
    std::fs::create_dir(cache(&repo)).unwrap();
    let run = history(&repo, &["10.10.10.0/24"]);
    assert_eq!((run.code, &run.stdout), (0, &before));
    assert!(run.stderr.starts_with("note: the next run will take as long as this one: "), "{run:?}");
    #[cfg(unix)]
    {
        std::fs::remove_dir(cache(&repo)).unwrap();
        let made = std::process::Command::new("mkfifo").arg(cache(&repo)).status().unwrap();
        assert!(made.success());
        let run = history(&repo, &["10.10.10.0/24"]);
        assert_eq!((run.code, &run.stdout), (0, &before), "a pipe is not waited for");
    }
}

#[test]
#[cfg(unix)]
fn where_nothing_can_be_written_the_answer_is_the_same() {
    use std::os::unix::fs::PermissionsExt;
    let repo = known();
    let before = answered(&repo);
    std::fs::remove_file(cache(&repo)).unwrap();
    let folder = cache(&repo).parent().unwrap().to_owned();
    // To root nothing is read-only: a file where the folder should be keeps it out, too.
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "").unwrap();
    let run = history(&repo, &["10.10.10.0/24"]);
    assert_eq!((run.code, &run.stdout), (0, &before));
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    std::fs::remove_file(&folder).unwrap();
    let git = repo.path().join(".git");
    std::fs::set_permissions(&git, std::fs::Permissions::from_mode(0o555)).unwrap();
    let run = history(&repo, &["10.10.10.0/24"]);
    std::fs::set_permissions(&git, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!((run.code, &run.stdout), (0, &before));
}

#[test]
fn rewritten_history_is_shown_as_it_is_now() {
    let repo = known();
    repo.write("subscribers/a.yaml", record("10.10.10.26", 30));
    repo.git(&["add", "-A"]);
    repo.git(&["commit", "-q", "--amend", "-m", "Instead"]);
    let with = answered(&repo);
    assert_eq!(with, history(&repo, &["10.10.10.0/24", "--no-cache"]).stdout);
    assert!(with.contains("Instead") && !with.contains("Faster"), "{with}");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(json(&repo, &["10.10.10.0/24"])["total"], 1, "an older commit is answered out of a longer line");
}

#[test]
fn two_runs_at_once_do_not_harm_each_other() {
    let repo = known();
    let expected = answered(&repo);
    for round in 0..4 {
        if round % 2 == 0 {
            std::fs::remove_file(cache(&repo)).unwrap();
        } else {
            std::fs::write(cache(&repo), "damaged").unwrap();
        }
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| answered(&repo))).collect();
            for run in runs {
                assert_eq!(run.join().unwrap(), expected);
            }
        });
        let names: Vec<_> = std::fs::read_dir(cache(&repo).parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "no temporary file is left");
    }
}

/// Answers come from the cache unverified, so no other user may have written it. Altered entries with a
/// digest that fits give other answers: that is what the owner and the mode keep others from.
#[test]
#[cfg(unix)]
fn what_another_user_may_have_written_is_not_believed() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let repo = known();
    let right = std::fs::read(cache(&repo)).unwrap();
    let before = answered(&repo);
    let mut altered = right[..right.len() - 32].to_vec();
    let name = altered.windows(5).position(|five| five == b"Alice").expect("who made a commit is in it");
    altered[name..name + 5].copy_from_slice(b"Mallo");
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&altered);
    altered.extend(digest);
    let plant = |mode: u32| {
        std::fs::write(cache(&repo), &altered).unwrap();
        std::fs::set_permissions(cache(&repo), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    plant(0o600);
    assert!(answered(&repo).contains("Mallo"), "it fits: only its owner could have made it so");
    for mode in [0o660, 0o606, 0o620] {
        plant(mode);
        assert_eq!(answered(&repo), before, "{mode:o}");
        assert_eq!(std::fs::read(cache(&repo)).unwrap(), right, "{mode:o}: it is made anew");
        assert_eq!(std::fs::metadata(cache(&repo)).unwrap().mode() & 0o777, 0o600);
    }
    plant(0o600);
    if chown(cache(&repo), Some(1234), None).is_ok() {
        assert_eq!(answered(&repo), before);
        assert_eq!(std::fs::metadata(cache(&repo)).unwrap().uid(), 0);
    }
}
