//! A log as programs read it: its entries, or how many there are of each kind. See docs/publish-json.md.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::records::log::{ActionLog, LogAction, LogEntry, LogHead, LogStatus};
use crate::records::moment::Moment;
use crate::records::period::Period;

/// The actions that are counted for a target even if there was none.
pub(crate) const OF_TARGETS: &[LogAction] = &[LogAction::Publish, LogAction::Rollback, LogAction::Drift];

/// Those of the backup folder.
pub(crate) const OF_BACKUPS: &[LogAction] = &[LogAction::Backup, LogAction::Restore];

/// The entries of one log.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Log of a target")]
pub(crate) struct LogListing {
    /// The target; `backup` for the backup folder.
    pub(crate) target: String,
    /// Whether every entry follows from the one before.
    pub(crate) whole: bool,
    /// What was found changed, removed or damaged.
    pub(crate) damage: Vec<String>,
    /// The end of the log.
    pub(crate) head: LogHead,
    /// The entries of the period, oldest first.
    pub(crate) entries: Vec<LogEntry>,
}

impl LogListing {
    /// The entries of `period`.
    pub(crate) fn of(target: String, mut log: ActionLog, period: &Period) -> LogListing {
        log.entries.retain(|entry| period.holds(entry));
        let whole = log.damage.is_empty();
        LogListing { target, whole, damage: log.damage, head: log.head, entries: log.entries }
    }
}

/// How often one kind of action was done.
#[derive(Default, Serialize, JsonSchema)]
#[schemars(title = "Count of actions")]
pub(crate) struct ActionCount {
    /// How often it was tried.
    pub(crate) attempted: u64,
    /// How often it succeeded.
    pub(crate) successful: u64,
    /// How often it was refused or failed.
    pub(crate) failed: u64,
    /// When it last succeeded.
    #[schemars(with = "Option<String>")]
    pub(crate) last_success: Option<Moment>,
}

/// How often what was done, by one log.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Counts of a target")]
pub(crate) struct ActionCounts {
    /// The target; `backup` for the backup folder.
    pub(crate) target: String,
    /// By kind of action, as the log names it.
    pub(crate) actions: BTreeMap<&'static str, ActionCount>,
}

impl ActionCounts {
    /// The counts of `period`. Those of `always` are listed even if there was none.
    pub(crate) fn of(target: String, log: &ActionLog, always: &[LogAction], period: &Period) -> ActionCounts {
        let mut actions: BTreeMap<&'static str, ActionCount> =
            always.iter().map(|action| (action.as_str(), ActionCount::default())).collect();
        for entry in log.entries.iter().filter(|entry| period.holds(entry)) {
            let count = actions.entry(entry.action.as_str()).or_default();
            count.attempted += 1;
            match entry.status {
                LogStatus::Success => {
                    count.successful += 1;
                    count.last_success = Some(entry.time);
                }
                LogStatus::Error => count.failed += 1,
            }
        }
        ActionCounts { target, actions }
    }
}
