//! The sum of series of which each was listed for a part of the time.

/// The means of a series, and since when and until when it was listed in the time that is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part<const N: usize> {
    pub(crate) means: [f64; N],
    listed: (i64, i64),
}

impl<const N: usize> Part<N> {
    /// A part of the time from `from` to before `until`, of a series that has been listed since `since` or was until
    /// `gone`. What is known is when it was listed last: of earlier times, it counts for the whole.
    pub(crate) fn new(means: [f64; N], (from, until): (i64, i64), (since, gone): (i64, Option<i64>)) -> Part<N> {
        let listed = (since.max(from), gone.unwrap_or(until).min(until));
        Part { means, listed: if listed.0 < listed.1 { listed } else { (from, until) } }
    }
}

/// The sum, each for its part of the time in which one was listed: what replaces a device does not count twice.
pub(crate) fn sum<const N: usize>(parts: &mut [Part<N>]) -> [f64; N] {
    parts.sort_unstable_by_key(|part| part.listed);
    let (mut covered, mut end) = (0, i64::MIN);
    let mut sums = [0.0; N];
    for Part { means, listed: (from, until) } in parts.iter() {
        covered += (until - end.max(*from)).max(0);
        end = end.max(*until);
        sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += mean * (until - from) as f64);
    }
    sums.map(|sum| sum / covered.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_replaces_a_device_does_not_count_twice() {
        let part = |up: f64, since, gone| Part::new([up, 2.0 * up], (0, 600), (since, gone));
        assert_eq!(sum(&mut [part(20.0, -9, None)]), [20.0, 40.0]);
        assert_eq!(sum(&mut [part(20.0, 0, None), part(5.0, 0, Some(700))]), [25.0, 50.0], "side by side");
        assert_eq!(sum(&mut [part(20.0, 300, None), part(20.0, 0, Some(300))]), [20.0, 40.0], "one after the other");
        assert_eq!(sum(&mut [part(10.0, 0, None), part(10.0, 300, None)]), [15.0, 30.0], "one more for a half");
        assert_eq!(sum(&mut [part(9.0, 500, None)]), [9.0, 18.0], "it was not there before");
        assert_eq!(sum(&mut [part(9.0, 600, None), part(1.0, 0, None)]), [10.0, 20.0], "listed before that, too");
        assert_eq!(sum::<2>(&mut []), [0.0, 0.0]);
    }
}
