//! A publisher that is paused while another takes over the lock, and then resumes: it changes
//! nothing.

use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use shapeline::publish::data::{Data, DataRequest, LoadedData};
use shapeline::publish::run::{PublishOptions, PublishOutcome, publish};
use shapeline::records::holder::Operator;
use shapeline::records::ledger::Ledger;
use shapeline::records::lock::{Lock, Patience};
use shapeline::store::Store;

use super::ground::{BAD, Ground, resume};
use crate::servers::moto::Moto;
use crate::servers::sshd::Sshd;
use crate::support::Run;

const IMPATIENT: Patience = Patience { lease: Duration::from_millis(20), wait: Duration::from_secs(60) };

/// Publishes a commit in this process, which takes over any lock that is not renewed at once.
/// A paused process does not renew it, and there is no other process.
fn take_over(ground: &Ground, commit: usize) {
    let wanted = DataRequest {
        rev: Some(ground.commits[commit].clone()),
        today: "2026-11-21".parse().unwrap(),
        allow_dirty: false,
    };
    let Ok(LoadedData::Ready(data)) = Data::load(ground.repo.path(), &wanted) else { panic!("the data is sound") };
    let options = PublishOptions {
        who: Operator::here("bob".to_owned()),
        patience: IMPATIENT,
        planned: None,
        acknowledged: None,
        dry_run: false,
        quiet: false,
        words: |remedy| format!("{remedy:?}"),
    };
    let target = &data.table.repo().settings.targets[0];
    let report = publish(target, &data, &options, &mut |_| Ok(()));
    assert_eq!(report.ended, PublishOutcome::Published, "{:?} {:?}", report.reasons, report.notes);
}

/// Everything but the lock, which another run may have taken and released since.
fn records(ground: &Ground) -> Vec<(PathBuf, Vec<u8>)> {
    ground.save().into_iter().filter(|(path, _)| !path.to_string_lossy().contains("/lock/")).collect()
}

/// Pauses the publish of a commit at each of its steps; meanwhile the next commit goes live.
fn at_every_step(ground: &Ground, commit: usize) {
    let start = ground.save();
    let broken = ground.is_broken();
    let (mut step, mut stopped) = (1, 0);
    loop {
        ground.restore(&start);
        let Some(child) = ground.stopped_at(&step.to_string(), &ground.publish_args(commit)) else { break };
        ground.flag("broken", false);
        take_over(ground, commit + 1);
        ground.assert_in_order();
        let before = records(ground);
        let run = resume(child);
        assert_eq!(ground.live().as_ref(), Some(&ground.files[commit + 1]), "step {step}: {}", run.stdout);
        ground.assert_in_order();
        match run.code {
            // It had no lock yet, and gets it now: too late for what it wants.
            1 => assert!(run.stdout.contains("does not follow from"), "step {step}: {}", run.stdout),
            2 => {
                stopped += 1;
                assert_eq!(records(ground), before, "step {step}: it changed something");
                let through = broken && run.stdout.contains("the reload failed");
                assert!(noticed(&run) || through, "step {step}: {}", run.stdout);
            }
            // It was through but for letting go.
            code => assert_eq!((code, records(ground)), (0, before), "step {step}: {}{}", run.stdout, run.stderr),
        }
        step += 1;
    }
    assert!(stopped > 10, "only {stopped} of {step} were stopped");
}

/// Whether it says what happened to it: the fence was shut, or what it had written was gone.
fn noticed(run: &Run) -> bool {
    ["taken over", "took over"].iter().any(|words| run.stdout.contains(words))
}

#[test]
fn a_publish_that_is_paused_at_every_step() {
    let ground = Ground::new(3);
    ground.published(0);
    at_every_step(&ground, 1);
}

#[test]
fn a_first_publish_that_is_paused_at_every_step() {
    at_every_step(&Ground::new(2), 0);
}

#[test]
fn a_failed_reload_that_is_paused_at_every_step() {
    let ground = Ground::new(3);
    ground.published(0);
    ground.flag("broken", true);
    at_every_step(&ground, BAD);
}

/// The moment that counts: written, asked for the lock, and not yet in place.
fn before_it_is_in_place(ground: &Ground) {
    ground.published(0);
    let child = ground.stopped_at("staged shaper.txt", &ground.publish_args(1)).expect("it comes to that");
    take_over(ground, 2);
    comes_too_late(ground, child);
}

/// The paused process resumes, detects the takeover, and changes nothing.
fn comes_too_late(ground: &Ground, child: Child) {
    let entries = ground.assert_in_order();
    let run = resume(child);
    assert!(run.code == 2 && noticed(&run), "{}{}", run.stdout, run.stderr);
    assert_eq!(ground.live().as_ref(), Some(&ground.files[2]));
    assert_eq!(ground.assert_in_order(), entries);
}

#[test]
fn a_publish_to_a_server_before_it_is_in_place() {
    let sshd = Sshd::start();
    before_it_is_in_place(&Ground::behind(&sshd, 3));
}

/// With the lease as it is: half a minute.
#[test]
fn a_publish_to_a_bucket_before_it_is_in_place() {
    let Some(moto) = Moto::start() else { return };
    let ground = Ground::in_bucket(&moto, 3);
    ground.published(0);
    let child = ground.stopped_at("staged shaper.txt", &ground.publish_args(1)).expect("it comes to that");
    let other = ground.publish(2);
    assert_eq!(other.code, 0, "{}{}", other.stdout, other.stderr);
    assert!(other.stderr.contains("waiting for alice"), "{}", other.stderr);
    assert!(other.stdout.contains("was not finished"), "{}", other.stdout);
    comes_too_late(&ground, child);
}

#[test]
fn what_one_could_not_sweep_away_the_next_does() {
    let ground = Ground::new(3);
    ground.published(0);
    let child = ground.stopped_at("staged shaper.txt", &ground.publish_args(1)).expect("it comes to that");
    let (store, file) = ground.open();
    let store: Arc<dyn Store> = store.into();
    let folder = Ledger::of(store.as_ref(), &file).lock_folder();
    let lock =
        Lock::take(&store, &folder, &Operator::here("bob".to_owned()), "publish", IMPATIENT, &mut |_| Ok(())).unwrap();
    drop(lock);
    ground.published(2);
    ground.assert_in_order();
    assert_eq!(resume(child).code, 2);
    assert_eq!(ground.live().as_ref(), Some(&ground.files[2]));
}
