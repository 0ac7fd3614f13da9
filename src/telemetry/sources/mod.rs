//! Where samples come from: one file for each kind of source.

mod counters;
mod devices;
mod netbeam;
mod simulate;
mod snmp;

use std::time::Duration;

use anyhow::Result;

use super::metrics::Counters;
use super::sample::now;
use super::settings::{KindSettings, SourceSettings};
use super::simulation::Simulation;
use super::store::SampleStore;
use super::store::batch::Batch;
use super::subscribers::Declared;
use crate::text::quote::harmless;
use devices::Devices;
use netbeam::Netbeam;
use simulate::Simulate;
use snmp::Snmp;

/// Interfaces or devices of one source.
const MAX_SERIES: usize = 1_000_000;

/// An entry of a list. One of the wrong type does not spoil the others.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Entry<T> {
    Sound(T),
    Malformed(serde::de::IgnoredAny),
}

/// Why a round fails if the source has nothing where its list should be.
const NO_LIST: &str = "it has no list there: it answers 404 or 204";

/// What a source needs of the collector.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) store: SampleStore,
    /// Whether messages are made: there is a sink.
    pub(crate) messages: bool,
    pub(crate) counters: Counters,
}

impl Desk {
    /// Writes a batch to the store, and counts it.
    ///
    /// # Errors
    /// If the store cannot be used. Then nothing is written.
    async fn write(&self, batch: Batch) -> Result<()> {
        let (source, samples) = (batch.source.clone(), batch.samples.len());
        self.store.write(batch).await?;
        self.counters.samples(&source, samples);
        Ok(())
    }
}

/// What a round of a source came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Round {
    /// Values that were refused: negative, impossible, malformed.
    pub(crate) refused: u64,
    /// When the next round is due, in milliseconds since 1970, if not at the next interval.
    pub(crate) next: Option<i64>,
    /// What failed in a part of the round.
    pub(crate) trouble: Option<String>,
}

/// A source.
pub(crate) enum Source {
    Netbeam(Netbeam),
    Devices(Devices),
    Simulate(Simulate),
    Snmp(Snmp),
}

impl Source {
    /// The source of the settings; `declared` are the subscribers for a pretend network.
    ///
    /// # Errors
    /// If it cannot be prepared.
    pub(crate) fn new(settings: &SourceSettings, declared: &[Declared]) -> Result<Source> {
        let timeout = Duration::from_secs(settings.timeout.seconds());
        Ok(match &settings.kind {
            KindSettings::Netbeam(netbeam) => Source::Netbeam(Netbeam::new(settings, netbeam, timeout)?),
            KindSettings::Devices(devices) => Source::Devices(Devices::new(settings, devices, timeout)?),
            KindSettings::Snmp(snmp) => Source::Snmp(Snmp::new(settings, snmp, timeout)?),
            KindSettings::Simulate(simulate) => {
                let simulation = Simulation { seed: simulate.seed, exceed: simulate.exceed };
                let network = simulation.network(declared);
                Source::Simulate(Simulate::new(settings, network, simulate.window))
            }
        })
    }

    /// Collects what is new.
    ///
    /// # Errors
    /// If the source or the store cannot be used.
    pub(crate) async fn round(&mut self, desk: &Desk) -> Result<Round> {
        match self {
            Source::Netbeam(source) => source.round(desk, now()).await,
            Source::Devices(source) => source.round(desk, now()).await,
            Source::Simulate(source) => source.round(desk, now()).await,
            Source::Snmp(source) => source.round(desk).await,
        }
    }
}

/// A text from outside, without what could steer a terminal, and not too long.
fn clean(text: &str) -> String {
    harmless(text, 250)
}

/// What no interface does, in bit/s.
const IMPOSSIBLE: f64 = 1e13;

/// A value that can be a measurement, in the unit of the store.
fn is_measure(value: f64) -> bool {
    (0.0..=IMPOSSIBLE).contains(&value)
}
