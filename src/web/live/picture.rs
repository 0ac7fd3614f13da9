//! The present picture: what each series and each subscriber uses now, in memory. Its size is that of the number of
//! series and subscribers, whatever the store holds.

use std::collections::HashMap;

use super::places::{NONE, Places};
use crate::telemetry::conform::TOLERANCE;
use crate::telemetry::sample::{MINUTE, Sample};

/// From which part of a rate on a subscriber is saturated.
const SATURATED: f64 = 0.95;

/// How a subscriber or a series does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    /// No series belongs to it.
    #[default]
    Never,
    /// It has a series, and no sample that is recent.
    Silent,
    Seen,
    /// It uses 95 % of a rate or more.
    Saturated,
    /// It uses more than a rate and the tolerance of `conform`.
    Exceeding,
    /// A series that belongs to no subscriber.
    Unknown,
}

impl Status {
    pub(super) const ALL: [Status; 6] =
        [Status::Never, Status::Silent, Status::Seen, Status::Saturated, Status::Exceeding, Status::Unknown];

    /// The word in the protocol.
    pub(super) fn word(self) -> &'static str {
        match self {
            Status::Never => "never",
            Status::Silent => "silent",
            Status::Seen => "seen",
            Status::Saturated => "saturated",
            Status::Exceeding => "exceeding",
            Status::Unknown => "unknown",
        }
    }
}

/// The last measurement, in bit/s and milliseconds since 1970; `at` is 0 before the first one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Now {
    pub(super) up: f64,
    pub(super) down: f64,
    pub(super) at: i64,
    pub(super) status: Status,
    /// The tick in which it last changed.
    pub(super) changed: u64,
}

impl Now {
    fn is_recent(&self, since: i64) -> bool {
        self.at > 0 && self.at >= since
    }
}

/// The sums of a domain, in bit/s, and how many subscribers do how.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) up: f64,
    pub(super) down: f64,
    pub(super) sold_up: u64,
    pub(super) sold_down: u64,
    /// By [`Status`].
    pub(super) counts: [usize; Status::ALL.len()],
}

impl Sums {
    pub(super) fn add(&mut self, other: &Sums) {
        self.up += other.up;
        self.down += other.down;
        self.sold_up += other.sold_up;
        self.sold_down += other.sold_down;
        self.counts.iter_mut().zip(other.counts).for_each(|(own, other)| *own += other);
    }

    pub(super) fn subscribers(&self) -> usize {
        self.counts.iter().sum()
    }
}

/// The picture.
#[derive(Default)]
pub(crate) struct Picture {
    pub(super) places: Places,
    /// Grows whenever numbers of subscribers and series get another meaning.
    pub(super) generation: u64,
    pub(super) tick: u64,
    pub(super) subscribers: Vec<Now>,
    pub(super) series: Vec<Now>,
    /// By the number of the domain, and the tick of the last change.
    pub(super) sums: Vec<(Sums, u64)>,
    /// Series without a subscriber that are seen.
    pub(super) unknown: usize,
    /// The moment of the newest sample.
    pub(super) newest: i64,
    /// For how long a sample is recent, in milliseconds.
    pub(super) recent: i64,
    /// Whether the store could be read the last time.
    pub(super) reachable: bool,
}

impl Picture {
    /// An empty one; samples are recent for so many milliseconds.
    pub(super) fn new(recent: i64) -> Picture {
        Picture { recent, ..Picture::default() }
    }

    /// Puts other subscribers and series in place at `now`. What was measured stays with its series.
    pub(super) fn adopt(&mut self, places: Places, now: i64) {
        let mut series = vec![Now::default(); places.series.len()];
        for (id, number) in &self.places.by_id {
            let moved = places.by_id.get(id).and_then(|number| series.get_mut(*number as usize));
            if let (Some(new), Some(old)) = (moved, self.series.get(*number as usize)) {
                *new = *old;
            }
        }
        self.subscribers = vec![Now::default(); places.subscribers.len()];
        // All are new to clients, also a domain without subscribers.
        self.sums = vec![(Sums::default(), self.tick + 1); places.domains.len()];
        (self.series, self.places) = (series, places);
        self.generation += 1;
        self.tick += 1;
        (0..self.subscribers.len() as u32).for_each(|number| self.add_up(number));
        self.settle(now);
    }

