//! The settings alone, of today and of the past: listing and rollback must work, above all if the
//! settings are what is broken.

use anyhow::{Result, bail};

use super::Repo;
use crate::finding::{Finding, Severity};
use crate::git::Git;
use crate::model::Settings;
use crate::tree::{SETTINGS, Tree};

/// How many commits are searched for settings that can be read.
const MAX_COMMITS: usize = 100;

/// The settings in a text; the defaults if it is empty.
///
/// # Errors
/// If they cannot be read: the first error.
pub(crate) fn read(text: Vec<u8>) -> Result<Settings> {
    let files = if text.is_empty() { Vec::new() } else { vec![(SETTINGS.to_owned(), text)] };
    let repo = Repo::load(&Tree::Memory(files.into_iter().collect()))?;
    sound(&repo).cloned()
}

/// The settings of data that may have errors elsewhere.
///
/// # Errors
/// If the settings could not be read, and were replaced by the defaults.
pub(crate) fn sound(repo: &Repo) -> Result<&Settings> {
    let of_settings = |finding: &&Finding| {
        finding.severity == Severity::Error && repo.settings_file == Some(finding.primary.at.file())
    };
    match repo.findings.iter().find(of_settings) {
        Some(finding) => bail!("{}", finding.message),
        None => Ok(&repo.settings),
    }
}

/// The settings of a commit and of those before it, newest first, without those that cannot be read.
pub(crate) fn before(git: &Git, from: git2::Oid) -> impl Iterator<Item = (git2::Oid, Settings)> {
    let texts = git.texts_before(SETTINGS, from, MAX_COMMITS).into_iter();
    texts.filter_map(|(commit, text)| Some((commit, read(text).ok()?)))
}
