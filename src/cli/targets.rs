//! The arguments of the commands that look at targets or change them.

use std::path::PathBuf;

use clap::Args;

use super::{DataArgs, ListFormat, TextOrJson};
use crate::sync::interval::Interval;

/// Which targets are meant.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Only this target of shapeline.yaml; may be given several times. Without it, all.
    #[arg(short = 't', long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
}

/// Who does something to a target, and how patiently.
#[derive(Debug, Args)]
pub struct ActorArgs {
    /// Who does it, for the log. Without it, what the build server or the system says.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,

    /// How many seconds to wait while somebody else works on the target.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub wait: u32,
}

/// Arguments of `publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,

    /// The targets.
    #[command(flatten)]
    pub targets: TargetArgs,

    /// Refuse unless exactly this happens: what `publish --dry-run --format json` printed before,
    /// or `plan --live TARGET --format json`.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,

    /// Carry out a plan that is not safe: its fingerprint says which.
    #[arg(long, value_name = "FINGERPRINT")]
    pub ack: Option<String>,

    /// Show what would happen; change nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Publish the files on disk, even if they are not committed.
    #[arg(long, conflicts_with = "rev")]
    pub allow_dirty: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub who: ActorArgs,

    /// How the outcome is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: TextOrJson,
}

/// Arguments of `drift`.
#[derive(Debug, Args)]
pub struct DriftArgs {
    /// The data.
    #[command(flatten)]
    pub data: DataArgs,

    /// The targets.
    #[command(flatten)]
    pub targets: TargetArgs,

    /// Tell the target's log of a difference.
    #[arg(long)]
    pub record: bool,

    /// Compare with the files on disk, even if they are not committed.
    #[arg(long, conflicts_with = "rev")]
    pub allow_dirty: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub who: ActorArgs,

    /// How the difference is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: TextOrJson,
}

/// Arguments of `rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The target.
    #[arg(short = 't', long, value_name = "NAME")]
    pub target: String,

    /// The version's number, as `log` tells it. Without it, the one before the live one.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<u64>,

    /// Even if hardly anybody would be left.
    #[arg(long)]
    pub force: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub who: ActorArgs,

    /// How the outcome is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: TextOrJson,
}

/// Which part of a log.
#[derive(Debug, Args)]
pub struct PeriodArgs {
    /// From this day or moment on (UTC), such as 2026-11-01 or 2026-11-01T12:00:00Z.
    #[arg(long, value_name = "WHEN")]
    pub from: Option<String>,

    /// Up to this day or moment (UTC), with it.
    #[arg(long, value_name = "WHEN")]
    pub to: Option<String>,
}

/// Arguments of `log` and of `stat`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The targets.
    #[command(flatten)]
    pub targets: TargetArgs,

    /// Of the backup folder, in place of the targets.
    #[arg(long, conflicts_with = "targets")]
    pub backup: bool,

    /// The period.
    #[command(flatten)]
    pub period: PeriodArgs,

    /// How it is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: ListFormat,
}

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The files and folders to copy, each to a copy of its own.
    #[arg(value_name = "PATH", required_unless_present_any = ["list", "restore"])]
    pub paths: Vec<PathBuf>,

    /// List the copies.
    #[arg(long, conflicts_with_all = ["paths", "restore"])]
    pub list: bool,

    /// Put this copy back where it was.
    #[arg(long, value_name = "ID", conflicts_with = "paths")]
    pub restore: Option<String>,

    /// Put it into this folder, under its own name.
    #[arg(long, value_name = "DIR", requires = "restore", conflicts_with = "paths")]
    pub into: Option<PathBuf>,

    /// Put it in place of what is there.
    #[arg(long, requires = "restore", conflicts_with = "paths")]
    pub force: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub who: ActorArgs,

    /// How the list is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text", requires = "list")]
    pub format: ListFormat,
}

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// Go round once, and exit with what became of it.
    #[arg(long)]
    pub once: bool,

    /// The time from one round to the next: 60s, 5m, 1h. Twice as long after each failure.
    #[arg(long, value_name = "TIME", default_value = "60s")]
    pub interval: Interval,

    /// The remote of the clone.
    #[arg(long, value_name = "NAME", default_value = "origin")]
    pub remote: String,

    /// The branch that is to be live.
    #[arg(long, value_name = "NAME", default_value = "main")]
    pub branch: String,

    /// The targets.
    #[command(flatten)]
    pub targets: TargetArgs,

    /// Publish only what is signed by one of the allowed signers.
    #[arg(long, requires = "allowed_signers")]
    pub require_signature: bool,

    /// Who may sign: lines as in ssh-keygen(1), and `gpg FINGERPRINT`. Not in the clone.
    #[arg(long, value_name = "FILE", requires = "require_signature")]
    pub allowed_signers: Option<PathBuf>,

    /// Write how it is to this file after each round; see docs/sync.md.
    #[arg(long, value_name = "FILE")]
    pub status_file: Option<PathBuf>,

    /// Only read the status file: 0 fine, 1 refused, 2 failing or stale. For monitoring.
    #[arg(long, requires = "status_file", conflicts_with_all = ["once", "require_signature"])]
    pub health: bool,

    /// Who, and how patiently.
    #[command(flatten)]
    pub who: ActorArgs,

    /// How the outcome of `--once` is printed.
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    pub format: TextOrJson,
}
