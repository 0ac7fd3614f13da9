//! `import`: what exists, taken over.

mod json;
mod removed;
pub mod report;
pub mod worded;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::prompt::{can_ask, confirm, outdated};
use super::{Outcome, refuse};
use crate::cli::{Cli, ImportArgs, ImportFormat};
use crate::edit::WorkTree;
use crate::import::adopt::RateHints;
use crate::import::left_out::LeftOut;
use crate::import::proposal::{Ending, ImportOptions, Proposal, ProposalOutcome, propose};
use crate::import::{Found, ReadOptions, SourceKind, read};
use crate::model::Date;
use crate::progress::Progress;
use crate::text::quote::harmless;
use crate::text::quote::quoted;
use crate::tree::Tree;

/// The largest source that is read.
const MAX_SOURCE: u64 = 4 << 30;

pub(super) fn run(cli: &Cli, args: &ImportArgs) -> Result<Outcome> {
    let root = root(cli, args.init)?;
    // First, so that a file that cannot be written is reported at once.
    if let (Some(path), Some(root)) = (&args.report, &root) {
        LeftOut::new(path.clone(), &args.file, root).map_err(worded::no_report)?;
    }
    let bytes = super::read_file(&args.file, MAX_SOURCE)?;
    let shown = match args.file.as_path() {
        path if path == Path::new("-") => "standard input".to_owned(),
        path => harmless(&path.display().to_string(), 200),
    };
    let options = ReadOptions {
        kind: args.from,
        map: args.map.clone(),
        unit: args.unit,
        domain: args.domain.clone(),
        database: args.database.clone(),
        columns: args.columns.clone(),
        sheet: args.sheet.clone(),
    };
    let progress = Progress::start(format!("reading {shown}"));
    let found = match read(&bytes, &options) {
        Ok(found) => found,
        Err(unusable) => {
            drop(progress);
            writeln!(crate::console::err(), "{shown}: {}", worded::unusable(&unusable))?;
            return Ok(Outcome::Refused);
        }
    };
    drop((progress, bytes));
    check_options(args, &found)?;
    let root = root.map_or_else(|| start(cli), Ok)?;
    Import { args, shown: &shown, root: &root, today: args.on.unwrap_or_else(Date::today) }.run(found)
}

/// The data repository; none where `--init` will start one.
fn root(cli: &Cli, init: bool) -> Result<Option<PathBuf>> {
    match super::root(cli) {
        Err(_) if init => Ok(None),
        found => found.map(Some).context("nothing to import into; with --init, `import` starts a data repository"),
    }
}

/// Starts a data repository. Only for a source that can be read: another must leave none behind.
fn start(cli: &Cli) -> Result<PathBuf> {
    super::init::start(&cli.directory.clone().unwrap_or_else(|| PathBuf::from(".")))?;
    super::root(cli)
}

/// Refuses options that have no effect on this kind of source.
fn check_options(args: &ImportArgs, found: &Found) -> Result<()> {
    let kind = found.kind;
    let word = kind.word();
    if !args.map.is_empty() && kind != SourceKind::Csv {
        bail!("--map is for csv, and this source is {word}");
    }
    if args.unit.is_some() && kind != SourceKind::Csv {
        bail!("--unit is for csv, and this source is {word}");
    }
    if args.domain.is_some() && !matches!(kind, SourceKind::Csv | SourceKind::Libreqos) {
        bail!("--domain is for csv and libreqos: in {word} every subscriber has a domain");
    }
    if !args.columns.is_empty() && kind != SourceKind::Mysqldump {
        bail!("--columns is for mysqldump, and this source is {word}");
    }
    if args.database.is_some() && kind != SourceKind::Mysqldump {
        bail!("--database is for mysqldump, and this source is {word}");
    }
    Ok(())
}

/// An import whose source is read.
struct Import<'a> {
    args: &'a ImportArgs,
    /// The name of the source.
    shown: &'a str,
    root: &'a Path,
    today: Date,
}

