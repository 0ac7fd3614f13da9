//! Keeps what all subscribers, and those of each domain, use together: a sample of each every few seconds.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::hub::Hub;
use crate::sync::journal::Journal;
use crate::telemetry::sample::now;
use crate::telemetry::store::batch::Batch;
use crate::telemetry::store::series::TOTALS;
use crate::telemetry::totals::Totals;

/// From one sample to the next.
const STEP: Duration = Duration::from_secs(10);

/// Keeps them until the server ends. What cannot be written is left out, and said.
pub(crate) async fn keep_totals(hub: Arc<Hub>) {
    let mut journal = Journal::default();
    loop {
        tokio::time::sleep(STEP).await;
        match keep(&hub).await {
            Ok(()) => journal.fine("totals"),
            Err(error) => journal.trouble("totals", &format!("{error:#}")),
        }
    }
}

async fn keep(hub: &Hub) -> Result<()> {
    let Some(store) = hub.store() else { return Ok(()) };
    let now = now();
    let sums: Vec<(Box<str>, (f64, f64))> = {
        let mut picture = hub.picture();
        // What was noted since the last tick is a part of it, too.
        picture.settle(now);
        // Before the store was read once, only a part is there.
        if !picture.reachable || !picture.fresh {
            return Ok(());
        }
        let sums = picture.sums.iter().map(|(sums, _)| (sums.up, sums.down));
        picture.places.domains.iter().map(|domain| domain.name.clone()).zip(sums).collect()
    };
    // Each time: the numbers of its series are those of this store, which may have been replaced.
    let totals = Totals::list(&store, sums.iter().map(|(name, _)| &**name), now).await?;
    let mut batch = Batch { source: TOTALS.to_owned(), ..Batch::default() };
    totals.add(&mut batch, now, sums.iter().map(|(name, sum)| (&**name, *sum)));
    store.write(batch).await
}
