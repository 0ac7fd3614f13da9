//! A plan for people, in columns.

use std::fmt::Write;

use super::{Base, Change, DomainSold, Plan, Reason, Served};
use crate::columns::columns;
use crate::console::without_commands;
use crate::finding::{counted, harmless};
use crate::model::{Capacity, Rate, TotalBps};
use crate::render::Unserved;

/// The longest a value from the data may be in a column.
const WIDEST: usize = 80;

/// The plan as text. `+` is added, `-` removed, `~` changed.
pub fn text(plan: &Plan<'_>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} on {}, compared with {}\n", plan.output.name, plan.date, base(&plan.base));
    for note in &plan.notes {
        let _ = writeln!(out, "note: {note}");
    }
    if plan.is_empty() {
        let _ = writeln!(out, "Nothing would change: {} stay as they are.", addresses(plan.after));
    } else {
        out.push_str(&changes(plan));
    }
    let _ = writeln!(out, "{}", verdict(plan));
    let _ = writeln!(out, "Fingerprint: {}", plan.fingerprint);
    // Names of a live file begin lines here, and a workflow may print the text from a file.
    without_commands(&out).into_owned()
}

/// The changes, what is sold by whom, and the summary.
pub fn changes(plan: &Plan<'_>) -> String {
    let mut out = String::new();
    let rows: Vec<[String; 5]> = plan.changes.all.iter().map(row).collect();
    out.push_str(&columns(&rows));
    out.push('\n');
    let domains: Vec<&DomainSold> = plan.domains.iter().filter(|domain| domain.before != domain.after).collect();
    if !domains.is_empty() {
        let mut rows = vec![["Sold".to_owned(), "subscribers".into(), "up".into(), "down".into(), "of".into()]];
        rows.extend(domains.into_iter().map(sold_row));
        out.push_str(&columns(&rows));
        out.push('\n');
    }
    let _ = writeln!(out, "{}", summary(plan));
    out
}

/// `1 added, 2 changed, 0 removed; 5 → 6 addresses`
pub(super) fn summary(plan: &Plan<'_>) -> String {
    let changes = &plan.changes;
    let mut text = format!("{} added, {} changed, {} removed", changes.added, changes.changed, changes.removed);
    let _ = match plan.before == plan.after {
        true => write!(text, "; {} as before", addresses(plan.after)),
        false => write!(text, "; {} → {}", plan.before, addresses(plan.after)),
    };
    if !plan.bytes_differ {
        text.push_str("; the file itself stays as it is");
    } else if changes.is_empty() {
        text.push_str("; only the text of the file changes");
    }
    text
}

/// Safe, or why not.
pub(super) fn verdict(plan: &Plan<'_>) -> String {
    if plan.verdict.is_safe() {
        return "Safe: within the limits.".to_owned();
    }
    let mut text =
        String::from("NOT SAFE: `publish` refuses this unless this very plan is acknowledged by its fingerprint.");
    for reason in &plan.verdict.reasons {
        let _ = write!(text, "\n  {reason}");
    }
    text
}

pub(super) fn addresses(count: usize) -> String {
    counted(count, "address", "addresses")
}

/// What was compared with, in words.
pub(super) fn base(base: &Base) -> String {
    match base {
        Base::Revision { name, commit } => {
            format!("{} ({})", harmless(name, WIDEST), harmless(commit, 12).trim_end_matches('…'))
        }
        Base::File { path } if path == "-" => "standard input".to_owned(),
        Base::File { path } => harmless(path, 200),
        Base::Live { target, place } => {
            format!("what is live on {} ({})", harmless(target, WIDEST), harmless(place, 200))
        }
    }
}

/// A change as a line of a table.
pub(crate) fn row(change: &Change<'_>) -> [String; 5] {
    let address = change.address().to_string();
    let (sign, domain, plan, rate) = parts(change);
    [format!("{sign} {address}"), domain, plan, rate, note(change)]
}

