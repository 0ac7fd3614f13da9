//! The arguments of the commands that read or change targets.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

#[cfg(all(unix, feature = "telemetry"))]
use super::telemetry::EventArgs;
use super::{DataArgs, ListFormat, TextOrJson, whole_number};
use crate::completion;
use crate::sync::interval::Interval;

/// The targets of a command.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// Only this target of shapeline.yaml. Can be repeated [default: all targets]
    #[arg(short = 't', long = "target", value_name = "NAME", add = ArgValueCompleter::new(completion::targets))]
    pub(crate) targets: Vec<String>,
}

/// Who acts on a target, and how long to wait for it.
#[derive(Debug, Args)]
pub(crate) struct ActorArgs {
    /// The actor, for the log [default: from the build server or the system]
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,

    /// How many seconds to wait while another run holds the target's lock.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = whole_number::<u32>)]
    pub(crate) wait: u32,
}

#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,

    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// Refuse unless the change is exactly this plan, as printed by `publish --dry-run --format json`
    /// or `plan --live TARGET --format json`.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,

    /// Publish a plan beyond the safety limits, acknowledged by its fingerprint.
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) ack: Option<String>,

    /// Show what would happen; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Publish the files on disk, even if they are not committed.
    #[arg(long, conflicts_with = "rev")]
    pub(crate) allow_dirty: bool,

    #[command(flatten)]
    pub(crate) who: ActorArgs,

    #[cfg(all(unix, feature = "telemetry"))]
    #[command(flatten)]
    pub(crate) events: EventArgs,

    /// How the outcome is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,

    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// Record a difference in the target's log.
    #[arg(long)]
    pub(crate) record: bool,

    /// Compare with the files on disk, even if they are not committed.
    #[arg(long, conflicts_with = "rev")]
    pub(crate) allow_dirty: bool,

    #[command(flatten)]
    pub(crate) who: ActorArgs,

    /// How the difference is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The earlier version, as listed by `log` [default: the version before the live one]
    #[arg(value_name = "BEFORE", value_parser = whole_number::<u64>)]
    pub(crate) before: Option<u64>,

    /// The later version [default: what is live, so a live BEFORE is compared with itself]
    #[arg(value_name = "AFTER", value_parser = whole_number::<u64>)]
    pub(crate) after: Option<u64>,

    /// The target [default: the only one]
    #[arg(short = 't', long, value_name = "NAME", add = ArgValueCompleter::new(completion::targets))]
    pub(crate) target: Option<String>,

    /// Take the names and rates of plans from this git revision [default: what is checked out]
    #[arg(long, value_name = "REV")]
    pub(crate) rev: Option<String>,

    /// Exit with 3 if the versions differ.
    #[arg(long)]
    pub(crate) exit_code: bool,

    /// How the difference is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The target [default: the only one]
    #[arg(short = 't', long, value_name = "NAME", add = ArgValueCompleter::new(completion::targets))]
    pub(crate) target: Option<String>,

    /// Change nothing; show which version would be restored.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Version to restore, as listed by `log` [default: the version before the live one]
    #[arg(long, value_name = "VERSION", value_parser = whole_number::<u64>)]
    pub(crate) to: Option<u64>,

    /// Restore even if hardly any subscriber would be left.
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) who: ActorArgs,

    #[cfg(all(unix, feature = "telemetry"))]
    #[command(flatten)]
    pub(crate) events: EventArgs,

    /// How the outcome is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// The part of a log to read.
#[derive(Debug, Args)]
pub(crate) struct PeriodArgs {
    /// Since this day or moment (UTC), such as 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,

    /// Up to and including this day or moment (UTC).
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// Read the log of the backup folder instead of the targets.
    #[arg(long, conflicts_with = "targets")]
    pub(crate) backup: bool,

    #[command(flatten)]
    pub(crate) period: PeriodArgs,

    /// The output format.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The files and folders to copy, each to a copy of its own.
    #[arg(value_name = "PATH", required_unless_present_any = ["list", "restore"])]
    pub(crate) paths: Vec<PathBuf>,

    /// List the copies.
    #[arg(long, conflicts_with_all = ["paths", "restore"])]
    pub(crate) list: bool,

    /// Restore this copy to where it was.
    #[arg(long, value_name = "ID", conflicts_with = "paths")]
    pub(crate) restore: Option<String>,

    /// Restore it into this folder, under its own name.
    #[arg(long, value_name = "DIR", requires = "restore", conflicts_with = "paths")]
    pub(crate) into: Option<PathBuf>,

    /// Replace what is there.
    #[arg(long, requires = "restore", conflicts_with = "paths")]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) who: ActorArgs,

    /// How the list is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text", requires = "list")]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// Run one round, and exit with its result.
    #[arg(long)]
    pub(crate) once: bool,

    /// The time from one round to the next: 60s, 5m, 1h. Doubles after each failure.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) interval: Interval,

    /// The remote of the clone.
    #[arg(long, value_name = "NAME", default_value = "origin")]
    pub(crate) remote: String,

    /// The branch to publish.
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub(crate) branch: String,

    #[cfg(all(unix, feature = "telemetry"))]
    #[command(flatten)]
    pub(crate) events: EventArgs,

    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// Publish only commits signed by an allowed signer.
    #[arg(long, requires = "allowed_signers")]
    pub(crate) require_signature: bool,

    /// The allowed signers: lines as in ssh-keygen(1), and `gpg FINGERPRINT`. Must be outside the
    /// clone.
    #[arg(long, value_name = "FILE", requires = "require_signature")]
    pub(crate) allowed_signers: Option<PathBuf>,

    /// Write the status to this file after each round; see docs/sync.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) status_file: Option<PathBuf>,

    /// Only read the status file, for monitoring. Exits with 0 fine, 1 refused, 2 failing or stale.
    #[arg(long, requires = "status_file", conflicts_with_all = ["once", "require_signature"])]
    pub(crate) health: bool,

    #[command(flatten)]
    pub(crate) who: ActorArgs,

    /// How the outcome of `--once` is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}
