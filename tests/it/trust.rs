//! Links, pipes, owners and modes on a host with several users.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::servers::sshd::is_root;
use crate::support::{Repo, Run, left_out};

/// Another user, whose name does not matter.
const OTHER: u32 = 1234;

/// No command may take longer. What is tested for would wait for ever.
const DEADLINE: Duration = Duration::from_secs(120);

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A data repository with a target in a folder of its own.
struct Ground {
    repo: Repo,
    srv: tempfile::TempDir,
}

impl Ground {
    fn new() -> Ground {
        let ground = Ground { repo: Repo::new(), srv: tempfile::tempdir().unwrap() };
        ground.target(&ground.path("srv/shaper.txt"));
        fs::create_dir(ground.path("srv")).unwrap();
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.srv.path().join(name)
    }

    fn target(&self, live: &Path) {
        let backup = self.path("backups");
        fs::create_dir_all(&backup).unwrap();
        let (live, backup) = (live.display(), backup.display());
        self.repo.subscriber("10.10.10.25", 30);
        self.repo.write(
            "shapeline.yaml",
            format!("targets:\n  - {{name: hre-1, url: 'file://{live}'}}\nbackup: {{url: 'file://{backup}'}}\n"),
        );
        self.repo.commit("a target");
    }

    fn run(&self, args: &[&str]) -> Run {
        run(command(self.repo.path(), args))
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
    command.current_dir(folder).args(args).env("NO_COLOR", "1").env_remove("GITHUB_ACTIONS");
    command
}

/// Runs it, and fails if it does not end.
fn run(mut command: Command) -> Run {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("{command:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let out = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: out.status.code().unwrap_or(-1), stdout: text(out.stdout), stderr: text(out.stderr) }
}

/// Whether there is another user for the test to be: only root can act for one.
fn has_others() -> bool {
    if !is_root() {
        left_out("not run as root: nothing can belong to another user");
    }
    is_root()
}

/// Each in its place, owned by another user: the link itself and the folder that holds it.
fn plant(target: &Path, link: &Path) {
    symlink(target, link).unwrap();
    lchown(link, Some(OTHER), Some(OTHER)).unwrap();
    chown(link.parent().unwrap(), Some(OTHER), Some(OTHER)).unwrap();
}

#[test]
fn a_planted_link_shows_and_changes_nothing() {
    if !has_others() {
        return;
    }
    let secret = "10.10.10.99 10.10.10.99@ispcustomer.co.zw :=set_attribute 30_MEG_UP_30_MEG_DOWN\n";
    let ground = Ground::new();
    let file = ground.path("secret");
    fs::write(&file, secret).unwrap();
    set_mode(&file, 0o600);
    plant(&file, &ground.path("srv/shaper.txt"));
    let link = ground.path("srv/shaper.txt").display().to_string();
    for args in [&["drift"][..], &["publish"], &["plan", "--live", "hre-1"], &["rollback", "--target", "hre-1"]] {
        let run = ground.run(args);
        let said = run.stdout + &run.stderr;
        assert_eq!(run.code, 2, "{args:?}: {said}");
        assert!(said.contains(&link) && said.contains("symbolic link of user 1234"), "{args:?}: {said}");
        assert!(!said.contains("10.10.10.99"), "{args:?}: {said}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), secret);
    // A link of our own that another user can move there is no better.
    fs::remove_file(&link).unwrap();
    symlink(&file, &link).unwrap();
    let run = ground.run(&["drift"]);
    assert!(run.code == 2 && (run.stdout + &run.stderr).contains("other users may write"));
}

#[test]
fn planted_records_are_not_followed() {
    if !has_others() {
        return;
    }
    for planted in ["srv/.shaper.txt.shapeline", "srv/.shaper.txt.shapeline/versions", "srv/.shaper.txt.shapeline/lock"]
    {
        let ground = Ground::new();
        let (elsewhere, link) = (ground.path("elsewhere"), ground.path(planted));
        fs::create_dir(&elsewhere).unwrap();
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        plant(&elsewhere, &link);
        let run = ground.run(&["publish"]);
        let said = run.stdout + &run.stderr;
        assert!(run.code == 2 && said.contains(planted) && said.contains("symbolic link"), "{planted}: {said}");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0, "{planted}");
    }
    // A record that is a link is not read.
    let ground = Ground::new();
    assert_eq!(ground.run(&["publish"]).code, 0);
    let manifest = ground.path("srv/.shaper.txt.shapeline/manifest.json");
    let moved = ground.path("moved.json");
    fs::rename(&manifest, &moved).unwrap();
    plant(&moved, &manifest);
    let run = ground.run(&["drift"]);
    assert!(run.code == 2 && (run.stdout + &run.stderr).contains("not a regular file"));
}

#[test]
fn links_of_root_and_of_ones_own_are_followed() {
    let ground = Ground::new();
    for folder in ["data", "data/shaper", "records"] {
        fs::create_dir(ground.path(folder)).unwrap();
    }
    symlink("data/shaper", ground.path("link")).unwrap();
    symlink("../../real.txt", ground.path("data/shaper/shaper.txt")).unwrap();
    fs::write(ground.path("real.txt"), "").unwrap();
    ground.target(&ground.path("link/shaper.txt"));
    let run = ground.run(&["publish"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(ground.path("data/shaper/shaper.txt").is_symlink());
    assert!(fs::read_to_string(ground.path("real.txt")).unwrap().starts_with("10.10.10.25 "));
    assert_eq!(ground.run(&["drift"]).code, 0);

    // In a folder like /tmp others may write, and cannot exchange what is ours.
    set_mode(&ground.path("data/shaper"), 0o1777);
    assert_eq!(ground.run(&["drift"]).code, 0);
    set_mode(&ground.path("data/shaper"), 0o777);
    let run = ground.run(&["drift"]);
    assert!(run.code == 2 && (run.stdout + &run.stderr).contains("other users may write"));
}

#[test]
fn a_plain_user_follows_the_links_of_root() {
    if !has_others() {
        return;
    }
    let ground = Ground::new();
    let (data, link) = (ground.path("data"), ground.path("link"));
    fs::create_dir(&data).unwrap();
    chown(&data, Some(OTHER), Some(OTHER)).unwrap();
    symlink(&data, &link).unwrap();
    ground.target(&link.join("shaper.txt"));
    set_mode(ground.srv.path(), 0o755);
    // Git reads only the repository of the user who runs it.
    assert!(Command::new("chown").args(["-R", "1234:1234"]).arg(ground.repo.path()).status().unwrap().success());
    let binary = ground.path("shapeline");
    fs::copy(env!("CARGO_BIN_EXE_shapeline"), &binary).unwrap();
    let as_user = |args: &[&str]| {
        let mut command = Command::new(&binary);
        std::os::unix::process::CommandExt::uid(&mut command, OTHER);
        std::os::unix::process::CommandExt::gid(&mut command, OTHER);
        command.current_dir("/").arg("-C").arg(ground.repo.path()).args(args).env("HOME", ground.repo.path());
        run(command)
    };
    let run = as_user(&["publish"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(data.join("shaper.txt").exists());
    lchown(&link, Some(4321), Some(4321)).unwrap();
    let run = as_user(&["drift"]);
    let said = run.stdout + &run.stderr;
    assert!(run.code == 2 && said.contains("symbolic link of user 4321"), "{said}");
}

/// Where files cannot be given away, a program must not run as a group that it was not made for.
#[test]
fn a_copy_that_a_plain_user_puts_back_sets_no_group() {
    if !has_others() {
        return;
    }
    let ground = Ground::new();
    let (file, to) = (ground.path("program"), ground.path("to"));
    fs::write(&file, "#!/bin/sh\n").unwrap();
    set_mode(&file, 0o2755);
    assert_eq!(ground.run(&["backup", file.to_str().unwrap()]).code, 0);
    let list = ground.run(&["backup", "--list", "--format", "csv"]).stdout;
    let id = list.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    fs::create_dir(&to).unwrap();
    set_mode(ground.srv.path(), 0o755);
    for path in [ground.repo.path(), &ground.path("backups"), &to] {
        assert!(Command::new("chown").args(["-R", "1234:1234"]).arg(path).status().unwrap().success());
    }
    let binary = ground.path("shapeline");
    fs::copy(env!("CARGO_BIN_EXE_shapeline"), &binary).unwrap();
    let mut command = Command::new(&binary);
    std::os::unix::process::CommandExt::uid(&mut command, OTHER);
    std::os::unix::process::CommandExt::gid(&mut command, OTHER);
    command.current_dir("/").arg("-C").arg(ground.repo.path()).env("HOME", ground.repo.path());
    let run = run({
        command.args(["backup", "--restore", &id, "--into", to.to_str().unwrap()]);
        command
    });
    assert_eq!(run.code, 0, "{run:?}");
    let mode = fs::metadata(to.join("program")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755);
}

#[test]
fn a_copy_is_not_put_back_through_a_planted_link() {
    if !has_others() {
        return;
    }
    let ground = Ground::new();
    fs::create_dir_all(ground.path("home/conf")).unwrap();
    fs::write(ground.path("home/conf/app"), "theirs\n").unwrap();
    let made = ground.run(&["backup", ground.path("home/conf/app").to_str().unwrap()]);
    assert_eq!(made.code, 0, "{made:?}");
    let list = ground.run(&["backup", "--list", "--format", "csv"]).stdout;
    let id = list.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    fs::remove_dir_all(ground.path("home/conf")).unwrap();
    fs::create_dir(ground.path("etc")).unwrap();
    plant(&ground.path("etc"), &ground.path("home/conf"));
    let run = ground.run(&["backup", "--restore", &id]);
    let said = run.stdout + &run.stderr;
    assert!(run.code == 2 && said.contains("symbolic link of user 1234"), "{said}");
    assert_eq!(fs::read_dir(ground.path("etc")).unwrap().count(), 0);
    fs::remove_file(ground.path("home/conf")).unwrap();
    let run = ground.run(&["backup", "--restore", &id]);
    assert_eq!(run.code, 0, "the folder is made: {run:?}");
}

#[test]
fn a_planted_link_is_not_written_through() {
    if !has_others() {
        return;
    }
    let ground = Ground::new();
    let (out, file) = (ground.path("out"), ground.path("secret"));
    fs::create_dir(&out).unwrap();
    fs::write(&file, "old").unwrap();
    plant(&file, &out.join("shaper.txt"));
    let run = ground.run(&["render", "--out-dir", out.to_str().unwrap()]);
    assert!(run.code == 2 && run.stderr.contains("symbolic link of user 1234"), "{run:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
}

#[test]
fn nothing_waits_for_a_pipe() {
    let places: [(&str, &[&str], i32); 10] = [
        ("shapeline.yaml", &["log"], 0),
        // It reads the commit.
        ("shapeline.yaml", &["publish"], 0),
        ("shapeline.yaml", &["check"], 1),
        ("schemas/subscriber.schema.json", &["schema", "--check"], 2),
        (".git/shapeline/edit/lock", &["subscriber", "set", "10.10.10.25", "plan=50_MEG_UP_50_MEG_DOWN"], 2),
        (".git/shapeline/edit/journal.json", &["subscriber", "set", "10.10.10.25", "plan=50_MEG_UP_50_MEG_DOWN"], 2),
        (".git/shapeline/edit/lock", &["check"], 0),
        (".git/shapeline/history", &["history"], 0),
        ("plan.json", &["publish", "--plan", "plan.json"], 2),
        ("../srv/shaper.txt", &["publish"], 2),
    ];
    for (path, args, code) in places {
        let ground = Ground::new();
        let path = match path.strip_prefix("../") {
            Some(path) => ground.path(path),
            None => ground.repo.path().join(path),
        };
        let _ = fs::remove_file(&path);
        pipe(&path);
        let run = ground.run(args);
        assert_eq!(run.code, code, "{args:?}: {run:?}");
        let said = run.stdout + &run.stderr;
        assert!(
            code == 0 || said.contains("regular file") || said.contains("ordinary file"),
            "{path:?} {args:?}: {said}"
        );
    }
    for record in ["manifest.json", "pending.json", "log/00000001", "lock/00000001", "versions/00000001"] {
        let ground = Ground::new();
        assert_eq!(ground.run(&["publish"]).code, 0);
        let path = ground.path("srv/.shaper.txt.shapeline").join(record);
        fs::remove_file(&path).unwrap();
        pipe(&path);
        for args in [&["drift"][..], &["log"], &["publish"], &["rollback", "--target", "hre-1"]] {
            let run = ground.run(args);
            assert!((0..=3).contains(&run.code), "{record} {args:?}: {run:?}");
        }
    }
}

/// What the operator names to be read once may be a pipe.
#[test]
fn a_process_substitution_is_read() {
    let ground = Ground::new();
    let script = format!("exec {} plan --against <(printf '')", env!("CARGO_BIN_EXE_shapeline"));
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(ground.repo.path());
    let run = run(bash);
    assert!(run.code == 0 && run.stdout.contains("10.10.10.25"), "{run:?}");
}

#[test]
fn the_umask_is_kept() {
    for umask in [0o077, 0o022, 0o002] {
        let ground = Ground::new();
        let run_all = format!(
            "umask {umask:03o}; s={}; set -e; $s publish; $s render --out-dir ../out; $s schema; $s history; \
             $s backup subscribers; $s subscriber set 10.10.10.25 name=ACME; $s import --help",
            env!("CARGO_BIN_EXE_shapeline")
        );
        let run_all = run_all.replace("../out", ground.path("out").to_str().unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", &run_all]).current_dir(ground.repo.path());
        // The file that `subscriber` replaces keeps its mode.
        let subscriber = ground.repo.path().join("subscribers/ispcustomer.co.zw/10.10.10.25.yaml");
        set_mode(&subscriber, 0o640);
        let run = run(shell);
        assert_eq!(run.code, 0, "{run:?}");
        for (name, full) in [
            ("srv/shaper.txt", 0o644),
            ("srv/.shaper.txt.shapeline", 0o750),
            ("srv/.shaper.txt.shapeline/versions", 0o750),
            ("srv/.shaper.txt.shapeline/manifest.json", 0o640),
            ("srv/.shaper.txt.shapeline/versions/00000001", 0o640),
            ("srv/.shaper.txt.shapeline/log/00000001", 0o640),
            ("srv/.shaper.txt.shapeline/lock/00000001", 0o640),
            ("backups/copies", 0o750),
            ("backups/.shapeline/copies.json", 0o640),
            ("out/shaper.txt", 0o666),
        ] {
            assert_eq!(mode(&ground.path(name)), full & !umask, "{name} with {umask:03o}");
        }
        let tar = fs::read_dir(ground.path("backups/copies")).unwrap().next().unwrap().unwrap().path();
        assert_eq!(mode(&tar), 0o640 & !umask);
        let schema = ground.repo.path().join("schemas/subscriber.schema.json");
        assert_eq!(mode(&schema), 0o666 & !umask, "with {umask:03o}");
        // What is private is so whatever the umask, and what is there keeps its mode.
        assert_eq!(mode(&ground.repo.path().join(".git/shapeline/history")), 0o600);
        assert_eq!(mode(&subscriber), 0o640);
    }
}
