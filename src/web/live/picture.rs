//! The present picture: what each series and each subscriber uses now, in memory. Its size is that of the number of
//! series and subscribers, whatever the store holds.

use std::collections::BTreeMap;

use super::places::{NONE, Places, PlanPlace};
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
    /// It uses more than 95 % of a rate.
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
    /// Whether it is of the last `patience` milliseconds, and not of a clock that was ahead.
    fn is_recent(&self, now: i64, patience: i64) -> bool {
        self.at > 0 && (now - patience..=now + MINUTE).contains(&self.at)
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
    /// The moment of the newest sample; 0 before the first one.
    pub(super) newest: i64,
    /// Whether there are recent samples.
    pub(super) fresh: bool,
    /// Whether the store could be read the last time.
    pub(super) reachable: bool,
    /// Subscribers of which samples were noted in this tick.
    noted: Vec<u32>,
}

impl Picture {
    /// Puts other subscribers and series in place at `now`. What was measured stays with its series, unless that came
    /// to another domain since.
    pub(super) fn adopt(&mut self, places: Places, now: i64) {
        if !places.numbers_as(&self.places) {
            let mut series = vec![Now::default(); places.series.len()];
            for (id, number) in &self.places.by_id {
                let moved = places.by_id.get(id).and_then(|number| series.get_mut(*number as usize));
                if let (Some(new), Some(old)) = (moved, self.series.get(*number as usize)) {
                    *new = *old;
                }
            }
            for (one, measured) in places.series.iter().zip(&mut series) {
                if measured.at < one.since {
                    *measured = Now::default();
                }
            }
            self.series = series;
            self.subscribers = vec![Now::default(); places.subscribers.len()];
            // All are new to clients, also a domain without subscribers.
            self.sums = vec![(Sums::default(), self.tick + 1); places.domains.len()];
            self.generation += 1;
            self.noted = (0..self.subscribers.len() as u32).collect();
        }
        self.places = places;
        self.settle(now);
    }

    /// Forgets what was measured: the series of another store may have the same numbers.
    pub(super) fn forget(&mut self) {
        self.series.fill(Now::default());
        self.reachable = false;
    }

    /// Notes samples of traffic at `now`, in milliseconds since 1970. Those of a clock that is ahead count for nothing:
    /// they would hide all that come after them. Returns whether all were of known series.
    pub(super) fn note(&mut self, samples: &[Sample], now: i64) -> bool {
        let mut all_known = true;
        for sample in samples.iter().filter(|sample| sample.at <= now + MINUTE) {
            let Some(number) = self.places.by_id.get(&sample.series).copied() else {
                all_known = false;
                continue;
            };
            let Some(one) = self.places.series.get(number as usize).filter(|one| one.since <= sample.at) else {
                continue;
            };
            // What was noted while the clock of this host was ahead gives way.
            let newer = |known: &&mut Now| known.at < sample.at || known.at > now + MINUTE;
            let Some(known) = self.series.get_mut(number as usize).filter(newer) else { continue };
            (known.up, known.down, known.at) = (sample.up, sample.down, sample.at);
            known.changed = self.tick + 1;
            self.noted.push(one.owner);
        }
        all_known
    }

    /// What a subscriber uses: the sum of its series that are seen; of several sources, which measure the same, the
    /// larger counts. If none is seen, what was there last stays.
    fn add_up(&mut self, owner: u32) {
        let Some(subscriber) = self.places.subscribers.get(owner as usize) else { return };
        let mut sums: BTreeMap<u32, Now> = BTreeMap::new();
        let mut last = Now::default();
        for number in self.places.series_of(subscriber) {
            let number = number as usize;
            let (Some(one), Some(now)) = (self.places.series.get(number), self.series.get(number)) else { continue };
            if now.status == Status::Seen {
                let sum = sums.entry(one.source).or_default();
                (sum.up, sum.down, sum.at) = (sum.up + now.up, sum.down + now.down, sum.at.max(now.at));
            }
            last = if now.at > last.at { *now } else { last };
        }
        let larger = |a: Now, b: Now| Now { up: a.up.max(b.up), down: a.down.max(b.down), at: a.at.max(b.at), ..a };
        let (sum, status) = match sums.into_values().reduce(larger) {
            Some(sum) => {
                (sum, self.places.plans.get(subscriber.plan as usize).map_or(Status::Seen, |plan| of_plan(&sum, plan)))
            }
            None if subscriber.first == NONE => (last, Status::Never),
            None => (last, Status::Silent),
        };
        if let Some(known) = self.subscribers.get_mut(owner as usize) {
            let new = Now { status, changed: known.changed, ..sum };
            if *known != new {
                *known = Now { changed: self.tick, ..new };
            }
        }
    }

