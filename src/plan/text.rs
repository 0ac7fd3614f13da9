//! A plan as text, in columns.

use std::fmt::Write;

use super::later::LaterEvent;
use super::sold::total;
use super::{AddressChange, ChangePlan, DomainSold, PlanBase, Reason, Served};
use crate::console::without_commands;
use crate::inventory::peak::Peak;
use crate::model::{Capacity, Date, Rate, TotalBps};
use crate::render::Unserved;
use crate::text::columns::columns;
use crate::text::count::{counted, grouped};
use crate::text::quote::harmless;
use crate::text::quote::short_id;

/// The longest value from the data in a column.
const MAX_WIDTH: usize = 80;

/// The plan as text. `+` is added, `-` removed, `~` changed.
pub(crate) fn text(plan: &ChangePlan<'_>) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} on {}, compared with {}\n", plan.output.name, plan.date, base(&plan.base));
    for note in &plan.notes {
        let _ = writeln!(out, "note: {note}");
    }
    if plan.is_empty() {
        let _ = writeln!(out, "{}: {} stay as they are.", nothing(plan), addresses(plan.after));
        for part in [later(plan), sold(plan)].iter().filter(|part| !part.is_empty()) {
            let _ = write!(out, "\n{part}");
        }
        if plan.differs() {
            out.push('\n');
        }
    } else {
        out.push_str(&changes(plan));
    }
    let _ = writeln!(out, "{}", verdict(plan));
    let _ = writeln!(out, "Fingerprint: {}", plan.fingerprint);
    // Names from a live file begin lines here, and a workflow may print the text from a file.
    without_commands(&out).into_owned()
}

/// The changes of today and later, the bandwidth sold by domain, and the summary.
pub(crate) fn changes(plan: &ChangePlan<'_>) -> String {
    let mut out = String::new();
    let rows: Vec<[String; 5]> = plan.changes.all.iter().map(row).collect();
    out.push_str(&columns(&rows));
    out.push('\n');
    for part in [later(plan), sold(plan)].iter().filter(|part| !part.is_empty()) {
        let _ = writeln!(out, "{part}");
    }
    let _ = writeln!(out, "{}", summary(plan));
    out
}

/// The sentence for a plan without changes today.
pub(super) fn nothing(plan: &ChangePlan<'_>) -> &'static str {
    if plan.differs() { "Nothing would change today" } else { "Nothing would change" }
}

/// How many events of later days are listed.
pub(super) const LATER_ROWS: usize = 50;

fn later(plan: &ChangePlan<'_>) -> String {
    if plan.later.is_empty() {
        return String::new();
    }
    let row = |event: &LaterEvent<'_>| {
        let (_, domain, plan, rate) = parts(&event.change);
        let address = event.change.address().to_string();
        [event.date.to_string(), event.word().to_owned(), address, domain, plan, rate, note(&event.change)]
    };
    let rows: Vec<[String; 7]> = plan.later.events.iter().take(LATER_ROWS).map(row).collect();
    let rest = plan.later.rest(LATER_ROWS).map(|rest| format!("… {rest}\n")).unwrap_or_default();
    format!("Later\n{}{rest}", columns(&rows))
}

fn sold(plan: &ChangePlan<'_>) -> String {
    let mut rows = vec![["Sold".to_owned(), "subscribers".into(), "up".into(), "down".into(), "of".into()]];
    rows.extend(plan.domains.iter().filter(|domain| domain.changes()).map(|domain| sold_row(plan.date, domain)));
    if rows.len() == 1 {
        return String::new();
    }
    rows.extend(total(&plan.domains).map(|total| sold_row(plan.date, &total)));
    columns(&rows)
}

/// `1 added, 2 changed, 0 removed`
pub(crate) fn changed(plan: &ChangePlan<'_>) -> String {
    let changes = &plan.changes;
    let [added, changed, removed] = [changes.added, changes.changed, changes.removed].map(grouped);
    format!("{added} added, {changed} changed, {removed} removed")
}

/// `1 added, 2 changed, 0 removed; 5 → 6 addresses`
pub(crate) fn counts(plan: &ChangePlan<'_>) -> String {
    let counts = changed(plan);
    match plan.before == plan.after {
        true => format!("{counts}; {} as before", addresses(plan.after)),
        false => format!("{counts}; {} → {}", grouped(plan.before), addresses(plan.after)),
    }
}

/// The same, and what else is to be said of the file.
pub(super) fn summary(plan: &ChangePlan<'_>) -> String {
    let mut text = counts(plan);
    if !plan.bytes_differ {
        text.push_str("; the file itself stays as it is");
    } else if plan.changes.is_empty() {
        text.push_str("; only the text of the file changes");
    }
    text
}

/// Whether the plan is safe, and why not.
pub(super) fn verdict(plan: &ChangePlan<'_>) -> String {
    if plan.verdict.is_safe() {
        return format!("Safe: {}.", plan.verdict.why_safe());
    }
    let mut text = String::from("NOT SAFE: `publish` refuses this plan unless its fingerprint is acknowledged.");
    for reason in &plan.verdict.reasons {
        let _ = write!(text, "\n  {reason}");
    }
    text
}

pub(super) fn addresses(count: usize) -> String {
    counted(count, "address", "addresses")
}

/// What the data was compared with.
pub(super) fn base(base: &PlanBase) -> String {
    match base {
        PlanBase::Revision { name, commit } => {
            format!("{} ({})", harmless(name, MAX_WIDTH), harmless(short_id(commit), 12))
        }
        PlanBase::File { path } if path == "-" => "standard input".to_owned(),
        PlanBase::File { path } => harmless(path, 200),
        PlanBase::Live { target, place } => {
            format!("the live file of {} ({})", harmless(target, MAX_WIDTH), harmless(place, 200))
        }
    }
}

