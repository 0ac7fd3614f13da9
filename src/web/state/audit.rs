//! The audit trail: every sign-in and every change, in the state and in the journal.

use std::net::IpAddr;

use anyhow::Result;

use crate::database::random::{now, random};
use crate::database::store::StateStore;
use crate::sync::journal::Journal;
use crate::text::quote::{harmless, quoted};

impl StateStore {
    /// Records what a person did, or tried to do.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn record(&self, who: &str, address: IpAddr, what: &str) -> Result<()> {
        let what = harmless(what, 2000);
        Journal::default().event("audit", &format!("{} from {address}: {what}", quoted(who)));
        let insert = sqlx::query("INSERT INTO audit (id, at, who, address, what) VALUES ($1, $2, $3, $4, $5)");
        let insert = insert.bind(random::<16>()?).bind(now()).bind(harmless(who, 100));
        self.run(insert.bind(address.to_string()).bind(what).execute(&self.pool).await).map(drop)
    }
}
