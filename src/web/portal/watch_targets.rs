//! Looks at the targets from time to time, so that no page waits for one.

use std::sync::Arc;
use std::time::Duration;

use super::app::Portal;
use super::live::{LiveTarget, look};
use crate::model::Scheme;
use crate::sync::journal::Journal;

/// How often the targets are looked at.
const INTERVAL: Duration = Duration::from_secs(10);

/// Looks at the targets until the server ends.
pub(crate) async fn watch_targets(portal: Arc<Portal>, all: bool) {
    let mut journal = Journal::default();
    loop {
        let mut found = Vec::new();
        let targets = portal.current.snapshot().repo.settings.targets.clone();
        for target in targets.into_iter().filter(|target| all || target.url.scheme() == Scheme::File) {
            let about = format!("target {}", target.name);
            match portal.watch(move || look(&target)).await {
                Ok(seen) => {
                    journal.fine(&about);
                    found.push(seen);
                }
                Err(error) => {
                    journal.trouble(&about, &format!("{error:#}"));
                    found.push(LiveTarget::default());
                }
            }
        }
        portal.live.replace(found);
        tokio::time::sleep(INTERVAL).await;
    }
}
