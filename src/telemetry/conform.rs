//! Measured use against declared rates.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use super::store::SampleStore;
use super::store::series::Series;
use super::subscribers::{Declared, Directory};
use super::sum::{Part, sum};

/// How much more than its plan a subscriber may measure, as a part of it. Interfaces count the headers of layer 2,
/// which the shaper does not: 18 bytes of Ethernet are 3.6 % of a packet of 500.
pub(crate) const TOLERANCE: f64 = 0.05;

/// What was found.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Conformity {
    /// Subscribers whose mean exceeds a rate, in the order of the data.
    pub(crate) exceeding: Vec<Use>,
    /// Numbers of subscribers without any sample.
    pub(crate) never_seen: Vec<usize>,
    /// Source and name of what was measured and belongs to no subscriber.
    pub(crate) unknown: Vec<(String, String)>,
    /// How many samples there are in the window.
    pub(crate) samples: i64,
    /// How many subscribers were measured.
    pub(crate) measured: usize,
}

/// The mean use of a subscriber in bit/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Use {
    /// The subscriber's number.
    pub(crate) subscriber: usize,
    pub(crate) up: f64,
    pub(crate) down: f64,
}

/// Compares the means from `from` to before `until` with the plans. A subscriber with several series has the sum of
/// those of a source, each for as long as it was listed: a device that replaces another one does not count twice. Of
/// several sources, which measure the same, the larger counts.
///
/// # Errors
/// If the store cannot be used.
pub(crate) async fn conform(
    store: &SampleStore,
    declared: &[Declared],
    names: &BTreeMap<String, String>,
    window: (i64, i64),
) -> Result<Conformity> {
    let series: HashMap<i64, Series> =
        store.series(None).await?.into_iter().map(|series| (series.id, series)).collect();
    let directory = Directory::new(declared, names);
    let mut found = Conformity::default();
    let mut parts: BTreeMap<(usize, &str), Vec<Part<2>>> = BTreeMap::new();
    for mean in store.means(window).await? {
        found.samples += mean.samples;
        let Some(series) = series.get(&mean.series) else { continue };
        match directory.find(series) {
            Some(subscriber) => {
                let part = Part::new([mean.up, mean.down], window, (series.active_from, series.active_until));
                parts.entry((subscriber as usize, series.source.as_str())).or_default().push(part);
            }
            None => found.unknown.push((series.source.clone(), series.facts.name.clone())),
        }
    }
    let mut uses: BTreeMap<usize, Use> = BTreeMap::new();
    for ((subscriber, _), mut parts) in parts {
        let [up, down] = sum(&mut parts);
        let used = uses.entry(subscriber).or_insert(Use { subscriber, up, down });
        (used.up, used.down) = (used.up.max(up), used.down.max(down));
    }
    let exceeds = |used: &Use| {
        declared.get(used.subscriber).is_some_and(|one| {
            let most = |rate: u64| rate as f64 * (1.0 + TOLERANCE);
            used.up > most(one.up) || used.down > most(one.down)
        })
    };
    found.measured = uses.len();
    found.never_seen = (0..declared.len()).filter(|number| !uses.contains_key(number)).collect();
    found.exceeding = uses.into_values().filter(exceeds).collect();
    found.unknown.sort();
    Ok(found)
}
