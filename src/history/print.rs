//! An answer for people: the newest first, as in `git log`.

use std::fmt::Write;

use super::answer::{Event, EventAction, HistoryAnswer, Snapshot, Subject, SubjectKind};
use super::facts::{Facts, FieldDifference};
use super::log::LogCommit;
use super::times::{TimeSpan, shown};
use crate::text::count::counted;
use crate::text::quote::harmless;
use crate::text::quote::short_id;

/// How many subscribers are described above the events.
const MOST_SUBJECTS: usize = 20;

/// What is in the answer, as text; `who` is the subscriber in question, if one was named.
pub fn text(answer: &HistoryAnswer<'_>, who: Option<&str>) -> String {
    let mut out = String::new();
    for holding in &answer.holdings {
        write_holding(&mut out, holding);
    }
    if who.is_some() {
        for subject in answer.subjects.iter().take(MOST_SUBJECTS) {
            write_subject(&mut out, subject);
        }
        if answer.subjects.len() > MOST_SUBJECTS {
            let _ = writeln!(out, "… and {} more\n", answer.subjects.len() - MOST_SUBJECTS);
        }
    }
    for event in &answer.events {
        write_event(&mut out, event);
    }
    out
}

fn plain(text: &str) -> String {
    harmless(text, 300)
}

fn write_subject(out: &mut String, subject: &Subject<'_>) {
    let gone = if subject.present { "" } else { "  (no longer in the data)" };
    let _ = writeln!(out, "{}{gone}", plain(subject.key));
    let _ = writeln!(out, "    {}", described(subject.facts, subject.key, None));
    for span in &subject.served {
        let _ = writeln!(out, "    served {}", stretch(*span));
    }
    if subject.served.is_empty() {
        out.push_str("    never served\n");
    }
    let _ = writeln!(out, "    in {}\n", plain(subject.path));
}

fn stretch(span: TimeSpan) -> String {
    match span.until {
        Some(until) => format!("from {} until {}", shown(span.from), shown(until)),
        None => format!("from {}", shown(span.from)),
    }
}

/// A subscriber's facts, without those that are in its key.
fn described(facts: Facts<'_>, key: &str, rates: Option<&str>) -> String {
    let mut parts = Vec::new();
    for (field, value) in facts.fields().filter(|(field, value)| !in_key(key, field, value)) {
        let rates = rates.filter(|_| field == "plan").map(|rates| format!(" ({rates})")).unwrap_or_default();
        parts.push(format!("{field}: {}{rates}", plain(&value)));
    }
    parts.join("; ")
}

fn in_key(key: &str, field: &str, value: &str) -> bool {
    match field {
        "id" => key == value,
        "ip" => key.split_once('@').is_some_and(|(ip, _)| ip == value),
        "domain" => key.split_once('@').is_some_and(|(_, domain)| domain == value),
        _ => false,
    }
}

fn write_holding(out: &mut String, holding: &Snapshot<'_>) {
    let served = if holding.served { "" } else { "  (not served)" };
    let _ = writeln!(out, "{}{served}", plain(holding.key));
    let _ = writeln!(out, "    {}", described(holding.facts, holding.key, holding.rates.as_deref()));
    let _ = writeln!(out, "    so {}", stretch(holding.span));
    let _ = writeln!(out, "    {}\n", made(&holding.commit, holding.merge.as_ref()));
}

fn write_event(out: &mut String, event: &Event<'_>) {
    let sign = match event.action {
        EventAction::Added => '+',
        EventAction::Changed => '~',
        EventAction::Removed => '-',
    };
    let plan = if event.kind == SubjectKind::Plan { "plan " } else { "" };
    let line = format!("{sign} {}  {plan}{}  {}", shown(event.time), plain(event.key), what(event));
    let _ = writeln!(out, "{}", line.trim_end());
    let _ = writeln!(out, "    {}", made(&event.commit, event.merge.as_ref()));
}

/// What happened in an event, on one line: every value without characters that steer, and bounded.
pub(crate) fn what(event: &Event<'_>) -> String {
    let shown_in_key = |change: &&FieldDifference| {
        let value = change.after.as_deref().filter(|_| event.action == EventAction::Added);
        !value.is_some_and(|value| in_key(event.key, &change.field, value))
    };
    let mut parts: Vec<String> = Vec::new();
    parts.extend(event.was.map(|was| format!("was {} before", plain(was))));
    parts.extend(event.becomes.map(|becomes| format!("goes on as {}", plain(becomes))));
    parts.extend(event.changes.iter().filter(shown_in_key).map(|change| field(event, change)));
    let subscribers = event.subscribers.filter(|count| *count > 0);
    parts.extend(subscribers.map(|count| format!("{} had it", counted(count, "subscriber", "subscribers"))));
    parts.join("; ")
}

fn field(event: &Event<'_>, change: &FieldDifference) -> String {
    let value = |value: &Option<String>| value.as_deref().map_or("none".to_owned(), plain);
    let rates = event.rates.as_ref().filter(|_| change.field == "plan");
    let known = |rate: &Option<String>| rate.clone().unwrap_or_else(|| "rate not known".to_owned());
    let name = plain(&change.field);
    if event.action == EventAction::Added {
        let rates = rates.map(|(_, after)| format!(" ({})", known(after))).unwrap_or_default();
        return format!("{name}: {}{rates}", value(&change.after));
    }
    let rates = rates.map(|(before, after)| format!(" ({} → {})", known(before), known(after))).unwrap_or_default();
    format!("{name}: {} → {}{rates}", value(&change.before), value(&change.after))
}

/// Who made a change, and why.
fn made(commit: &LogCommit<'_>, merge: Option<&LogCommit<'_>>) -> String {
    let short = |commit: &LogCommit<'_>| short_id(&commit.id()).to_owned();
    let merge =
        merge.map(|merge| format!(" (merged by {}, {})", plain(merge.author), short(merge))).unwrap_or_default();
    format!("{}  {}: {}{merge}", short(commit), plain(commit.author), plain(commit.subject))
}
