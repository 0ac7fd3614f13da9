//! What all subscribers, and those of each domain, use together: series like others, of a source that no settings can
//! name. They are rolled up, kept and deleted as the samples are of which they are the sums.

use std::collections::BTreeMap;

use anyhow::Result;

use super::sample::{Kind, Sample};
use super::store::SampleStore;
use super::store::batch::Batch;
use super::store::series::{Form, SeriesFacts, TOTALS};

/// The name of the series of all subscribers together. No domain has it.
pub(crate) const ALL: &str = "";

/// The series of totals by domain.
pub(crate) struct Totals {
    ids: BTreeMap<String, i64>,
}

impl Totals {
    /// Brings the series in line with the domains at `now`, in milliseconds since 1970.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn list<'d>(
        store: &SampleStore,
        domains: impl Iterator<Item = &'d str>,
        now: i64,
    ) -> Result<Totals> {
        let facts = |name: &str| SeriesFacts {
            name: name.to_owned(),
            form: Form::Total,
            address: None,
            description: None,
            facts: None,
        };
        let listed: Vec<SeriesFacts> = std::iter::once(ALL).chain(domains).map(facts).collect();
        let series = store.list_series(TOTALS, &listed, now, false).await?;
        Ok(Totals { ids: series.into_iter().map(|one| (one.facts.name, one.id)).collect() })
    }

    /// Adds the samples at `at` to a batch: those of domains with their bit/s up and down, and that of all together.
    pub(crate) fn add<'d>(&self, batch: &mut Batch, at: i64, sums: impl IntoIterator<Item = (&'d str, (f64, f64))>) {
        let mut all = (0.0, 0.0);
        let mut add = |name: &str, (up, down): (f64, f64)| {
            let series = self.ids.get(name).copied();
            batch.samples.extend(series.map(|series| Sample {
                series,
                kind: Kind::Traffic,
                at,
                up,
                down,
                active: None,
            }));
        };
        for (domain, sum) in sums {
            all = (all.0 + sum.0, all.1 + sum.1);
            add(domain, sum);
        }
        add(ALL, all);
    }
}
