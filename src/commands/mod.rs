//! One file per command: wiring, no logic.

mod check;
mod fmt;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::cli::{Cli, Command, DataArgs};
use crate::git;
use crate::model::Date;
use crate::tree::{SETTINGS, Tree};

/// How a command ended that did its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Fine.
    Fine,
    /// The data or the change is refused.
    Refused,
    /// Differences exist, and the caller asked to be told so.
    Differs,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Refused => 1,
            Outcome::Differs => 3,
        })
    }
}

/// Runs the command.
///
/// # Errors
/// If it could not do its job: usage, I/O, or a fault of its own.
pub fn run(cli: &Cli) -> Result<Outcome> {
    match &cli.command {
        Command::Check(args) => check::run(&root(cli)?, args),
        Command::Fmt(args) => fmt::run(&root(cli)?, args),
        _ => bail!("not yet"),
    }
}

/// The data repository's folder: `-C`, or the nearest folder upwards that holds the settings, or
/// else the three data folders.
fn root(cli: &Cli) -> Result<PathBuf> {
    if let Some(dir) = &cli.directory {
        if !dir.is_dir() {
            bail!("{} is not a folder", dir.display());
        }
        if !is_data_repository(dir) {
            bail!(
                "{} holds no data repository: neither {SETTINGS} nor the folders plans, domains and subscribers; \
                 `shapeline init {0}` makes one",
                dir.display()
            );
        }
        return Ok(dir.clone());
    }
    let here = std::env::current_dir()?;
    let with_settings = here.ancestors().find(|dir| dir.join(SETTINGS).is_file());
    let with_folders = || here.ancestors().find(|dir| has_folders(dir));
    match with_settings.or_else(with_folders) {
        Some(dir) => Ok(dir.to_path_buf()),
        None => bail!(
            "no data repository here or above: neither {SETTINGS} nor the folders plans, domains and subscribers; \
             name one with -C DIR, or make one with `shapeline init DIR`"
        ),
    }
}

fn is_data_repository(dir: &Path) -> bool {
    dir.join(SETTINGS).is_file() || has_folders(dir)
}

fn has_folders(dir: &Path) -> bool {
    ["plans", "domains", "subscribers"].iter().all(|folder| dir.join(folder).is_dir())
}

/// The files that `args` mean, below `root`.
fn tree(root: &Path, args: &DataArgs) -> Result<Tree> {
    match &args.rev {
        Some(rev) => git::Git::discover(root)?.tree(rev),
        None => Ok(Tree::Work { root: root.to_path_buf() }),
    }
}

fn today(args: &DataArgs) -> Date {
    args.on.unwrap_or_else(Date::today)
}