impl Import<'_> {
    fn run(&self, found: Found) -> Result<Outcome> {
        if self.args.dry_run {
            super::warn_of_cut_off(self.root);
            return match self.propose(found)? {
                Ok(proposal) => self.finish(proposal, None, false),
                Err(outcome) => Ok(outcome),
            };
        }
        let may_ask = !self.args.yes && can_ask();
        let again = may_ask.then(|| found.clone());
        // From here on no other edit changes what is compared.
        let lock = self.lock()?;
        let proposal = match self.propose(found)? {
            Ok(proposal) => proposal,
            Err(outcome) => return Ok(outcome),
        };
        match again {
            Some(again) if self.needs_an_answer(&proposal) => {
                // Not while a person thinks.
                drop(lock);
                self.ask(proposal, again)
            }
            _ => self.finish(proposal, Some(&lock), false),
        }
    }

    fn lock(&self) -> Result<WorkTree> {
        let mut notes = Vec::new();
        let lock = WorkTree::lock(self.root, &mut notes)?;
        for note in notes {
            writeln!(crate::console::err(), "{note}")?;
        }
        Ok(lock)
    }

    /// Compares the source with the data. The outcome, if that ends the command.
    fn propose(&self, found: Found) -> Result<Result<Proposal, Outcome>> {
        let progress = Progress::start("comparing with the data".to_owned());
        let wishes = ImportOptions {
            rates: RateHints { given: &self.args.rate, order: self.args.rates_in_names },
            today: self.today,
            keep_suspended: self.args.keep_suspended,
            add_only: self.args.add_only,
        };
        let outcome = propose(found, &Tree::Work { root: self.root.to_path_buf() }, &wishes)?;
        drop(progress);
        let proposal = match outcome {
            ProposalOutcome::Proposed(proposal) => *proposal,
            ProposalOutcome::Refused(repo, findings) => {
                let outcome = refuse(&repo, findings)?;
                writeln!(crate::console::err(), "{}: nothing is imported until the data passes the check", self.shown)?;
                return Ok(Err(outcome));
            }
        };
        if let Some(unknown) = proposal.adoption.plans.unknown.first() {
            bail!("{}", worded::unknown_plan(unknown));
        }
        Ok(Ok(proposal))
    }

    /// Whether a person must agree: the import would be written and would remove someone. A fingerprint
    /// that was given names this very change.
    fn needs_an_answer(&self, proposal: &Proposal) -> bool {
        self.ending(proposal) == Ending::Written && !proposal.removed.is_empty() && !self.is_acknowledged(proposal)
    }

    /// Shows what would change on the network and who would be removed, and asks; then imports, if the result
    /// is still the one that was shown.
    fn ask(&self, proposal: Proposal, again: Found) -> Result<Outcome> {
        let question = self.before(&proposal)
            + &report::network_in_short(&proposal)
            + &removed::listed(&proposal.removed, self.shown);
        crate::console::err().write_all(question.as_bytes())?;
        // These alone: a person may take long, and the rest is made again.
        let agreed = |proposal: &Proposal| (proposal.draft.texts(), proposal.effect.fingerprint.clone());
        let shown = agreed(&proposal);
        drop(proposal);
        confirm("Remove them, and import the rest?")?;
        let lock = self.lock()?;
        match self.propose(again)? {
            Ok(proposal) if agreed(&proposal) == shown => self.finish(proposal, Some(&lock), true),
            Ok(_) => Err(outdated().into()),
            Err(outcome) => Ok(outcome),
        }
    }

    fn ending(&self, proposal: &Proposal) -> Ending {
        let refused = !proposal.found.refusals.is_empty() && !self.args.skip_bad;
        let is_safe = proposal.effect.verdict.is_safe() || self.is_acknowledged(proposal);
        match (refused, is_safe, self.args.dry_run) {
            (true, ..) => Ending::RowsRefused,
            (_, false, _) => Ending::Limits,
            (_, _, true) => Ending::DryRun,
            _ => Ending::Written,
        }
    }

    fn is_acknowledged(&self, proposal: &Proposal) -> bool {
        self.args.ack.as_ref() == Some(&proposal.effect.fingerprint)
    }

    /// Writes the proposal, if it may be, and prints it; the source only unless it `is_shown` already.
    fn finish(&self, proposal: Proposal, lock: Option<&WorkTree>, is_shown: bool) -> Result<Outcome> {
        let ending = self.ending(&proposal);
        let left_out = match !proposal.found.refusals.is_empty() && ending == Ending::Written {
            true => {
                let left_out = LeftOut::new(report_path(self.args), &self.args.file, self.root);
                Some(left_out.map_err(worded::no_report)?)
            }
            false => None,
        };
        let mut output = self.output(&proposal, ending, left_out.as_ref().map(LeftOut::path))?;
        if is_shown {
            output.before.clear();
        }
        if let (Ending::Written, Some(lock)) = (ending, lock) {
            // First the report: skipped rows must not be lost.
            if let Some(left_out) = &left_out {
                left_out.write(proposal.found.refusals.iter().map(worded::row))?;
            }
            proposal.draft.write(lock)?;
        }
        output.print()?;
        Ok(if matches!(ending, Ending::Written | Ending::DryRun) { Outcome::Fine } else { Outcome::Refused })
    }

    /// The source, and the rows of it that are refused.
    fn before(&self, proposal: &Proposal) -> String {
        let source = report::source(&proposal.found, self.shown) + "\n";
        match self.args.format {
            ImportFormat::Text => source + &report::refusals(&proposal.found),
            ImportFormat::Json => source,
        }
    }

    fn output(&self, proposal: &Proposal, ending: Ending, report_to: Option<&Path>) -> Result<ImportOutput> {
        let report_to = report_to.map(|path| path.display().to_string());
        let (result, mut after) = match self.args.format {
            ImportFormat::Text => {
                (report::text(proposal, ending), report::verdict(proposal, ending, self.args.ack.is_some()))
            }
            ImportFormat::Json => (json::json(proposal, ending, report_to.as_deref())?, String::new()),
        };
        if let Some(path) = report_to {
            after += &format!("What was left out is in {}.\n", quoted(&path));
        }
        Ok(ImportOutput { before: self.before(proposal), result, after })
    }
}

/// What is printed once all is done.
struct ImportOutput {
    before: String,
    result: String,
    after: String,
}

impl ImportOutput {
    fn print(&self) -> Result<()> {
        let mut notes = crate::console::err();
        write!(notes, "{}", self.before)?;
        let mut out = crate::console::out();
        write!(out, "{}", self.result)?;
        out.flush()?;
        write!(notes, "{}", self.after)?;
        Ok(())
    }
}

fn report_path(args: &ImportArgs) -> PathBuf {
    if let Some(path) = &args.report {
        return path.clone();
    }
    let name = match args.file.file_name() {
        Some(name) if args.file != Path::new("-") => name.to_string_lossy().into_owned(),
        _ => "import".to_owned(),
    };
    PathBuf::from(format!("{name}.refused.txt"))
}
