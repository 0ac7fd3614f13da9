//! `simulate`: a pretend network, without any server.
//!
//! Each subscriber has a sample in every interval; a part of them is due each second. After a pause the source makes
//! up for what was missed, up to its window.

use anyhow::Result;

use super::{Desk, Round};
use crate::telemetry::message::Message;
use crate::telemetry::sample::{Kind, MINUTE, Sample};
use crate::telemetry::settings::{Age, SourceSettings};
use crate::telemetry::simulation::Simulated;
use crate::telemetry::store::batch::Batch;
use crate::telemetry::store::series::{Form, SeriesFacts};

/// Samples in a transaction.
const MAX_BATCH: usize = 50_000;

/// A pretend network.
pub(crate) struct Simulate {
    name: String,
    network: Vec<Simulated>,
    /// The number of each series, once they are listed.
    ids: Vec<i64>,
    /// Parts of the network: each is due a second after the one before.
    parts: i64,
    window: Age,
    /// Up to when everything was written, in milliseconds since 1970.
    until: i64,
}

impl Simulate {
    pub(super) fn new(settings: &SourceSettings, network: Vec<Simulated>, window: Age) -> Simulate {
        let parts = settings.interval.seconds() as i64;
        Simulate { name: settings.name.clone(), network, ids: Vec::new(), parts, window, until: 0 }
    }

    pub(super) async fn round(&mut self, desk: &Desk, now: i64) -> Result<Round> {
        if self.ids.is_empty() {
            self.list(desk, now).await?;
        }
        // The moments are whole seconds.
        let due = now.div_euclid(1000) * 1000;
        // After a clock that was ahead it goes on where the right one is.
        let last = if self.until > due + MINUTE { due - 1000 } else { self.until };
        self.until = last.max(due - self.window.milliseconds());
        while self.until < due {
            let at = self.until + 1000;
            self.write(desk, at).await?;
            self.until = at;
        }
        Ok(Round { next: Some(self.until + 1000), ..Round::default() })
    }

    async fn list(&mut self, desk: &Desk, now: i64) -> Result<()> {
        let facts = |one: &Simulated| SeriesFacts {
            name: one.name.clone(),
            form: Form::Subscriber,
            address: one.address.clone(),
            description: None,
            facts: None,
        };
        let listed: Vec<SeriesFacts> = self.network.iter().map(facts).collect();
        let series = desk.store.list_series(&self.name, &listed, now, desk.messages).await?;
        // What was missed before the first start is not made up for.
        let begin = now.div_euclid(1000) * 1000 - 1000;
        self.until = desk.store.checkpoint(&self.name).await?.unwrap_or(begin);
        self.ids = series.iter().map(|series| series.id).collect();
        Ok(())
    }

    /// Writes the part that is due at a moment: whole, or in pieces of which the last moves the checkpoint.
    async fn write(&self, desk: &Desk, at: i64) -> Result<()> {
        let part = at.div_euclid(1000).rem_euclid(self.parts) as usize;
        let mut batch = Batch { source: self.name.clone(), ..Batch::default() };
        let due = self.network.iter().zip(&self.ids).skip(part).step_by(self.parts as usize);
        for (one, id) in due {
            if batch.samples.len() == MAX_BATCH {
                let next = Batch { source: self.name.clone(), ..Batch::default() };
                desk.write(std::mem::replace(&mut batch, next)).await?;
            }
            let (up, down) = one.rates(at);
            batch.samples.push(Sample { series: *id, kind: Kind::Traffic, at, up, down, active: None });
            if desk.messages {
                batch.messages.push(Message::traffic(&self.name, &one.name, Kind::Traffic, at, (up, down)));
            }
        }
        batch.until = Some(at);
        desk.write(batch).await
    }
}
