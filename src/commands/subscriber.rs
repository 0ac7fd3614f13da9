//! `subscriber`: who has what, listed, shown and changed without an editor.

mod add;
mod change;
mod list;
mod next_step;
mod set;
mod show;
mod who;

use std::path::Path;

use anyhow::Result;

use super::{Outcome, refusal_is_an_outcome};
use crate::cli::{SubscriberArgs, SubscriberCommand};

/// The version of the JSON of `list` and `show`.
const JSON_VERSION: u32 = 1;

pub(super) fn run(root: &Path, args: &SubscriberArgs) -> Result<Outcome> {
    refusal_is_an_outcome(fetched(root, &args.command).and_then(|()| match &args.command {
        SubscriberCommand::List(args) => list::run(root, args),
        SubscriberCommand::Show(args) => show::run(root, args),
        SubscriberCommand::Add(args) => add::run(root, args),
        SubscriberCommand::Set(args) => set::run(root, args),
        SubscriberCommand::Suspend(args) => who::suspend(root, args),
        SubscriberCommand::Resume(args) => who::resume(root, args),
        SubscriberCommand::Remove(args) => who::remove(root, args),
    }))
}

/// Fetches before anything is read, and once for the questions and the edit.
fn fetched(root: &Path, command: &SubscriberCommand) -> Result<()> {
    let edit = match command {
        SubscriberCommand::List(_) | SubscriberCommand::Show(_) => return Ok(()),
        SubscriberCommand::Add(args) => &args.edit,
        SubscriberCommand::Set(args) => &args.edit,
        SubscriberCommand::Suspend(args) | SubscriberCommand::Resume(args) | SubscriberCommand::Remove(args) => {
            &args.edit
        }
    };
    change::fetch(root, edit)
}
