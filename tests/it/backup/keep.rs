//! What is stored, under which name, and what is logged.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::Site;
use crate::support::strace;

#[test]
fn the_oldest_copies_of_the_same_path_go() {
    let site = Site::with(", keep: 2");
    let (a, b) = (site.write("src/a", "a"), site.write("src/b", "b"));
    let of_b = site.copy(&b);
    let of_a: Vec<String> = (0..4)
        .map(|round| {
            std::fs::write(&a, format!("a {round}")).unwrap();
            site.copy(&a)
        })
        .collect();
    assert_eq!(site.ids(), [&of_b, &of_a[2], &of_a[3]].map(String::clone));
    let mut tars = [&of_b, &of_a[2], &of_a[3]].map(|id| format!("{id}.tar"));
    tars.sort();
    assert_eq!(site.tars(), tars);
    // A failure removes nothing.
    std::fs::remove_file(&a).unwrap();
    assert_eq!(site.backup(&[&a]).code, 2);
    assert_eq!(site.ids().len(), 3);
}

/// The order is that in which copies were made, whatever their times say.
#[test]
fn a_clock_that_was_wrong_costs_no_new_copy() {
    let site = Site::with(", keep: 1");
    let path = site.write("src/a", "old");
    let id = site.copy(&path);
    let future = format!("29990101T000000Z-{}", id.split_once('-').unwrap().1);
    std::fs::rename(site.tar(&id), site.tar(&future)).unwrap();
    let list = site.folder().join(".shapeline/copies.json");
    let year = id.get(..4).unwrap();
    let text = std::fs::read_to_string(&list).unwrap();
    std::fs::write(&list, text.replace(&id, &future).replace(&format!("\"{year}-"), "\"2999-")).unwrap();
    assert_eq!(site.ids(), [future]);
    std::fs::write(&path, "new").unwrap();
    let new = site.copy(&path);
    assert_eq!(site.ids(), std::slice::from_ref(&new));
    assert_eq!(site.tars(), [format!("{new}.tar")]);
}

#[test]
fn nothing_is_overwritten() {
    let site = Site::new();
    let path = site.write("src/a b", "x");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    // Whatever second it is when the copy is made, its first two names are taken.
    let mut taken = Vec::new();
    for second in 0..300 {
        let time = jiff::Timestamp::from_second((now + Duration::from_secs(second)).as_secs() as i64).unwrap();
        let id = format!("{}-a_b", time.to_string().replace([':', '-'], ""));
        taken.extend([site.write(&format!("backups/copies/{id}.tar"), "mine"), site.tar(&format!("{id}-2"))]);
        std::fs::write(taken.last().unwrap(), "mine").unwrap();
    }
    let id = site.copy(&path);
    assert!(id.ends_with("Z-a_b-3"), "{id}");
    assert!(taken.iter().all(|path| std::fs::read(path).unwrap() == b"mine"));
}

/// The size of the tar at `index` of the list.
fn bytes(site: &Site, index: usize) -> u64 {
    std::fs::metadata(site.tar(&site.ids()[index])).unwrap().len()
}

#[test]
fn several_paths_report_each_on_its_own() {
    let site = Site::new();
    let (a, b) = (site.write("src/a", "a"), site.write("src/b", "b"));
    let missing = site.path("src/missing");
    let folder = site.folder();
    let run = site.backup(&[&a, &missing, &folder, &b]);
    assert_eq!(run.code, 2, "a failure is graver than a refusal");
    let lines: Vec<&str> = run.stdout.lines().filter(|line| !line.starts_with("  ")).collect();
    assert!(lines[0].starts_with(&format!("{}: copied, {} bytes: ", a.display(), bytes(&site, 0))), "{}", run.stdout);
    assert_eq!(lines[1], format!("{}: FAILED", missing.display()));
    assert_eq!(lines[2], format!("{}: REFUSED, nothing was changed", folder.display()));
    assert!(lines[3].starts_with(&format!("{}: copied", b.display())), "{}", run.stdout);
    assert_eq!(site.backup(&[&a, &folder]).code, 1);
}

