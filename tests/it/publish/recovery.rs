//! Interrupted runs, with the records as such a run leaves them.

use super::{Site, line};

/// Two versions published; then the records are put as they were just before the end of the
/// second publish: the intent is there, and the log and the manifest know only the first.
struct CutOff {
    site: Site,
    first: String,
    second: String,
}

fn cut_off(more: &str) -> CutOff {
    let site = Site::new(1, more);
    site.publish(0, &[]);
    let (first, records) = (site.live(), site.everything());
    site.repo.subscriber("10.10.10.2", 30);
    site.repo.commit("second");
    site.publish(0, &[]);
    let second = site.live();
    let log = std::fs::read_to_string(site.record_path("log/00000001")).unwrap();
    let entry: serde_json::Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    let manifest = site.manifest();
    let version = |at: usize| manifest["versions"][at].clone();
    let pending = serde_json::json!({
        "entry": entry, "before": version(0), "after": version(1),
        "held": null, "limits": null, "taken_back": null,
    });
    for (path, bytes) in records {
        std::fs::write(path, bytes).unwrap();
    }
    let slot = serde_json::json!({"version": 1, "pending": pending});
    std::fs::write(site.record_path("pending.json"), slot.to_string()).unwrap();
    CutOff { site, first, second }
}

fn put(site: &Site, text: &str) {
    std::fs::write(site.live_path(), text).unwrap();
}

#[test]
fn before_the_file_was_replaced() {
    let CutOff { site, first, second } = cut_off("");
    put(&site, &first);
    let run = site.publish(0, &[]);
    assert!(run.stdout.contains("note: a PUBLISH of version 2 at"), "{}", run.stdout);
    assert_eq!(site.live(), second);
    let log = site.log();
    assert!(log[1].starts_with("PUBLISH ERROR version 2 it was interrupted before the file was replaced"), "{log:?}");
    assert_eq!(log[2], "PUBLISH SUCCESS version 3");
    assert!(!site.is_pending());
}

#[test]
fn drift_does_not_call_it_well_what_was_not_finished() {
    let CutOff { site, second, .. } = cut_off("");
    put(&site, &second);
    let drift = site.run(&["drift"]);
    assert!(
        drift.code == 3 && drift.stdout.contains("if it was interrupted, the next publish finishes it"),
        "{drift:?}"
    );
    assert!(drift.stdout.contains("no difference: what is live is what the data says"), "{drift:?}");
    site.publish(0, &[]);
    assert_eq!(site.run(&["drift"]).code, 0);
}

#[test]
fn after_the_file_was_replaced_it_is_reloaded_and_finished() {
    let CutOff { site, second, .. } = cut_off("");
    let marker = site.repo.path().join("reloaded");
    site.settings(&format!("reload: [touch, '{}']", marker.display()), "");
    put(&site, &second);
    let run = site.publish(0, &["--allow-dirty"]);
    assert!(run.stdout.contains("finished by the next run"), "{}", run.stdout);
    assert!(marker.exists(), "it may not have been reloaded");
    assert_eq!(site.manifest()["live"]["id"], 2);
    let log = site.log();
    assert_eq!(log.len(), 2);
    assert!(log[1].starts_with("PUBLISH SUCCESS version 2 it was interrupted after"), "{log:?}");
}

#[test]
fn while_the_old_one_was_put_back() {
    for live_is_new in [true, false] {
        let CutOff { site, first, second } = cut_off("");
        let path = site.record_path("pending.json");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"taken_back\":null", "\"taken_back\":\"the reload failed\"")).unwrap();
        put(&site, if live_is_new { &second } else { &first });
        let run = site.publish(0, &["--rev", "HEAD~1"]);
        assert!(run.stdout.contains("the reload failed; version 1 is live again"), "{}", run.stdout);
        assert_eq!(site.live(), first);
        let log = site.log();
        assert!(log[1].starts_with("PUBLISH ERROR version 2 the reload failed"), "{log:?}");
    }
}

#[test]
fn when_the_file_was_changed_meanwhile() {
    let CutOff { site, second, .. } = cut_off("");
    put(&site, &line(7, 30));
    site.publish(0, &[]);
    assert_eq!(site.live(), second);
    assert!(site.log()[1].contains("neither the old nor the new version"), "{:?}", site.log());
    let kept = std::fs::read_to_string(site.record_path("versions/00000003")).unwrap();
    assert_eq!(kept, line(7, 30), "what was there is kept");
}

#[test]
fn when_only_the_log_was_written() {
    let CutOff { site, second, .. } = cut_off("");
    let manifest = std::fs::read(site.record_path("manifest.json")).unwrap();
    let pending = std::fs::read(site.record_path("pending.json")).unwrap();
    put(&site, &second);
    site.publish(0, &[]);
    // The log has the entry; the manifest and the intent are as before.
    std::fs::write(site.record_path("manifest.json"), manifest).unwrap();
    std::fs::write(site.record_path("pending.json"), pending).unwrap();
    site.publish(0, &[]);
    assert_eq!(site.log().len(), 2, "it is logged once");
    assert_eq!(site.manifest()["live"]["id"], 2);
}

#[test]
fn an_intent_shows_in_drift() {
    let CutOff { site, .. } = cut_off("");
    let run = site.run(&["drift"]);
    assert!(run.stdout.contains("a PUBLISH by alice began at"), "{}", run.stdout);
    assert_eq!(run.code, 3, "it may not have been reloaded");
}
