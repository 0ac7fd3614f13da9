//! What an import does, as text for people.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use super::worded;
use crate::import::adopt::{MissingRates, NewPlan};
use crate::import::proposal::{Ending, Proposal};
use crate::import::{Found, PlanKey, RowReason};
use crate::model::{Address, Name, PlanName, Subscriber};
use crate::text::columns::columns;
use crate::text::count::counted;
use crate::text::quote::harmless;
use crate::text::quote::quoted;

/// How many of a domain's blocks are listed.
const BLOCKS: usize = 8;

/// How many renamed plans the note names.
const RENAMED: usize = 20;

/// How many resumed subscribers the note names.
const RESUMED: usize = 20;

/// The content of the source, on a line.
pub fn source(found: &Found, shown: &str) -> String {
    format!(
        "{shown}: {}: {}, {}, {}, {} refused",
        found.description(),
        counted(found.subscribers.len(), "subscriber", "subscribers"),
        counted(found.plans.iter().filter(|plan| plan.subscribers > 0).count(), "plan", "plans"),
        counted(found.domains.len(), "domain", "domains"),
        counted(found.refusals.len(), "row", "rows"),
    )
}

/// The files, a line for each, with the rates or blocks of new ones.
fn files(proposal: &Proposal) -> String {
    let plans: HashMap<&str, &NewPlan> =
        proposal.adoption.plans.new.iter().map(|plan| (plan.name.as_str(), plan)).collect();
    let rows: Vec<[String; 3]> = proposal
        .draft
        .changes()
        .map(|change| {
            let sign = match (change.before, change.after) {
                (None, _) => "+",
                (_, None) => "-",
                _ => "~",
            };
            [sign.to_owned(), harmless(change.path, 200), about(proposal, &plans, change.path)]
        })
        .collect();
    columns(&rows)
}

fn about(proposal: &Proposal, plans: &HashMap<&str, &NewPlan>, path: &str) -> String {
    let stem = path.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml")).unwrap_or_default();
    if path.starts_with("plans/") {
        let shown = |rate: Option<crate::model::Rate>| rate.map_or_else(|| "?".to_owned(), |rate| rate.to_string());
        return plans
            .get(stem)
            .map_or_else(String::new, |plan| format!("{} up, {} down", shown(plan.up), shown(plan.down)));
    }
    if path.starts_with("domains/") {
        return proposal.adoption.domains.new.get(&Name::new(stem)).map_or_else(String::new, |found| blocks(found));
    }
    String::new()
}

