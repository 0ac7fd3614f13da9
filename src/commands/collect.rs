//! `collect`: telemetry into the store and to the sinks.

use anyhow::{Result, bail};

use super::samples::{settings_and_place, sinks};
use super::{Outcome, checked_table, load_tree};
use crate::cli::{Cli, CollectArgs};
use crate::model::Date;
use crate::telemetry::collector::{CollectRequest, clean, collect, collect_once};
use crate::telemetry::sender::Sink;
use crate::telemetry::settings::KindSettings;
use crate::telemetry::subscribers::declared;
use crate::tree::Tree;

pub(super) fn run(cli: &Cli, args: &CollectArgs) -> Result<Outcome> {
    // Only a pretend network needs the data.
    let root = super::root(cli);
    let (settings, store) = settings_and_place(root.as_deref().ok(), &args.state)?;
    if args.clean {
        // Without them it would be guessed how long samples are kept, and where.
        let Some(settings) = settings else {
            bail!("--clean needs --settings with `telemetry`, which says how long samples are kept");
        };
        if store.file().is_some_and(|file| !file.exists()) {
            bail!("there are no samples in {}", store.shown());
        }
        clean(&store, &settings.retention)?;
        return Ok(Outcome::Fine);
    }
    let Some(settings) = settings.filter(|settings| !settings.sources.is_empty()) else {
        bail!("there is nothing to collect: list sources under `telemetry` in the file of --settings");
    };
    let sinks = sinks(root.as_deref().ok(), &args.state, Some(&settings), Some(&store))?;
    let sinks = args.stdout.then_some(Sink::Stdout).into_iter().chain(sinks).collect();
    let pretends = settings.sources.iter().any(|source| matches!(source.kind, KindSettings::Simulate(_)));
    let declared = if pretends {
        let repo = load_tree(&Tree::Work { root: root? })?;
        match checked_table(&repo.into(), Date::today())? {
            Some(table) => declared(&table),
            None => return Ok(Outcome::Refused),
        }
    } else {
        Vec::new()
    };
    let request = CollectRequest { store, settings, declared, sinks };
    if args.once {
        return Ok(if collect_once(&request)? { Outcome::Fine } else { Outcome::Failed });
    }
    collect(&request)?;
    Ok(Outcome::Fine)
}
