//! `publish`, `rollback` and `drift`.

use super::{Receiver, run_in};
use crate::publish::Site;
use crate::support::Run;

fn run(site: &Site, receiver: &Receiver, args: &[&str]) -> Run {
    run_in(site.repo.path(), args, |command| receiver.environment(command))
}

#[test]
fn a_refused_publish_is_notified_once_and_once_when_it_is_over() {
    let (site, receiver) = (Site::new(3, ""), Receiver::start());
    assert_eq!(run(&site, &receiver, &["publish"]).code, 0);
    assert_eq!(receiver.kinds(), [""; 0], "nothing was wrong");
    site.repo
        .write("subscribers/bad.yaml", "ip: 10.10.10.400\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    site.repo.write("domains/other.example.yaml", "name: [\n");
    let bad = site.repo.commit("bad");
    for _ in 0..2 {
        assert_eq!(run(&site, &receiver, &["publish"]).code, 1);
    }
    assert_eq!(run(&site, &receiver, &["publish", "--dry-run"]).code, 1);
    assert_eq!(receiver.kinds(), ["publish-refused -"]);
    let body = receiver.bodies().remove(0);
    assert_eq!((body["commit"].as_str(), body["command"].as_str()), (Some(bad.as_str()), Some("publish")));
    assert!(body["message"].as_str().unwrap().starts_with("the data has "), "{body}");
    std::fs::remove_file(site.repo.path().join("subscribers/bad.yaml")).unwrap();
    std::fs::remove_file(site.repo.path().join("domains/other.example.yaml")).unwrap();
    site.repo.commit("good");
    for _ in 0..2 {
        assert_eq!(run(&site, &receiver, &["publish"]).code, 0);
    }
    assert_eq!(receiver.kinds(), ["publish-refused -", "recovered -"]);
    assert_eq!(receiver.bodies()[1]["was"], "publish-refused");
}

#[test]
fn a_refusal_and_a_failure_name_the_target() {
    let (site, receiver) = (Site::new(20, "reload: ['false']\n"), Receiver::start());
    assert_eq!(run(&site, &receiver, &["publish"]).code, 2);
    assert_eq!(receiver.kinds(), ["publish-failed hre-1"]);
    let body = receiver.bodies().remove(0);
    assert!(body["message"].as_str().unwrap().contains("reload"), "{body}");
    site.settings("", "");
    site.repo.commit("no reload");
    assert_eq!(run(&site, &receiver, &["publish"]).code, 0);
    (1..=15).for_each(|number| {
        let name = format!("subscribers/ispcustomer.co.zw/10.10.10.{number}.yaml");
        std::fs::remove_file(site.repo.path().join(name)).unwrap();
    });
    let far = site.repo.commit("too far");
    assert_eq!(run(&site, &receiver, &["publish"]).code, 1);
    assert_eq!(receiver.kinds(), ["publish-failed hre-1", "recovered hre-1", "publish-refused hre-1"]);
    assert_eq!(receiver.bodies()[2]["commit"], far);
}

#[test]
fn what_stops_the_command_is_notified() {
    let (site, receiver) = (Site::new(1, ""), Receiver::start());
    assert_eq!(run(&site, &receiver, &["publish", "--rev", "nothing"]).code, 2);
    assert_eq!(receiver.kinds(), ["publish-failed -"]);
    assert_eq!(run(&site, &receiver, &["drift", "--rev", "nothing"]).code, 2);
    assert_eq!(receiver.kinds(), ["publish-failed -", "drift-failed -"]);
}

#[test]
fn frozen_domains_are_notified_though_all_others_are_live() {
    let (site, receiver) = (Site::new(2, ""), Receiver::start());
    run(&site, &receiver, &["publish"]);
    site.repo.write("subscribers/ispcustomer.co.zw/bad.yaml", "ip: 10.10.10.9\ndomain: ispcustomer.co.zw\nplan: TIN\n");
    site.repo.commit("bad");
    assert_eq!(run(&site, &receiver, &["publish"]).code, 1);
    assert_eq!(receiver.kinds(), ["domains-frozen -"]);
    // Another commit does not change what is frozen.
    site.repo.write("plans/TEN.yaml", "name: TEN\nup: 10 Mbps\ndown: 10 Mbps\n");
    site.repo.commit("another plan");
    assert_eq!(run(&site, &receiver, &["publish"]).code, 1);
    assert_eq!(receiver.kinds(), ["domains-frozen -"]);
}

#[test]
fn a_hold_is_notified_until_it_ends() {
    let (site, receiver) = (Site::new(2, ""), Receiver::start());
    assert_eq!(run(&site, &receiver, &["rollback"]).code, 1);
    assert_eq!(receiver.kinds(), ["rollback-refused hre-1"]);
    run(&site, &receiver, &["publish"]);
    site.repo.subscriber("10.10.10.1", 50);
    site.repo.commit("second");
    run(&site, &receiver, &["publish"]);
    assert_eq!(run(&site, &receiver, &["rollback", "--dry-run"]).code, 0);
    assert_eq!(receiver.kinds(), ["rollback-refused hre-1"]);
    assert_eq!(run(&site, &receiver, &["rollback"]).code, 0);
    assert_eq!(receiver.kinds()[1..], ["recovered hre-1", "held hre-1"]);
    site.repo.git(&["revert", "--no-edit", "HEAD"]);
    assert_eq!(run(&site, &receiver, &["publish"]).code, 0);
    assert_eq!(receiver.kinds()[3..], ["recovered hre-1"]);
    assert_eq!(receiver.bodies()[3]["was"], "held");
}

#[test]
fn drift_is_notified_once_for_each_live_file() {
    let (site, receiver) = (Site::new(2, ""), Receiver::start());
    run(&site, &receiver, &["publish"]);
    let live = site.live();
    std::fs::write(site.live_path(), "").unwrap();
    for _ in 0..3 {
        assert_eq!(run(&site, &receiver, &["drift", "--record"]).code, 3);
    }
    assert_eq!(receiver.kinds(), ["drift hre-1"]);
    std::fs::write(site.live_path(), live.lines().next().unwrap().to_owned() + "\n").unwrap();
    run(&site, &receiver, &["drift"]);
    assert_eq!(receiver.kinds(), ["drift hre-1", "drift hre-1"]);
    // A new clone knows nothing, and the target's log does.
    std::fs::write(site.live_path(), "").unwrap();
    run(&site, &receiver, &["drift", "--record"]);
    std::fs::remove_dir_all(site.repo.path().join(".git/shapeline")).unwrap();
    let before = receiver.kinds().len();
    run(&site, &receiver, &["drift", "--record"]);
    assert_eq!(receiver.kinds().len(), before);
    std::fs::write(site.live_path(), live).unwrap();
    for _ in 0..2 {
        assert_eq!(run(&site, &receiver, &["drift"]).code, 0);
    }
    assert_eq!(receiver.kinds()[before..], ["recovered hre-1"]);
    std::fs::remove_dir_all(site.live_path().parent().unwrap()).unwrap();
    assert_eq!(run(&site, &receiver, &["drift"]).code, 2);
    assert_eq!(receiver.kinds()[before + 1..], ["drift-failed hre-1"]);
}
