//! The step that comes after an edit, and who may take it.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use crate::edit::Review;
use crate::git::Git;
use crate::inventory::Index;
use crate::model::Owner;
use crate::text::quote::{harmless, listed, quoted};

/// What became of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Done<'b> {
    /// Files were written.
    Written,
    /// A commit was made on this branch.
    Committed(&'b str),
    /// This branch was pushed.
    Pushed(&'b str),
}

/// Prints what comes next, and whose domains the edit changes if they seem to be other people's.
pub(super) fn print(root: &Path, review: Option<&Review>, done: Done<'_>) -> Result<()> {
    // Without git there is nobody to propose to.
    let Ok(Some(git)) = Git::around(root) else { return Ok(()) };
    let mut out = crate::console::err();
    for note in review.into_iter().flat_map(|review| owned_by_others(&git, review)) {
        writeln!(out, "note: {note}")?;
    }
    match done {
        Done::Written => writeln!(
            out,
            "next: `git add subscribers`, `git commit` and `git push` send it to be reviewed; with --push, the command does that"
        )?,
        Done::Committed(branch) => {
            writeln!(out, "next: `git push origin {}` sends it to be reviewed", harmless(branch, 200))?;
        }
        Done::Pushed(branch) => {
            let branch = quoted(branch);
            writeln!(
                out,
                "next: open a pull request for {branch}; the change is live once it is merged and published"
            )?;
        }
    }
    Ok(())
}

/// A sentence for each touched domain that has owners, none of whom is the user of git, as far as its settings
/// tell.
fn owned_by_others(git: &Git, review: &Review) -> Vec<String> {
    let names = git.user_names();
    let is_user = |owner: &Owner| names.iter().any(|name| owner.is(name));
    if review.after.settings.admins.iter().any(is_user) {
        return Vec::new();
    }
    let index = Index::new(&review.after);
    let domains = review.domains.iter().filter_map(|name| index.domain(name)).map(|record| &record.value);
    let others = domains.filter(|domain| !domain.owners.is_empty() && !domain.owners.iter().any(is_user));
    others
        .map(|domain| {
            let owners = listed(domain.owners.iter().map(ToString::to_string));
            let name = quoted(domain.name.as_str());
            format!(
                "{name} is owned by {owners}: the proposal will be refused unless one of them, or an admin, makes it"
            )
        })
        .collect()
}