    /// Notes samples of traffic at `now`, in milliseconds since 1970. Those of a clock that is ahead count for nothing:
    /// they would hide all that come after them. Returns whether all were of known series.
    pub(super) fn note(&mut self, samples: &[Sample], now: i64) -> bool {
        let (mut all_known, mut owners) = (true, Vec::new());
        for sample in samples.iter().filter(|sample| sample.at <= now + MINUTE) {
            let Some(number) = self.places.by_id.get(&sample.series).copied() else {
                all_known = false;
                continue;
            };
            // What was noted while the clock of this host was ahead gives way.
            let newer = |known: &&mut Now| known.at < sample.at || known.at > now + MINUTE;
            let Some(known) = self.series.get_mut(number as usize).filter(newer) else { continue };
            (known.up, known.down, known.at) = (sample.up, sample.down, sample.at);
            known.changed = self.tick + 1;
            self.newest = if self.newest > now + MINUTE { sample.at } else { self.newest.max(sample.at) };
            owners.extend(self.places.series.get(number as usize).map(|series| series.owner));
        }
        owners.retain(|owner| *owner != NONE);
        owners.sort_unstable();
        owners.dedup();
        owners.into_iter().for_each(|owner| self.add_up(owner));
        all_known
    }

    /// The sum of the series of a subscriber; of several sources, which measure the same, the larger counts.
    fn add_up(&mut self, owner: u32) {
        let Some(first) = self.places.subscribers.get(owner as usize).map(|one| one.first) else { return };
        let mut chain = Vec::new();
        let mut number = first;
        while let (Some(series), Some(now)) =
            (self.places.series.get(number as usize), self.series.get(number as usize))
        {
            chain.push((series.source, *now));
            number = series.next;
        }
        let newest = chain.iter().map(|(_, now)| now.at).max().unwrap_or(0);
        let mut sums: HashMap<u32, (f64, f64)> = HashMap::new();
        for (source, now) in chain.iter().filter(|(_, now)| now.is_recent(newest - self.recent)) {
            let sum = sums.entry(*source).or_default();
            *sum = (sum.0 + now.up, sum.1 + now.down);
        }
        let larger = |a: (f64, f64), b: &(f64, f64)| (a.0.max(b.0), a.1.max(b.1));
        let (up, down) = sums.values().fold((0.0, 0.0), larger);
        if let Some(now) = self.subscribers.get_mut(owner as usize) {
            *now = Now { up, down, at: newest, status: now.status, changed: self.tick + 1 };
        }
    }

    /// Begins a tick at `now`: what has become of everyone, and the sums.
    pub(super) fn settle(&mut self, now: i64) {
        self.tick += 1;
        let since = now - self.recent;
        let mut sums = vec![Sums::default(); self.places.domains.len()];
        for (one, measured) in self.places.subscribers.iter().zip(&mut self.subscribers) {
            let (up, down) = self.places.plans.get(one.plan as usize).map_or((0, 0), |plan| (plan.up, plan.down));
            let recent = measured.is_recent(since);
            let status = match (one.first == NONE, recent) {
                (true, _) => Status::Never,
                (false, false) => Status::Silent,
                (false, true) => of_plan(measured, up, down),
            };
            turn(measured, status, self.tick);
            let Some(sum) = sums.get_mut(one.domain as usize) else { continue };
            sum.sold_up += up;
            sum.sold_down += down;
            sum.counts[status as usize] += 1;
            if recent {
                sum.up += measured.up;
                sum.down += measured.down;
            }
        }
        self.unknown = 0;
        for (one, measured) in self.places.series.iter().zip(&mut self.series) {
            let status = match (measured.is_recent(since), one.owner) {
                (true, NONE) => Status::Unknown,
                (true, _) => Status::Seen,
                (false, _) => Status::Silent,
            };
            self.unknown += usize::from(status == Status::Unknown);
            turn(measured, status, self.tick);
        }
        for ((own, changed), sum) in self.sums.iter_mut().zip(sums) {
            if *own != sum {
                (*own, *changed) = (sum, self.tick);
            }
        }
    }

    /// Whether there are recent samples at `now`, in milliseconds since 1970.
    pub(super) fn is_fresh(&self, now: i64) -> bool {
        self.newest >= now - self.recent
    }
}

fn turn(now: &mut Now, status: Status, tick: u64) {
    if now.status != status {
        (now.status, now.changed) = (status, tick);
    }
}

fn of_plan(now: &Now, up: u64, down: u64) -> Status {
    let beyond = |part: f64| now.up > up as f64 * part || now.down > down as f64 * part;
    if beyond(1.0 + TOLERANCE) {
        Status::Exceeding
    } else if beyond(SATURATED) {
        Status::Saturated
    } else {
        Status::Seen
    }
}

