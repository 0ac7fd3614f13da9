//! Damaged or forged records, and wrong clocks: they are reported, nothing is
//! guessed, and what is live stays whole.

use super::{Site, line};

/// Three versions, the last with three subscribers.
fn three(more: &str) -> Site {
    let site = Site::new(1, more);
    site.publish(0, &[]);
    for number in 2..=3 {
        next(&site, number);
        site.publish(0, &[]);
    }
    site
}

fn next(site: &Site, number: u32) {
    site.repo.subscriber(&format!("10.10.10.{number}"), 30);
    site.repo.commit("one more");
}

fn log_path(site: &Site) -> std::path::PathBuf {
    site.record_path("log/00000001")
}

fn edit_log(site: &Site, edit: impl Fn(&mut Vec<String>)) {
    let text = std::fs::read_to_string(log_path(site)).unwrap();
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    edit(&mut lines);
    std::fs::write(log_path(site), lines.into_iter().map(|line| line + "\n").collect::<String>()).unwrap();
}

#[test]
fn a_log_whose_last_line_has_lost_its_end_goes_on() {
    let site = three("");
    let text = std::fs::read_to_string(log_path(&site)).unwrap();
    std::fs::write(log_path(&site), text.strip_suffix('\n').unwrap()).unwrap();
    next(&site, 4);
    site.publish(0, &[]);
    assert_eq!(site.log().len(), 4);
}

#[test]
fn a_damaged_manifest_stops_everything_until_it_is_moved_away() {
    let site = three("");
    let (live, versions) = (site.live(), site.record_path("versions"));
    let kept = |id: u32| std::fs::read(versions.join(format!("{id:08}"))).unwrap();
    let before = [1, 2, 3].map(kept);
    next(&site, 4);
    for damage in ["", "{", "[]", "{\"version\": 1}", "\u{0}\u{0}\u{0}"] {
        std::fs::write(site.record_path("manifest.json"), damage).unwrap();
        let run = site.publish(2, &[]);
        assert!(run.stdout.contains("manifest.json is damaged: move it away to go on"), "{}", run.stdout);
        assert_eq!(site.run(&["rollback", "-t", "hre-1"]).code, 2);
        assert_eq!(site.live(), live);
        // The log is still readable.
        for (look, shown) in [("log", "version 3"), ("stat", "PUBLISH   3")] {
            let run = site.run(&[look]);
            assert!(run.code == 1 && run.stdout.contains(shown), "{}{}", run.stdout, run.stderr);
            assert!(run.stderr.contains("cannot be compared with the manifest"), "{}", run.stderr);
        }
    }
    std::fs::rename(site.record_path("manifest.json"), site.repo.path().join("moved")).unwrap();
    site.publish(0, &[]);
    assert_eq!(site.live().lines().count(), 4);
    assert_eq!([1, 2, 3].map(kept), before, "the last copies of the past are not written over");
    assert_eq!(site.log().len(), 4, "and the log goes on");
    assert_eq!(site.run(&["rollback", "-t", "hre-1"]).code, 0, "what was found is kept");
    assert_eq!(site.live(), live);
}

#[test]
fn a_damaged_intent_stops_everything_until_it_is_moved_away() {
    let site = three("");
    let live = site.live();
    next(&site, 4);
    std::fs::write(site.record_path("pending.json"), "{\"version\": 1, \"entry\"").unwrap();
    let run = site.publish(2, &[]);
    assert!(run.stdout.contains("pending.json is damaged: move it away to go on"), "{}", run.stdout);
    assert_eq!(site.live(), live);
    std::fs::remove_file(site.record_path("pending.json")).unwrap();
    site.publish(0, &[]);
    assert_eq!(site.log().len(), 4);
}

/// What comes after does not cover it up.
#[test]
fn a_log_that_was_tampered_with_shows_for_ever() {
    type Edit = fn(&mut Vec<String>);
    let edits: [(&str, Edit, &str); 5] = [
        ("the end is cut off", |lines| lines.truncate(1), "entries 2 to 3 are missing"),
        ("the last is changed", |lines| lines[2] = lines[2].replace("alice", "mallory"), "entry 4 does not follow"),
        ("one is changed", |lines| lines[1] = lines[1].replace("alice", "mallory"), "entry 3 does not follow"),
        ("all is removed", |lines| lines.clear(), "entries 1 to 3 are missing"),
        ("one is made up", |lines| lines.push(lines[2].replace("\"n\":3", "\"n\":4")), "entry 4 does not follow"),
    ];
    for (what, edit, expected) in edits {
        let site = three("");
        edit_log(&site, edit);
        assert_eq!(site.run(&["log"]).code, 1, "{what}");
        let stat = site.run(&["stat"]);
        assert!(stat.code == 1 && stat.stderr.contains("TAMPERED WITH"), "{what}: {}", stat.stderr);
        next(&site, 4);
        site.publish(0, &[]);
        let run = site.run(&["log"]);
        assert_eq!(run.code, 1, "{what}: it shows after the next publish, too: {}", run.stdout);
        assert!(run.stderr.contains(expected), "{what}: {}", run.stderr);
        assert_eq!(site.live().lines().count(), 4, "{what}");
    }
}

#[test]
fn a_log_of_garbage_is_reported_in_one_line() {
    let site = three("");
    std::fs::write(log_path(&site), "garbage\n".repeat(1000)).unwrap();
    let run = site.run(&["log"]);
    assert!(
        run.stderr.contains("entries 1 to 1000 cannot be read") && run.stderr.lines().count() < 5,
        "{}",
        run.stderr
    );
}

