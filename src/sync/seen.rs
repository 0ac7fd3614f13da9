//! What one saw of a target.

use anyhow::Result;

use crate::model::Target;
use crate::publish::site::Site;
use crate::records::manifest::{Hold, Live};
use crate::store::digest;

/// What the outcome on a target hangs on, beside the commit and the day. While nothing of this has
/// changed, the outcome would be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The digest of the live file.
    pub(super) live: Option<String>,
    /// What was published last.
    pub(super) published: Option<Live>,
    /// Whether something was rolled back.
    pub(super) held: Option<Hold>,
}

impl Seen {
    /// Looks at the target. Nothing where a publish goes on or was cut off.
    ///
    /// # Errors
    /// If it cannot be reached or read.
    pub(super) fn now(target: &Target) -> Result<Option<Seen>> {
        let site = Site::open(target)?;
        let ledger = site.ledger();
        if ledger.pending()?.is_some() {
            return Ok(None);
        }
        let (published, held) = ledger.manifest()?.map(|manifest| (manifest.live, manifest.held)).unwrap_or_default();
        Ok(Some(Seen { live: site.live()?.map(|live| digest(&live.bytes)), published, held }))
    }

    /// The digest of what was published last.
    pub(super) fn published_digest(&self) -> Option<&String> {
        self.published.as_ref().map(|live| &live.version.digest)
    }
}
