//! Refused copies and refused restores.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use super::tree::{look, sample};
use super::{Site, names};
use crate::support::Repo;

/// Copies `path`, which must be refused because of `why`, with nothing copied.
fn refused(site: &Site, path: &Path, why: &str) {
    let run = site.backup(&[path]);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("REFUSED") && run.stdout.contains(why), "{}: {}", path.display(), run.stdout);
    assert_eq!(site.ids(), [""; 0]);
    assert!(site.logged().pop().unwrap().starts_with("BACKUP ERROR refused: "), "{:?}", site.logged());
}

#[test]
fn the_backup_folder_is_not_copied_into_itself() {
    let site = Site::new();
    let folder = site.folder();
    site.write("backups/data/file", "x");
    refused(&site, &folder, "contains the backup folder");
    refused(&site, folder.parent().unwrap(), "contains the backup folder");
    refused(&site, &folder.join(".."), "contains the backup folder");
    refused(&site, Path::new("/"), "contains the backup folder");
    refused(&site, &folder.join("data"), "is in the backup folder");
    refused(&site, &folder.join("data/file"), "is in the backup folder");
    refused(&site, &folder.join(".shapeline"), "is in the backup folder");
    // Through links.
    symlink(folder.parent().unwrap(), site.path("up")).unwrap();
    symlink(&folder, site.path("to-folder")).unwrap();
    refused(&site, &site.path("up"), "contains the backup folder");
    refused(&site, &site.path("up/"), "contains the backup folder");
    refused(&site, &site.path("up/backups/data"), "is in the backup folder");
    refused(&site, &site.path("to-folder"), "contains the backup folder");
    refused(&site, &site.path("to-folder/data"), "is in the backup folder");
}

#[test]
fn a_backup_folder_behind_a_link_is_known_too() {
    let site = Site::new();
    symlink(site.folder(), site.path("link")).unwrap();
    let url = site.path("link");
    site.repo.write("shapeline.yaml", format!("backup: {{url: 'file://{}'}}\n", url.display()));
    refused(&site, &site.folder(), "contains the backup folder");
    refused(&site, &site.folder().join(".shapeline"), "is in the backup folder");
    // A folder that holds a link to it does not hold it.
    fs::create_dir(site.path("src")).unwrap();
    symlink(site.folder(), site.path("src/link")).unwrap();
    site.copy(&site.path("src"));
}

#[test]
fn what_is_too_much_is_refused_before_it_is_read() {
    let site = Site::new();
    sample(&site.path("src"), 10);
    // A hole: it takes no room, and would take minutes to read.
    File::create(site.path("src/huge")).unwrap().set_len(1 << 40).unwrap();
    refused(&site, &site.path("src"), "huge the copy would be more than 1024 MiB");
}

#[test]
fn what_is_too_deep_is_refused() {
    let site = Site::new();
    let deep = site.path("src").join("d/".repeat(129));
    fs::create_dir_all(deep).unwrap();
    refused(&site, &site.path("src"), "more than 128 folders deep");
}

#[test]
fn a_copy_that_was_changed_is_not_put_back() {
    let site = Site::new();
    let path = site.path("src");
    sample(&path, 3000);
    let id = site.copy(&path);
    let whole = fs::read(site.tar(&id)).unwrap();
    let before = look(&path);
    for at in [0, whole.len() / 2, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(site.tar(&id), &changed).unwrap();
        let run = site.restore(1, &id, &["--force"]);
        assert!(run.stdout.contains("was changed since it was made"), "{}", run.stdout);
    }
    fs::write(site.tar(&id), &whole[..whole.len() - 512]).unwrap();
    site.restore(1, &id, &["--force"]);
    fs::remove_file(site.tar(&id)).unwrap();
    let run = site.restore(1, &id, &["--force"]);
    assert!(run.stdout.contains("is gone"), "{}", run.stdout);
    assert_eq!(look(&path), before);
    fs::write(site.tar(&id), &whole).unwrap();
    site.restore(0, &id, &["--force"]);
}

#[test]
fn a_list_that_was_changed_leads_nowhere() {
    let site = Site::new();
    let path = site.write("src/a", "x");
    let id = site.copy(&path);
    let list = site.folder().join(".shapeline/copies.json");
    let text = fs::read_to_string(&list).unwrap();
    let out = site.write("victim.tar", "stays");
    for (old, new) in [
        (format!("\"{id}\""), "\"0/../../victim\""),
        ("\"version\": 1".to_owned(), "\"version\": 2"),
        ("{".to_owned(), ""),
    ] {
        fs::write(&list, text.replacen(&old, new, 1)).unwrap();
        for args in [&["--list"][..], &["--restore", "0/../../victim"], &[path.to_str().unwrap()]] {
            let run = site.backup(args);
            assert_eq!(run.code, 2, "{args:?}: {}", run.stdout);
            assert!(format!("{}{}", run.stdout, run.stderr).contains("copies.json"), "{args:?}: {run:?}");
        }
    }
    let removing = text.replacen("\"copies\"", "\"removing\": [\"0/../../victim\"], \"copies\"", 1);
    fs::write(&list, removing).unwrap();
    assert_eq!(site.backup(&[&path]).code, 2);
    assert_eq!(fs::read(out).unwrap(), b"stays");
    for wrong in ["srv/x", "/srv/../etc/x", "/", "/a\\\\q"] {
        fs::write(&list, text.replace(path.to_str().unwrap(), wrong)).unwrap();
        let run = site.restore(1, &id, &["--force"]);
        assert!(run.stdout.contains("cannot be put back"), "{wrong}: {}", run.stdout);
    }
}

#[test]
fn nothing_is_put_into_the_backup_folder_or_in_its_place() {
    let site = Site::new();
    // Made while the folder was elsewhere.
    let around = site.path("around");
    fs::create_dir_all(around.join("inner")).unwrap();
    let id = site.copy(&around);
    fs::rename(site.folder(), around.join("backups")).unwrap();
    let url = around.join("backups");
    site.repo.write("shapeline.yaml", format!("backup: {{url: 'file://{}'}}\n", url.display()));
    let run = site.restore(1, &id, &["--force"]);
    assert!(run.stdout.contains("contains the backup folder"), "{}", run.stdout);
    let run = site.restore(1, &id, &["--into", url.to_str().unwrap()]);
    assert!(run.stdout.contains("is in the backup folder"), "{}", run.stdout);
    assert_eq!(names(&url), [".shapeline", "copies"]);
}

#[test]
fn unknown_ids_and_paths_are_reported() {
    let site = Site::new();
    let path = site.write("src/a", "x");
    let id = site.copy(&path);
    let run = site.restore(1, &format!("{id}x"), &[]);
    assert!(run.stdout.contains(&format!("did you mean '{id}'?")), "{}", run.stdout);
    let run = site.restore(1, "\u{1b}[31m\n::error::x", &[]);
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains("\n::error"), "{}", run.stdout);
    for args in [&[][..], &["--list", "x"], &["--restore", "x", "y"], &["--force", "x"], &["--into", "d", "x"]] {
        assert_eq!(site.backup(args).code, 2, "{args:?}");
    }
    fs::remove_dir_all(site.folder()).unwrap();
    let run = site.backup(&[&path]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("make the folder"), "{}", run.stderr);
    let repo = Repo::new();
    for command in [&["backup", "x"][..], &["backup", "--list"], &["log", "--backup"], &["stat", "--backup"]] {
        let run = repo.run(command);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains("names no backup folder"), "{}", run.stderr);
    }
}