#[test]
fn the_log_has_every_action() {
    let site = Site::new();
    let path = site.write("src/a", "a");
    let id = site.copy(&path);
    site.restore(1, &id, &[]);
    site.restore(0, &id, &["--into", site.path("to").to_str().unwrap()]);
    site.restore(1, "20260101T000000Z-a", &[]);
    site.backup(&[site.path("missing")]);
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let log = site.log();
    let listed: Vec<[String; 4]> =
        log.iter().map(|entry| ["action", "status", "parameter", "actor"].map(|key| text(entry, key))).collect();
    let (a, to) = (path.display().to_string(), site.path("to/a").display().to_string());
    let missing = site.path("missing").display().to_string();
    assert_eq!(
        listed,
        [
            ["BACKUP", "SUCCESS", &a, "alice"],
            ["RESTORE", "ERROR", &a, "alice"],
            ["RESTORE", "SUCCESS", &to, "alice"],
            ["RESTORE", "ERROR", "20260101T000000Z-a", "alice"],
            ["BACKUP", "ERROR", &missing, "alice"],
        ]
    );
    let digest = text(&site.list()[0], "digest");
    assert_eq!(digest, shapeline::store::digest(&std::fs::read(site.tar(&id)).unwrap()));
    assert_eq!([0, 1, 2].map(|n: usize| text(&log[n], "digest")), [digest.clone(), digest.clone(), digest]);
    assert!(text(&log[4], "reason").contains("No such file"), "{}", log[4]);
    let stat = site.repo.run(&["stat", "--backup", "--format", "csv"]).stdout;
    let counts: Vec<&str> = stat.lines().skip(1).filter_map(|line| line.rsplit_once(',')).map(|(all, _)| all).collect();
    assert_eq!(counts, ["backup,BACKUP,2,1,1", "backup,RESTORE,3,1,2"]);
    assert_eq!(site.repo.run(&["log", "--backup", "--target", "hre-1"]).code, 2);
}

/// A disk that says that it wrote, and did not.
#[test]
fn what_was_not_written_is_no_copy() {
    let site = Site::new();
    let path = site.write("src/file", "text");
    let whole = site.copy(&path);
    let (calls, args) = (["-e", "trace=linkat"], ["backup", path.to_str().unwrap()]);
    let Some((_, trace)) = strace(site.repo.path(), &calls, &args) else { return };
    let links: Vec<&str> = trace.lines().filter(|line| line.contains("linkat(")).collect();
    let number = links.iter().position(|line| line.contains(".tar\"")).unwrap() + 1;
    let before = site.ids();
    assert_eq!((before.len(), &before[0]), (2, &whole));
    let lie = format!("inject=linkat:retval=0:when={number}");
    let (out, _) = strace(site.repo.path(), &[&calls[..], &["-e", &lie]].concat(), &args).unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(2) && said.contains("is not what was written"), "{said}");
    assert_eq!(site.ids(), before);
    assert!(site.logged().pop().unwrap().starts_with("BACKUP ERROR"), "{:?}", site.logged());
    site.copy(&path);
}

#[test]
fn the_list_is_for_people_and_programs() {
    let site = Site::new();
    assert_eq!(site.backup(&["--list"]).stdout, "there are no copies\n");
    let path = site.write("src/a,b", "a");
    let id = site.copy(&path);
    let copy = site.list().pop().unwrap();
    assert_eq!(copy["path"], path.to_str().unwrap());
    let size = bytes(&site, 0);
    assert_eq!((copy["bytes"].as_u64(), copy["by"].as_str()), (Some(size), Some("alice")));
    let csv = site.backup(&["--list", "--format", "csv"]).stdout;
    let (time, digest) = (copy["time"].as_str().unwrap(), copy["digest"].as_str().unwrap());
    let row = format!("{id},{time},\"{}\",{size},{digest},alice\n", path.display());
    assert_eq!(csv, format!("id,time,path,bytes,digest,by\n{row}"));
    let text = site.backup(&["--list"]).stdout;
    assert!(text.contains(&id) && text.contains(digest.get(..20).unwrap()), "{text}");
    assert_eq!(site.backup(&["x", "--format", "json"]).code, 2, "only the list has formats");
}