fn blocks(blocks: &[Address]) -> String {
    let shown: Vec<String> = blocks.iter().take(BLOCKS).map(ToString::to_string).collect();
    let more = blocks.len().saturating_sub(BLOCKS);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The refused rows, a line for each. Where many rows have the same reasons, the first few stand for all.
pub fn refusals(found: &Found) -> String {
    let mut count: HashMap<&[RowReason], usize> = HashMap::new();
    for row in &found.refusals {
        *count.entry(&row.reasons).or_default() += 1;
    }
    let mut shown: HashMap<&[RowReason], usize> = HashMap::new();
    let mut out = String::new();
    for row in &found.refusals {
        let (all, shown) = (count[row.reasons.as_slice()], shown.entry(&row.reasons).or_default());
        *shown += 1;
        if all <= ALIKE || *shown <= FIRST {
            let _ = writeln!(out, "{}", worded::row(row));
        }
        if all > ALIKE && *shown == FIRST {
            let _ = writeln!(out, "… and {} more rows: {}", all - FIRST, worded::reasons(row));
        }
    }
    out
}

/// Up to so many rows with the same reasons are all listed.
const ALIKE: usize = 20;

/// Of more, so many.
const FIRST: usize = 3;

/// The changes, and notes on them.
pub fn text(proposal: &Proposal, ending: Ending) -> String {
    let mut out = files(proposal);
    if !out.is_empty() {
        out.push('\n');
    }
    if ending != Ending::Written {
        let changes = proposal.effect.text();
        if !changes.is_empty() {
            out += &changes;
            out.push('\n');
        }
    }
    let (added, changed, removed) = proposal.steps();
    let would = if ending == Ending::Written { "" } else { "would be " };
    let unchanged = proposal.adoption.subscribers.unchanged;
    if proposal.draft.is_empty() && !proposal.found.refusals.is_empty() {
        let who = counted(unchanged, "subscriber is", "subscribers are");
        let _ = writeln!(out, "Apart from the refused rows there is nothing to do: {who} as the source has them.");
    } else if proposal.draft.is_empty() {
        let _ =
            writeln!(out, "Nothing to do: {} as the source has them.", counted(unchanged, "subscriber", "subscribers"));
    } else {
        let _ = writeln!(
            out,
            "Subscribers: {added} {would}added, {changed} {would}changed, {removed} {would}removed, {unchanged} as before."
        );
    }
    if proposal.effect.addresses.0 > 0 && !proposal.draft.is_empty() {
        let (added, changed, removed) = proposal.effect.changes;
        let (before, after) = proposal.effect.addresses;
        let _ = writeln!(
            out,
            "On the network: {added} added, {changed} changed, {removed} removed; {before} → {after} addresses."
        );
    }
    for note in notes(proposal) {
        let _ = writeln!(out, "Note: {note}.");
    }
    for missing in &proposal.adoption.plans.missing {
        let _ = writeln!(out, "To fill in: {}", to_fill_in(missing));
    }
    out
}

/// Lines of changes on the network that are shown before a question.
const IN_SHORT: usize = 20;

/// The changes on the network, the first of them one by one; nothing if there are none.
pub fn network_in_short(proposal: &Proposal) -> String {
    let changes = proposal.effect.text();
    let lines = changes.lines().count();
    let mut out: String = changes.split_inclusive('\n').take(IN_SHORT).collect();
    if lines > IN_SHORT {
        let _ = writeln!(out, "and {} more: --dry-run shows them", lines - IN_SHORT);
    }
    let (added, changed, removed) = proposal.effect.changes;
    if (added, changed, removed) != (0, 0, 0) {
        let _ = writeln!(out, "On the network: {added} added, {changed} changed, {removed} removed.");
    }
    for missing in &proposal.adoption.plans.missing {
        let _ = writeln!(out, "To fill in: {}", to_fill_in(missing));
    }
    out
}

/// Why nothing is written, and what to do.
pub fn verdict(proposal: &Proposal, ending: Ending, acknowledged: bool) -> String {
    match ending {
        Ending::RowsRefused => "Nothing is written: fix the source, or skip these rows with --skip-bad.\n".to_owned(),
        Ending::Limits => {
            let effect = &proposal.effect;
            let reasons: String = effect.verdict.reasons.iter().map(|reason| format!("  {reason}\n")).collect();
            let other = if acknowledged { "The fingerprint that was given is that of another change.\n" } else { "" };
            let keep = if proposal.steps().2 > 0 {
                "To add and change only, and remove no subscriber: --add-only\n"
            } else {
                ""
            };
            format!(
                "REFUSED, nothing is written: so much may not change at once.\n{reasons}{other}{keep}To import anyway: \
                 --ack {}\n",
                effect.fingerprint
            )
        }
        Ending::Written | Ending::DryRun => String::new(),
    }
}

fn to_fill_in(missing: &MissingRates) -> String {
    let what = match (missing.up, missing.down) {
        (true, true) => "up and down",
        (true, false) => "up",
        _ => "down",
    };
    format!(
        "plans/{}.yaml: {what} ({}); or import again with --rate {}=UP/DOWN",
        missing.name,
        counted(missing.subscribers, "subscriber", "subscribers"),
        missing.name
    )
}

/// Sentences without a full stop.
pub(super) fn notes(proposal: &Proposal) -> Vec<String> {
    let adoption = &proposal.adoption;
    let mut notes = proposal.found.notes.clone();
    for (at, more) in &adoption.domains.more {
        let name = adoption.domains.names.get(at).map_or_else(String::new, |name| quoted(name));
        notes.push(format!("{name} gets the blocks {} beside those that it has", blocks(more)));
    }
    if !adoption.domains.new.is_empty() {
        notes.push(
            "the address blocks of new domains are proposed from the addresses of their subscribers: compare \
             them with what each ISP really has"
                .to_owned(),
        );
    }
    if adoption.domains.edges > 0 {
        let addresses = counted(adoption.domains.edges, "address is", "addresses are");
        notes.push(format!("{addresses} the first or last of a block, and listed by themselves as hosts"));
    }
    for domain in &adoption.domains.empty {
        notes.push(format!(
            "the domain {} has no subscribers, so its blocks are not known: it is skipped",
            quoted(domain.as_str())
        ));
    }
    if let Some(first) = adoption.plans.two_in_name.first() {
        let plans = counted(adoption.plans.two_in_name.len(), "plan has", "plans have");
        notes.push(format!(
            "{plans} two rates in the name, such as {}, and the source does not say which is up: import again with \
             --rates-in-names up/down or down/up",
            quoted(first)
        ));
    }
    let renamed: Vec<String> = renamed(proposal).take(RENAMED + 1).collect();
    if !renamed.is_empty() {
        let more = if renamed.len() > RENAMED { ", …" } else { "" };
        let shown = renamed.iter().take(RENAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        notes.push(format!("names that no plan can have are changed: {shown}{more}"));
    }
    for plan in &adoption.plans.left_out {
        notes.push(format!("the plan {} has no subscribers, and its name gives no rates: it is skipped", quoted(plan)));
    }
    notes.extend(resumed(proposal));
    let left = &adoption.subscribers.left;
    for (domain, count) in &left.other_domains {
        notes.push(format!(
            "the source does not name the domain {}: {} as before",
            quoted(domain.as_str()),
            counted(*count, "subscriber stays", "subscribers stay")
        ));
    }
    if left.only_added > 0 {
        let who = counted(left.only_added, "subscriber", "subscribers");
        notes.push(format!("not in the source, but kept because of --add-only: {who}"));
    }
    if left.unserved > 0 {
        let who = counted(left.unserved, "subscriber", "subscribers");
        notes.push(format!("not in the source, but kept because suspended or out of its term: {who}"));
    }
    if left.doubted > 0 {
        let who = counted(left.doubted, "subscriber stays", "subscribers stay");
        notes.push(format!("{who} as before, because the row that names them is refused"));
    }
    if proposal.old_errors > 0 {
        let errors = counted(proposal.old_errors, "error", "errors");
        notes.push(format!("the data had {errors} before, and still has: see `shapeline check`"));
    }
    notes
}

/// The new plans whose names are not those of the source: the old and the new name.
fn renamed(proposal: &Proposal) -> impl Iterator<Item = String> {
    let plans = &proposal.adoption.plans;
    let new: HashSet<&str> = plans.new.iter().map(|plan| plan.name.as_str()).collect();
    let names = proposal.found.plans.iter().zip(&plans.names);
    names.filter_map(move |(plan, name)| {
        let name = name.as_ref().map(PlanName::as_str).filter(|name| new.contains(name))?;
        let PlanKey::Name(old) = &plan.key else { return None };
        (old != name).then(|| format!("{} → {}", quoted(old), quoted(name)))
    })
}

/// The note on subscribers that are suspended in the data and served in the source.
fn resumed(proposal: &Proposal) -> Option<String> {
    let all = &proposal.resumed;
    let shown: Vec<String> = all.iter().take(RESUMED).map(who).collect();
    let more = match all.len().saturating_sub(RESUMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let who = counted(all.len(), "subscriber that is", "subscribers that are");
    let what = match (proposal.keep_suspended, all.len()) {
        (_, 0) => return None,
        (true, 1) => "stays suspended, though the source has it",
        (true, _) => "stay suspended, though the source has them",
        (false, 1) => "is resumed, because the source has it, unless --keep-suspended is given",
        (false, _) => "are resumed, because the source has them, unless --keep-suspended is given",
    };
    Some(format!("{who} suspended in the data {what}: {}{more}", shown.join(", ")))
}

/// A subscriber by its first address, its domain and its name.
fn who(subscriber: &Subscriber) -> String {
    let address = subscriber.ip.first().map(ToString::to_string).unwrap_or_default();
    let name = subscriber.name.as_ref().map(|name| format!(" ({})", quoted(name.as_str()))).unwrap_or_default();
    format!("{address} of {}{name}", quoted(subscriber.domain.as_str()))
}
