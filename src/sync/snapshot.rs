//! The state of a target at the end of a round.

use anyhow::Result;

use crate::model::Target;
use crate::publish::site::Site;
use crate::records::manifest::{Hold, Live};

/// What the outcome on a target depends on, besides the commit and the day. While nothing of this
/// changes, another round would have the same outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TargetSnapshot {
    /// The digest of the live file.
    pub(super) live: Option<String>,
    /// The version published last.
    pub(super) published: Option<Live>,
    /// Whether something was rolled back.
    pub(super) held: Option<Hold>,
}

impl TargetSnapshot {
    /// Reads the target. `None` while a publish is under way or was interrupted.
    ///
    /// # Errors
    /// If it cannot be reached or read.
    pub(super) fn now(target: &Target) -> Result<Option<TargetSnapshot>> {
        let site = Site::open(target)?;
        let ledger = site.ledger();
        if ledger.pending()?.is_some() {
            return Ok(None);
        }
        let (published, held) = ledger.manifest()?.map(|manifest| (manifest.live, manifest.held)).unwrap_or_default();
        Ok(Some(TargetSnapshot { live: site.live()?.map(|live| live.digest().to_owned()), published, held }))
    }

    pub(super) fn published_digest(&self) -> Option<&String> {
        self.published.as_ref().map(|live| &live.version.digest)
    }
}
