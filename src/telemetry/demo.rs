//! Samples of a pretend network for a time that is over: what a demonstration shows as its past.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use super::sample::{Kind, Sample};
use super::simulation::Simulated;
use super::store::SampleStore;
use super::store::batch::Batch;
use super::store::series::{Form, SeriesFacts};
use super::subscribers::Declared;
use super::totals::Totals;

/// Samples in a transaction.
const MAX_BATCH: usize = 10_000;

/// Lists the network as the source `source` does, and writes what it used at these moments, in milliseconds since
/// 1970, with the totals of the domains.
///
/// # Errors
/// If the store cannot be used.
pub(crate) async fn make_up(
    store: &SampleStore,
    source: &str,
    (network, declared): (&[Simulated], &[Declared]),
    now: i64,
    moments: impl Iterator<Item = i64>,
) -> Result<()> {
    let facts = |one: &Simulated| SeriesFacts {
        name: one.name.clone(),
        form: Form::Subscriber,
        address: one.address.clone(),
        description: None,
        facts: None,
    };
    let listed: Vec<SeriesFacts> = network.iter().map(facts).collect();
    let series = store.list_series(source, &listed, now, false).await?;
    let domains: HashMap<&str, &str> = declared.iter().map(|one| (one.key.as_str(), one.domain.as_str())).collect();
    let names: BTreeSet<&str> = domains.values().copied().collect();
    let totals = Totals::list(store, names.into_iter(), now).await?;
    let mut batch = Batch { source: source.to_owned(), ..Batch::default() };
    for at in moments {
        let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        for (one, series) in network.iter().zip(&series) {
            let (up, down) = one.rates(at);
            if let Some(domain) = domains.get(one.name.as_str()) {
                let sum: &mut (f64, f64) = sums.entry(*domain).or_default();
                *sum = (sum.0 + up, sum.1 + down);
            }
            batch.samples.push(Sample { series: series.id, kind: Kind::Traffic, at, up, down, active: None });
        }
        totals.add(&mut batch, at, sums);
        if batch.samples.len() >= MAX_BATCH {
            let next = Batch { source: source.to_owned(), ..Batch::default() };
            store.write(std::mem::replace(&mut batch, next)).await?;
        }
    }
    store.write(batch).await
}
