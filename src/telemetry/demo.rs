//! Samples of a pretend network for a time that is over: what a demonstration shows as its past.

use anyhow::Result;

use super::sample::{Kind, Sample};
use super::simulation::Simulated;
use super::store::SampleStore;
use super::store::batch::Batch;
use super::store::series::{Form, SeriesFacts};

/// Samples in a transaction.
const MAX_BATCH: usize = 10_000;

/// Lists the network as the source `source` does, and writes what it used at these moments, in milliseconds since
/// 1970.
///
/// # Errors
/// If the store cannot be used.
pub(crate) async fn make_up(
    store: &SampleStore,
    source: &str,
    network: &[Simulated],
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
    let mut batch = Batch { source: source.to_owned(), ..Batch::default() };
    for at in moments {
        for (one, series) in network.iter().zip(&series) {
            let (up, down) = one.rates(at);
            batch.samples.push(Sample { series: series.id, kind: Kind::Traffic, at, up, down, active: None });
        }
        if batch.samples.len() >= MAX_BATCH {
            let next = Batch { source: source.to_owned(), ..Batch::default() };
            store.write(std::mem::replace(&mut batch, next)).await?;
        }
    }
    store.write(batch).await
}
