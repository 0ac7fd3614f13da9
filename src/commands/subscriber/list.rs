//! `subscriber list`: all, or those that fit; sorted, in pages.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

use super::JSON_VERSION;
use crate::cli::{ListArgs, ListFormat};
use crate::commands::{Outcome, load_unaltered, today, tree};
use crate::model::Subscriber;
use crate::query::{PAGE, Page, SubscriberQuery, SubscriberView, Viewer, status, who};
use crate::repo::{Record, Repo};
use crate::text::columns::{columns, csv_line, fitted};
use crate::text::count::{counted, grouped};
use crate::text::quote::harmless;

/// The longest a value is in a column.
const WIDEST: usize = 80;

#[derive(Serialize)]
struct Listed<'r> {
    version: u32,
    /// How many fit, on whatever page.
    total: usize,
    offset: usize,
    subscribers: Vec<SubscriberView<'r>>,
}

pub(super) fn run(root: &Path, args: &ListArgs) -> Result<Outcome> {
    let limit = match args.limit {
        Some(0) if args.page.is_some() => bail!("--limit 0 is all of them, on one page: leave out --page"),
        Some(0) => None,
        None => args.page.map(|_| PAGE),
        limit => limit,
    };
    let pages_before = args.page.map(|page| page as usize - 1);
    let query = SubscriberQuery {
        text: args.text.as_deref(),
        domain: args.domain.as_deref(),
        plan: args.plan.as_deref(),
        status: args.status,
        sort: args.sort,
        reverse: args.reverse,
        offset: pages_before
            .map_or(args.offset.unwrap_or(0), |pages| limit.unwrap_or(usize::MAX).saturating_mul(pages)),
        limit,
    };
    let repo = load_unaltered(&tree(root, &args.data)?)?;
    let mut viewer = Viewer::new(&repo, today(&args.data));
    let page = query.run(&repo, &viewer)?;
    match args.format {
        ListFormat::Json => print_json(&page, &mut viewer)?,
        ListFormat::Csv => print_csv(&page.subscribers, &mut viewer)?,
        ListFormat::Text => print_text(&page.subscribers, &viewer)?,
    }
    print_summary(&repo, &page)?;
    Ok(Outcome::Fine)
}

fn print_json<'r>(page: &Page<'r>, viewer: &mut Viewer<'r>) -> Result<()> {
    let subscribers = page.subscribers.iter().map(|record| viewer.view(record)).collect();
    let listed = Listed { version: JSON_VERSION, total: page.total, offset: page.offset, subscribers };
    let mut out = crate::console::plain_out();
    crate::text::json::write_json(&mut out, &listed)?;
    out.flush()?;
    Ok(())
}

fn print_text(shown: &[&Record<Subscriber>], viewer: &Viewer<'_>) -> Result<()> {
    let mut out = crate::console::out();
    let heading = ["address", "domain", "plan", "status", "id", "name"].map(ToOwned::to_owned);
    let row = |record: &&Record<Subscriber>| {
        let subscriber = &record.value;
        let text = |text: &str| harmless(text, WIDEST);
        [
            who::addresses(subscriber),
            text(subscriber.domain.as_str()),
            text(subscriber.plan.as_str()),
            viewer.reason(subscriber).unwrap_or_else(|| status(subscriber)).to_owned(),
            subscriber.id.as_ref().map(|id| text(id.as_str())).unwrap_or_default(),
            subscriber.name.as_ref().map(|name| text(name.as_str())).unwrap_or_default(),
        ]
    };
    if !shown.is_empty() {
        let rows: Vec<[String; 6]> = std::iter::once(heading).chain(shown.iter().map(row)).collect();
        out.write_all(columns(&fitted(rows, 0)).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

fn print_csv<'r>(shown: &[&'r Record<Subscriber>], viewer: &mut Viewer<'r>) -> Result<()> {
    let mut out = std::io::BufWriter::new(crate::console::plain_out());
    out.write_all(b"key,ip,domain,plan,id,name,status,served,starts,ends,labels,file,line\n")?;
    for record in shown {
        let json = viewer.view(record);
        let ips: Vec<String> = json.ip.iter().map(ToString::to_string).collect();
        let labels: Vec<String> = json.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (ips, labels, line) = (ips.join(" "), harmless(&labels.join(" "), 20_000), json.line.to_string());
        let text = |text: &str| harmless(text, 400);
        let fields = [
            text(&json.key),
            ips,
            text(json.domain),
            text(json.plan),
            text(json.id.unwrap_or_default()),
            text(json.name.unwrap_or_default()),
            json.status.to_owned(),
            json.reason.unwrap_or("yes").to_owned(),
            json.starts.unwrap_or_default(),
            json.ends.unwrap_or_default(),
            labels,
            text(json.file),
            line,
        ];
        out.write_all(csv_line(fields.iter().map(String::as_str)).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

/// Which part was printed, and whether records may be missing.
fn print_summary(repo: &Repo, page: &Page<'_>) -> Result<()> {
    let mut notes = crate::console::err();
    let subscribers = counted(page.total, "subscriber", "subscribers");
    let line = match page.subscribers.len() {
        shown if shown == page.total => subscribers,
        0 => format!("none from {} on of {subscribers}", grouped(page.offset.saturating_add(1))),
        shown => format!("{} to {} of {subscribers}", grouped(page.offset + 1), grouped(page.offset + shown)),
    };
    // The list is printed: a closed standard error changes nothing.
    let _ = writeln!(notes, "{line}");
    let unread = repo
        .findings
        .iter()
        .any(|finding| repo.sources.file(finding.primary.at.file()).path().starts_with("subscribers/"));
    if unread {
        let _ = writeln!(notes, "note: some records could not be read and are missing here: see `shapeline check`");
    }
    Ok(())
}
