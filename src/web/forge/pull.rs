//! A pull request, as every forge has it.

/// What became of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullState {
    Open,
    Merged,
    /// Closed without merging.
    Rejected,
}

/// A pull request. Its texts are the forge's: only those that are checked are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pull {
    /// Its number in the repository.
    pub(crate) number: u64,
    /// Its page, if it is at the forge's host.
    pub(crate) link: Option<String>,
    pub(crate) state: PullState,
    /// Whether it is a request into the branch that is followed: a reviewer can change that.
    pub(crate) into_base: bool,
    /// In seconds since 1970.
    pub(crate) opened: Option<i64>,
    /// When it was merged or closed.
    pub(crate) ended: Option<i64>,
    /// The commit by which it was merged.
    pub(crate) merged_as: Option<String>,
}
