//! An edit from beginning to end: read, changed, checked, then shown, written or committed.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::cli::EditArgs;
use crate::commands::{Outcome, load_unaltered};
use crate::edit::{BranchTip, Changes, CommitSpec, Draft, Refusal, Review, WorkTree};
use crate::finding::Severity;
use crate::git::Git;
use crate::model::{Date, Subscriber};
use crate::plan::{Before, ChangePlan, PlanBase, Side, served_by, text};
use crate::render;
use crate::repo::Repo;
use crate::report::CheckFormat;
use crate::report::{self, Report};
use crate::text::characters::is_steering;
use crate::text::columns::columns;
use crate::text::count::counted;
use crate::text::quote::harmless;
use crate::text::quote::quoted;
use crate::tree::Tree;

/// How many changes on the network are told one by one.
const TOLD: usize = 10;

/// What an edit does, in words.
pub(super) struct Told {
    /// As a commit says it: `Add`.
    pub verb: &'static str,
    /// As it is told afterwards: `Added`.
    pub done: &'static str,
    /// The rest of the sentence.
    pub what: String,
    /// One line for each, where there are several.
    pub each: Vec<String>,
    /// What a branch is called after.
    pub subject: String,
    /// What is said if there is nothing to do.
    pub already: String,
}

/// Where the data is read from and the edit goes to.
enum Ground {
    Files(Option<WorkTree>),
    Branch(Git, BranchTip),
}

