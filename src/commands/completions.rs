//! `completions`: a completion script for a shell.

use std::io::Write;

use anyhow::Result;

use super::Outcome;
use crate::cli::CompletionsArgs;
use crate::completion::script;

pub(super) fn run(args: &CompletionsArgs) -> Result<Outcome> {
    let script = script(args.shell)?;
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Outcome::Fine)
}
