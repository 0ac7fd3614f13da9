//! Two runs at once: nothing that was published is lost, and the log has both.

use shapeline::records::log::{LogAction, LogStatus};

use super::ground::{Ground, run};
use crate::servers::moto::Moto;
use crate::servers::sshd::Sshd;
use crate::support::Run;

const ROUNDS: usize = 100;

/// A target on which one commit after the other goes live.
struct Race<'g> {
    ground: &'g Ground,
    round: usize,
    /// The commit that is live.
    at: usize,
}

/// A hundred rounds, each of two at once.
fn race(ground: &Ground) {
    ground.published(0);
    ground.published(1);
    let mut race = Race { ground, round: 0, at: 1 };
    while race.round < ROUNDS {
        match race.round % 4 {
            0 | 1 => race.of_two_commits(),
            2 => race.of_one_commit(),
            _ => race.of_a_publish_and_a_rollback(),
        }
        ground.assert_in_order();
        race.round += 1;
    }
}

/// The most commits that it takes.
const COMMITS: usize = 2 + ROUNDS * 6 / 4;

impl Race<'_> {
    /// Runs both, which begin in turn, and gives what each said.
    fn both(&self, one: &[String], other: &[String]) -> (Run, Run) {
        let start = |args: &[String]| self.ground.command(args).spawn().unwrap();
        if self.round.is_multiple_of(2) {
            let children = (start(one), start(other));
            (run(children.0), run(children.1))
        } else {
            let (second, first) = (start(other), start(one));
            (run(first), run(second))
        }
    }

    /// LogAction, status and commit of the log's entries from number `since` on.
    fn logged(&self, since: usize) -> Vec<(LogAction, LogStatus, String)> {
        let entries = self.ground.log().into_iter().skip(since);
        entries.map(|entry| (entry.action, entry.status, entry.commit.unwrap_or_default())).collect()
    }

    fn commit(&self, number: usize) -> String {
        self.ground.commits[number].clone()
    }

    /// The newer one goes live in any case; the older one goes before it or is refused.
    fn of_two_commits(&mut self) {
        let since = self.ground.log().len();
        let (older, newer) = (self.at + 1, self.at + 2);
        let (old, new) = self.both(&self.ground.publish_args(older), &self.ground.publish_args(newer));
        assert_eq!(new.code, 0, "{}{}", new.stdout, new.stderr);
        let newer_logged = (LogAction::Publish, LogStatus::Success, self.commit(newer));
        let expected = if old.code == 0 {
            vec![(LogAction::Publish, LogStatus::Success, self.commit(older)), newer_logged]
        } else {
            assert!(old.code == 1 && old.stdout.contains("does not follow from"), "{}{}", old.stdout, old.stderr);
            vec![newer_logged, (LogAction::Publish, LogStatus::Error, self.commit(older))]
        };
        assert_eq!(self.logged(since), expected);
        self.at = newer;
        self.assert_live(newer);
    }

    /// One publishes it, and for the other there is nothing to do.
    fn of_one_commit(&mut self) {
        let since = self.ground.log().len();
        self.at += 1;
        let args = self.ground.publish_args(self.at);
        let (one, other) = self.both(&args, &args);
        assert_eq!((one.code, other.code), (0, 0), "{}{}{}{}", one.stdout, one.stderr, other.stdout, other.stderr);
        let idle = [&one, &other].iter().filter(|run| run.stdout.contains("nothing to do")).count();
        assert_eq!(idle, 1, "{}{}", one.stdout, other.stdout);
        assert_eq!(self.logged(since), [(LogAction::Publish, LogStatus::Success, self.commit(self.at))]);
        self.assert_live(self.at);
    }

    /// In either order: the version that was rolled back is not published again by itself.
    fn of_a_publish_and_a_rollback(&mut self) {
        let since = self.ground.log().len();
        let next = self.at + 1;
        let rollback = ["rollback", "-t", "hre-1"].map(ToOwned::to_owned);
        let (publish, rollback) = self.both(&self.ground.publish_args(next), &rollback);
        assert_eq!(rollback.code, 0, "{}{}", rollback.stdout, rollback.stderr);
        let logged: Vec<_> = self.logged(since).into_iter().map(|(action, status, _)| (action, status)).collect();
        if publish.code == 0 {
            assert_eq!(logged, [(LogAction::Publish, LogStatus::Success), (LogAction::Rollback, LogStatus::Success)]);
            self.assert_live(self.at);
        } else {
            assert!(publish.code == 1 && publish.stdout.contains("was rolled back at"), "{}", publish.stdout);
            assert_eq!(logged, [(LogAction::Rollback, LogStatus::Success), (LogAction::Publish, LogStatus::Error)]);
            let live = self.ground.live().unwrap();
            assert!(self.ground.files[..self.at].contains(&live), "something older is live");
        }
        self.ground.assert_in_order();
        // It is meant, and so the race goes on.
        let refused = self.ground.publish(next);
        let fingerprint = refused.stdout.split("--ack ").nth(1).expect("it says what to do").trim().to_owned();
        let again = [self.ground.publish_args(next), vec!["--ack".to_owned(), fingerprint]].concat();
        let run = self.ground.run(&again);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        self.at = next;
        self.assert_live(next);
    }

    fn assert_live(&self, commit: usize) {
        assert_eq!(self.ground.live().as_ref(), Some(&self.ground.files[commit]), "round {}", self.round);
    }
}

#[test]
fn two_publishers_to_this_host() {
    race(&Ground::new(COMMITS));
}

#[test]
fn two_publishers_to_a_server() {
    let sshd = Sshd::start();
    race(&Ground::behind(&sshd, COMMITS));
}

#[test]
fn two_publishers_to_a_bucket() {
    let Some(moto) = Moto::start() else { return };
    race(&Ground::in_bucket(&moto, COMMITS));
}
