//! An edit on the command line: opened, made, then printed, written or committed.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};

use super::next_step::{self, Done};
use crate::cli::EditArgs;
use crate::commands::prompt::{can_ask, confirm, outdated};
use crate::commands::{Outcome, load_unaltered};
use crate::edit::{
    Basis, Destination, Draft, EditSession, EditSummary, FileTexts, NotMade, ProposedEdit, Review, Saved,
    SubscriberEdits,
};
use crate::finding::Severity;
use crate::git::Git;
use crate::model::Date;
use crate::plan::{Before, ChangePlan, PlanBase, Side, served_by, text};
use crate::query::Refusal;
use crate::query::who::Naming;
use crate::render;
use crate::repo::Repo;
use crate::report::{self, CheckFormat, CheckReport};
use crate::text::characters::is_steering;
use crate::text::columns::columns;
use crate::text::count::counted;
use crate::text::quote::{harmless, quoted};
use crate::tree::Tree;

/// Changes on the network that are listed.
const LISTED: usize = 10;

/// Whether a person is asked before an edit is made. In a script nobody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// Not asked.
    None,
    /// Asked on a terminal, unless `--yes` answers.
    OnTerminal,
}

impl Confirmation {
    fn is_due(self, args: &EditArgs) -> bool {
        self == Confirmation::OnTerminal && !args.yes && !args.dry_run && can_ask()
    }
}

/// Fetches from `origin` if the edit builds on what is there: an old clone would give out an address that
/// was given out since.
///
/// # Errors
/// If the edit is to be pushed, and there is no `origin` or it cannot be reached.
pub(super) fn fetch(root: &Path, args: &EditArgs) -> Result<()> {
    if args.push {
        let git = Git::discover(root)?;
        git.require_origin()?;
        return git.fetch();
    }
    let Some(branch) = &args.branch else { return Ok(()) };
    let git = Git::discover(root)?;
    if git.branch_at_origin(branch).is_some() && git.fetch().is_err() {
        let branch = quoted(branch);
        writeln!(crate::console::err(), "note: `origin` cannot be reached: {branch} may have newer commits there")?;
    }
    Ok(())
}

/// How the arguments may name a subscriber that is edited: by a part of its name only if a person sees
/// which one it is, and confirms it.
pub(super) fn naming(args: &EditArgs) -> Naming {
    if Confirmation::OnTerminal.is_due(args) { Naming::Part } else { Naming::Whole }
}

