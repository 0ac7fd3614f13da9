//! What a hold and the newest commit mean for data that is not committed, beside the newest, or as it was.

use super::{Site, line};

/// As many versions, each with one subscriber more and a commit of its own.
fn versions(count: u32) -> Site {
    let site = Site::new(1, "");
    site.publish(0, &[]);
    for number in 2..=count {
        site.repo.subscriber(&format!("10.10.10.{number}"), 30);
        site.repo.commit("one more");
        site.publish(0, &[]);
    }
    site
}

fn rollback(site: &Site, to: &str) {
    let run = site.run(&["rollback", "-t", "hre-1", "--to", to]);
    assert_eq!(run.code, 0, "{run:?}");
}

fn remove(site: &Site, number: u32) {
    let path = format!("subscribers/ispcustomer.co.zw/10.10.10.{number}.yaml");
    std::fs::remove_file(site.repo.path().join(path)).unwrap();
}

fn is_held(site: &Site) -> bool {
    !site.manifest()["held"].is_null()
}

#[test]
fn data_that_is_not_committed_puts_back_what_was_rolled_back_to_and_the_hold_stays() {
    let site = versions(2);
    rollback(&site, "1");
    remove(&site, 2);
    let put_back = |more: &[&str]| {
        std::fs::write(site.live_path(), "by hand\n").unwrap();
        site.publish(0, &[&["--allow-dirty"], more].concat());
        assert_eq!(site.live(), line(1, 30));
    };
    put_back(&[]);
    assert!(is_held(&site));
    // Unless that is what is acknowledged.
    std::fs::write(site.live_path(), "by hand\n").unwrap();
    let dry = site.publish(0, &["--allow-dirty", "--dry-run", "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&dry).unwrap();
    put_back(&["--ack", json["targets"][0]["acknowledge"].as_str().unwrap()]);
    assert!(!is_held(&site));
}

#[test]
fn the_commit_of_data_that_is_not_committed_is_not_noted() {
    let site = versions(1);
    let first = site.manifest()["newest"].clone();
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("not published");
    remove(&site, 2);
    assert!(site.publish(0, &["--allow-dirty"]).stdout.contains("nothing to do"));
    assert_eq!(site.manifest()["newest"], first);
    site.publish(0, &["--rev", "HEAD~1"]);
}

#[test]
fn a_version_of_data_that_was_not_committed_is_no_version_of_the_commit() {
    let site = Site::new(1, "");
    let path = "subscribers/ispcustomer.co.zw/10.10.10.1.yaml";
    site.repo.write(path, site.repo.read(path) + "name: ACME\n");
    site.publish(0, &["--allow-dirty"]);
    assert_eq!(site.manifest()["live"]["dirty"], true);
    site.repo.git(&["checkout", "-q", path]);
    std::fs::write(site.live_path(), "by hand\n").unwrap();
    site.publish(0, &[]);
    let live = site.manifest()["live"].clone();
    assert!(live["dirty"].is_null(), "{live}");
    assert_eq!(site.live(), line(1, 30));
}

#[test]
fn a_commit_beside_the_newest_does_not_end_a_hold() {
    let site = versions(3);
    rollback(&site, "2");
    rollback(&site, "1");
    // It comes after what was taken back last, and not after what was before that.
    site.repo.git(&["checkout", "-q", "-b", "beside", "HEAD~1"]);
    remove(&site, 2);
    site.repo.commit("back to one");
    site.publish(0, &[]);
    assert!(is_held(&site));
    site.repo.git(&["checkout", "-q", "main"]);
    (2..=3).for_each(|number| remove(&site, number));
    site.repo.commit("back to one, after all");
    site.publish(0, &[]);
    assert!(!is_held(&site));
}

/// A program that did not note the newest commit may have written the manifest.
#[test]
fn without_the_newest_commit_that_of_the_live_version_counts() {
    let site = versions(2);
    let mut manifest = site.manifest();
    assert!(manifest.as_object_mut().unwrap().remove("newest").is_some());
    std::fs::write(site.record_path("manifest.json"), manifest.to_string()).unwrap();
    let run = site.publish(1, &["--rev", "HEAD~1"]);
    assert!(run.stdout.contains("does not follow from"), "{}", run.stdout);
    site.publish(0, &[]);
}

#[test]
fn a_rollback_to_what_is_held_already_goes_on_holding_it() {
    let site = versions(2);
    rollback(&site, "1");
    std::fs::write(site.live_path(), "by hand\n").unwrap();
    rollback(&site, "1");
    assert_eq!(site.live(), line(1, 30));
    assert!(is_held(&site));
    let run = site.publish(1, &[]);
    assert!(run.stdout.contains("version 2 was rolled back at"), "{}", run.stdout);
}

#[test]
fn a_dry_run_of_a_rollback_tells_a_version_from_its_bytes() {
    let site = versions(2);
    let dry = |to: &str| {
        let run = site.run(&["rollback", "-t", "hre-1", "--to", to, "--dry-run", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        json["targets"][0]["ended"].as_str().unwrap().to_owned()
    };
    assert_eq!([dry("1"), dry("2")], ["planned", "unchanged"]);
    // Put there by hand, it is not what is recorded as live.
    std::fs::write(site.live_path(), line(1, 30)).unwrap();
    assert_eq!([dry("1"), dry("2")], ["planned", "planned"]);
}

#[test]
fn a_rollback_may_leave_a_third_of_ten_lines_and_of_fewer_less() {
    for (before, after, code) in [(3, 9, 0), (3, 10, 1), (4, 10, 0), (2, 9, 0)] {
        let site = Site::new(before, "");
        site.publish(0, &[]);
        (before + 1..=after).for_each(|number| site.repo.subscriber(&format!("10.10.10.{number}"), 30));
        site.repo.commit("more");
        site.publish(0, &[]);
        let run = site.run(&["rollback", "-t", "hre-1"]);
        assert_eq!(run.code, code, "{before} of {after}: {run:?}");
        assert_eq!(run.stdout.contains("most would be cut off"), code == 1, "{run:?}");
    }
}