    /// Begins a tick at `now`: what has become of everyone, and the sums.
    pub(super) fn settle(&mut self, now: i64) {
        self.tick += 1;
        self.settle_series(now);
        let mut owners = std::mem::take(&mut self.noted);
        owners.sort_unstable();
        owners.dedup();
        owners.into_iter().for_each(|owner| self.add_up(owner));
        self.settle_domains();
    }

    fn settle_series(&mut self, now: i64) {
        (self.unknown, self.newest, self.fresh) = (0, 0, false);
        for ((one, listed), measured) in self.places.series.iter().zip(&self.places.listed).zip(&mut self.series) {
            let patience = self.places.sources.get(one.source as usize).map_or(0, |source| source.patience);
            let recent = listed.1.is_none() && measured.is_recent(now, patience);
            let status = match (recent, one.owner) {
                (true, NONE) => Status::Unknown,
                (true, _) => Status::Seen,
                (false, _) => Status::Silent,
            };
            if turn(measured, status, self.tick) {
                self.noted.push(one.owner);
            }
            self.unknown += usize::from(status == Status::Unknown);
            self.fresh |= recent;
            self.newest = if measured.at > now + MINUTE { self.newest } else { self.newest.max(measured.at) };
        }
    }

    fn settle_domains(&mut self) {
        let mut sums = vec![Sums::default(); self.places.domains.len()];
        for (one, measured) in self.places.subscribers.iter().zip(&self.subscribers) {
            let Some(sum) = sums.get_mut(one.domain as usize) else { continue };
            let (up, down) = self.places.plans.get(one.plan as usize).map_or((0, 0), |plan| (plan.up, plan.down));
            sum.sold_up += up;
            sum.sold_down += down;
            sum.counts[measured.status as usize] += 1;
            if !matches!(measured.status, Status::Never | Status::Silent) {
                sum.up += measured.up;
                sum.down += measured.down;
            }
        }
        for ((own, changed), sum) in self.sums.iter_mut().zip(sums) {
            if *own != sum {
                (*own, *changed) = (sum, self.tick);
            }
        }
    }
}

/// Gives it a status. Returns whether it had another one.
fn turn(now: &mut Now, status: Status, tick: u64) -> bool {
    let turned = now.status != status;
    if turned {
        (now.status, now.changed) = (status, tick);
    }
    turned
}