/// A change as a line of a table.
pub(crate) fn row(change: &AddressChange<'_>) -> [String; 5] {
    let address = change.address().to_string();
    let (sign, domain, plan, rate) = parts(change);
    [format!("{sign} {address}"), domain, plan, rate, note(change)]
}

/// The sign, the domain, the plan and the rates of a change: one value, or old → new.
pub(super) fn parts(change: &AddressChange<'_>) -> (char, String, String, String) {
    let one = |served: &Served<'_>| {
        (harmless(served.domain, MAX_WIDTH), harmless(served.plan, MAX_WIDTH), rates(served.rates))
    };
    match change {
        AddressChange::Added(served) => {
            let (domain, plan, rate) = one(served);
            ('+', domain, plan, rate)
        }
        AddressChange::Removed(served, _) => {
            let (domain, plan, rate) = one(served);
            ('-', domain, plan, rate)
        }
        AddressChange::Changed { before, after } => {
            let (old, mut new) = (one(before), one(after));
            // Another shaper attribute under the same plan: the name alone would hide it.
            let mut old = old;
            if old.1 == new.1 && before.attribute != after.attribute {
                old.1 = format!("{} ({})", old.1, harmless(before.attribute, MAX_WIDTH));
                new.1 = format!("{} ({})", new.1, harmless(after.attribute, MAX_WIDTH));
            }
            ('~', arrow(old.0, new.0), arrow(old.1, new.1), arrow(old.2, new.2))
        }
    }
}

/// The name of the subscriber, and why it is removed.
pub(super) fn note(change: &AddressChange<'_>) -> String {
    let (served, why) = match change {
        AddressChange::Added(served) | AddressChange::Changed { after: served, .. } => (served, ""),
        AddressChange::Removed(served, reason) => (served, why(*reason)),
    };
    let name = served.name.map(|name| harmless(name, MAX_WIDTH)).unwrap_or_default();
    match (name.is_empty(), why.is_empty()) {
        (_, true) => name,
        (true, false) => format!("({why})"),
        (false, false) => format!("{name} ({why})"),
    }
}

/// Why an address is no longer served; empty if its record is gone.
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

/// `30 Mbps` if both directions are the same, else both.
pub(super) fn rates(rates: Option<(Rate, Rate)>) -> String {
    match rates {
        None => "rate not known".to_owned(),
        Some((up, down)) if up == down => up.to_string(),
        Some((up, down)) => format!("{up} up, {down} down"),
    }
}

fn sold_row(today: Date, domain: &DomainSold) -> [String; 5] {
    [
        harmless(&domain.name, MAX_WIDTH),
        arrow(grouped(domain.before.subscribers), grouped(domain.after.subscribers)),
        sold_up(today, domain),
        sold_down(today, domain),
        domain.capacity.as_ref().map(|capacity| used(capacity, today, domain)).unwrap_or_default(),
    ]
}

/// Upload sold before and after, and its peak if that is on a later day.
pub(super) fn sold_up(today: Date, domain: &DomainSold) -> String {
    let (before, after) = (&domain.before, &domain.after);
    let sums = arrow(sum_of_rates(before.up, before.unknown), sum_of_rates(after.up, after.unknown));
    sums + &peak_later(today, domain.peaks.map(|peaks| peaks.up))
}

/// The same for download.
pub(super) fn sold_down(today: Date, domain: &DomainSold) -> String {
    let (before, after) = (&domain.before, &domain.after);
    let sums = arrow(sum_of_rates(before.down, before.unknown), sum_of_rates(after.down, after.unknown));
    sums + &peak_later(today, domain.peaks.map(|peaks| peaks.down))
}

fn peak_later(today: Date, peak: Option<Peak>) -> String {
    let later = peak.filter(|peak| peak.from != today);
    later.map(|peak| format!(", {} from {}", TotalBps(peak.bps), peak.from)).unwrap_or_default()
}

/// A sum of rates, and how many are unknown.
fn sum_of_rates(bps: u128, unknown: usize) -> String {
    let sum = TotalBps(bps);
    if unknown == 0 { sum.to_string() } else { format!("{sum} and {} not known", grouped(unknown)) }
}

/// The capacity, and how much of it is sold in the fuller direction, today and at the peak.
pub(super) fn used(capacity: &Capacity, today: Date, domain: &DomainSold) -> String {
    let ratio = capacity.contention.0;
    let limit = |rate: Rate| u128::from(rate.bps()) * u128::from(ratio);
    let percent = |sold: u128, rate: Rate| (sold * 100).checked_div(limit(rate)).unwrap_or_default();
    let share = percent(domain.after.up, capacity.up).max(percent(domain.after.down, capacity.down));
    let peaks = domain.peaks.map(|peaks| [(peaks.up, capacity.up), (peaks.down, capacity.down)]);
    let shares = peaks.into_iter().flatten().map(|(peak, rate)| (percent(peak.bps, rate), peak.from));
    let most = shares.filter(|(share, from)| *share > 0 && *from != today).max_by_key(|(share, _)| *share);
    let most = most.map(|(share, from)| format!(", {share}% from {from}")).unwrap_or_default();
    let rates = rates(Some((capacity.up, capacity.down)));
    format!("{rates} × {ratio}: {share}% sold{most}")
}