/// Makes an edit: `make` adds its changes.
///
/// # Errors
/// If it cannot be made; a [refusal](crate::query::Refusal) where the request is at fault.
pub(super) fn run(
    root: &Path,
    args: &EditArgs,
    confirmation: Confirmation,
    make: impl Fn(&Repo, &mut SubscriberEdits<'_>) -> Result<EditSummary>,
) -> Result<Outcome> {
    edit(root, args, confirmation, make).map_err(worded)
}

fn edit(
    root: &Path,
    args: &EditArgs,
    confirmation: Confirmation,
    make: impl Fn(&Repo, &mut SubscriberEdits<'_>) -> Result<EditSummary>,
) -> Result<Outcome> {
    let agreed = match confirmation.is_due(args) {
        // The lock is not held while a person thinks: the edit is made once more afterwards.
        true => match confirmed(propose(root, args, without_lock(args), &make)?)? {
            Ok(agreed) => Some(agreed),
            Err(outcome) => return Ok(outcome),
        },
        false => None,
    };
    let edit = propose(root, args, destination(args), &make)?;
    if let Some(agreed) = &agreed
        && *agreed != Agreed::to(&edit)?
    {
        return Err(outdated().into());
    }
    let network = match (reviewed(&edit, agreed.is_some())?, &edit.review) {
        (Some(outcome), _) => return Ok(outcome),
        (None, Some(review)) if agreed.is_none() => network(review, LISTED)?,
        (None, _) => String::new(),
    };
    if args.dry_run {
        let shown = show(&edit.draft)?;
        writeln!(crate::console::err(), "{}", network.trim_end())?;
        print(&shown)?;
        return Ok(Outcome::Fine);
    }
    save(root, edit, args, &network)
}

/// Makes an edit and checks it.
fn propose(
    root: &Path,
    args: &EditArgs,
    destination: Destination<'_>,
    make: impl FnOnce(&Repo, &mut SubscriberEdits<'_>) -> Result<EditSummary>,
) -> Result<ProposedEdit> {
    let today = args.on.unwrap_or_else(Date::today);
    let session = EditSession::open(root, destination)?;
    let mut notes = crate::console::err();
    for note in &session.notes {
        writeln!(notes, "note: {note}")?;
    }
    drop(notes);
    let before = Arc::new(load_unaltered(session.tree())?);
    session.make(&before, today, make)
}

/// What a person agreed to: nothing else may be done. The same files have another effect if a plan's rates or
/// the settings change in the meantime.
#[derive(PartialEq)]
struct Agreed {
    files: FileTexts,
    network: Option<String>,
}

impl Agreed {
    fn to(edit: &ProposedEdit) -> Result<Self> {
        let network = edit.review.as_ref().map(|review| network(review, usize::MAX)).transpose()?;
        Ok(Self { files: edit.draft.texts(), network })
    }
}

/// Shows what an edit would do and asks whether to go on. Returns what is agreed to, or how the command ends
/// without a question.
///
/// # Errors
/// A [refusal](crate::query::Refusal) if the answer is no.
fn confirmed(edit: ProposedEdit) -> Result<Result<Agreed, Outcome>> {
    if let Some(outcome) = reviewed(&edit, false)? {
        return Ok(Err(outcome));
    }
    let mut shown = said(edit.summary.verb.imperative(), &edit.summary);
    if let Some(review) = &edit.review {
        shown += &network(review, LISTED)?;
    }
    crate::console::err().write_all(shown.as_bytes())?;
    let agreed = Agreed::to(&edit)?;
    drop(edit);
    confirm("Make this change?")?;
    Ok(Ok(agreed))
}

/// Prints what the review found, unless it `was_shown`. Returns the outcome if that ends the command.
fn reviewed(edit: &ProposedEdit, was_shown: bool) -> Result<Option<Outcome>> {
    let mut notes = crate::console::err();
    let Some(review) = &edit.review else {
        writeln!(notes, "{}: nothing to do", edit.summary.already)?;
        return Ok(Some(Outcome::Fine));
    };
    if was_shown && !review.refused() {
        return Ok(None);
    }
    print_review(review, &mut notes)?;
    if review.refused() {
        return Ok(Some(Outcome::Refused));
    }
    for note in edit.summary.notes.iter().chain(&edit.notes) {
        writeln!(notes, "note: {note}")?;
    }
    Ok(None)
}

/// What an edit does, with a line for each subscriber where there are several.
fn said(verb: &str, summary: &EditSummary) -> String {
    let each: String = summary.each.iter().map(|one| format!("  {one}\n")).collect();
    format!("{verb} {}\n{each}", summary.what)
}

/// What is wrong that was not before; why the edit is refused, if it is.
fn print_review(review: &Review, notes: &mut dyn Write) -> Result<()> {
    if !review.new.is_empty() {
        let report = CheckReport::of(&review.after, review.new.clone());
        report::write(&report, CheckFormat::Text, notes)?;
    }
    if review.refused() {
        let errors = review.new.iter().filter(|finding| finding.severity == Severity::Error).count();
        let errors = counted(errors, "error", "errors");
        writeln!(notes, "REFUSED, nothing was changed: the data would have {errors} that it has not now")?;
    } else if review.old_errors > 0 {
        let errors = counted(review.old_errors, "error", "errors");
        writeln!(notes, "note: the data had {errors} before, and still has: see `shapeline check`")?;
    }
    Ok(())
}

fn save(root: &Path, mut edit: ProposedEdit, args: &EditArgs, network: &str) -> Result<Outcome> {
    let (summary, review) = (edit.summary.clone(), edit.review.take());
    let mut said = said(summary.verb.past(), &summary);
    match edit.save(message(args, &summary)?)? {
        Saved::Nowhere => {}
        Saved::Files(written) => {
            written.written.iter().for_each(|path| said += &format!("wrote {}\n", harmless(path, 400)));
            written.removed.iter().for_each(|path| said += &format!("removed {}\n", harmless(path, 400)));
            print(&(said + network))?;
            next_step::print(root, review.as_ref(), Done::Written)?;
        }
        Saved::Commit { branch, commit, git } => {
            let shown = harmless(&branch, 200);
            said += &format!("committed {} on the branch {shown}\n", Git::short(commit));
            print(&(said + network))?;
            if args.push {
                git.push(&branch)?;
                print(&format!("pushed {shown} to origin\n"))?;
            }
            let done = if args.push { Done::Pushed(&branch) } else { Done::Committed(&branch) };
            next_step::print(root, review.as_ref(), done)?;
        }
    }
    Ok(Outcome::Fine)
}

/// The files that an edit starts from, without keeping other edits waiting.
pub(super) fn tree(root: &Path, args: &EditArgs) -> Result<Tree> {
    Ok(EditSession::open(root, without_lock(args)).map_err(worded)?.tree().clone())
}

/// The error with the options that help.
fn worded(error: anyhow::Error) -> anyhow::Error {
    let Some(why) = error.downcast_ref::<NotMade>() else { return error };
    let refused = |message: String| Refusal(message).into();
    match why {
        NotMade::NoCommit(_) => anyhow!("commit the data once with git, then use --commit: {why}"),
        NotMade::Diverged(_) => anyhow!("{why}: merge them with git, or name another with --branch"),
        NotMade::CheckedOut(_) => {
            anyhow!("{why}; name another with --branch, or leave out --commit and commit with git")
        }
        NotMade::Proposed(branch) => {
            refused(format!("{why}: `--branch {branch}` continues it, another name makes a second proposal"))
        }
        NotMade::Required(_) => refused(format!("{why}; `shapeline subscriber remove` removes one")),
    }
}

fn without_lock(args: &EditArgs) -> Destination<'_> {
    if args.commits() { destination(args) } else { Destination::Nowhere }
}

fn destination(args: &EditArgs) -> Destination<'_> {
    match args {
        args if args.commits() => {
            let basis = if args.push { Basis::Origin } else { Basis::Head };
            Destination::Branch { name: args.branch.as_deref(), basis }
        }
        args if args.dry_run => Destination::Nowhere,
        _ => Destination::Files,
    }
}

fn print(text: &str) -> Result<()> {
    let mut out = crate::console::out();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// The changes on the network, at most `most` of them.
fn network(review: &Review, most: usize) -> Result<String> {
    let output = render::output(&review.after.settings, None)?;
    let side = |table| Side { served: served_by(table), bytes: b"" };
    let base = PlanBase::File { path: String::new() };
    let (before, after) = (side(&review.table_before), side(&review.table_after));
    let plan = ChangePlan::new(&output, base, before, after, &review.table_after, Before::default());
    let changes = &plan.changes;
    if changes.is_empty() {
        return Ok("On the network nothing changes.\n".to_owned());
    }
    let rows: Vec<[String; 5]> = changes.all.iter().take(most).map(text::row).collect();
    let mut said = format!("On the network, once it is published:\n{}", columns(&rows));
    if changes.all.len() > most {
        said += &format!("and {} more\n", changes.all.len() - most);
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

fn message(args: &EditArgs, summary: &EditSummary) -> Result<String> {
    if let Some(message) = &args.message {
        if message.trim().is_empty() || message.contains('\0') {
            bail!("{} is no message for a commit", quoted(message));
        }
        return Ok(format!("{}\n", message.trim_end()));
    }
    let mut message = format!("{} {}\n", summary.verb.imperative(), summary.what);
    if !summary.each.is_empty() {
        message += &format!("\n{}\n", summary.each.join("\n"));
    }
    Ok(message)
}