fn of_plan(now: &Now, plan: &PlanPlace) -> Status {
    let beyond = |part: f64| now.up > plan.up as f64 * part || now.down > plan.down as f64 * part;
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
    use super::super::places::{DomainPlace, SeriesPlace, SourcePlace, SubscriberPlace};
    use super::*;
    use crate::telemetry::sample::Kind;
    use crate::telemetry::store::series::Form;

    const NOW: i64 = 1_790_000_000_000;
    const HOUR: i64 = 60 * MINUTE;

    /// Three subscribers of 100 bit/s: one with two series of a source and one of another, one with one, one without.
    /// The last series belongs to none.
    fn places() -> Places {
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
            places.listed.push((0, None));
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
        let source = |name: &str, patience| SourcePlace { name: name.into(), patience };
        places.sources = vec![source("fast", 30_000), source("slow", 3 * HOUR)];
        places
    }

    fn picture() -> Picture {
        let mut picture = Picture::default();
        picture.adopt(places(), NOW);
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
    fn a_clock_that_was_ahead_hides_nothing_and_is_not_fresh() {
        let mut picture = picture();
        picture.note(&[sample(13, NOW + 3 * HOUR, 9.0)], NOW + 3 * HOUR);
        picture.settle(NOW + 3 * HOUR);
        assert_eq!((picture.fresh, statuses(&picture)[1]), (true, "seen"));
        // The clock is right again, and nothing comes.
        picture.settle(NOW);
        assert_eq!((picture.fresh, picture.newest, statuses(&picture)[1]), (false, 0, "silent"));
        picture.note(&[sample(13, NOW, 5.0)], NOW);
        picture.note(&[sample(13, NOW - 1000, 7.0)], NOW);
        picture.settle(NOW);
        let now = picture.subscribers[1];
        assert_eq!((now.down, now.at, picture.newest, picture.fresh), (5.0, NOW, NOW, true), "not an older one");
    }

    #[test]
    fn samples_are_recent_by_their_own_source() {
        let mut picture = picture();
        picture.note(&[sample(10, NOW, 40.0), sample(12, NOW, 20.0), sample(13, NOW, 3.0)], NOW);
        picture.settle(NOW + 31_000);
        assert_eq!((statuses(&picture), picture.subscribers[0].down), (vec!["seen", "silent", "never"], 20.0));
        assert_eq!(
            (picture.subscribers[1].down, picture.sums[0].0.down),
            (3.0, 20.0),
            "what was there last, and counts not"
        );
        picture.settle(NOW + 3 * HOUR + 1);
        assert_eq!((statuses(&picture)[0], picture.fresh), ("silent", false));
    }

    #[test]
    fn what_is_not_listed_any_more_counts_for_nothing_at_once() {
        let mut picture = picture();
        picture.note(&[sample(10, NOW, 40.0), sample(11, NOW, 20.0), sample(13, NOW, 3.0)], NOW);
        picture.settle(NOW);
        let (generation, tick) = (picture.generation, picture.tick);
        let mut gone = places();
        (gone.listed[0].1, gone.listed[3].1) = (Some(NOW), Some(NOW));
        picture.adopt(gone, NOW);
        assert_eq!((statuses(&picture), picture.subscribers[0].down), (vec!["seen", "silent", "never"], 20.0));
        assert_eq!(picture.generation, generation, "the numbers mean the same");
        let changed = |of: &[Now]| of.iter().map(|now| now.changed > tick).collect::<Vec<bool>>();
        assert_eq!(changed(&picture.subscribers), [true, true, false]);
        assert_eq!(changed(&picture.series), [true, false, false, true, false]);
    }

    #[test]
    fn what_a_series_measured_for_another_domain_is_not_shown() {
        let mut picture = picture();
        picture.note(&[sample(10, NOW, 40.0), sample(13, NOW, 3.0)], NOW);
        let mut handed_over = places();
        handed_over.series[3].since = NOW + 1000;
        picture.adopt(handed_over, NOW + 1000);
        assert_eq!((picture.subscribers[1].down, picture.subscribers[1].at, statuses(&picture)[1]), (0.0, 0, "silent"));
        assert_eq!(picture.subscribers[0].down, 40.0);
        picture.note(&[sample(13, NOW + 999, 9.0)], NOW + 1000);
        picture.settle(NOW + 1000);
        assert_eq!(statuses(&picture)[1], "silent", "it comes late");
        picture.note(&[sample(13, NOW + 1000, 8.0)], NOW + 1000);
        picture.settle(NOW + 1000);
        assert_eq!(picture.subscribers[1].down, 8.0);
        // The series of another store have the same numbers.
        picture.forget();
        picture.settle(NOW + 1000);
        assert_eq!((statuses(&picture), picture.newest), (vec!["silent", "silent", "never"], 0));
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
        picture.settle(NOW + 107);
        assert_eq!(
            picture.subscribers[1].down, 106.0,
            "neither an older sample nor one of the future changes anything"
        );
        let tick = picture.tick;
        picture.settle(NOW + 30_107);
        assert_eq!((statuses(&picture)[1], picture.sums[0].0.down), ("silent", 0.0));
        assert!(picture.subscribers[1].changed > tick, "clients get it");
        let mut other = places();
        other.domains[0].contract = Some((1, 1));
        let generation = picture.generation;
        picture.adopt(other, NOW);
        assert_eq!(picture.generation, generation + 1);
        assert_eq!(picture.subscribers[1].down, 106.0, "what was measured stays");
        assert_eq!(statuses(&picture), ["silent", "exceeding", "never"], "and is settled at once");
    }
}
