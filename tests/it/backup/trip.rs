//! Round trips: a restore gives what was copied.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;

use super::tree::{Node, look, make, name, node, sample};
use super::{Site, names};
use crate::yaml_properties::cases;

/// Not a link that leads to the backup folder or around it: that is refused.
fn root() -> impl Strategy<Value = Node> {
    node().prop_map(|node| match node {
        Node::Link { time, .. } => Node::Link { target: b"nowhere/at/all".to_vec(), time },
        node => node,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, ..cases(32) })]

    #[test]
    fn any_tree_comes_back(name in name(), tree in root()) {
        let site = Site::new();
        std::fs::create_dir(site.path("from")).unwrap();
        let name = OsStr::from_bytes(&name);
        let path = site.path("from").join(name);
        make(&tree, &path);
        let before = look(&path);
        let id = site.copy(&path);
        prop_assert_eq!(look(&path), before.clone(), "to copy changes nothing");
        site.restore(0, &id, &["--into", site.path("to").to_str().unwrap()]);
        prop_assert_eq!(look(&site.path("to").join(name)), before.clone());
        // Once more in place of itself, where it was.
        site.restore(0, &id, &["--force"]);
        prop_assert_eq!(look(&path), before);
        prop_assert_eq!(std::fs::read_dir(site.path("from")).unwrap().count(), 1, "nothing is left beside it");
        // The same files give the same tar.
        site.copy(&path);
        let list = site.list();
        prop_assert_eq!(&list[0]["digest"], &list[1]["digest"]);
        prop_assert_eq!(&list[0]["path"], &list[1]["path"]);
    }
}

#[test]
fn it_comes_back_where_it_was_and_any_tar_reads_it() {
    let site = Site::new();
    let path = site.path("srv/shaper");
    sample(&path, 5000);
    let before = look(&path);
    let id = site.copy(&path);
    std::fs::remove_dir_all(site.path("srv")).unwrap();
    let run = site.restore(0, &id, &[]);
    assert!(run.stdout.contains(&format!("{}: put back from {id}", path.display())), "{}", run.stdout);
    assert_eq!(look(&path), before);
    let by_hand = site.path("by-hand");
    std::fs::create_dir(&by_hand).unwrap();
    let tar = std::process::Command::new("tar").arg("-xpf").arg(site.tar(&id)).arg("-C").arg(&by_hand).status();
    assert!(tar.expect("tar is needed by this test").success());
    assert_eq!(look(&by_hand.join("shaper")), before);
}

#[test]
fn what_is_there_is_replaced_in_one_step_and_only_by_force() {
    let site = Site::new();
    let path = site.path("srv/shaper");
    sample(&path, 100);
    let before = look(&path);
    let id = site.copy(&path);
    std::fs::write(path.join("new"), "since").unwrap();
    let changed = look(&path);
    let run = site.restore(1, &id, &[]);
    assert!(run.stdout.contains("is there already") && run.stdout.contains("--force"), "{}", run.stdout);
    assert_eq!(look(&path), changed);
    let old = std::fs::metadata(&path).unwrap().ino();
    site.restore(0, &id, &["--force"]);
    assert_eq!(look(&path), before);
    assert_ne!(std::fs::metadata(&path).unwrap().ino(), old, "a new folder took its place");
    // Also where something else is now: a file, or a link, which is not followed.
    std::fs::remove_dir_all(&path).unwrap();
    let other = site.write("other/file", "stays");
    symlink(other.parent().unwrap(), &path).unwrap();
    site.restore(1, &id, &[]);
    site.restore(0, &id, &["--force"]);
    assert_eq!(look(&path), before);
    assert_eq!(std::fs::read(&other).unwrap(), b"stays");
    assert_eq!(names(&site.path("srv")), ["shaper"], "nothing is left");
}

#[test]
fn links_are_copied_as_links() {
    let site = Site::new();
    let secret = site.write("elsewhere/secret", "TOP SECRET");
    std::fs::create_dir(site.path("src")).unwrap();
    symlink(secret.parent().unwrap(), site.path("src/link")).unwrap();
    let id = site.copy(&site.path("src"));
    let tar = std::fs::read(site.tar(&id)).unwrap();
    assert!(!tar.windows(10).any(|window| window == b"TOP SECRET"));
    let run = site.backup(&[site.path("src/link")]);
    assert!(run.stdout.contains("is a link: it is copied, and not what it leads to"), "{}", run.stdout);
    // With a slash it means what it leads to, as everywhere.
    let run = site.backup(&[site.path("src/link/")]);
    assert!(run.stdout.contains(&format!("{}: copied", site.path("elsewhere").display())), "{}", run.stdout);
}

#[test]
fn a_link_leads_where_it_led_to_the_letter() {
    let site = Site::new();
    std::fs::create_dir(site.path("src")).unwrap();
    let long = ["a/".repeat(49) + "b", "a/".repeat(50), "a/".repeat(51), "l".repeat(101), "./a/".repeat(400)];
    let odd = ["a//b", "./a", "a/./b", "a/", "/", "//etc", "..", "../..//./x/", " ", "a\nb"];
    let targets: Vec<&str> = odd.into_iter().chain(long.iter().map(String::as_str)).collect();
    for (number, target) in targets.iter().enumerate() {
        symlink(target, site.path(&format!("src/{number}"))).unwrap();
    }
    let before = look(&site.path("src"));
    let id = site.copy(&site.path("src"));
    site.restore(0, &id, &["--force"]);
    assert_eq!(look(&site.path("src")), before);
}

#[test]
fn skipped_and_changed_files_are_reported() {
    let site = Site::new();
    site.write("src/file", "x");
    let socket = std::os::unix::net::UnixListener::bind(site.path("src/socket")).unwrap();
    let run = site.backup(&[site.path("src")]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("socket is no file, folder or link, and is left out"), "{}", run.stdout);
    let run = site.backup(&[site.path("src/socket")]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    drop(socket);
    // Says that it is empty, and is not: as a file that grows.
    let run = site.backup(&["/proc/uptime"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("was changed while it was read"), "{}", run.stdout);
    let logged = site.logged();
    assert!(logged[0].starts_with("BACKUP SUCCESS") && logged[0].ends_with("is left out"), "{logged:?}");
    assert!(logged[1].starts_with("BACKUP ERROR refused: "), "{logged:?}");
    assert!(logged[2].starts_with("BACKUP SUCCESS") && logged[2].contains("was changed while"), "{logged:?}");
}

#[test]
fn copies_are_not_for_everybody() {
    let site = Site::new();
    let path = site.write("secret", "x");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let id = site.copy(&path);
    assert_eq!(std::fs::metadata(site.tar(&id)).unwrap().mode() & 0o007, 0);
    assert_eq!(std::fs::metadata(site.folder().join("copies")).unwrap().mode() & 0o007, 0);
}

#[test]
fn a_restore_works_without_the_log() {
    let site = Site::new();
    let path = site.write("src/file", "x");
    let id = site.copy(&path);
    // As where the folder may only be read: root may write everywhere.
    std::fs::remove_dir_all(site.folder().join(".shapeline/lock")).unwrap();
    std::fs::write(site.folder().join(".shapeline/lock"), "").unwrap();
    assert_eq!(site.backup(&[&path]).code, 2);
    std::fs::remove_file(&path).unwrap();
    let run = site.restore(0, &id, &[]);
    assert!(run.stdout.contains("note: the log could not be written"), "{}", run.stdout);
    assert_eq!(std::fs::read(&path).unwrap(), b"x");
}
