//! `import`: what exists, taken over.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Outcome, refuse};
use crate::cli::{Cli, ImportArgs, ImportFormat};
use crate::edit::WorkTree;
use crate::import::adopt::RateHints;
use crate::import::json::json;
use crate::import::left_out::LeftOut;
use crate::import::proposal::{self, ImportOptions, Proposal, propose};
use crate::import::report::{self, Ending};
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
        LeftOut::new(path.clone(), &args.file, root)?;
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
    };
    let progress = Progress::start(format!("reading {shown}"));
    let found = match read(&bytes, &options) {
        Ok(found) => found,
        Err(unusable) => {
            drop(progress);
            writeln!(crate::console::err(), "{shown}: {}", unusable)?;
            return Ok(Outcome::Refused);
        }
    };
    drop((progress, bytes));
    check_options(args, &found)?;
    let root = &root.map_or_else(|| start(cli), Ok)?;
    // From here on no other edit changes what is compared.
    let mut notes = Vec::new();
    let lock = if args.dry_run { None } else { Some(WorkTree::lock(root, &mut notes)?) };
    for note in notes {
        writeln!(crate::console::err(), "{note}")?;
    }
    if args.dry_run {
        super::warn_of_cut_off(root);
    }
    let progress = Progress::start("comparing with the data".to_owned());
    let wishes = ImportOptions {
        rates: RateHints { given: &args.rate, order: args.rates_in_names },
        today: args.on.unwrap_or_else(Date::today),
        keep_suspended: args.keep_suspended,
        add_only: args.add_only,
    };
    let tree = Tree::Work { root: root.clone() };
    let outcome = propose(found, &tree, &wishes)?;
    drop(progress);
    let proposal = match outcome {
        proposal::ProposalOutcome::Proposed(proposal) => *proposal,
        proposal::ProposalOutcome::Refused(repo, findings) => {
            let outcome = refuse(&repo, findings)?;
            writeln!(crate::console::err(), "{shown}: nothing is imported until the data passes the check")?;
            return Ok(outcome);
        }
    };
    if let Some(unknown) = proposal.adoption.plans.unknown.first() {
        bail!("{unknown}");
    }
    finish(root, args, &shown, proposal, lock)
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

fn finish(root: &Path, args: &ImportArgs, shown: &str, proposal: Proposal, lock: Option<WorkTree>) -> Result<Outcome> {
    let refused = !proposal.found.refusals.is_empty();
    let verdict = &proposal.effect.verdict;
    let acknowledged = args.ack.as_ref() == Some(&proposal.effect.fingerprint);
    let ending = match (refused && !args.skip_bad, verdict.is_safe() || acknowledged, args.dry_run) {
        (true, ..) => Ending::RowsRefused,
        (_, false, _) => Ending::Limits,
        (_, _, true) => Ending::DryRun,
        _ => Ending::Written,
    };
    let left_out = match refused && args.skip_bad && ending == Ending::Written {
        true => Some(LeftOut::new(report_path(args), &args.file, root)?),
        false => None,
    };
    let output = ImportOutput::new(args, shown, &proposal, ending, left_out.as_ref().map(LeftOut::path))?;
    if let (Ending::Written, Some(lock)) = (ending, &lock) {
        // First the report: skipped rows must not be lost.
        if let Some(left_out) = &left_out {
            left_out.write(&proposal.found)?;
        }
        proposal.draft.write(lock)?;
    }
    output.print()?;
    Ok(if matches!(ending, Ending::Written | Ending::DryRun) { Outcome::Fine } else { Outcome::Refused })
}

/// What is printed once all is done.
struct ImportOutput {
    before: String,
    result: String,
    after: String,
}

impl ImportOutput {
    fn new(
        args: &ImportArgs,
        shown: &str,
        proposal: &Proposal,
        ending: Ending,
        report_to: Option<&Path>,
    ) -> Result<ImportOutput> {
        let report_to = report_to.map(|path| path.display().to_string());
        let mut before = report::source(&proposal.found, shown) + "\n";
        let mut after = String::new();
        let result = if args.format == ImportFormat::Json {
            json(proposal, ending, report_to.as_deref())?
        } else {
            before += &report::refusals(&proposal.found);
            after = report::verdict(proposal, ending, args.ack.is_some());
            report::text(proposal, ending)
        };
        if let Some(path) = report_to {
            after += &format!("What was left out is in {}.\n", quoted(&path));
        }
        Ok(ImportOutput { before, result, after })
    }

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
