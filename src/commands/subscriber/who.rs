//! `subscriber suspend`, `resume` and `remove`: the same to each of several.

use std::path::Path;

use anyhow::Result;

use super::change::{self, Confirmation};
use crate::cli::WhoListArgs;
use crate::commands::Outcome;
use crate::edit::{self, EditSummary, SubscriberEdits};
use crate::model::Subscriber;
use crate::query::who;
use crate::repo::Record;

pub(super) fn suspend(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    run(root, args, edit::suspend)
}

pub(super) fn resume(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    run(root, args, edit::resume)
}

pub(super) fn remove(root: &Path, args: &WhoListArgs) -> Result<Outcome> {
    run(root, args, edit::remove)
}

type Operation = fn(&[&Record<Subscriber>], &mut SubscriberEdits<'_>) -> Result<EditSummary>;

fn run(root: &Path, args: &WhoListArgs, operation: Operation) -> Result<Outcome> {
    let naming = change::naming(&args.edit);
    change::run(root, &args.edit, Confirmation::OnTerminal, |repo, changes| {
        let found: Vec<who::Found<'_>> =
            args.who.iter().map(|who| who::find(repo, who, naming)).collect::<Result<_, _>>()?;
        let records: Vec<&Record<Subscriber>> = found.iter().map(|found| found.record).collect();
        let mut summary = operation(&records, changes)?;
        summary.notes.extend(found.into_iter().filter_map(|found| found.note));
        Ok(summary)
    })
}
