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
    let listings = store.listings(window).await?;
    let mut parts: BTreeMap<(usize, &str), Vec<Part<2>>> = BTreeMap::new();
    for mean in store.means(window).await? {
        found.samples += mean.samples;
        let Some(series) = series.get(&mean.series) else { continue };
        match directory.find(series) {
            Some(subscriber) => {
                let known = listings.get(&series.id).map(|changes| listed(changes, window)).unwrap_or_default();
                let known = if known.is_empty() { vec![(series.active_from, series.active_until)] } else { known };
                let of = known.into_iter().map(|listed| Part::new([mean.up, mean.down], window, listed));
                parts.entry((subscriber as usize, series.source.as_str())).or_default().extend(of);
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

/// The parts of the time in which a series was listed, by the moments at which that changed.
fn listed(changes: &[(i64, bool)], (from, until): (i64, i64)) -> Vec<(i64, Option<i64>)> {
    let mut since = changes.first().filter(|(_, listed)| !listed).map(|_| from);
    let mut parts = Vec::new();
    for (at, listed) in changes {
        match listed {
            true => since = since.or(Some(*at)),
            false => parts.extend(since.take().map(|since| (since, *at))),
        }
    }
    parts.extend(since.map(|since| (since, until)));
    parts.retain(|(since, gone)| since < gone);
    parts.into_iter().map(|(since, gone)| (since, Some(gone))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::database::location::StateLocation;
    use crate::telemetry::sample::{Kind, Sample};
    use crate::telemetry::store::batch::Batch;
    use crate::telemetry::store::series::{Form, SeriesFacts};

    #[test]
    fn parts_are_known_by_the_moments_at_which_they_begin_and_end() {
        let parts = |changes: &[(i64, bool)]| {
            listed(changes, (100, 200)).into_iter().map(|(since, gone)| (since, gone.unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(parts(&[(150, false)]), [(100, 150)]);
        assert_eq!(parts(&[(150, true)]), [(150, 200)]);
        assert_eq!(parts(&[(150, false), (151, true)]), [(100, 150), (151, 200)]);
        assert_eq!(parts(&[(110, true), (120, false), (130, true), (140, false)]), [(110, 120), (130, 140)]);
        assert_eq!(parts(&[(100, false)]), []);
    }

    /// Two devices at one address use 20 Mbit/s each; the second is not listed for a moment.
    #[test]
    fn a_series_that_is_away_for_a_moment_counts_for_the_rest() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let location = StateLocation::Sqlite(folder.path().join("samples.sqlite"));
            let store = SampleStore::open(&location).await.unwrap();
            let facts = |name: &str| SeriesFacts {
                name: name.to_owned(),
                form: Form::Device,
                address: Some("10.10.10.25".to_owned()),
                description: None,
                facts: None,
            };
            let both = [facts("a"), facts("b")];
            let series = store.list_series("cpe", &both, 1_000, false).await.unwrap();
            let mut samples = Vec::new();
            for at in (60_000..120_000).step_by(10_000) {
                let listed = if at == 100_000 { &both[..1] } else { &both[..] };
                store.list_series("cpe", listed, at, false).await.unwrap();
                let sample = |id| Sample { series: id, kind: Kind::Traffic, at, up: 20e6, down: 1.0, active: None };
                samples.extend(series[..listed.len()].iter().map(|one| sample(one.id)));
            }
            store.write(Batch { source: "cpe".to_owned(), samples, ..Batch::default() }).await.unwrap();
            let declared = [Declared {
                key: "10.10.10.25@ispcustomer.co.zw".to_owned(),
                domain: "ispcustomer.co.zw".to_owned(),
                plan: String::new(),
                up: 30_000_000,
                down: 30_000_000,
                addresses: vec!["10.10.10.25".parse().unwrap()],
            }];
            let found = conform(&store, &declared, &BTreeMap::new(), (60_000, 120_000)).await.unwrap();
            let up: Vec<f64> = found.exceeding.iter().map(|used| used.up.round()).collect();
            assert_eq!(up, [36_666_667.0], "20 and five sixths of 20");
        });
    }
}
