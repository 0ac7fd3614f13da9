//! `subscriber list`: all, or those that fit; sorted, in pages.

use std::cmp::Ordering;
use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

use super::names;
use super::record::{JSON_VERSION, Json, Teller, status};
use crate::cli::{ListArgs, ListFormat, SortField, StatusFilter};
use crate::commands::{Outcome, load_unaltered, today, tree};
use crate::edit::{Refusal, who};
use crate::model::{Address, Subscriber};
use crate::repo::{Record, Repo};
use crate::text::columns::{columns, csv_line, fitted};
use crate::text::count::counted;
use crate::text::quote::harmless;

/// How many a page has where nothing is said.
const PAGE: usize = 50;

/// The longest a value is in a column.
const WIDEST: usize = 80;

#[derive(Serialize)]
struct Listed<'r> {
    version: u32,
    /// How many fit, on whatever page.
    total: usize,
    offset: usize,
    subscribers: Vec<Json<'r>>,
}

pub(super) fn run(root: &Path, args: &ListArgs) -> Result<Outcome> {
    let repo = load_unaltered(&tree(root, &args.data)?)?;
    is_known(&repo, args)?;
    let mut teller = Teller::new(&repo, today(&args.data));
    let mut fitting: Vec<&Record<Subscriber>> = repo.subscribers.iter().collect();
    let text = args.text.as_deref().map(Text::new);
    fitting.retain(|record| fits(args, text.as_ref(), &record.value, &teller));
    sort(&mut fitting, args.sort);
    if args.reverse {
        fitting.reverse();
    }
    let limit = match args.limit {
        Some(0) if args.page.is_some() => bail!("--limit 0 is all of them, on one page: leave out --page"),
        Some(0) => usize::MAX,
        Some(limit) => limit,
        None => args.page.map_or(usize::MAX, |_| PAGE),
    };
    let first = args.page.map_or(args.offset.unwrap_or(0), |page| limit.saturating_mul(page as usize - 1));
    let total = fitting.len();
    let shown: Vec<&Record<Subscriber>> = fitting.into_iter().skip(first).take(limit).collect();
    match args.format {
        ListFormat::Json => {
            let subscribers = shown.iter().map(|record| teller.json(record)).collect();
            let listed = Listed { version: JSON_VERSION, total, offset: first, subscribers };
            let mut out = crate::console::plain_out();
            crate::text::json::write_json(&mut out, &listed)?;
            out.flush()?;
        }
        ListFormat::Csv => print_csv(&shown, &mut teller)?,
        ListFormat::Text => print_text(&shown, &teller)?,
    }
    tell(&repo, total, first, shown.len())?;
    Ok(Outcome::Fine)
}

/// A domain or plan that neither is there nor is named by anybody is told with what was meant.
fn is_known(repo: &Repo, args: &ListArgs) -> Result<(), Refusal> {
    let mut all = repo.subscribers.iter().map(|record| &record.value);
    if let Some(name) = args.domain.as_deref().filter(|name| all.clone().all(|one| one.domain.as_str() != *name)) {
        names::domain(repo, name)?;
    }
    if let Some(name) = args.plan.as_deref().filter(|name| all.all(|one| one.plan.as_str() != *name)) {
        names::plan(repo, name)?;
    }
    Ok(())
}

/// What a free text is looked for as.
struct Text {
    lower: String,
    address: Option<Address>,
}

impl Text {
    fn new(text: &str) -> Text {
        Text { lower: text.to_lowercase(), address: text.parse().ok() }
    }

    fn is_in(&self, subscriber: &Subscriber) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.lower);
        let holds = |address: &Address| {
            let around = self.address.as_ref().is_some_and(|own| address.net().contains(&own.net()));
            around || has(&address.to_string())
        };
        subscriber.ip.as_slice().iter().any(holds)
            || has(&subscriber.key())
            || has(subscriber.domain.as_str())
            || has(subscriber.plan.as_str())
            || subscriber.name.as_ref().is_some_and(|name| has(name.as_str()))
            || subscriber.labels.iter().flat_map(|labels| labels.iter()).any(|(name, value)| has(name) || has(value))
    }
}

