//! `check`: schemas and business rules.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use super::Outcome;
use crate::cli::CheckArgs;
use crate::git::{self, Git};
use crate::inventory::Context;
use crate::inventory::ReviewedChange;
use crate::repo::Repo;
use crate::report::{self, CheckReport};
use crate::rules::proposed_template_findings;
use crate::text::quote::quoted;
use crate::tree::Tree;

pub(super) fn run(root: &Path, args: &CheckArgs) -> Result<Outcome> {
    let started = Instant::now();
    let mut repo = super::load(root, &args.data)?;
    let base = match &args.base {
        Some(rev) => {
            let tree = base_tree(root, rev, &args.actors)?;
            Some(super::load_with(&tree, |tree| Repo::load_base(tree, &repo))?)
        }
        None => None,
    };
    let change = base.as_ref().map(|base| ReviewedChange::new(base, &mut repo, &args.actors));
    let repo = super::until_the_end(repo);
    let context = Context::new(&repo, super::today(&args.data), change);
    let (rendering, not_rendered) = proposed_template_findings(&repo, &context);
    if let Some(why) = not_rendered {
        // If standard error is closed, the result is the same.
        let _ = writeln!(crate::console::err(), "note: {why}");
    }
    let report = CheckReport::new(&context, rendering, started.elapsed()).in_folder(git::folder_in_work_tree(root));
    match report::print(&report, args.format) {
        // Nobody reads on, as in `check | head`: what was found still decides how this ends.
        Err(error) if super::is_broken_pipe(&error) => {}
        printed => printed?,
    }
    Ok(if report.refused() { Outcome::Refused } else { Outcome::Fine })
}

/// The data of the base revision. If it has no such folder, it names neither owners nor admins, and
/// no change could be checked against them.
fn base_tree(root: &Path, rev: &str, actors: &[String]) -> Result<Tree> {
    let git = Git::discover(root)?;
    let commit = git.commit(rev)?;
    if !actors.is_empty() && !git.has_folder(commit)? {
        bail!(
            "the base has no folder {}, so what --actor may change is not known: was it moved or replaced by a link?",
            quoted(git.prefix())
        );
    }
    Ok(git.tree_of(commit))
}
