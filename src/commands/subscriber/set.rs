//! `subscriber set`.

use std::path::Path;

use anyhow::Result;

use super::change::{self, Confirmation};
use crate::cli::SetArgs;
use crate::commands::Outcome;
use crate::edit;
use crate::query::who;

pub(super) fn run(root: &Path, args: &SetArgs) -> Result<Outcome> {
    let naming = change::naming(&args.edit);
    change::run(root, &args.edit, Confirmation::OnTerminal, |repo, changes| {
        let found = who::find(repo, &args.who, naming)?;
        let mut summary = edit::set(repo, found.record, &args.fields, changes)?;
        summary.notes.extend(found.note);
        Ok(summary)
    })
}