/// Makes an edit: `make` says which changes.
///
/// # Errors
/// If it cannot be made; a [`crate::edit::Refusal`] where the change is at fault.
pub(super) fn run(
    root: &Path,
    args: &EditArgs,
    make: impl FnOnce(&Repo, &mut Changes<'_>) -> Result<Told>,
) -> Result<Outcome> {
    let today = args.on.unwrap_or_else(Date::today);
    let (ground, tree) = open(root, args)?;
    let before = Arc::new(load_unaltered(&tree)?);
    let mut changes = Changes::new(&before);
    let told = make(&before, &mut changes)?;
    let mut draft = Draft::new(tree);
    let lost = changes.make(&mut draft)?;
    let mut notes = crate::console::err();
    if draft.is_empty() {
        writeln!(notes, "{}: nothing to do", told.already)?;
        return Ok(Outcome::Fine);
    }
    let review = Review::of(&before, &draft, today)?;
    if !review.new.is_empty() {
        let report = Report::of(&review.after, review.new.clone());
        report::write(&report, CheckFormat::Text, &mut notes)?;
    }
    if review.refused() {
        let errors = review.new.iter().filter(|finding| finding.severity == Severity::Error).count();
        let errors = counted(errors, "error", "errors");
        writeln!(notes, "REFUSED, nothing was changed: the data would have {errors} that it has not now")?;
        return Ok(Outcome::Refused);
    }
    if review.old_errors > 0 {
        let errors = counted(review.old_errors, "error", "errors");
        writeln!(notes, "note: the data had {errors} before, and still has: `shapeline check` tells")?;
    }
    for note in lost {
        writeln!(notes, "note: {note}")?;
    }
    if args.dry_run {
        let shown = show(&draft)?;
        writeln!(notes, "{}", network(&review)?.trim_end())?;
        drop(notes);
        print(&shown)?;
        return Ok(Outcome::Fine);
    }
    drop(notes);
    let mut said = format!("{} {}\n", told.done, told.what);
    told.each.iter().for_each(|one| said += &format!("  {one}\n"));
    match ground {
        Ground::Files(tree) => {
            let written = draft.write(&tree.context("the data is not locked")?)?;
            written.written.iter().for_each(|path| said += &format!("wrote {}\n", harmless(path, 400)));
            written.removed.iter().for_each(|path| said += &format!("removed {}\n", harmless(path, 400)));
            print(&(said + &network(&review)?))?;
        }
        Ground::Branch(git, tip) => {
            let name = if tip.name.is_empty() { new_branch(&git, &told)? } else { tip.name };
            let spec = CommitSpec { branch: name, message: message(args, &told)? };
            let commit = draft.commit(&git, &spec)?;
            let branch = harmless(&spec.branch, 200);
            said += &format!("committed {} on the branch {branch}\n", Git::short(commit));
            print(&(said + &network(&review)?))?;
            if args.push {
                git.push(&spec.branch)?;
                print(&format!("pushed {branch} to origin\n"))?;
            } else {
                let hint = format!("`git push origin {branch}` sends it to be reviewed");
                writeln!(crate::console::err(), "{hint}")?;
            }
        }
    }
    Ok(Outcome::Fine)
}

/// The files that an edit starts from, without keeping others from editing them.
pub(super) fn tree(root: &Path, args: &EditArgs) -> Result<Tree> {
    Ok(open(root, &EditArgs { dry_run: true, ..args.clone() })?.1)
}

fn open(root: &Path, args: &EditArgs) -> Result<(Ground, Tree)> {
    if args.commits() {
        let git = Git::discover(root)?;
        let tip = match &args.branch {
            Some(name) => git.branch_to_commit_to(name)?,
            None => {
                let head = git.commit("HEAD").context("commit the data once with git, then use --commit")?;
                BranchTip { name: String::new(), commit: head, is_new: true }
            }
        };
        let tree = git.tree_of(tip.commit);
        return Ok((Ground::Branch(git, tip), tree));
    }
    let mut notes = Vec::new();
    let lock = if args.dry_run { None } else { Some(WorkTree::lock(root, &mut notes)?) };
    for note in notes {
        writeln!(crate::console::err(), "note: {note}")?;
    }
    Ok((Ground::Files(lock), Tree::Work { root: root.to_path_buf() }))
}

fn print(text: &str) -> Result<()> {
    let mut out = crate::console::out();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// What the shaper would be told otherwise, in a few lines.
fn network(review: &Review) -> Result<String> {
    let output = render::output(&review.after.settings, None)?;
    let side = |table| Side { served: served_by(table), bytes: b"" };
    let base = PlanBase::File { path: String::new() };
    let (before, after) = (side(&review.table_before), side(&review.table_after));
    let plan = ChangePlan::new(&output, base, before, after, &review.table_after, Before::default());
    let changes = &plan.changes;
    if changes.is_empty() {
        return Ok("On the network nothing changes.\n".to_owned());
    }
    let rows: Vec<[String; 5]> = changes.all.iter().take(TOLD).map(text::row).collect();
    let mut said = format!("On the network, once it is published:\n{}", columns(&rows));
    if changes.all.len() > TOLD {
        said += &format!("and {} more\n", changes.all.len() - TOLD);
    }
    Ok(said)
}

/// The changes as a unified diff.
fn show(draft: &Draft) -> Result<String> {
    let mut shown = String::new();
    for change in draft.changes() {
        let (old, new) = (change.before.unwrap_or_default(), change.after.unwrap_or_default());
        let mut patch = git2::Patch::from_buffers(old.as_bytes(), None, new.as_bytes(), None, None)?;
        let text = String::from_utf8_lossy(&patch.to_buf()?).into_owned();
        let side = |there: bool, side: &str| match there {
            true => format!("{side}/{}", harmless(change.path, 400)),
            false => "/dev/null".to_owned(),
        };
        let (from, to) = (side(change.before.is_some(), "a"), side(change.after.is_some(), "b"));
        let hunks = text.find("\n@@").and_then(|at| text.get(at + 1..)).unwrap_or_default();
        shown += &format!("--- {from}\n+++ {to}\n{hunks}");
    }
    if !std::io::stdout().is_terminal() {
        // To the byte: `git apply` takes it.
        return Ok(shown);
    }
    let plain = |c: char| if is_steering(c) && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    Ok(shown.replace("\r\n", "\n").chars().map(plain).collect())
}

fn message(args: &EditArgs, told: &Told) -> Result<String> {
    if let Some(message) = &args.message {
        if message.trim().is_empty() || message.contains('\0') {
            bail!("{} is no message for a commit", quoted(message));
        }
        return Ok(format!("{}\n", message.trim_end()));
    }
    let mut message = format!("{} {}\n", told.verb, told.what);
    if !told.each.is_empty() {
        message += &format!("\n{}\n", told.each.join("\n"));
    }
    Ok(message)
}

/// What a branch is called after: the id, or the first address.
pub(super) fn subject(subscriber: &Subscriber) -> String {
    match (&subscriber.id, subscriber.ip.first()) {
        (Some(id), _) => id.to_string(),
        (None, ip) => ip.map(ToString::to_string).unwrap_or_default(),
    }
}

/// A name for a branch that is not there yet.
///
/// # Errors
/// If somebody is to be added whom another branch adds: both would pass their checks, and only one
/// can become part of the data.
fn new_branch(git: &Git, told: &Told) -> Result<String, Refusal> {
    let wanted = branch_name(told);
    let free = git.free_branch_name(&wanted);
    if told.verb == "Add" && free != wanted {
        return Err(Refusal(format!(
            "the branch {} proposes that already: `--branch {wanted}` continues it, another name makes a second proposal",
            quoted(&wanted)
        )));
    }
    Ok(free)
}

/// `add-10.10.10.31`: what git takes for a branch whatever the data says.
fn branch_name(told: &Told) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let mut subject: String = told.subject.chars().take(60).map(plain).collect();
    while subject.contains("..") {
        subject = subject.replace("..", ".");
    }
    let subject = subject.trim_matches(['.', '-']).trim_end_matches(".lock");
    format!("{}-{subject}", told.verb.to_lowercase()).trim_end_matches(['-', '.']).to_owned()
}
