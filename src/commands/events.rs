//! The events of subscribers that `publish`, `rollback` and `sync` write. They report what goes wrong, and never
//! fail: what is missing is caught up by the next run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::samples::{settings_and_place, sinks};
use crate::cli::{DataArgs, StateArgs};
use crate::inventory::Context;
use crate::model::Target;
use crate::plan::{AddressChange, Served};
use crate::publish::compare::{Comparison, recorded};
use crate::records::manifest::Live;
use crate::render::Table;
use crate::sync::journal::Journal;
use crate::telemetry::events::{Coverage, EventStore};
use crate::telemetry::message::Message;
use crate::telemetry::sender::Sink;

/// Where events go.
pub(super) struct Events {
    store: Option<EventStore>,
    sinks: Vec<Sink>,
    journal: Journal,
    root: PathBuf,
    settings: Option<PathBuf>,
}

impl Events {
    /// Prepares events, if the settings or the environment name a sink.
    ///
    /// # Errors
    /// If the settings cannot be read: before anything is published.
    pub(super) fn of(root: &Path, settings: Option<&Path>) -> Result<Option<Events>> {
        let args = state(settings);
        let named = settings.map(|_| settings_and_place(Some(root), &args)).transpose()?;
        let (telemetry, store) = named.map_or((None, None), |(telemetry, store)| (telemetry, Some(store)));
        let sinks = sinks(Some(root), &args, telemetry.as_ref(), store.as_ref())?;
        if sinks.is_empty() {
            return Ok(None);
        }
        let settings = settings.map(Path::to_owned);
        Ok(Some(Events { store: None, sinks, journal: Journal::default(), root: root.to_owned(), settings }))
    }

    /// Notes what is live before a run, where nothing is noted: events begin there.
    pub(super) fn begin(&mut self, targets: &[&Target]) {
        let begun = self.open().and_then(|store| targets.iter().try_for_each(|target| begin(store, target)));
        self.report("events", begun);
    }

    /// Writes and sends the events of what has changed since. `table` is the data, which knows the rates of plans.
    pub(super) fn end(&mut self, targets: &[&Target], table: &mut dyn FnMut() -> Result<Arc<Table>>) {
        if self.store.is_none() {
            // It was reported, and is not waited for again.
            return;
        }
        for target in targets {
            let ended = self.open().and_then(|store| cover(store, target, table));
            let noted = ended.map(|note| note.into_iter().for_each(|note| self.journal.event("events", &note)));
            self.report(&format!("events of {}", target.name), noted);
        }
        let sinks = self.sinks.clone();
        match self.open().and_then(|store| store.send(&sinks)) {
            Ok(all) => all.into_iter().for_each(|(name, ended)| self.report(&name, ended.map(drop))),
            Err(error) => self.report("events", Err(error)),
        }
    }

    fn open(&mut self) -> Result<&EventStore> {
        if self.store.is_none() {
            let place = settings_and_place(Some(&self.root), &state(self.settings.as_deref()))?.1;
            self.store = Some(EventStore::open(&place)?);
        }
        self.store.as_ref().context("there is no store")
    }

    fn report(&mut self, about: &str, ended: Result<()>) {
        match ended {
            Ok(()) => self.journal.fine(about),
            Err(error) => {
                let why = format!("{error:#}; events that are missing follow with the next run");
                self.journal.trouble(about, &why);
            }
        }
    }
}

fn state(settings: Option<&Path>) -> StateArgs {
    StateArgs { settings: settings.map(Path::to_owned), state: None }
}

/// The data of a revision, as far as it can be read: for the names and rates of plans.
pub(super) fn table(root: &Path, rev: Option<String>) -> Result<Arc<Table>> {
    let data = DataArgs { rev, on: None };
    let repo = Arc::new(super::load(root, &data)?);
    Ok(Arc::new(Table::new(&repo, &Context::new(&repo, super::today(&data), None))))
}

fn begin(store: &EventStore, target: &Target) -> Result<()> {
    let name = target.name.as_str();
    if store.coverage(name)?.is_none() {
        let version = recorded(target)?.map_or(0, |live| live.version.id);
        store.cover(name, None, version, &[])?;
    }
    Ok(())
}

/// Writes the events of one target. Returns what is worth a note.
fn cover(store: &EventStore, target: &Target, table: &mut dyn FnMut() -> Result<Arc<Table>>) -> Result<Option<String>> {
    let name = target.name.as_str();
    let (Some(from), Some(live)) = (store.coverage(name)?, recorded(target)?) else { return Ok(None) };
    let to = live.version.id;
    if from.version == to {
        return Ok(None);
    }
    let table = table()?;
    let before = (from.version > 0).then_some(from.version);
    let (messages, note) = match Comparison::between(target, &table, before, to)? {
        Some(comparison) => (events(&comparison, &table, &from, &live), None),
        None => {
            let note = format!("{name}: version {} is not kept any more: no events from there to {to}", from.version);
            (Vec::new(), Some(note))
        }
    };
    store.cover(name, Some(&from), to, &messages)?;
    Ok(note)
}

fn events(comparison: &Comparison, table: &Arc<Table>, from: &Coverage, live: &Live) -> Vec<Message> {
    let plan = comparison.plan(table);
    let target = comparison.target();
    let at = live.since.milliseconds();
    let message = |change: &AddressChange<'_>| {
        let (what, old, new) = match change {
            AddressChange::Added(new) => ("added", Value::Null, side(new)),
            AddressChange::Removed(old, _) => ("removed", side(old), Value::Null),
            AddressChange::Changed { before, after } => ("changed", side(before), side(after)),
        };
        let body = json!({
            "event": what,
            "target": target,
            "ip": change.address().to_string(),
            "old": old,
            "new": new,
            "version": live.version.id,
            "previous": from.version,
            "commit": live.version.commit,
            "timestamp": at,
        });
        let versions = format!("{} {} {}", from.version, live.version.id, live.version.digest);
        Message::subscriber(target, &change.address().to_string(), &versions, (from.step, at), body)
    };
    plan.changes.all.iter().map(message).collect()
}

/// A subscriber as it was or is.
fn side(served: &Served<'_>) -> Value {
    let (up, down) = served.rates.map(|(up, down)| (up.bps(), down.bps())).unzip();
    json!({
        "ip": served.address.to_string(),
        "domain": served.domain,
        "plan": served.plan,
        "up_bps": up,
        "down_bps": down,
    })
}
