//! An edit from beginning to end: opened, made, checked, then written or committed.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use git2::Oid;

use super::change::SubscriberEdits;
use super::commit::{Basis, BranchTip, CommitSpec};
use super::draft::Draft;
use super::not_made::NotMade;
use super::operation::{EditSummary, Verb};
use super::review::Review;
use super::work_tree::{WorkTree, WrittenFiles};
use crate::git::Git;
use crate::model::Date;
use crate::repo::Repo;
use crate::tree::Tree;

/// Where an edit goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination<'d> {
    /// Nowhere: it is only made and checked, and keeps no other edit waiting.
    Nowhere,
    /// The files on disk.
    Files,
    /// A commit on a branch.
    Branch {
        /// Its name; without one, it is named after the edit.
        name: Option<&'d str>,
        /// What it builds on if it is new.
        basis: Basis,
    },
}

/// An edit that is under way.
pub struct EditSession {
    place: Place,
    tree: Tree,
    /// What opening the files found out.
    pub notes: Vec<String>,
}

enum Place {
    Nowhere,
    Files(WorkTree),
    Branch(Git, BranchTip),
}

impl EditSession {
    /// Begins an edit. Files are locked until the session ends.
    ///
    /// # Errors
    /// If there is nothing to edit there, or another edit is under way.
    pub fn open(root: &Path, destination: Destination<'_>) -> Result<EditSession> {
        let mut notes = Vec::new();
        let work_tree = || Tree::Work { root: root.to_path_buf() };
        let (place, tree) = match destination {
            Destination::Nowhere => (Place::Nowhere, work_tree()),
            Destination::Files => (Place::Files(WorkTree::lock(root, &mut notes)?), work_tree()),
            Destination::Branch { name, basis } => {
                let git = Git::discover(root)?;
                let tip = match name {
                    Some(name) => git.branch_to_commit_to(name, basis)?,
                    None => BranchTip { name: String::new(), commit: git.start_of_branch(basis)?, local: None },
                };
                let tree = git.tree_of(tip.commit);
                (Place::Branch(git, tip), tree)
            }
        };
        Ok(EditSession { place, tree, notes })
    }

    /// The files that the edit starts from.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Makes the edit on `before`, which was read from [`EditSession::tree`], and checks the result by
    /// every rule. `make` adds the changes.
    ///
    /// # Errors
    /// A [`Refusal`](crate::query::Refusal) if the request is at fault; or if it cannot be made or checked.
    pub fn make(
        self,
        before: &Arc<Repo>,
        today: Date,
        make: impl FnOnce(&Repo, &mut SubscriberEdits<'_>) -> Result<EditSummary>,
    ) -> Result<ProposedEdit> {
        let mut changes = SubscriberEdits::new(before);
        let summary = make(before, &mut changes)?;
        let mut draft = Draft::new(self.tree);
        let notes = changes.make(&mut draft)?;
        let review = if draft.is_empty() { None } else { Some(Review::of(before, &draft, today)?) };
        Ok(ProposedEdit { summary, draft, review, notes, place: self.place })
    }
}

/// An edit that is made and checked, and not yet written.
pub struct ProposedEdit {
    /// What it does, in words.
    pub summary: EditSummary,
    /// The files as they would be.
    pub draft: Draft,
    /// What it does to the data; nothing if there is nothing to do.
    pub review: Option<Review>,
    /// What it loses, such as comments of a record that moves to another file.
    pub notes: Vec<String>,
    place: Place,
}

/// What became of an edit.
pub enum Saved {
    /// It was not to be saved.
    Nowhere,
    /// Files were written.
    Files(WrittenFiles),
    /// A commit was made.
    Commit {
        /// The branch.
        branch: String,
        /// The commit on it.
        commit: Oid,
        /// The repository, to push from.
        git: Box<Git>,
    },
}

impl ProposedEdit {
    /// Writes the files, or commits with this message. Whether the review allows it is for the caller to
    /// look at first: [`Review::refused`].
    ///
    /// # Errors
    /// If the files have changed meanwhile, or cannot be written; then all are as they were.
    pub fn save(self, message: String) -> Result<Saved> {
        Ok(match self.place {
            Place::Nowhere => Saved::Nowhere,
            Place::Files(tree) => Saved::Files(self.draft.write(&tree)?),
            Place::Branch(git, tip) => {
                let branch = if tip.name.is_empty() { new_branch(&git, &self.summary)? } else { tip.name };
                let spec = CommitSpec { branch, local: tip.local, message, author: None };
                let commit = self.draft.commit(&git, &spec)?;
                Saved::Commit { branch: spec.branch, commit, git: Box::new(git) }
            }
        })
    }
}

/// A name for a branch that does not exist yet.
///
/// # Errors
/// If another branch adds the same subscriber: both would pass their checks, and only one
/// can become part of the data.
fn new_branch(git: &Git, summary: &EditSummary) -> Result<String, NotMade> {
    let wanted = branch_name(summary);
    let free = git.free_branch_name(&wanted);
    if summary.verb == Verb::Add && free != wanted {
        return Err(NotMade::Proposed(wanted));
    }
    Ok(free)
}

/// `add-10.10.10.31`: what git takes for a branch whatever the data says.
fn branch_name(summary: &EditSummary) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let mut subject: String = summary.subject.chars().take(60).map(plain).collect();
    while subject.contains("..") {
        subject = subject.replace("..", ".");
    }
    let subject = subject.trim_matches(['.', '-']).trim_end_matches(".lock");
    format!("{}-{subject}", summary.verb.imperative().to_lowercase()).trim_end_matches(['-', '.']).to_owned()
}
