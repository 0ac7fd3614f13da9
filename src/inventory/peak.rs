//! What domains have sold at most, from today over all coming terms.

use crate::model::{Date, Plan, Subscriber};

/// Bandwidth in one direction: the most of it, in bit/s, and the first day on which it is so much.
/// A million subscribers at the largest rate are beyond 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peak {
    /// The sum of the rates.
    pub bps: u128,
    /// The first day.
    pub from: Date,
}

/// The peaks of both directions, which may be on different days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peaks {
    /// Upload.
    pub up: Peak,
    /// Download.
    pub down: Peak,
}

/// What a number of domains have sold today, and each later day on which that changes.
///
/// Few subscribers have terms: the others are only added up.
#[derive(Clone, Debug)]
pub struct Terms {
    today: Date,
    now: Vec<(u128, u128)>,
    steps: Vec<Step>,
}

/// A subscriber's first day, or its first day without service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    domain: u32,
    date: Date,
    begins: bool,
    subscriber: u32,
    up: u64,
    down: u64,
}

impl Terms {
    /// Nothing sold yet in any of `domains`.
    pub fn new(domains: usize, today: Date) -> Terms {
        Terms { today, now: vec![(0, 0); domains], steps: Vec::new() }
    }

    /// Adds a subscriber of a domain, both by their numbers. One whose term is over adds nothing.
    pub fn add(&mut self, domain: u32, number: u32, subscriber: &Subscriber, plan: &Plan) {
        let (Some(coming), Some(now)) = (subscriber.remaining_term(self.today), self.now.get_mut(domain as usize))
        else {
            return;
        };
        let (up, down) = (plan.up.bps(), plan.down.bps());
        let step = |date, begins| Step { domain, date, begins, subscriber: number, up, down };
        match coming.begins {
            Some(date) => self.steps.push(step(date, true)),
            None => *now = (now.0 + u128::from(up), now.1 + u128::from(down)),
        }
        self.steps.extend(coming.ends.map(|date| step(date, false)));
    }

    /// Both together.
    pub fn and(mut self, other: Terms) -> Terms {
        for (sum, more) in self.now.iter_mut().zip(&other.now) {
            *sum = (sum.0 + more.0, sum.1 + more.1);
        }
        self.steps.extend(other.steps);
        self
    }

    /// The same, ready to be asked.
    pub fn sorted(mut self) -> Terms {
        self.steps.sort_unstable();
        self
    }

    /// The peaks of a domain. What ends on a day makes room for what begins on it.
    pub fn peaks(&self, domain: u32) -> Peaks {
        let (mut up, mut down) = self.now.get(domain as usize).copied().unwrap_or_default();
        let peak = |bps| Peak { bps, from: self.today };
        let mut peaks = Peaks { up: peak(up), down: peak(down) };
        for day in self.steps_of(domain).chunk_by(|a, b| a.date == b.date) {
            let Some(from) = day.first().map(|step| step.date) else { continue };
            for step in day {
                let (more_up, more_down) = (u128::from(step.up), u128::from(step.down));
                (up, down) = match step.begins {
                    true => (up + more_up, down + more_down),
                    false => (up.saturating_sub(more_up), down.saturating_sub(more_down)),
                };
            }
            for (peak, bps) in [(&mut peaks.up, up), (&mut peaks.down, down)] {
                if bps > peak.bps {
                    *peak = Peak { bps, from };
                }
            }
        }
        peaks
    }

    /// The subscribers of a domain whose term begins on a later day, by their numbers, ascending.
    pub fn begin_on(&self, domain: u32, date: Date) -> impl Iterator<Item = u32> {
        let steps = self.steps_of(domain).iter().filter(move |step| step.date == date && step.begins);
        steps.map(|step| step.subscriber)
    }

    fn steps_of(&self, domain: u32) -> &[Step] {
        let from = self.steps.partition_point(|step| step.domain < domain);
        let to = self.steps.partition_point(|step| step.domain <= domain);
        self.steps.get(from..to).unwrap_or_default()
    }
}
