//! One file per command: wiring, no logic.

#[cfg(unix)]
mod backup;
mod check;
#[cfg(all(unix, feature = "telemetry"))]
mod collect;
mod completions;
#[cfg(all(unix, feature = "telemetry"))]
mod conform;
mod diff;
mod domains;
mod drift;
#[cfg(all(unix, feature = "telemetry"))]
mod events;
mod explain;
mod fmt;
mod history;
pub mod import;
mod init;
mod log;
mod man;
mod plan;
mod plans;
mod prompt;
mod publish;
mod render;
mod rollback;
#[cfg(all(unix, feature = "telemetry"))]
mod samples;
mod schema;
#[cfg(all(unix, feature = "serve"))]
mod serve;
#[cfg(all(unix, feature = "telemetry"))]
mod simulate;
mod stat;
#[cfg(all(unix, feature = "serve"))]
mod state;
mod subscriber;
mod sync;
mod targets;
mod test_notification;
#[cfg(all(unix, feature = "serve"))]
mod token;
#[cfg(all(unix, feature = "serve"))]
mod user;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};

use crate::cli::{Cli, Command, DataArgs};
use crate::edit::interrupted_edit;
use crate::finding::Finding;
use crate::git;
use crate::model::Date;
use crate::progress::Progress;
use crate::query::Refusal;
use crate::render::Table;
use crate::repo::{ALTERED_BY_GIT, Repo};
use crate::report::CheckFormat;
use crate::report::{self, CheckReport};
use crate::rules::sound_table;
use crate::text::quote::harmless;
use crate::text::style::Style;
use crate::tree::{SETTINGS, Tree, is_repository, nearest_repository};

/// How a command ended that did its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Fine.
    Fine,
    /// The data or the change is refused.
    Refused,
    /// Differences exist, and the caller asked for an exit code.
    Differs,
    /// Something went wrong, and was reported already.
    Failed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Refused => 1,
            Outcome::Differs => 3,
            Outcome::Failed => 2,
        })
    }
}

/// Runs the command.
///
/// # Errors
/// If it could not do its job: usage, I/O, or a fault of its own.
pub fn run(cli: &Cli) -> Result<Outcome> {
    if !is_service(&cli.command) {
        crate::interrupt::restore_terminal();
    }
    match &cli.command {
        Command::Check(args) => check::run(&root(cli)?, args),
        Command::Render(args) => render::run(&root(cli)?, args),
        Command::Plan(args) => plan::run(&root(cli)?, args),
        Command::Publish(args) => publish::run(&root(cli)?, args),
        Command::Drift(args) => drift::run(&root(cli)?, args),
        Command::Diff(args) => diff::run(&root(cli)?, args),
        Command::Rollback(args) => rollback::run(&root(cli)?, args),
        Command::Log(args) => log::run(&root(cli)?, args),
        Command::Stat(args) => stat::run(&root(cli)?, args),
        #[cfg(unix)]
        Command::Backup(args) => backup::run(&root(cli)?, args),
        #[cfg(not(unix))]
        Command::Backup(_) => bail!("backup keeps modes, owners and links: it works on Unix only"),
        Command::Sync(args) => sync::run(cli, args),
        Command::TestNotification => test_notification::run(),
        #[cfg(all(unix, feature = "serve"))]
        Command::Serve(args) => refusal_is_an_outcome(serve::run(cli, args)),
        #[cfg(all(unix, feature = "serve"))]
        Command::Token(args) => refusal_is_an_outcome(token::run(cli, args)),
        #[cfg(all(unix, feature = "serve"))]
        Command::User(args) => refusal_is_an_outcome(user::run(cli, args)),
        #[cfg(all(unix, feature = "telemetry"))]
        Command::Collect(args) => refusal_is_an_outcome(collect::run(cli, args)),
        #[cfg(all(unix, feature = "telemetry"))]
        Command::Conform(args) => refusal_is_an_outcome(conform::run(&root(cli)?, args)),
        #[cfg(all(unix, feature = "telemetry"))]
        Command::Simulate(args) => refusal_is_an_outcome(simulate::run(&root(cli)?, args)),
        Command::Explain(args) => explain::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Init(args) => init::run(cli.directory.as_deref(), args),
        Command::Man(args) => man::run(args),
        Command::Schema(args) => schema::run(&root(cli)?, args),
        Command::History(args) => history::run(cli, args),
        Command::Import(args) => refusal_is_an_outcome(import::run(cli, args)),
        Command::Subscriber(args) => subscriber::run(&root(cli)?, args),
        Command::Plans(args) => plans::run(&root(cli)?, args),
        Command::Domains(args) => domains::run(&root(cli)?, args),
        Command::Fmt(args) => fmt::run(&root(cli)?, args),
    }
}

/// Whether the command handles signals itself.
fn is_service(command: &Command) -> bool {
    match command {
        Command::Sync(_) => true,
        #[cfg(all(unix, feature = "serve"))]
        Command::Serve(_) => true,
        #[cfg(all(unix, feature = "telemetry"))]
        Command::Collect(_) | Command::Simulate(_) => true,
        _ => false,
    }
}

