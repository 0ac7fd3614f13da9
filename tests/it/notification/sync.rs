//! `sync`: once for each state, over many rounds.

use std::time::{Duration, Instant};

use super::{Receiver, no_secrets};
use crate::sync::{Host, run};

fn once(host: &Host, receiver: &Receiver, code: i32) {
    let mut command = host.sync(&["--once"]);
    receiver.environment(&mut command);
    let run = run(command);
    assert_eq!(run.code, code, "{run:?}");
    no_secrets(&run);
}

#[test]
fn a_refused_commit_is_notified_once() {
    let (host, receiver) = (Host::new(""), Receiver::start());
    once(&host, &receiver, 0);
    host.author.write("subscribers/bad.yaml", "ip: [\n");
    let bad = host.push("bad");
    (0..3).for_each(|_| once(&host, &receiver, 1));
    assert_eq!(receiver.kinds(), ["publish-refused -"]);
    assert_eq!((&receiver.bodies()[0]["commit"], &receiver.bodies()[0]["command"]), (&bad.into(), &"sync".into()));
    std::fs::remove_file(host.author.path().join("subscribers/bad.yaml")).unwrap();
    host.push("good");
    (0..2).for_each(|_| once(&host, &receiver, 0));
    assert_eq!(receiver.kinds(), ["publish-refused -", "recovered -"]);
}

#[test]
fn a_file_that_is_changed_again_and_again_is_one_drift() {
    let (host, receiver) = (Host::new(""), Receiver::start());
    once(&host, &receiver, 0);
    for number in 0..3 {
        host.write("srv/shaper.txt", &format!("{number}\n"));
        once(&host, &receiver, 0);
    }
    assert_eq!(receiver.kinds(), ["drift hre-1"]);
    assert!(receiver.bodies()[0]["message"].as_str().unwrap().ends_with("version 1 is live again"));
    (0..2).for_each(|_| once(&host, &receiver, 0));
    assert_eq!(receiver.kinds(), ["drift hre-1", "recovered hre-1"]);
}

#[test]
fn a_hold_and_a_failed_fetch_are_notified() {
    let (host, receiver) = (Host::new(""), Receiver::start());
    once(&host, &receiver, 0);
    host.author.subscriber("10.10.10.1", 50);
    host.push("second");
    once(&host, &receiver, 0);
    assert_eq!(host.shapeline("clone", &["rollback"]).code, 0);
    (0..2).for_each(|_| once(&host, &receiver, 1));
    assert_eq!(receiver.kinds(), ["held hre-1"]);
    std::fs::rename(host.path("server"), host.path("gone")).unwrap();
    (0..2).for_each(|_| once(&host, &receiver, 2));
    assert_eq!(receiver.kinds(), ["held hre-1", "sync-failed -"]);
    std::fs::rename(host.path("gone"), host.path("server")).unwrap();
    once(&host, &receiver, 1);
    assert_eq!(receiver.kinds()[2..], ["recovered -"]);
}

#[test]
fn a_service_does_not_wait_for_a_receiver() {
    let (host, receiver) = (Host::new(""), Receiver::answering(|_, _| None));
    host.author.write("subscribers/bad.yaml", "ip: [\n");
    host.push("bad");
    let mut command = host.sync(&["--interval", "1s"]);
    receiver.environment(&mut command);
    let mut service = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    crate::serve::wait(|| (!receiver.requests().is_empty()).then_some(()), || "nothing is notified".to_owned());
    std::fs::remove_file(host.author.path().join("subscribers/bad.yaml")).unwrap();
    host.push("good");
    let began = Instant::now();
    crate::serve::wait(|| host.path("srv/shaper.txt").exists().then_some(()), || "nothing is live".to_owned());
    // One answer is waited for ten seconds, and all tries are ten minutes.
    let took = began.elapsed();
    let pid = rustix::process::Pid::from_child(&service);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let ended = crate::serve::wait(|| service.try_wait().unwrap(), || "it does not end".to_owned());
    assert_eq!(ended.code(), Some(0));
    assert!(took < Duration::from_secs(9), "{took:?}");
}
