//! Reads the tokens again and again, and records their use.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::gate::Gate;
use crate::database::store::StateStore;
use crate::sync::journal::Journal;

/// How soon a token that was added or revoked counts, at most.
const INTERVAL: Duration = Duration::from_secs(2);

/// Keeps the gate's tokens as the state has them. While the state cannot be read, they stay as they were.
pub(crate) async fn refresh(store: StateStore, gate: Arc<Gate>) {
    let mut journal = Journal::default();
    loop {
        tokio::time::sleep(INTERVAL).await;
        match once(&store, &gate).await {
            Ok(()) => journal.fine("state"),
            Err(error) => journal.trouble("state", &format!("{error:#}")),
        }
    }
}

/// Records the use of the tokens, and reads them.
///
/// # Errors
/// If the state cannot be used.
pub(crate) async fn once(store: &StateStore, gate: &Gate) -> Result<()> {
    let used = gate.tokens().used();
    store.note_use(&used).await?;
    gate.replace(store.token_table().await?);
    Ok(())
}
