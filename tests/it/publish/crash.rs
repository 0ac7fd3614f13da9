//! Killed at every step and at random instants: the live file is whole, and the next run
//! recovers by itself.

use std::path::PathBuf;

use shapeline::records::log::{LogEntry, LogStatus};
use shapeline::store::digest;

use super::ground::{BAD, End, Ground, resume};
use crate::servers::sshd::Sshd;

/// Something that is begun, killed, and begun again.
struct Story {
    ground: Ground,
    /// What is killed.
    act: Vec<String>,
    /// The contents that the live file may have at any moment; `None` is no file.
    whole: Vec<Option<Vec<u8>>>,
    /// What ends it, one after the other for each kill: each in its own round.
    next: Vec<Next>,
}

/// The run that comes after the kill.
struct Next {
    args: Vec<String>,
    /// How it must end, and what must be live then, from what was live when the act was killed.
    expect: Box<Expectation>,
}

type Expectation = dyn Fn(Option<&[u8]>) -> (i32, Vec<u8>);

/// What the killed process left behind.
struct Left {
    live: Option<Vec<u8>>,
    /// The run that was pending, and whether it can only end well.
    pending: Option<(String, bool)>,
}

impl Story {
    /// Continues with the same commit, and with the next.
    fn new(ground: Ground, act: usize, before: Vec<Option<Vec<u8>>>) -> Story {
        let mut whole = before;
        whole.push(Some(ground.files[act].clone()));
        let next = [act, act + 1]
            .map(|commit| {
                let file = ground.files[commit].clone();
                Next { args: ground.publish_args(commit), expect: Box::new(move |_| (0, file.clone())) }
            })
            .into();
        Story { act: ground.publish_args(act), ground, whole, next }
    }

    /// Kills the act at each of its steps. Gives how many kills there were.
    fn at_every_step(&self) -> usize {
        let start = self.ground.save();
        let mut kills = 0;
        for next in &self.next {
            kills += self.each(&start, next, |step| self.ground.killed_at(step, &self.act));
            for flag in ["kill-in-check", "kill-before-reload", "kill-after-reload"] {
                self.ground.restore(&start);
                self.ground.flag(flag, true);
                assert_eq!(self.ground.run(&self.act).code, -1, "{flag}");
                self.goes_on(next, flag);
                kills += 1;
            }
        }
        kills
    }

    /// Does something to the act at each of its steps, until it ends by itself.
    fn each(&self, start: &[(PathBuf, Vec<u8>)], next: &Next, interrupt: impl Fn(usize) -> End) -> usize {
        let mut step = 1;
        loop {
            self.ground.restore(start);
            if interrupt(step) == End::Itself {
                break;
            }
            self.goes_on(next, &format!("interrupted at step {step}"));
            step += 1;
        }
        assert!(step > 20, "a debug build counts its steps: there were {step}");
        step - 1
    }

    /// Cuts the connection to the server at each step.
    fn cut_off_at_every_step(&self, sshd: &Sshd) -> usize {
        let start = self.ground.save();
        let cut = |step: usize| {
            let Some(child) = self.ground.stopped_at(&step.to_string(), &self.act) else { return End::Itself };
            sshd.cut();
            sshd.wait_until_idle();
            let run = resume(child);
            // A run that is cut off at the very end does not notice.
            let noticed = run.code == 2 && run.stdout.contains("connection");
            assert!(noticed || run.code == 0, "step {step}: {}{}", run.stdout, run.stderr);
            End::Killed
        };
        self.next.iter().map(|next| self.each(&start, next, cut)).sum()
    }

    /// Looks at what was left, runs what comes next, and looks again.
    fn goes_on(&self, next: &Next, case: &str) {
        let left = self.left(case);
        let already = self.ground.log();
        self.ground.flag("broken", false);
        let run = self.ground.run(&next.args);
        let (code, live) = (next.expect)(left.live.as_deref());
        assert_eq!(run.code, code, "{case}: {}{}", run.stdout, run.stderr);
        assert_eq!(self.ground.live(), Some(live), "{case}: {}", run.stdout);
        let entries = self.ground.assert_in_order();
        assert_eq!(entries[..already.len()], already, "{case}: earlier entries stay");
        let Some((run, well)) = left.pending else { return };
        let status = |entries: &[LogEntry]| entries.iter().find(|entry| entry.run == run).map(|entry| entry.status);
        let expected = status(&already).unwrap_or(if well { LogStatus::Success } else { LogStatus::Error });
        assert_eq!(status(&entries), Some(expected), "{case}: the log has the interrupted run: {entries:#?}");
    }

    fn left(&self, case: &str) -> Left {
        let live = self.ground.live();
        assert!(self.whole.contains(&live), "{case}: the live file is {:?}", live.map(String::from_utf8));
        let pending = self.ground.pending().map(|pending| {
            let replaced = live.as_ref().is_some_and(|live| pending.after.digest == digest(live));
            (pending.entry.run, replaced && pending.taken_back.is_none())
        });
        Left { live, pending }
    }
}

