//! The arguments of the commands that look at targets or change them.

use std::path::PathBuf;

use clap::Args;

use super::{DataArgs, ListFormat, TextOrJson};
use crate::sync::interval::Interval;

/// Which targets are meant.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// Only this target of shapeline.yaml; may be given several times. Without it, all.
    #[arg(short = 't', long = "target", value_name = "NAME")]
    pub(crate) targets: Vec<String>,
}

/// Who does something to a target, and how patiently.
#[derive(Debug, Args)]
pub(crate) struct ActorArgs {
    /// Who does it, for the log. Without it, what the build server or the system says.
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,

    /// How many seconds to wait while somebody else works on the target.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(crate) wait: u32,
}

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// The targets.
    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// Refuse unless exactly this happens: what `publish --dry-run --format json` printed before,
    /// or `plan --live TARGET --format json`.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,

    /// Carry out a plan that is not safe: its fingerprint says which.
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) ack: Option<String>,

    /// Show what would happen; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Publish the files on disk, even if they are not committed.
    #[arg(long, conflicts_with = "rev")]
    pub(crate) allow_dirty: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub(crate) who: ActorArgs,

    /// How the outcome is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    /// The data.
    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// The targets.
    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// Tell the target's log of a difference.
    #[arg(long)]
    pub(crate) record: bool,

    /// Compare with the files on disk, even if they are not committed.
    #[arg(long, conflicts_with = "rev")]
    pub(crate) allow_dirty: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub(crate) who: ActorArgs,

    /// How the difference is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The target.
    #[arg(short = 't', long, value_name = "NAME")]
    pub(crate) target: String,

    /// The version's number, as `log` tells it. Without it, the one before the live one.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Option<u64>,

    /// Even if hardly anybody would be left.
    #[arg(long)]
    pub(crate) force: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub(crate) who: ActorArgs,

    /// How the outcome is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}

/// Which part of a log.
#[derive(Debug, Args)]
pub(crate) struct PeriodArgs {
    /// From this day or moment on (UTC), such as 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,

    /// Up to this day or moment (UTC), with it.
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
}

/// Arguments of `log` and of `stat`.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// The targets.
    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// Of the backup folder, in place of the targets.
    #[arg(long, conflicts_with = "targets")]
    pub(crate) backup: bool,

    /// The period.
    #[command(flatten)]
    pub(crate) period: PeriodArgs,

    /// How it is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: ListFormat,
}

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The files and folders to copy, each to a copy of its own.
    #[arg(value_name = "PATH", required_unless_present_any = ["list", "restore"])]
    pub(crate) paths: Vec<PathBuf>,

    /// List the copies.
    #[arg(long, conflicts_with_all = ["paths", "restore"])]
    pub(crate) list: bool,

    /// Put this copy back where it was.
    #[arg(long, value_name = "ID", conflicts_with = "paths")]
    pub(crate) restore: Option<String>,

    /// Put it into this folder, under its own name.
    #[arg(long, value_name = "DIR", requires = "restore", conflicts_with = "paths")]
    pub(crate) into: Option<PathBuf>,

    /// Put it in place of what is there.
    #[arg(long, requires = "restore", conflicts_with = "paths")]
    pub(crate) force: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub(crate) who: ActorArgs,

    /// How the list is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text", requires = "list")]
    pub(crate) format: ListFormat,
}

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// Go round once, and exit with what became of it.
    #[arg(long)]
    pub(crate) once: bool,

    /// The time from one round to the next: 60s, 5m, 1h. Twice as long after each failure.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub(crate) interval: Interval,

    /// The remote of the clone.
    #[arg(long, value_name = "NAME", default_value = "origin")]
    pub(crate) remote: String,

    /// The branch that is to be live.
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub(crate) branch: String,

    /// The targets.
    #[command(flatten)]
    pub(crate) targets: TargetArgs,

    /// Publish only what is signed by one of the allowed signers.
    #[arg(long, requires = "allowed_signers")]
    pub(crate) require_signature: bool,

    /// Who may sign: lines as in ssh-keygen(1), and `gpg FINGERPRINT`. Not in the clone.
    #[arg(long, value_name = "FILE", requires = "require_signature")]
    pub(crate) allowed_signers: Option<PathBuf>,

    /// Write how it is to this file after each round; see docs/sync.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) status_file: Option<PathBuf>,

    /// Only read the status file: 0 fine, 1 refused, 2 failing or stale. For monitoring.
    #[arg(long, requires = "status_file", conflicts_with_all = ["once", "require_signature"])]
    pub(crate) health: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub(crate) who: ActorArgs,

    /// How the outcome of `--once` is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub(crate) format: TextOrJson,
}
