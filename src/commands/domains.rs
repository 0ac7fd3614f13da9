//! `domains`: who sells, and what of its addresses and capacity is used.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use super::{Outcome, load_unaltered, refusal_is_an_outcome, today, tree};
use crate::cli::{ListFormat, NamedArgs};
use crate::model::TotalBps;
use crate::query::{DomainView, domains};
use crate::text::columns::{columns, csv_line, fitted};
use crate::text::count::{counted, grouped};
use crate::text::quote::harmless;

const JSON_VERSION: u32 = 1;

/// The longest a value is in a column.
const WIDEST: usize = 80;

#[derive(Serialize)]
struct Listed {
    version: u32,
    domains: Vec<DomainView>,
}

pub(super) fn run(root: &Path, args: &NamedArgs) -> Result<Outcome> {
    refusal_is_an_outcome(list(root, args))
}

fn list(root: &Path, args: &NamedArgs) -> Result<Outcome> {
    let repo = Arc::new(load_unaltered(&tree(root, &args.data)?)?);
    let domains = domains(&repo, args.name.as_deref(), today(&args.data))?;
    match args.format {
        ListFormat::Json => {
            let mut out = crate::console::plain_out();
            crate::text::json::write_json(&mut out, &Listed { version: JSON_VERSION, domains })?;
            out.flush()?;
        }
        ListFormat::Csv => print_csv(&domains)?,
        ListFormat::Text => match (domains.as_slice(), &args.name) {
            ([one], Some(_)) => crate::console::out().write_all(columns(&rows(one)).as_bytes())?,
            _ => print_table(&domains)?,
        },
    }
    Ok(Outcome::Fine)
}

fn text(text: &str) -> String {
    harmless(text, WIDEST)
}

fn print_table(domains: &[DomainView]) -> Result<()> {
    let mut out = crate::console::out();
    // A column without any value is not printed.
    let v6 = domains.iter().any(|view| view.prefixes.iter().any(|prefix| prefix.net().network().is_ipv6()));
    let heading =
        ["domain", "subscribers", "used", "free", if v6 { "IPv6" } else { "" }, "committed up", "committed down"];
    let row = |view: &DomainView| {
        [
            text(&view.name),
            grouped(view.subscribers),
            grouped(view.ipv4_used),
            grouped(view.ipv4_free),
            if v6 { grouped(view.ipv6_used) } else { String::new() },
            TotalBps(view.committed.0).to_string(),
            TotalBps(view.committed.1).to_string(),
        ]
    };
    let rows = domains.iter().map(|view| {
        let [name, subscribers, used, free, v6, up, down] = row(view);
        [name, subscribers, used, free, v6, up, down, text(&prefixes(view))]
    });
    if !domains.is_empty() {
        let [a, b, c, d, e, f, g] = heading.map(ToOwned::to_owned);
        let rows: Vec<[String; 8]> =
            std::iter::once([a, b, c, d, e, f, g, "prefixes".to_owned()]).chain(rows).collect();
        out.write_all(columns(&fitted(rows, 7)).as_bytes())?;
    }
    out.flush()?;
    // The list is printed: a closed standard error changes nothing.
    let _ = writeln!(crate::console::err(), "{}", total(domains));
    Ok(())
}

/// The sum of the columns.
fn total(domains: &[DomainView]) -> String {
    if domains.is_empty() {
        return "0 domains".to_owned();
    }
    let subscribers = counted(domains.iter().map(|view| view.subscribers).sum(), "subscriber", "subscribers");
    let committed = |of: fn(&DomainView) -> u128| TotalBps(domains.iter().map(of).sum());
    format!(
        "{}, {subscribers}, {} IPv4 addresses used, {} free, {} up and {} down committed",
        counted(domains.len(), "domain", "domains"),
        grouped(domains.iter().map(|view| u128::from(view.ipv4_used)).sum::<u128>()),
        grouped(domains.iter().map(|view| u128::from(view.ipv4_free)).sum::<u128>()),
        committed(|view| view.committed.0),
        committed(|view| view.committed.1),
    )
}

/// The first prefixes, and how many more there are.
fn prefixes(view: &DomainView) -> String {
    let shown: Vec<String> = view.prefixes.iter().take(3).map(ToString::to_string).collect();
    let more = view.prefixes.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// Everything about one domain.
fn rows(view: &DomainView) -> Vec<[String; 2]> {
    let mut rows = vec![["domain".to_owned(), text(&view.name)]];
    let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
    view.prefixes.iter().for_each(|prefix| row("prefix", prefix.to_string()));
    view.reserved.iter().for_each(|address| row("reserved", address.to_string()));
    let most = view.max_subscribers.map(|most| format!(", at most {}", grouped(most))).unwrap_or_default();
    row("subscribers", format!("{}, {} served{most}", grouped(view.subscribers), grouped(view.served)));
    if view.ipv4_addresses > 0 {
        let [used, free, all] = [view.ipv4_used, view.ipv4_free, view.ipv4_addresses].map(grouped);
        row("IPv4", format!("{used} used, {free} free, of {all}"));
    }
    if view.prefixes.iter().any(|prefix| prefix.net().network().is_ipv6()) {
        row("IPv6", format!("{} used", counted(view.ipv6_used, "prefix", "prefixes")));
    }
    row("committed", format!("{} up, {} down", TotalBps(view.committed.0), TotalBps(view.committed.1)));
    if let (Some(up), Some(down)) = (view.capacity_up_bps, view.capacity_down_bps) {
        let often =
            view.contention.filter(|often| *often > 1).map(|often| format!(", sold {often} times")).unwrap_or_default();
        row("capacity", format!("{} up, {} down{often}", TotalBps(up.into()), TotalBps(down.into())));
    }
    match &view.plans {
        Some(plans) => plans.iter().for_each(|plan| row("plan", text(plan))),
        None => row("plan", "every offered plan".to_owned()),
    }
    view.owners.iter().for_each(|owner| row("owner", text(owner)));
    row("file", format!("{}:{}", text(&view.file), view.line));
    rows
}

fn print_csv(domains: &[DomainView]) -> Result<()> {
    let mut out = std::io::BufWriter::new(crate::console::plain_out());
    out.write_all(
        b"name,prefixes,subscribers,served,max_subscribers,ipv4_addresses,ipv4_used,ipv4_free,ipv6_used,\
          committed_up_bps,committed_down_bps,capacity_up_bps,capacity_down_bps,contention,plans,owners,file,line\n",
    )?;
    let some = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    for view in domains {
        let prefixes: Vec<String> = view.prefixes.iter().map(ToString::to_string).collect();
        let fields = [
            view.name.clone(),
            prefixes.join(" "),
            view.subscribers.to_string(),
            view.served.to_string(),
            some(view.max_subscribers.map(u64::from)),
            view.ipv4_addresses.to_string(),
            view.ipv4_used.to_string(),
            view.ipv4_free.to_string(),
            view.ipv6_used.to_string(),
            view.committed_up_bps.clone(),
            view.committed_down_bps.clone(),
            some(view.capacity_up_bps),
            some(view.capacity_down_bps),
            some(view.contention.map(u64::from)),
            view.plans.as_ref().map(|plans| plans.join(" ")).unwrap_or_default(),
            view.owners.join(" "),
            view.file.clone(),
            view.line.to_string(),
        ];
        out.write_all(csv_line(fields.iter().map(|field| field.as_str())).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}