/// The clone to follow. It may be bare, so it need not look like a data repository.
fn clone_folder(cli: &Cli) -> Result<PathBuf> {
    match &cli.directory {
        Some(folder) if !folder.is_dir() => bail!("{} is not a folder", folder.display()),
        Some(folder) => Ok(folder.clone()),
        None => root(cli).or_else(|_| Ok(std::env::current_dir()?)),
    }
}

/// Prints a [`Refusal`]: a request that is refused is no failure of the program.
fn refusal_is_an_outcome(ended: Result<Outcome>) -> Result<Outcome> {
    match ended {
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) => {
                writeln!(crate::console::err(), "{} {refusal}", Style::Bad.paint("shapeline:"))?;
                Ok(Outcome::Refused)
            }
            None => Err(error),
        },
        ended => ended,
    }
}

/// Whether the reader of standard output has gone.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
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
    match nearest_repository(&here) {
        Some(dir) => Ok(dir),
        None => bail!(
            "no data repository here or above: neither {SETTINGS} nor the folders plans, domains and subscribers; \
             name one with -C DIR, or make one with `shapeline init DIR`"
        ),
    }
}

fn is_data_repository(dir: &Path) -> bool {
    is_repository(dir) || git::is_bare(dir)
}

/// The data that `args` mean, below `root`.
fn load(root: &Path, args: &DataArgs) -> Result<Repo> {
    load_tree(&tree(root, args)?)
}

fn load_tree(tree: &Tree) -> Result<Repo> {
    load_with(tree, Repo::load)
}

/// Data that is needed until the process ends, and so is never freed: freeing a million records takes time.
fn until_the_end(repo: Repo) -> Arc<Repo> {
    let repo = Arc::new(repo);
    std::mem::forget(repo.clone());
    repo
}

/// The data of a tree, read by `load`, with a word about what takes the time.
fn load_with<T>(tree: &Tree, load: impl FnOnce(&Tree) -> Result<T>) -> Result<T> {
    let what = match tree {
        Tree::Revision { commit, .. } => format!("reading the data of {}", git::Git::short(*commit)),
        Tree::Work { .. } | Tree::Memory(_) | Tree::Draft { .. } => "reading the data".to_owned(),
    };
    if let Tree::Work { root } = tree {
        warn_of_cut_off(root);
    }
    let _progress = Progress::start(what);
    load(tree)
}

/// The data of a tree for commands that pass over what cannot be read. A work tree that git has
/// altered is refused: it would show, or change, something else than what is published.
///
/// # Errors
/// A [`Refusal`] in that case; or if the data cannot be read.
fn load_unaltered(tree: &Tree) -> Result<Repo> {
    let repo = load_tree(tree)?;
    match repo.findings.iter().find(|finding| finding.rule == ALTERED_BY_GIT) {
        Some(finding) => {
            let path = repo.sources.file(finding.primary.at.file()).path();
            let help = finding.help.as_deref().unwrap_or_default();
            Err(Refusal(format!("{}: {}; {help}", harmless(path, 200), finding.message)).into())
        }
        None => Ok(repo),
    }
}

/// All of a file, or of standard input for `-`, up to `most` bytes.
fn read_file(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > most {
        bail!("{} is larger than the {} MiB that are read", path.display(), most >> 20);
    }
    Ok(bytes)
}

/// Warns on standard error of files that are half of an edit.
fn warn_of_cut_off(root: &Path) {
    if let Some(warning) = interrupted_edit(root) {
        // A closed standard error changes nothing.
        let _ = writeln!(crate::console::err(), "{} {warning}", Style::Changed.paint("warning:"));
    }
}

/// The files that `args` mean, below `root`.
fn tree(root: &Path, args: &DataArgs) -> Result<Tree> {
    match &args.rev {
        Some(rev) => git::Git::discover(root)?.tree(rev),
        None if git::is_bare(root) => bail!(
            "{} is a git repository without files: name a revision with --rev, such as --rev main",
            root.display()
        ),
        None => Ok(Tree::Work { root: root.to_path_buf() }),
    }
}

fn today(args: &DataArgs) -> Date {
    args.on.unwrap_or_else(Date::today)
}

/// The served subscribers, if the data passes the check; if not, prints the findings.
fn checked_table(repo: &Arc<Repo>, today: Date) -> Result<Option<Arc<Table>>> {
    match sound_table(repo, today) {
        Ok(table) => Ok(Some(table)),
        Err(findings) => {
            refuse(repo, findings)?;
            Ok(None)
        }
    }
}

/// `error` with other words for what it says first; its causes stay.
fn reworded(error: &anyhow::Error, words: String) -> anyhow::Error {
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    if causes.is_empty() { anyhow::Error::msg(words) } else { anyhow::Error::msg(causes.join(": ")).context(words) }
}

/// Prints on standard error why the data is refused, with excerpts.
fn refuse(repo: &Repo, findings: Vec<Finding>) -> Result<Outcome> {
    let report = CheckReport::of(repo, findings);
    report::write(&report, CheckFormat::Text, &mut crate::console::err())?;
    Ok(Outcome::Refused)
}
