//! What a publish or a rollback did to one target.

use serde::Serialize;

use crate::plan::ChangePlan;
use crate::publish::freeze::Frozen;
use crate::text::count::grouped;

/// How it ended on one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PublishOutcome {
    /// A new version is live.
    Published,
    /// The output is live already.
    Unchanged,
    /// It would be published: the run only looks.
    Planned,
    /// It may not be: nothing was changed.
    Refused,
    /// Something went wrong.
    Failed,
}

/// How many addresses are added, changed and removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Served from now on.
    pub added: usize,
    /// Served otherwise.
    pub changed: usize,
    /// No longer served.
    pub removed: usize,
}

impl Changed {
    /// What `plan` changes.
    pub fn of(plan: &ChangePlan<'_>) -> Changed {
        let changes = &plan.changes;
        Changed { added: changes.added, changed: changes.changed, removed: changes.removed }
    }
}

impl std::fmt::Display for Changed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [added, changed, removed] = [self.added, self.changed, self.removed].map(grouped);
        write!(f, "{added} added, {changed} changed, {removed} removed")
    }
}

/// What happened on one target.
#[derive(Clone, Debug, Serialize)]
pub struct TargetReport {
    /// The target's name.
    pub target: String,
    /// How it ended.
    pub ended: PublishOutcome,
    /// Why it was refused or failed. Sentences.
    pub reasons: Vec<String>,
    /// What else one should know.
    pub notes: Vec<String>,
    /// How many addresses are added, changed and removed.
    pub changes: Option<Changed>,
    /// The fingerprint of the change.
    pub fingerprint: Option<String>,
    /// What acknowledges the change: the fingerprint; after a rollback, one of this rollback.
    pub acknowledge: Option<String>,
    /// The version that is live now.
    pub version: Option<u64>,
    /// Its digest.
    pub digest: Option<String>,
    /// The commit of the data.
    pub commit: Option<String>,
    /// Domains that are as they were in an earlier commit, because later data of them has errors.
    pub frozen: Vec<Frozen>,
    /// Whether the target is held after a rollback: publishing is refused until the data gives what is live.
    pub held: bool,
    /// The digest of the last line of the log.
    pub log: Option<String>,
    /// The plan in words, of a dry run.
    #[serde(skip)]
    pub plan: Option<String>,
}

impl TargetReport {
    /// Nothing known but how it ended.
    pub fn new(target: &str, ended: PublishOutcome, reasons: Vec<String>) -> TargetReport {
        TargetReport {
            target: target.to_owned(),
            ended,
            reasons,
            notes: Vec::new(),
            changes: None,
            fingerprint: None,
            acknowledge: None,
            version: None,
            digest: None,
            commit: None,
            frozen: Vec::new(),
            held: false,
            log: None,
            plan: None,
        }
    }
}
