//! `sync`: pull mode, on a host beside the shaper.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::Outcome;
#[cfg(all(unix, feature = "telemetry"))]
use super::events::{Events, table};
use super::targets::{remedy, who};
use crate::cli::{ActorArgs, Cli, SyncArgs, TextOrJson};
#[cfg(all(unix, feature = "telemetry"))]
use crate::git::Git;
#[cfg(all(unix, feature = "telemetry"))]
use crate::model::Settings;
use crate::notification::notifier::{DeliveryPatience, Notifier};
#[cfg(all(unix, feature = "telemetry"))]
use crate::publish::choice::choose_targets;
use crate::records::moment::Moment;
#[cfg(all(unix, feature = "telemetry"))]
use crate::repo::settings::before;
use crate::sync::health::health;
use crate::sync::service::SyncService;
use crate::sync::state::SyncState;
use crate::sync::status::SyncStatus;
use crate::sync::stop::StopSignal;
use crate::sync::syncer::{Syncer, Task};
use crate::sync::upstream::Upstream;
use crate::text::quote::harmless;
use crate::text::quote::short_id;

pub(super) fn run(cli: &Cli, args: &SyncArgs) -> Result<Outcome> {
    if let (true, Some(path)) = (args.health, &args.status_file) {
        return tell_health(path);
    }
    let stop = StopSignal::on_signals().context("cannot listen for signals")?;
    let root = super::clone_folder(cli)?;
    let patience = if args.once { DeliveryPatience::COMMAND } else { DeliveryPatience::SERVICE };
    let notifier = Notifier::start("sync", &root, patience)?;
    let ended = sync(root, args, &notifier, &stop);
    notifier.end();
    ended
}

fn sync(root: PathBuf, args: &SyncArgs, notifier: &Notifier, stop: &StopSignal) -> Result<Outcome> {
    let upstream = Upstream::open(&root, &args.remote, &args.branch)?;
    let actor = args.who.actor.clone().or_else(|| std::env::var("SHAPELINE_ACTOR").ok());
    let (who, patience) = who(&ActorArgs { actor: Some(actor.unwrap_or_else(|| "sync".to_owned())), ..args.who });
    let only = args.targets.targets.clone();
    #[cfg(all(unix, feature = "telemetry"))]
    let events_root = root.clone();
    let task = Task { root, upstream, only, signers: args.allowed_signers.clone(), who, patience, words: remedy };
    let (once, interval) = (args.once, args.interval);
    let (syncer, status_file) = (Syncer::new(task)?, args.status_file.clone());
    #[cfg(all(unix, feature = "telemetry"))]
    let mut after = events_of(&events_root, args)?;
    #[cfg(not(all(unix, feature = "telemetry")))]
    let mut after = || {};
    let service = SyncService { syncer, once, interval, status_file, notifier, after: &mut after };
    let status = service.run(stop)?;
    match status {
        Some(status) if once => {
            print(&status, args.format == TextOrJson::Json)?;
            Ok(outcome(status.state))
        }
        None if once => bail!("asked to end before the round was complete"),
        _ => Ok(Outcome::Fine),
    }
}

/// What writes the events of subscribers after each round. Events begin with what is live now.
///
/// # Errors
/// If the settings cannot be read.
#[cfg(all(unix, feature = "telemetry"))]
fn events_of(root: &Path, args: &SyncArgs) -> Result<impl FnMut() + use<>> {
    let (root, only) = (root.to_owned(), args.targets.targets.clone());
    let mut events = Events::of(&root, args.events.settings.as_deref())?;
    let mut emit = move |begin: bool| {
        let Some(events) = &mut events else { return };
        // Without settings that can be read there are no targets to look at.
        let Some((commit, settings)) = synced(&root) else { return };
        let Ok(targets) = choose_targets(&settings, &only) else { return };
        events.begin(&targets);
        if !begin {
            events.end(&targets, &mut || table(&root, Some(commit.clone())));
        }
    };
    emit(true);
    Ok(move || emit(false))
}

/// The commit that `sync` works by, before the first round that which is checked out, and its settings.
#[cfg(all(unix, feature = "telemetry"))]
fn synced(root: &Path) -> Option<(String, Settings)> {
    let git = Git::around(root).ok()??;
    let commit = git.synced().or_else(|| git.commit("HEAD").ok())?;
    let (_, settings) = before(&git, commit).next()?;
    Some((commit.to_string(), settings))
}

fn tell_health(path: &Path) -> Result<Outcome> {
    let (state, line) = health(&SyncStatus::read(path)?, Moment::now());
    let mut out = crate::console::out();
    writeln!(out, "{}", harmless(&line, 1000))?;
    Ok(outcome(state))
}

fn print(status: &SyncStatus, json: bool) -> Result<()> {
    if json {
        let mut out = crate::console::plain_out();
        crate::text::json::write_json(&mut out, status)?;
        return Ok(out.flush()?);
    }
    let commit = short_id(status.remote_commit.as_deref().unwrap_or("none"));
    let said = match status.state {
        SyncState::Ok => format!("commit {commit} is live"),
        SyncState::Held => format!("commit {commit} was rolled back, and is not published again"),
        SyncState::Refused
            if !status.frozen.is_empty() && status.targets.iter().all(|one| one.state == SyncState::Ok) =>
        {
            format!("commit {commit} is live without what is refused: {}", status.error.as_deref().unwrap_or_default())
        }
        SyncState::Refused => format!("commit {commit} may not be published; what was published stays"),
        SyncState::Starting | SyncState::Failing => "not all could be done; what was published stays".to_owned(),
    };
    let mut out = crate::console::out();
    writeln!(out, "{}: {said}", status.state.as_str())?;
    Ok(out.flush()?)
}

fn outcome(state: SyncState) -> Outcome {
    match state {
        SyncState::Ok => Outcome::Fine,
        SyncState::Held | SyncState::Refused => Outcome::Refused,
        SyncState::Starting | SyncState::Failing => Outcome::Failed,
    }
}