fn fits(args: &ListArgs, text: Option<&Text>, subscriber: &Subscriber, teller: &Teller<'_>) -> bool {
    let status_fits = match args.status {
        None => true,
        Some(StatusFilter::Active) => status(subscriber) == "active",
        Some(StatusFilter::Suspended) => status(subscriber) == "suspended",
        Some(StatusFilter::Served) => teller.reason(subscriber).is_none(),
        Some(StatusFilter::Unserved) => teller.reason(subscriber).is_some(),
    };
    status_fits
        && args.domain.as_deref().is_none_or(|domain| domain == subscriber.domain.as_str())
        && args.plan.as_deref().is_none_or(|plan| plan == subscriber.plan.as_str())
        && text.is_none_or(|text| text.is_in(subscriber))
}

fn sort(records: &mut [&Record<Subscriber>], by: SortField) {
    records.sort_by_cached_key(|record| record.value.ip.first().map(Address::sort_key));
    let compare = |a: &Subscriber, b: &Subscriber| match by {
        SortField::Address => Ordering::Equal,
        SortField::Domain => a.domain.cmp(&b.domain),
        SortField::Plan => a.plan.cmp(&b.plan),
        // Those without one last.
        SortField::Name => (a.name.is_none(), &a.name).cmp(&(b.name.is_none(), &b.name)),
        SortField::Id => (a.id.is_none(), &a.id).cmp(&(b.id.is_none(), &b.id)),
        SortField::Status => status(a).cmp(status(b)),
        SortField::Starts => (a.starts.is_none(), a.starts).cmp(&(b.starts.is_none(), b.starts)),
        SortField::Ends => (a.ends.is_none(), a.ends).cmp(&(b.ends.is_none(), b.ends)),
    };
    records.sort_by(|a, b| compare(&a.value, &b.value));
}

fn print_text(shown: &[&Record<Subscriber>], teller: &Teller<'_>) -> Result<()> {
    let mut out = crate::console::out();
    let heading = ["address", "domain", "plan", "status", "id", "name"].map(ToOwned::to_owned);
    let row = |record: &&Record<Subscriber>| {
        let subscriber = &record.value;
        let text = |text: &str| harmless(text, WIDEST);
        [
            who::addresses(subscriber),
            text(subscriber.domain.as_str()),
            text(subscriber.plan.as_str()),
            teller.reason(subscriber).unwrap_or_else(|| status(subscriber)).to_owned(),
            subscriber.id.as_ref().map(|id| text(id.as_str())).unwrap_or_default(),
            subscriber.name.as_ref().map(|name| text(name.as_str())).unwrap_or_default(),
        ]
    };
    if !shown.is_empty() {
        let rows: Vec<[String; 6]> = std::iter::once(heading).chain(shown.iter().map(row)).collect();
        out.write_all(columns(&fitted(rows)).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

fn print_csv<'r>(shown: &[&'r Record<Subscriber>], teller: &mut Teller<'r>) -> Result<()> {
    let mut out = std::io::BufWriter::new(crate::console::plain_out());
    out.write_all(b"key,ip,domain,plan,id,name,status,served,starts,ends,labels,file,line\n")?;
    for record in shown {
        let json = teller.json(record);
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

/// Which part was shown, and whether anybody may be missing.
fn tell(repo: &Repo, total: usize, first: usize, shown: usize) -> Result<()> {
    let mut notes = crate::console::err();
    let subscribers = counted(total, "subscriber", "subscribers");
    let line = match shown {
        shown if shown == total => subscribers,
        0 => format!("none from {} on of {subscribers}", first + 1),
        shown => format!("{} to {} of {subscribers}", first + 1, first + shown),
    };
    // The list is out. If nobody listens, that changes nothing.
    let _ = writeln!(notes, "{line}");
    let unread = repo
        .findings
        .iter()
        .any(|finding| repo.sources.file(finding.primary.at.file()).path().starts_with("subscribers/"));
    if unread {
        let _ = writeln!(notes, "note: some records could not be read and are missing here: `shapeline check` tells");
    }
    Ok(())
}