#[test]
fn an_entry_before_the_last_that_the_manifest_knows_of_is_compared_too() {
    let site = three("");
    let manifest = std::fs::read(site.record_path("manifest.json")).unwrap();
    // The last two written anew from another history: whole in themselves.
    let digest = |line: &str| shapeline::store::digest(line.as_bytes());
    next(&site, 4);
    site.publish(0, &[]);
    std::fs::write(site.record_path("manifest.json"), manifest).unwrap();
    assert_eq!(site.run(&["log"]).code, 0, "an entry of a run that was interrupted just then");
    edit_log(&site, |lines| {
        let old = digest(&lines[2]);
        lines[2] = lines[2].replace("alice", "mallory");
        lines[3] = lines[3].replace(&old, &digest(&lines[2]));
    });
    let run = site.run(&["log"]);
    assert!(run.code == 1 && run.stderr.contains("entry 3 was changed"), "{}", run.stderr);
}

#[test]
fn a_kept_version_that_was_changed_is_kept_anew_while_it_is_live() {
    let site = three("reload: [sh, -c, '! grep -q 10.10.10.4 \"$0\"', '{file}']");
    let live = site.live();
    for damage in [Some("not that"), None] {
        let path = site.record_path("versions/00000003");
        match damage {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        next(&site, 4);
        let run = site.publish(2, &[]);
        assert!(run.stdout.contains("version 3 is live again, and was reloaded"), "{}", run.stdout);
        assert_eq!(site.live(), live, "the old version could be put back");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), live);
    }
}

#[test]
fn a_changed_live_file_and_a_changed_version_must_be_acknowledged() {
    let site = three("");
    std::fs::write(site.record_path("versions/00000003"), "not that").unwrap();
    std::fs::write(site.live_path(), line(1, 30)).unwrap();
    next(&site, 4);
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("cannot be compared: version 3 was changed since"), "{}", run.stdout);
    assert_eq!(site.live(), line(1, 30));
    let fingerprint = run.stdout.split("--ack ").nth(1).unwrap().trim().to_owned();
    site.publish(0, &["--ack", &fingerprint]);
    assert_eq!(site.live().lines().count(), 4);
    assert_eq!(site.log().len(), 5);
}

/// The last publisher's clock was years ahead.
#[test]
fn a_clock_that_goes_backwards_changes_nothing() {
    let site = three("keep: 3");
    let digest = |line: &str| shapeline::store::digest(line.as_bytes());
    let ahead = |text: &str| {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        for key in ["time", "since"] {
            if value.get(key).is_some() {
                value[key] = "2099-12-31T23:59:59Z".into();
            }
        }
        value
    };
    let mut heads = Vec::new();
    edit_log(&site, |lines| lines[2] = ahead(&lines[2]).to_string());
    let last = std::fs::read_to_string(log_path(&site)).unwrap().lines().last().unwrap().to_owned();
    heads.push(digest(&last));
    let mut manifest = site.manifest();
    manifest["log"]["digest"] = heads[0].as_str().into();
    manifest["live"] = ahead(&manifest["live"].to_string());
    manifest["versions"][2] = ahead(&manifest["versions"][2].to_string());
    std::fs::write(site.record_path("manifest.json"), manifest.to_string()).unwrap();
    assert_eq!(site.log().len(), 3, "times need not be in order");
    next(&site, 4);
    site.publish(0, &[]);
    let ids: Vec<_> = site.manifest()["versions"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, [2, 3, 4], "the oldest goes by its number");
    assert_eq!(site.run(&["rollback", "-t", "hre-1"]).code, 0);
    assert_eq!(site.live().lines().count(), 3, "the version before, by its number");
    assert_eq!(site.log().len(), 5);
    let of_2099 = site.run(&["log", "--from", "2099-01-01"]);
    assert_eq!((of_2099.code, of_2099.stdout.lines().count()), (0, 1));
    assert!(site.run(&["drift"]).stdout.contains("hre-1"));
}

/// Who can write a version can write the manifest, too; the log is kept elsewhere as well.
#[test]
fn a_version_that_was_forged_with_its_manifest_is_refused_by_the_log() {
    let site = three("");
    let (live, forged) = (site.live(), super::line(9, 50));
    std::fs::write(site.record_path("versions/00000002"), &forged).unwrap();
    let mut manifest = site.manifest();
    let logged = manifest["versions"][1]["digest"].as_str().unwrap().to_owned();
    manifest["versions"][1]["digest"] = shapeline::store::digest(forged.as_bytes()).into();
    std::fs::write(site.record_path("manifest.json"), manifest.to_string()).unwrap();
    for args in [&["diff"][..], &["diff", "1", "2"], &["rollback"], &["rollback", "--to", "2", "--dry-run"]] {
        let run = site.run(args);
        let said = run.stdout + &run.stderr;
        assert_eq!(run.code, 2, "{args:?}: {said}");
        let why = format!("version 2 is not what was published: entry 2 of the log has the digest {logged} for it, ");
        assert!(said.contains(&why) && said.contains("restore both from a backup"), "{args:?}: {said}");
    }
    assert_eq!(site.live(), live);
    assert_eq!(site.run(&["rollback", "--to", "1"]).code, 0, "the others can be used");
}

/// The numbers begin anew, and the log has other digests for them.
#[test]
fn a_number_that_the_log_has_for_another_version_is_of_the_later_one() {
    let site = three("");
    std::fs::remove_file(site.record_path("manifest.json")).unwrap();
    std::fs::remove_dir_all(site.record_path("versions")).unwrap();
    std::fs::write(site.live_path(), super::line(1, 50)).unwrap();
    site.publish(0, &[]);
    assert_eq!(site.manifest()["live"]["id"], 2, "version 1 is what was found");
    let run = site.run(&["rollback", "--to", "1", "--force"]);
    assert_eq!((run.code, site.live()), (0, super::line(1, 50)), "{}{}", run.stdout, run.stderr);
}
