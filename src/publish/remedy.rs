//! What an operator can do about a refusal, as a value.

/// What to do about a refusal. It is part of a reason, in the report and in the target's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy<'r> {
    /// Publish all the same, by acknowledging the change.
    Acknowledge {
        /// The fingerprint that does.
        fingerprint: &'r str,
        /// The revision that is published, if one was named.
        rev: Option<&'r str>,
    },
    /// Make a plan for all targets, or for this one.
    MakePlan(&'r str),
    /// Look at what would happen on this target now, and make another plan.
    PlanAgain(&'r str),
    /// Name the version to go back to.
    ChooseVersion {
        /// What was published last.
        last: u64,
        /// What was published before that.
        before: Option<u64>,
    },
    /// Go back all the same.
    Force,
    /// Go back without asking the check command.
    SkipCheck,
}

/// How the caller of a run words a remedy: with the options of a command, for example.
pub type Words = fn(&Remedy<'_>) -> String;
