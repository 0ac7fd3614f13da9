//! `subscriber suspend`, `resume` and `remove`: the same to each of several.

use std::path::Path;

use anyhow::Result;

use super::change::{self, Confirmation};
use crate::cli::WhoListArgs;
use crate::commands::Outcome;
use crate::edit;

pub(super) fn suspend(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    change::run(root, &args.edit, Confirmation::OnTerminal, |repo, changes| edit::suspend(repo, &args.who, changes))
}

pub(super) fn resume(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    change::run(root, &args.edit, Confirmation::OnTerminal, |repo, changes| edit::resume(repo, &args.who, changes))
}

pub(super) fn remove(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    change::run(root, &args.edit, Confirmation::OnTerminal, |repo, changes| edit::remove(repo, &args.who, changes))
}