/// The sign, the domain, the plan and the rates of a change: one value, or old → new.
pub(super) fn parts(change: &Change<'_>) -> (char, String, String, String) {
    let one =
        |served: &Served<'_>| (harmless(&served.domain, WIDEST), harmless(&served.plan, WIDEST), rates(served.rates));
    match change {
        Change::Added(served) => {
            let (domain, plan, rate) = one(served);
            ('+', domain, plan, rate)
        }
        Change::Removed(served, _) => {
            let (domain, plan, rate) = one(served);
            ('-', domain, plan, rate)
        }
        Change::Changed { before, after } => {
            let (old, mut new) = (one(before), one(after));
            // Another word for the shaper under the same plan: the name alone would hide it.
            let mut old = old;
            if old.1 == new.1 && before.attribute != after.attribute {
                old.1 = format!("{} ({})", old.1, harmless(&before.attribute, WIDEST));
                new.1 = format!("{} ({})", new.1, harmless(&after.attribute, WIDEST));
            }
            ('~', arrow(old.0, new.0), arrow(old.1, new.1), arrow(old.2, new.2))
        }
    }
}

/// The subscriber's name, and why it is removed.
pub(super) fn note(change: &Change<'_>) -> String {
    let (served, why) = match change {
        Change::Added(served) | Change::Changed { after: served, .. } => (served, ""),
        Change::Removed(served, reason) => (served, why(*reason)),
    };
    let name = served.name.map(|name| harmless(name, WIDEST)).unwrap_or_default();
    match (name.is_empty(), why.is_empty()) {
        (_, true) => name,
        (true, false) => format!("({why})"),
        (false, false) => format!("{name} ({why})"),
    }
}

/// Why an address is no longer served, in a word; nothing for one whose record is gone.
pub(super) fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Gone => "",
        Reason::Unserved(Unserved::Suspended) => "suspended",
        Reason::Unserved(Unserved::NotStarted) => "not started",
        Reason::Unserved(Unserved::Ended) => "ended",
    }
}

pub(super) fn arrow(old: String, new: String) -> String {
    if old == new { new } else { format!("{old} → {new}") }
}

/// `30 Mbps` where both directions are alike, else both.
pub(super) fn rates(rates: Option<(Rate, Rate)>) -> String {
    match rates {
        None => "rate not known".to_owned(),
        Some((up, down)) if up == down => up.to_string(),
        Some((up, down)) => format!("{up} up, {down} down"),
    }
}

fn sold_row(domain: &DomainSold) -> [String; 5] {
    let (before, after) = (&domain.before, &domain.after);
    [
        harmless(&domain.name, WIDEST),
        arrow(before.subscribers.to_string(), after.subscribers.to_string()),
        arrow(total(before.up, before.unknown), total(after.up, after.unknown)),
        arrow(total(before.down, before.unknown), total(after.down, after.unknown)),
        domain.capacity.as_ref().map(|capacity| used(capacity, domain)).unwrap_or_default(),
    ]
}

/// A sum of rates; where some are not known it is at least that.
pub(super) fn total(bps: u128, unknown: usize) -> String {
    let sum = TotalBps(bps);
    if unknown == 0 { sum.to_string() } else { format!("{sum} and {unknown} not known") }
}

/// What may be sold, and how much of it is, in the fuller direction.
pub(super) fn used(capacity: &Capacity, domain: &DomainSold) -> String {
    let ratio = capacity.contention.0;
    let limit = |rate: Rate| u128::from(rate.bps()) * u128::from(ratio);
    let percent = |sold: u128, rate: Rate| (sold * 100).checked_div(limit(rate)).unwrap_or_default();
    let share = percent(domain.after.up, capacity.up).max(percent(domain.after.down, capacity.down));
    let rates = rates(Some((capacity.up, capacity.down)));
    format!("{rates} × {ratio}: {share}% sold")
}
