//! `subscriber set`.

use std::path::Path;

use anyhow::Result;

use super::change::{self, Confirmation};
use crate::cli::SetArgs;
use crate::commands::Outcome;
use crate::edit;

pub(super) fn run(root: &Path, args: &SetArgs) -> Result<Outcome> {
    change::run(root, &args.edit, Confirmation::OnTerminal, |repo, changes| {
        edit::set(repo, &args.who, &args.fields, changes)
    })
}
