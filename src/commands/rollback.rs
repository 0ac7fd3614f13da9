//! `rollback`: a version of the past, live again.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::Outcome;
#[cfg(all(unix, feature = "telemetry"))]
use super::events::{Events, table};
#[cfg(all(unix, feature = "telemetry"))]
use super::targets::default_rev;
use super::targets::{notice, one_target, outcome, print, remedy, settings, whether_read_or_not, who};
use crate::cli::{RollbackArgs, TextOrJson};
use crate::notification::ended::rolled_back;
use crate::notification::notifier::{DeliveryPatience, Notifier};
use crate::publish::rollback::{RollbackOptions, rollback};
use crate::publish::run::{PublishOutcome, TargetReport};

pub(super) fn run(root: &Path, args: &RollbackArgs) -> Result<Outcome> {
    let notifier =
        if args.dry_run { Notifier::off() } else { Notifier::start("rollback", root, DeliveryPatience::COMMAND)? };
    let ended = go_back(root, args, &notifier);
    notifier.end();
    ended
}

fn go_back(root: &Path, args: &RollbackArgs, notifier: &Notifier) -> Result<Outcome> {
    let settings = settings(root)?;
    let target = one_target(&settings, args.target.as_deref())?;
    let (who, patience) = who(&args.who);
    let options =
        RollbackOptions { who, patience, to: args.to, force: args.force, dry_run: args.dry_run, words: remedy };
    #[cfg(all(unix, feature = "telemetry"))]
    let mut events = if args.dry_run { None } else { Events::of(root, args.events.settings.as_deref())? };
    #[cfg(all(unix, feature = "telemetry"))]
    if let Some(events) = &mut events {
        events.begin(&[target]);
    }
    let reports = [rollback(target, &options, &mut notice(target))];
    #[cfg(all(unix, feature = "telemetry"))]
    if let Some(events) = &mut events {
        events.end(&[target], &mut || table(root, default_rev(root)?));
    }
    reports.iter().for_each(|report| rolled_back(notifier, report));
    whether_read_or_not(print(&reports, args.format == TextOrJson::Json))?;
    for report in reports.iter().filter(|report| report.held && report.ended == PublishOutcome::Published) {
        // The target is rolled back: a closed standard error changes nothing.
        let _ = writeln!(crate::console::err(), "{}", next_step(report));
    }
    Ok(outcome(&reports))
}

/// What ends the hold.
fn next_step(report: &TargetReport) -> String {
    let version = report.version.map(|id| format!(" at version {id}")).unwrap_or_default();
    format!(
        "held: {} stays{version} until the data gives the same. Next: undo the change in git if that is not done, then \
         `shapeline publish` goes on; to publish the data as it is, `shapeline publish` prints what to pass to --ack",
        report.target
    )
}
