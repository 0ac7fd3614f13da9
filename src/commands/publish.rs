//! `publish`: the data on the shapers.

use std::path::Path;

use anyhow::Result;

#[cfg(all(unix, feature = "telemetry"))]
use super::events::Events;
use super::targets::{
    load_data, note_left_on_disk, notice, notify_of_end, outcome, print, remedy, whether_read_or_not, who,
};
use super::{Outcome, refuse};

use crate::cli::{PublishArgs, TextOrJson};
use crate::git::Git;
use crate::model::Target;
use crate::notification::ended::{of_data, published};
use crate::notification::notice::{NoticeKind, Trouble};
use crate::notification::notifier::{DeliveryPatience, Notifier};
use crate::publish::choice::choose_targets;
use crate::publish::data::{DataRequest, LoadedData};
use crate::publish::planned::Planned;
use crate::publish::run::{PublishOptions, TargetReport, publish, record_refused_data};
use crate::repo::settings::sound;
use crate::text::count::counted;

pub(super) fn run(root: &Path, args: &PublishArgs) -> Result<Outcome> {
    let notifier = match args.dry_run {
        true => Notifier::off(),
        false => Notifier::start("publish", root, DeliveryPatience::COMMAND)?,
    };
    let ended = publish_all(root, args, &notifier);
    notify_of_end(&notifier, "publish", NoticeKind::PublishFailed, &ended);
    notifier.end();
    ended
}

fn publish_all(root: &Path, args: &PublishArgs, notifier: &Notifier) -> Result<Outcome> {
    let planned = args.plan.as_deref().map(Planned::read).transpose()?;
    let (who, patience) = who(&args.who);
    let (dry_run, acknowledged) = (args.dry_run, args.ack.clone());
    let options = PublishOptions { who, patience, planned, acknowledged, dry_run, quiet: false, words: remedy };
    let wanted =
        DataRequest { rev: args.data.rev.clone(), today: super::today(&args.data), allow_dirty: args.allow_dirty };
    if args.allow_dirty {
        super::warn_of_cut_off(root);
    }
    let reports = match load_data(root, &wanted)? {
        LoadedData::Ready(data) => {
            note_left_on_disk(&data)?;
            let targets = choose_targets(&data.table.repo().settings, &args.targets.targets)?;
            #[cfg(all(unix, feature = "telemetry"))]
            let mut events = if dry_run { None } else { Events::of(root, args.events.settings.as_deref())? };
            #[cfg(all(unix, feature = "telemetry"))]
            if let Some(events) = &mut events {
                events.begin(&targets);
            }
            let publish = |target: &&Target| publish(target, &data, &options, &mut notice(target));
            let reports: Vec<TargetReport> = targets.iter().map(publish).collect();
            #[cfg(all(unix, feature = "telemetry"))]
            if let Some(events) = &mut events {
                events.end(&targets, &mut || Ok(data.table.clone()));
            }
            published(notifier, &reports);
            reports
        }
        LoadedData::Unsound(repo, findings, why) => {
            let errors = counted(findings.len(), "error", "errors");
            let reason =
                format!("the data has {errors}; `shapeline check` lists them; nothing of it is published: {why}");
            whether_read_or_not(refuse(&repo, findings).map(|_| ()))?;
            // Where the settings are at fault, it is logged on the targets of the last settings without errors.
            let before = if sound(&repo).is_ok() { repo.settings.clone() } else { super::targets::settings(root)? };
            data_refused(notifier, root, &wanted, &reason);
            match choose_targets(&before, &args.targets.targets) {
                Ok(targets) => refused(&targets, &reason, &options),
                Err(_) => {
                    whether_read_or_not(print(&[], args.format == TextOrJson::Json))?;
                    return Ok(Outcome::Refused);
                }
            }
        }
    };
    whether_read_or_not(print(&reports, args.format == TextOrJson::Json))?;
    Ok(outcome(&reports))
}

/// Notifies once that the data is refused, and not for each target.
fn data_refused(notifier: &Notifier, root: &Path, wanted: &DataRequest, reason: &str) {
    let git = Git::around(root).ok().flatten();
    let commit = git.and_then(|git| git.commit(wanted.rev.as_deref().unwrap_or("HEAD")).ok());
    let commit = commit.map(|commit| commit.to_string());
    notifier.trouble(&of_data(), &Trouble::new(NoticeKind::PublishRefused, commit.as_deref(), reason));
}

fn refused(targets: &[&Target], reason: &str, options: &PublishOptions) -> Vec<TargetReport> {
    if options.dry_run {
        let report = |target: &&Target| {
            TargetReport::new(
                target.name.as_str(),
                crate::publish::run::PublishOutcome::Refused,
                vec![reason.to_owned()],
            )
        };
        return targets.iter().map(report).collect();
    }
    record_refused_data(targets, reason, options)
}