#[cfg(test)]
mod tests {
    use super::super::places::{DomainPlace, PlanPlace, SeriesPlace, SubscriberPlace};
    use super::*;
    use crate::telemetry::sample::Kind;
    use crate::telemetry::store::series::Form;

    const NOW: i64 = 1_790_000_000_000;
    const HOUR: i64 = 60 * MINUTE;

    /// Three subscribers of 100 bit/s: one with two series of a source and one of another, one with one, one without.
    /// The last series belongs to none.
    fn picture() -> Picture {
        let mut places = Places::default();
        places.domains.push(DomainPlace { name: "a.example".into(), contract: None });
        places.plans.push(PlanPlace { name: "P".into(), up: 100, down: 100 });
        for (key, first) in [("a", 0), ("b", 3), ("c", NONE)] {
            let (key, address) = (key.into(), "".into());
            places.subscribers.push(SubscriberPlace { key, address, domain: 0, plan: 0, first });
        }
        for (id, source, owner, next) in
            [(10, 0, 0, 1), (11, 0, 0, 2), (12, 1, 0, NONE), (13, 0, 1, NONE), (14, 0, NONE, NONE)]
        {
            places.by_id.insert(id, places.series.len() as u32);
            places.series.push(SeriesPlace {
                id,
                name: "x".into(),
                source,
                form: Form::Interface,
                owner,
                since: 0,
                next,
            });
        }
        let mut picture = Picture::new(30_000);
        picture.adopt(places, NOW);
        picture
    }

    fn sample(series: i64, at: i64, down: f64) -> Sample {
        Sample { series, kind: Kind::Traffic, at, up: 1.0, down, active: None }
    }

    fn statuses(picture: &Picture) -> Vec<&'static str> {
        picture.subscribers.iter().map(|now| now.status.word()).collect()
    }

    #[test]
    fn series_of_a_source_are_added_up_and_of_several_the_larger_counts() {
        let mut picture = picture();
        assert!(
            picture.note(
                &[sample(10, NOW, 40.0), sample(11, NOW, 20.0), sample(12, NOW, 50.0), sample(14, NOW, 7.0)],
                NOW
            )
        );
        picture.settle(NOW);
        assert_eq!((picture.subscribers[0].down, picture.subscribers[0].up), (60.0, 2.0));
        assert_eq!(statuses(&picture), ["seen", "silent", "never"]);
        let (sums, _) = &picture.sums[0];
        assert_eq!((sums.down, sums.sold_down, sums.subscribers(), picture.unknown), (60.0, 300, 3, 1));
        assert!(!picture.note(&[sample(99, NOW, 1.0)], NOW), "a series that is not known");
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_hide_what_comes() {
        let mut picture = picture();
        picture.note(&[sample(13, NOW + 3 * HOUR, 9.0)], NOW + 3 * HOUR);
        picture.note(&[sample(13, NOW, 5.0)], NOW);
        assert_eq!((picture.subscribers[1].down, picture.subscribers[1].at, picture.newest), (5.0, NOW, NOW));
        picture.note(&[sample(13, NOW - 1000, 7.0)], NOW);
        assert_eq!(picture.subscribers[1].down, 5.0, "an older one");
    }

    #[test]
    fn statuses_follow_the_plan_and_the_time() {
        let mut picture = picture();
        for (down, wanted) in [(95.0, "seen"), (96.0, "saturated"), (105.0, "saturated"), (106.0, "exceeding")] {
            let at = NOW + down as i64;
            picture.note(&[sample(13, at, down)], at);
            picture.settle(at);
            assert_eq!(statuses(&picture)[1], wanted, "{down}");
        }
        picture.note(&[sample(13, NOW, 1.0), sample(13, NOW + HOUR, 500.0)], NOW);
        assert_eq!(
            picture.subscribers[1].down, 106.0,
            "neither an older sample nor one of the future changes anything"
        );
        let tick = picture.tick;
        picture.settle(NOW + 30_107);
        assert_eq!((statuses(&picture)[1], picture.sums[0].0.down), ("silent", 0.0));
        assert!(picture.subscribers[1].changed > tick, "clients get it");
        let places = std::mem::take(&mut picture.places);
        picture.places = self::picture().places;
        picture.adopt(places, NOW);
        assert_eq!(picture.subscribers[1].down, 106.0, "what was measured stays");
        assert_eq!(statuses(&picture), ["silent", "exceeding", "never"], "and is settled at once");
    }
}
