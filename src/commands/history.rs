//! `history`: who had what, since when, and who changed it.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};

use super::{Outcome, root};
use crate::cli::{Cli, HistoryArgs, HistoryFormat};
use crate::git::Git;
use crate::history::answer::{HistoryAnswer, answer};
use crate::history::json::Revision;
use crate::history::log::HistoryLog;
use crate::history::query::{Candidate, Question, Who, candidates};
use crate::history::story::Past;
use crate::history::times::{TimeSpan, when};
use crate::history::{csv, json, load, print};
use crate::model::{Address, DomainName};
use crate::progress::Progress;
use crate::text::count::counted;
use crate::text::quote::{harmless, quoted, short_id};

/// How much is shown of everybody's history.
const LIMIT: usize = 100;

pub(super) fn run(cli: &Cli, args: &HistoryArgs) -> Result<Outcome> {
    let mut question = question(args)?;
    let git = Git::discover(&data(cli)?)?;
    let tip = git.commit(&args.rev).map_err(|error| match args.rev.as_str() {
        "HEAD" => anyhow!("there is no history: the git repository has no commit yet"),
        _ => error,
    })?;
    let progress = Progress::start("reading the history");
    let loaded = load(&git, tip, !args.no_cache)?;
    let log = HistoryLog::decode(&loaded.bytes)?;
    let past = Past::new(&log, loaded.commits);
    let candidates = candidates(&past, &question);
    let note = match candidates.as_slice() {
        [one] => {
            question.who = Some(Who::new(one.key));
            Some(is_part_of(args, one))
        }
        [] => None,
        several => {
            drop(progress);
            return refuse(args, several);
        }
    };
    let answer = answer(&past, &question);
    drop(progress);
    for note in loaded.note.iter().chain(&note).chain(&answer.notes).filter(|_| args.format != HistoryFormat::Json) {
        writeln!(crate::console::err(), "note: {note}")?;
    }
    let revision = Revision { name: args.rev.clone(), commit: tip.to_string(), commits: loaded.commits };
    write(args, &answer, &revision)?;
    Ok(Outcome::Fine)
}

fn is_part_of(args: &HistoryArgs, one: &Candidate<'_>) -> String {
    let name = one.name.as_ref().map(|name| format!(" ({})", harmless(name, 60))).unwrap_or_default();
    let who = quoted(args.who.as_deref().unwrap_or_default());
    format!("{who} names {}{name}, and no other subscriber", quoted(one.key))
}

/// Lists the subscribers that a text may mean.
fn refuse(args: &HistoryArgs, several: &[Candidate<'_>]) -> Result<Outcome> {
    const SHOWN: usize = 10;
    let mut out = crate::console::err();
    let who = quoted(args.who.as_deref().unwrap_or_default());
    writeln!(out, "shapeline: {who} may be any of these; name one by its id or address:")?;
    for one in several.iter().take(SHOWN) {
        let name = one.name.as_ref().map(|name| format!(", {}", quoted(name))).unwrap_or_default();
        writeln!(out, "  {}{name}", quoted(one.key))?;
    }
    if several.len() > SHOWN {
        writeln!(out, "  and {} more", several.len() - SHOWN)?;
    }
    Ok(Outcome::Refused)
}

/// The data repository; a git repository without files has a history, too.
fn data(cli: &Cli) -> Result<PathBuf> {
    root(cli).or_else(|error| {
        let here = cli.directory.clone().unwrap_or_else(|| PathBuf::from("."));
        if crate::git::is_bare(&here) { Ok(here) } else { Err(error) }
    })
}

fn question(args: &HistoryArgs) -> Result<Question> {
    let span = |text: &Option<String>| -> Result<Option<TimeSpan>> {
        text.as_deref().map(when).transpose().map_err(|message| anyhow!(message))
    };
    let (from, until) = (span(&args.from)?.map(|span| span.from), span(&args.to)?.and_then(|span| span.until));
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        bail!("--from is later than --to: nothing could lie between");
    }
    let default = if args.who.is_some() { 0 } else { LIMIT };
    Ok(Question {
        who: args.who.as_deref().map(Who::new),
        domain: args.domain.clone(),
        on: span(&args.on)?,
        from,
        until,
        limit: Some(args.limit.unwrap_or(default)).filter(|limit| *limit > 0),
    })
}

fn write(args: &HistoryArgs, answer: &HistoryAnswer<'_>, revision: &Revision) -> Result<()> {
    let on = args.on.is_some();
    let mut out = std::io::BufWriter::new(crate::console::out());
    match args.format {
        HistoryFormat::Json => json::write(&mut out, answer, revision, on)?,
        HistoryFormat::Csv => out.write_all(csv::csv(answer, on).as_bytes())?,
        HistoryFormat::Text => {
            out.write_all(print::text(answer, args.who.as_deref()).as_bytes())?;
            let shown = answer.events.len() + answer.holdings.len();
            if shown < answer.total {
                writeln!(out, "… {shown} of {}; --limit 0 shows all", answer.total)?;
            }
        }
    }
    out.flush()?;
    if answer.total == 0 && answer.subjects.is_empty() {
        let of = args.who.as_deref().map(|who| format!(" of {}", quoted(who))).unwrap_or_default();
        let what = if on { "nothing was there then" } else { "nothing is known" };
        let is_domain =
            |who: &&str| who.contains('.') && who.parse::<DomainName>().is_ok() && who.parse::<Address>().is_err();
        let hint = args.who.as_deref().filter(is_domain).map(|who| format!("; of a domain: --domain {who}"));
        let (commits, hint) = (counted(revision.commits, "commit", "commits"), hint.unwrap_or_default());
        writeln!(crate::console::err(), "{what}{of}, in {commits} up to {}{hint}", short_id(&revision.commit))?;
    }
    Ok(())
}
