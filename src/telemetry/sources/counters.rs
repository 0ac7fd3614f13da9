//! Rates from two readings of the counters of an interface (IF-MIB, RFC 2863).

use super::is_measure;

/// The width of a counter in bits: octets, errors, discards.
const WIDTH: [u32; 3] = [64, 32, 32];

/// The counters of one interface at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    /// Milliseconds of a clock of ours that is never set.
    pub(super) at: i64,
    /// `sysUpTime`, in hundredths of a second. It goes round after 497 days.
    pub(super) uptime: u32,
    /// `ifCounterDiscontinuityTime`: changes if the counters start anew.
    pub(super) discontinuity: u32,
    /// In and out, of each [`Kind`](crate::telemetry::sample::Kind) by its number.
    pub(super) counters: [Option<[u64; 2]>; 3],
}

/// What was between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    /// In and out, each second: bits, errors, discarded packets.
    pub(super) rates: [Option<[f64; 2]>; 3],
    /// Counters that cannot have counted what they say.
    pub(super) refused: u64,
}

/// What was between two readings; nothing if the device started anew between them.
pub(super) fn rates(before: &Reading, after: &Reading) -> Rates {
    let mut found = Rates::default();
    let Some(seconds) = elapsed(before, after) else { return found };
    for (kind, width) in WIDTH.into_iter().enumerate() {
        let (Some(first), Some(last)) = (before.counters[kind], after.counters[kind]) else { continue };
        let rate = |side: usize| {
            let each_second = counted(first[side], last[side], width)? / seconds;
            let rate = if kind == 0 { each_second * 8.0 } else { each_second };
            // A counter that was cleared looks as if it had gone round.
            Some(rate).filter(|rate| is_measure(*rate))
        };
        match (rate(0), rate(1)) {
            (Some(into), Some(out)) => found.rates[kind] = Some([into, out]),
            _ => found.refused += 1,
        }
    }
    found
}

/// What a counter counted, also over its end. A narrow one that went back by little was cleared.
fn counted(first: u64, last: u64, width: u32) -> Option<f64> {
    if width == 64 {
        return Some(last.wrapping_sub(first) as f64);
    }
    let count = last.wrapping_sub(first) & u64::from(u32::MAX);
    (count <= u64::from(u32::MAX / 2)).then_some(count as f64)
}

/// The seconds between two readings, by the clock of the device. `None` if that clock does not agree with ours: the
/// device started anew; or if its counters did, or if no time went by.
fn elapsed(before: &Reading, after: &Reading) -> Option<f64> {
    if before.discontinuity != after.discontinuity {
        return None;
    }
    let theirs = f64::from(after.uptime.wrapping_sub(before.uptime)) / 100.0;
    let ours = (after.at - before.at) as f64 / 1000.0;
    // Clocks differ by far less; a busy device answers late.
    let agrees = (theirs - ours).abs() <= 5.0 + ours * 0.1;
    (theirs > 0.0 && agrees).then_some(theirs)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading(at: i64, uptime: u32, octets: [u64; 2]) -> Reading {
        Reading { at, uptime, discontinuity: 0, counters: [Some(octets), Some([7, 7]), None] }
    }

    #[test]
    fn counters_go_round_and_devices_start_anew() {
        let before = reading(0, u32::MAX - 999, [u64::MAX - 999, 5]);
        // A minute later, over the end of the clock and of a counter.
        let after = reading(60_000, 5000, [6500, 5]);
        let found = rates(&before, &after);
        assert_eq!(found.rates[0], Some([1000.0, 0.0]));
        assert_eq!((found.rates[1], found.rates[2], found.refused), (Some([0.0, 0.0]), None, 0));
        let restarted = reading(60_000, 3000, [100, 100]);
        assert_eq!(rates(&reading(0, 9_000_000, [50, 50]), &restarted), Rates::default());
        let cleared = Reading { discontinuity: 4000, ..after };
        assert_eq!(rates(&before, &cleared), Rates::default());
        assert_eq!(rates(&before, &before), Rates::default(), "no time went by");
    }

    #[test]
    fn counters_that_were_cleared_are_refused() {
        let before = Reading { counters: [Some([9000, 1]), Some([500, 500]), None], ..reading(0, 100, [0, 0]) };
        let after =
            Reading { counters: [Some([10, 1]), Some([2, 500]), Some([1, 1])], ..reading(60_000, 6100, [0, 0]) };
        let found = rates(&before, &after);
        assert_eq!((found.rates, found.refused), ([None; 3], 2));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_was_counted_is_found_wherever_the_counters_stood(
            start in any::<[u64; 2]>(),
            errors in any::<[u32; 2]>(),
            uptime in any::<u32>(),
            octets in any::<[u32; 2]>(),
            wrong in 0_u32..1000,
            seconds in 1_u32..3600,
        ) {
            let before = Reading {
                at: 0, uptime, discontinuity: 9,
                counters: [Some(start), Some(errors.map(u64::from)), None],
            };
            let after = Reading {
                at: i64::from(seconds) * 1000,
                uptime: uptime.wrapping_add(seconds * 100),
                discontinuity: 9,
                counters: [
                    Some([0, 1].map(|side| start[side].wrapping_add(u64::from(octets[side])))),
                    Some(errors.map(|count| u64::from(count.wrapping_add(wrong)))),
                    None,
                ],
            };
            let found = rates(&before, &after);
            let wanted = octets.map(|count| f64::from(count) * 8.0 / f64::from(seconds));
            for (found, wanted) in found.rates[0].unwrap().iter().zip(wanted) {
                prop_assert!((found - wanted).abs() <= wanted * 1e-9);
            }
            prop_assert_eq!(found.rates[1], Some([f64::from(wrong) / f64::from(seconds); 2]));
        }
    }
}
