//! Killed at random instants, one publish after the other on the same target.

use std::time::{Duration, Instant};

use super::ground::{End, Ground, end};
use crate::servers::sshd::Sshd;

const COMMITS: usize = 12;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        // Xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// What is killed.
#[derive(Clone, Copy)]
enum Victim<'s> {
    /// The publisher.
    Publisher,
    /// The publisher, or the processes of the server that serve it.
    Either(&'s Sshd),
}

/// Publishes until so many were killed.
fn kill(ground: &Ground, victim: Victim<'_>, seed: u64, kills: usize) {
    let mut dice = Dice(seed);
    ground.published(0);
    let start = ground.save();
    let began = Instant::now();
    ground.published(1);
    let mut span = began.elapsed();
    let (mut killed, mut rounds, mut commit) = (0, 0, COMMITS);
    while killed < kills {
        rounds += 1;
        assert!(rounds < 10 * kills + 50, "only {killed} of {rounds} were killed in time");
        if commit + 1 >= COMMITS {
            ground.restore(&start);
            commit = 1;
        }
        let before = ground.live();
        let after_a_while = span.mul_f64(dice.roll(1000) as f64 / 1000.0);
        let hit = interrupt(ground, victim, commit, after_a_while, &mut dice);
        killed += usize::from(hit);
        // The machine has other things to do, now more and now less.
        span = span.mul_f64(if hit { 1.03 } else { 0.9 });
        let (live, new) = (ground.live(), Some(ground.files[commit].clone()));
        assert!(live == before || live == new, "round {rounds}: {:?}", live.map(String::from_utf8));
        let pending = ground.pending();
        if hit && dice.roll(3) == 0 {
            // Killed several times before the next run could recover.
            continue;
        }
        commit += dice.roll(2) as usize;
        ground.published(commit);
        let entries = ground.assert_in_order();
        if let Some(run) = pending.map(|pending| pending.entry.run) {
            assert!(entries.iter().any(|entry| entry.run == run), "round {rounds}: {run} is logged: {entries:#?}");
        }
        commit += 1;
    }
    println!("{killed} of {rounds} publishes were killed");
}

/// Publishes, and kills in the midst of it. Whether it came in time.
fn interrupt(ground: &Ground, victim: Victim<'_>, commit: usize, wait: Duration, dice: &mut Dice) -> bool {
    let mut child = ground.command(&ground.publish_args(commit)).spawn().unwrap();
    std::thread::sleep(wait);
    match victim {
        Victim::Either(sshd) if dice.roll(3) == 0 => {
            sshd.cut();
            let run = super::ground::run(child);
            sshd.wait_until_idle();
            assert!(run.code == 0 || run.code == 2, "{}{}", run.stdout, run.stderr);
            run.code == 2
        }
        _ => {
            child.kill().unwrap();
            let ended = end(child.wait().unwrap());
            if let Victim::Either(sshd) = victim {
                // What it asked for last may be done only now.
                sshd.wait_until_idle();
            }
            ended == End::Killed
        }
    }
}

#[test]
fn a_publisher_to_this_host() {
    kill(&Ground::on_disk(COMMITS), Victim::Publisher, 20_261_121, 160);
}

#[test]
fn another_publisher_to_this_host() {
    kill(&Ground::on_disk(COMMITS), Victim::Publisher, 471_100_815, 160);
}

#[test]
fn a_publisher_to_a_server_and_the_server() {
    let sshd = Sshd::start();
    kill(&Ground::behind(&sshd, COMMITS), Victim::Either(&sshd), 20_261_122, 100);
}
