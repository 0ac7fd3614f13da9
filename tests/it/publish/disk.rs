//! Disks that are full, read-only, not permitted or suddenly gone: the live file is whole, the
//! message says what happened, and publishing continues once the fault is gone.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;
use std::process::Command;

use shapeline::records::log::LogStatus;

use super::ground::{Ground, resume, run};
use crate::servers::sshd::is_root;
use crate::support::{Run, left_out};

/// A small disk mounted at a folder, as long as it lives. Its content is in memory.
struct Disk(PathBuf);

impl Disk {
    /// Nothing, said aloud, where only root could mount one.
    fn mount(ground: &Ground) -> Option<Disk> {
        if !root() {
            return None;
        }
        let disk = Disk(ground.folder());
        disk.sudo("mount", &["-t", "tmpfs", "-o", "size=10m,mode=755", "shapeline-test"]);
        Some(disk)
    }

    fn remount(&self, options: &str) {
        self.sudo("mount", &["-o", &format!("remount,{options}")]);
    }

    fn sudo(&self, program: &str, args: &[&str]) {
        let out = Command::new(program).args(args).arg(&self.0).output().unwrap();
        assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// In pages, as such a disk counts.
    fn used(&self) -> usize {
        let out = Command::new("df").args(["-B4096", "--output=used"]).arg(&self.0).output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.lines().nth(1).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Whether the tests run as root; says that they should.
fn root() -> bool {
    if !is_root() {
        left_out("only root can mount a disk or be another user");
    }
    is_root()
}

fn failed(run: &Run, why: &str) {
    assert!(run.code == 2 && run.stdout.contains(why), "{why}: {}{}", run.stdout, run.stderr);
}

/// With ever more room left, so that it is full at one write after the other.
#[test]
fn a_disk_that_is_full_at_every_write() {
    let ground = Ground::new(4);
    let Some(disk) = Disk::mount(&ground) else { return };
    ground.published(0);
    ground.published(1);
    // A log that takes more room than the live file, which is written first.
    for _ in 0..20 {
        assert_eq!(ground.publish(0).code, 1);
    }
    let start = ground.save();
    let (before, new) = (ground.live(), Some(ground.files[2].clone()));
    let mut named_both = 0;
    for room in 0.. {
        disk.remount("size=10m");
        ground.restore(&start);
        disk.remount(&format!("size={}k", (disk.used() + room) * 4));
        let run = ground.publish(2);
        if run.code == 0 {
            assert!(room > 3, "{room}");
            break;
        }
        failed(&run, "No space left on device");
        let live = ground.live();
        assert!(live == before || live == new, "{room}: {live:?}");
        if live == new {
            // It is live and the shaper has it: the message must say so.
            assert!(run.stdout.contains("version 3 is live"), "{}", run.stdout);
            named_both += 1;
        }
        disk.remount("size=10m");
        let again = ground.publish(2);
        assert_eq!(again.code, 0, "{room}: {}{}", again.stdout, again.stderr);
        assert_eq!(ground.live(), new);
        ground.assert_in_order();
        ground.published(3);
        ground.assert_in_order();
    }
    assert!(named_both > 0, "it was never full after the file was replaced");
}

#[test]
fn a_disk_that_is_read_only() {
    let ground = Ground::new(2);
    let Some(disk) = Disk::mount(&ground) else { return };
    ground.published(0);
    let before = ground.save();
    disk.remount("ro");
    failed(&ground.publish(1), "Read-only file system");
    for looks in [["log"], ["stat"]] {
        assert_eq!(ground.run(&looks.map(ToOwned::to_owned)).code, 0, "to look, nothing need be written");
    }
    assert_eq!(ground.run(&["drift".to_owned()]).code, 3);
    disk.remount("rw");
    assert_eq!(ground.save(), before);
    ground.published(1);
    ground.assert_in_order();
}

/// What is mounted there is gone, and beneath it is an empty folder.
#[test]
fn a_disk_that_is_gone_midway_is_not_taken_for_an_empty_one() {
    let ground = Ground::new(2);
    for step in
        ["put shaper.txt", "staged .shaper.txt.shapeline/pending.json", "put .shaper.txt.shapeline/pending.json"]
    {
        let Some(disk) = Disk::mount(&ground) else { return };
        ground.published(0);
        let child = ground.stopped_at(step, &ground.publish_args(1)).expect(step);
        drop(disk);
        let run = resume(child);
        assert_eq!(run.code, 2, "{step}: {}{}", run.stdout, run.stderr);
        let beneath: Vec<_> = ground.save().into_iter().filter(|(path, _)| path.starts_with(ground.folder())).collect();
        assert!(beneath.is_empty(), "{step}: {beneath:?}");
        std::fs::remove_dir_all(ground.folder()).unwrap();
        std::fs::create_dir(ground.folder()).unwrap();
    }
}

#[test]
fn a_folder_that_is_taken_away_midway() {
    for step in ["put shaper.txt", "staged shaper.txt", "done shaper.txt", "put .shaper.txt.shapeline/manifest.json"] {
        let ground = Ground::new(2);
        ground.published(0);
        let away = ground.folder().with_file_name("away");
        let child = ground.stopped_at(step, &ground.publish_args(1)).expect(step);
        std::fs::rename(ground.folder(), &away).unwrap();
        let run = resume(child);
        assert_eq!(run.code, 2, "{step}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.contains("gone"), "{step}: {}", run.stdout);
        assert!(!ground.folder().exists(), "{step}: it is not made anew");
        failed(&ground.publish(1), "make the folder, or correct 'url' in shapeline.yaml");
        std::fs::rename(&away, ground.folder()).unwrap();
        ground.published(1);
        ground.assert_in_order();
    }
}

#[test]
fn a_live_file_that_becomes_a_folder_midway() {
    for step in ["put shaper.txt", "staged shaper.txt", "done shaper.txt"] {
        let ground = Ground::new(2);
        ground.published(0);
        let child = ground.stopped_at(step, &ground.publish_args(1)).expect(step);
        std::fs::remove_file(ground.live_path()).unwrap();
        std::fs::create_dir(ground.live_path()).unwrap();
        failed(&resume(child), "regular file");
        failed(&ground.publish(1), "regular file, and is not replaced");
        std::fs::remove_dir(ground.live_path()).unwrap();
        ground.published(1);
        let entries = ground.assert_in_order();
        let cut_off = &entries[1];
        assert_eq!(cut_off.status, LogStatus::Error, "{step}: {cut_off:?}");
    }
}

#[test]
fn a_user_who_may_not() {
    if !root() {
        return;
    }
    let ground = Ground::new(2);
    ground.published(0);
    let owned_by = |user: u32, path: PathBuf| {
        for entry in walkdir::WalkDir::new(path) {
            chown(entry.unwrap().path(), Some(user), Some(user)).unwrap();
        }
    };
    let nobody = |path: PathBuf| owned_by(65534, path);
    // Git reads only repositories of the same user.
    nobody(ground.repo.path().to_owned());
    std::fs::set_permissions(ground.folder().parent().unwrap(), PermissionsExt::from_mode(0o777)).unwrap();
    let publish = || {
        let mut setpriv = Command::new("setpriv");
        let plain = ground.command(&ground.publish_args(1));
        setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(plain.get_program());
        setpriv.args(plain.get_args()).current_dir(ground.repo.path()).env("HOME", ground.repo.path());
        setpriv.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        run(setpriv.spawn().unwrap())
    };
    let before = ground.save();
    failed(&publish(), "Permission denied");
    // The records are his, and the live file is not: he may not give it the owner that it has.
    nobody(ground.folder());
    chown(ground.live_path(), Some(0), Some(0)).unwrap();
    failed(&publish(), "its owner (0:0) cannot be kept by user 65534; run as that user or as root");
    assert_eq!(ground.live(), Some(ground.files[0].clone()));
    assert!(ground.save().len() > before.len() - 1);
    nobody(ground.folder());
    std::fs::remove_file(ground.folder().with_file_name("loaded")).unwrap();
    let run = publish();
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    nobody(ground.folder());
    owned_by(0, ground.repo.path().to_owned());
    ground.assert_in_order();
}