fn tell(story: &Story) {
    println!("{} kills", story.at_every_step());
}

#[test]
fn the_first_publish_at_every_step() {
    tell(&Story::new(Ground::new(2), 0, vec![None]));
}

/// The first commit is live.
fn one_live(commits: usize) -> (Ground, Vec<Option<Vec<u8>>>) {
    let ground = Ground::new(commits);
    ground.published(0);
    let live = vec![ground.live()];
    (ground, live)
}

#[test]
fn a_publish_over_a_version_at_every_step() {
    let (ground, before) = one_live(3);
    tell(&Story::new(ground, 1, before));
}

#[test]
fn a_publish_over_a_file_changed_by_hand_at_every_step() {
    let (ground, _) = one_live(3);
    let by_hand = String::from_utf8(ground.files[0].clone()).unwrap().replace("30_MEG", "50_MEG");
    std::fs::write(ground.live_path(), &by_hand).unwrap();
    tell(&Story::new(ground, 1, vec![Some(by_hand.into_bytes())]));
}

#[test]
fn a_reload_that_fails_at_every_step() {
    let (ground, before) = one_live(3);
    ground.flag("broken", true);
    let mut story = Story::new(ground, BAD, before);
    // One that has nothing to do itself: if the shaper has the old file again, the recovery did it.
    let old = story.ground.files[0].clone();
    let rollback = ["rollback", "-t", "hre-1", "--to", "1"].map(ToOwned::to_owned).into();
    story.next.push(Next { args: rollback, expect: Box::new(move |_| (0, old.clone())) });
    tell(&story);
}

#[test]
fn the_first_reload_that_fails_at_every_step() {
    let ground = Ground::new(3);
    ground.flag("broken", true);
    tell(&Story::new(ground, BAD, vec![None]));
}

#[test]
fn a_rollback_at_every_step() {
    let (ground, mut whole) = one_live(2);
    ground.published(1);
    let (first, second) = (ground.files[0].clone(), ground.files[1].clone());
    whole.push(ground.live());
    let rollback =
        |more: &[&str]| ["rollback", "-t", "hre-1"].iter().chain(more).map(|arg| (*arg).to_owned()).collect();
    let (back, again) = (first.clone(), first);
    let next = vec![
        Next { args: rollback(&["--to", "1"]), expect: Box::new(move |_| (0, back.clone())) },
        // What was rolled back is not published again: the crash has not lost that.
        Next {
            args: ground.publish_args(1),
            expect: Box::new(
                move |live| {
                    if live == Some(&again[..]) { (1, again.clone()) } else { (0, second.clone()) }
                },
            ),
        },
    ];
    tell(&Story { act: rollback(&[]), ground, whole, next });
}

/// Who puts things in order may be killed, too.
#[test]
fn a_recovery_at_every_step() {
    let (ground, before) = one_live(4);
    ground.flag("kill-before-reload", true);
    assert_eq!(ground.publish(1).code, -1);
    assert_eq!(ground.live().as_ref(), Some(&ground.files[1]));
    let whole = vec![ground.live()];
    assert_ne!(whole, before);
    tell(&Story::new(ground, 2, whole));
}

/// The old version is being restored, and the run that completes it is killed.
#[test]
fn a_recovery_of_a_failed_reload_at_every_step() {
    let (ground, before) = one_live(4);
    ground.flag("broken", true);
    let put = (1..100).find(|step| {
        let saved = ground.save();
        assert_eq!(
            ground.killed_at(*step, &ground.publish_args(BAD)),
            End::Killed,
            "it never came to taking the new version back"
        );
        let found = ground.pending().is_some_and(|pending| pending.taken_back.is_some());
        if !found {
            ground.restore(&saved);
        }
        found
    });
    assert!(put.is_some());
    let whole = vec![ground.live(), before[0].clone()];
    assert_ne!(whole[0], whole[1]);
    tell(&Story::new(ground, 2, whole));
}

#[test]
fn a_reload_that_fails_behind_a_server_at_every_step() {
    let sshd = Sshd::start();
    let ground = Ground::behind(&sshd, 3);
    ground.published(0);
    let before = vec![ground.live()];
    ground.flag("broken", true);
    let mut story = Story::new(ground, BAD, before);
    story.next.remove(0);
    tell(&story);
}

#[test]
fn a_connection_that_is_lost_at_every_step() {
    let sshd = Sshd::start();
    let ground = Ground::behind(&sshd, 3);
    ground.published(0);
    let before = vec![ground.live()];
    let mut story = Story::new(ground, 1, before);
    story.next.remove(0);
    println!("{} cuts", story.cut_off_at_every_step(&sshd));
}
