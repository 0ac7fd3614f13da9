//! Who an import removes, for a question.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::Subscriber;
use crate::text::count::counted;
use crate::text::quote::quoted;

/// How many domains are listed, and of each how many subscribers.
const LISTED: usize = 10;

/// Who is removed, for a question: a line for each domain.
pub(super) fn listed(removed: &[Subscriber], shown: &str) -> String {
    let mut domains: BTreeMap<&str, Vec<&Subscriber>> = BTreeMap::new();
    for subscriber in removed {
        domains.entry(subscriber.domain.as_str()).or_default().push(subscriber);
    }
    let mut out = format!("Not in {shown}, and removed by this import:\n");
    for (domain, removed) in domains.iter().take(LISTED) {
        let who: Vec<String> = removed.iter().take(LISTED).map(|subscriber| who(subscriber)).collect();
        let (count, more) = (counted(removed.len(), "subscriber", "subscribers"), and_more(removed.len()));
        let _ = writeln!(out, "  {count} of {}: {}{more}", quoted(domain), who.join(", "));
    }
    if domains.len() > LISTED {
        let rest: usize = domains.values().skip(LISTED).map(Vec::len).sum();
        let (rest, more) = (counted(rest, "subscriber", "subscribers"), domains.len() - LISTED);
        let _ = writeln!(out, "  {rest} of {}", counted(more, "other domain", "other domains"));
    }
    out + "To add and change only, and remove no subscriber: --add-only\n"
}

fn and_more(count: usize) -> String {
    if count > LISTED { format!(" and {} more", count - LISTED) } else { String::new() }
}

/// A subscriber by its first address and its name.
fn who(subscriber: &Subscriber) -> String {
    let address = subscriber.ip.first().map(ToString::to_string).unwrap_or_default();
    let name = subscriber.name.as_ref().map(|name| format!(" ({})", quoted(name.as_str())));
    address + &name.unwrap_or_default()
}
