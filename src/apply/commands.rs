//! The check and reload commands of a target.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Apply, command};
use crate::model::{Target, Word};
use crate::records::command::CommandRecord;

/// Limit for each command where the settings name none, in seconds.
const TIMEOUT: u32 = 60;

/// A target's commands.
pub(crate) struct Commands {
    check: Option<Vec<String>>,
    reload: Option<Vec<String>>,
    limit: Duration,
    /// The live file's name.
    file: String,
    /// Where the live file is.
    place: String,
}

impl Commands {
    /// The commands of `target`, whose live file is `file` at `place`.
    pub(crate) fn of(target: &Target, file: &str, place: String) -> Commands {
        let words = |command: &Option<Vec<Word>>| {
            command.as_ref().map(|words| words.iter().map(ToString::to_string).collect::<Vec<String>>())
        };
        Commands {
            check: words(&target.check),
            reload: words(&target.reload),
            limit: Duration::from_secs(u64::from(target.timeout.unwrap_or(TIMEOUT))),
            file: file.to_owned(),
            place,
        }
    }
}

impl Apply for Commands {
    /// The command sees a copy on this host, whatever kind the target is.
    fn check(&self, bytes: &[u8]) -> Result<Option<CommandRecord>> {
        let Some(words) = &self.check else { return Ok(None) };
        let cannot = "cannot write a copy for the check command";
        let mut builder = tempfile::Builder::new();
        // The copy lists all subscribers: for this user only.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.prefix("shapeline-check-").tempdir().context(cannot)?;
        let path = folder.path().join(&self.file);
        std::fs::write(&path, bytes).context(cannot)?;
        command::run(words, &path.to_string_lossy(), self.limit).context("the check command").map(Some)
    }

    fn reload(&self) -> Result<Option<CommandRecord>> {
        let run = |words: &Vec<String>| command::run(words, &self.place, self.limit);
        self.reload.as_ref().map(run).transpose()
    }
}
