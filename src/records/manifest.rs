//! What the records say: versions, which of them is live, what holds it, what was begun.

use serde::{Deserialize, Serialize};

use crate::model::Safety;
use crate::records::frozen::FrozenAt;
use crate::records::log::{LogEntry, LogHead};
use crate::records::moment::Moment;
use crate::records::versioned::VERSION;
use crate::store::digest;

/// A version of the file: what was published, or found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredVersion {
    /// Its number, from 1.
    pub id: u64,
    /// Of its bytes.
    pub digest: String,
    /// How many bytes.
    pub bytes: u64,
    /// How many subscribers it serves; not known for what was found or made by a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribers: Option<u64>,
    /// The commit of the data; none for what was found, or was never committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The data had changes that were not committed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dirty: bool,
    /// Domains that are as they were in an earlier commit: the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<FrozenAt>,
    /// It was not published but found in place of the live file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
    /// When it was made or found.
    pub time: Moment,
    /// By whom.
    pub actor: String,
    /// The version of the tool.
    pub tool: String,
    /// Time, actor and tool are not known: the records that had them are lost. Until it is written down that the
    /// version was found.
    #[serde(skip)]
    pub undated: bool,
}

impl StoredVersion {
    /// A version that was not published but found.
    pub fn found(id: u64, bytes: &[u8]) -> StoredVersion {
        StoredVersion {
            id,
            digest: digest(bytes),
            bytes: bytes.len() as u64,
            subscribers: None,
            commit: None,
            dirty: false,
            frozen: Vec::new(),
            found: true,
            time: Moment::now(),
            actor: "unknown".to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            undated: false,
        }
    }
}

/// The version that is live, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The version.
    #[serde(flatten)]
    pub version: StoredVersion,
    /// Since when.
    pub since: Moment,
    /// Who put it in place.
    pub by: String,
}

/// Set by a rollback: the next run must not publish again what it took back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when.
    pub since: Moment,
    /// Names the rollback: a second one is another, even in the same second.
    pub run: String,
    /// Who rolled back.
    pub by: String,
    /// The version that was taken back.
    pub from: u64,
    /// The commit that was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// What is live, and what is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u32,
    /// The target's name at the last publish.
    pub target: String,
    /// What is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
    /// Set by a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Hold>,
    /// The safety limits at the last publish: data that raises them is judged by these, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Safety>,
    /// The number of the next version.
    pub next: u64,
    /// The newest commit that was published or found to give what is live: what does not follow
    /// from it is not published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// What is kept, oldest first.
    pub versions: Vec<StoredVersion>,
    /// The end of the log.
    pub log: LogHead,
}

impl Manifest {
    /// Nothing was ever published.
    pub fn new(target: &str) -> Manifest {
        Manifest {
            version: VERSION,
            target: target.to_owned(),
            live: None,
            held: None,
            limits: None,
            next: 1,
            newest: None,
            versions: Vec::new(),
            log: LogHead::default(),
        }
    }

    /// The kept version with this number.
    pub fn find(&self, id: u64) -> Option<&StoredVersion> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// The newest kept version with these bytes.
    pub fn with_digest(&self, digest: &str) -> Option<&StoredVersion> {
        self.versions.iter().rev().find(|version| version.digest == digest)
    }
}

/// Written before the live file is replaced, and gone from its file when all is done, so that
/// the run after a crash knows what was intended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The entry for the log.
    pub entry: LogEntry,
    /// The version that was live, if there was a file.
    pub before: Option<StoredVersion>,
    /// The new version.
    pub after: StoredVersion,
    /// The hold from then on.
    pub held: Option<Hold>,
    /// The limits to note in the manifest.
    pub limits: Option<Safety>,
    /// The newest commit from then on, if it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
    /// Set once the new file failed: why the old one is put back.
    pub taken_back: Option<String>,
}

impl Pending {
    /// A change that is about to begin.
    pub fn new(entry: LogEntry, before: Option<StoredVersion>, after: StoredVersion) -> Pending {
        Pending { entry, before, after, held: None, limits: None, newest: None, taken_back: None }
    }
}
