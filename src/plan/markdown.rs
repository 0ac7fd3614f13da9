//! A plan as a pull-request comment: the summary on top, details folded, truncated when long.
//!
//! Every value from the data is in a code span without backquotes, pipes and newlines, so that it cannot
//! be markup, mention a user or end a table row.

use std::fmt::Write;

use super::sold::total;
use super::text::{LATER_ROWS, addresses, arrow, base, note, nothing, parts, sold_down, sold_up, summary, used};
use super::{AddressChange, ChangePlan, DomainSold};
use crate::text::count::{counted, grouped};
use crate::text::quote::harmless;

/// How many changes are listed. GitHub takes comments of up to 65,536 characters.
const MAX_ROWS: usize = 200;

/// How many bytes the tables may have together.
const MAX_BYTES: usize = 48_000;

pub(crate) fn markdown(plan: &ChangePlan<'_>) -> String {
    let mut out = String::from("## Shapeline plan\n\n");
    if plan.is_empty() {
        let _ = writeln!(out, "**{} on the network:** {} stay as they are.\n", nothing(plan), addresses(plan.after));
    } else {
        let _ = writeln!(out, "**{}**\n", summary(plan));
    }
    if plan.verdict.is_safe() {
        let _ = writeln!(out, "✅ Safe: {}.", plan.verdict.why_safe());
    } else {
        out.push_str("⛔ **Not safe**: `publish` refuses this plan unless its fingerprint is acknowledged.\n");
        for reason in &plan.verdict.reasons {
            let _ = writeln!(out, "- {}", code(reason));
        }
    }
    for note in &plan.notes {
        let _ = writeln!(out, "\n> **Note:** {}", code(note));
    }
    out.push('\n');
    sold(plan, &mut out);
    later(plan, &mut out);
    changes(plan, &mut out);
    let _ = writeln!(
        out,
        "<sub>Output {}, {}, compared with {}. Fingerprint:</sub>",
        code(&plan.output.name),
        plan.date,
        code(&base(&plan.base))
    );
    let _ = writeln!(out, "`{}`", plan.fingerprint);
    out
}

fn sold(plan: &ChangePlan<'_>, out: &mut String) {
    let domains: Vec<_> = plan.domains.iter().filter(|domain| domain.changes()).collect();
    if domains.is_empty() {
        return;
    }
    out.push_str("| domain | subscribers | sold up | sold down | capacity |\n|---|---|---|---|---|\n");
    let row = |name: &str, domain: &DomainSold| {
        format!(
            "| {name} | {} | {} | {} | {} |\n",
            arrow(domain.before.subscribers.to_string(), domain.after.subscribers.to_string()),
            sold_up(plan.date, domain),
            sold_down(plan.date, domain),
            domain.capacity.as_ref().map(|capacity| used(capacity, plan.date, domain)).unwrap_or_default(),
        )
    };
    for domain in domains.iter().take(MAX_ROWS / 4) {
        out.push_str(&row(&code(&domain.name), domain));
    }
    if let Some(total) = total(&plan.domains) {
        out.push_str(&row(&total.name, &total));
    }
    if domains.len() > MAX_ROWS / 4 {
        let more = counted(domains.len() - MAX_ROWS / 4, "more domain", "more domains");
        let _ = writeln!(out, "\n… and {more}.");
    }
    out.push('\n');
}

fn later(plan: &ChangePlan<'_>, out: &mut String) {
    if plan.later.is_empty() {
        return;
    }
    let _ = writeln!(out, "<details><summary>{} later</summary>\n", plan.later.len());
    out.push_str("| day | | address | domain | plan | rate | |\n|---|---|---|---|---|---|---|\n");
    for event in plan.later.events.iter().take(LATER_ROWS) {
        let _ = writeln!(out, "| {} | {} {}", event.date, event.word(), row(&event.change));
    }
    if let Some(rest) = plan.later.rest(LATER_ROWS) {
        let _ = writeln!(out, "\n… {rest}.");
    }
    out.push_str("\n</details>\n\n");
}

/// A change as the cells of a row.
fn row(change: &AddressChange<'_>) -> String {
    let (_, domain, name, rate) = parts(change);
    let note = note(change);
    let note = if note.is_empty() { String::new() } else { code(&note) };
    format!("| {} | {} | {} | {rate} | {note} |", code(&change.address().to_string()), code(&domain), code(&name))
}

/// Picks the changes of one kind.
type IsKind = fn(&AddressChange<'_>) -> bool;

fn changes(plan: &ChangePlan<'_>, out: &mut String) {
    let kinds: [(&str, IsKind, usize); 3] = [
        ("removed", |change| matches!(change, AddressChange::Removed(..)), plan.changes.removed),
        ("changed", |change| matches!(change, AddressChange::Changed { .. }), plan.changes.changed),
        ("added", |change| matches!(change, AddressChange::Added(_)), plan.changes.added),
    ];
    for (name, is_kind, count) in kinds {
        if count == 0 {
            continue;
        }
        let _ = writeln!(out, "<details><summary>{} {name}</summary>\n", grouped(count));
        out.push_str("| address | domain | plan | rate | |\n|---|---|---|---|---|\n");
        let mut listed = 0;
        for change in plan.changes.all.iter().filter(|change| is_kind(change)).take(MAX_ROWS) {
            if out.len() > MAX_BYTES {
                break;
            }
            let _ = writeln!(out, "{}", row(change));
            listed += 1;
        }
        if listed < count {
            let _ = writeln!(out, "\n… and {} more {name}; `shapeline plan` lists them all.", grouped(count - listed));
        }
        out.push_str("\n</details>\n\n");
    }
}

/// A value as a code span, without backquotes, pipes and line breaks.
fn code(value: &str) -> String {
    format!("`{}`", harmless(value, 200).replace('|', "¦"))
}
