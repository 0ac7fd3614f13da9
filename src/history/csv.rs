//! An answer for spreadsheets: a line for each field that changed; for a moment, one for each holder.

use super::answer::{Event, EventAction, HistoryAnswer, Snapshot, SubjectKind};
use super::facts::FieldDifference;
use super::times::shown;
use crate::text::columns::csv_line;
use crate::text::quote::harmless;

const EVENTS: &str = "time,kind,action,key,field,before,after,author,email,commit,merge,subject,path\n";

const HOLDERS: &str =
    "key,served,from,until,ip,domain,plan,rates,id,name,status,starts,ends,author,email,commit,merge,subject,path\n";

/// The answer as CSV.
pub fn csv(answer: &HistoryAnswer<'_>, on: bool) -> String {
    if on {
        return HOLDERS.to_owned() + &answer.holdings.iter().map(holder).collect::<String>();
    }
    let mut out = EVENTS.to_owned();
    for event in &answer.events {
        if event.changes.is_empty() {
            out += &line(event, None);
        }
        for change in &event.changes {
            out += &line(event, Some(change));
        }
    }
    out
}

fn plain(text: &str) -> String {
    harmless(text, 2000)
}

fn fields(all: &[String]) -> String {
    csv_line(all.iter().map(String::as_str))
}

fn line(event: &Event<'_>, change: Option<&FieldDifference>) -> String {
    let kind = match event.kind {
        SubjectKind::Subscriber => "subscriber",
        SubjectKind::Plan => "plan",
    };
    let action = match event.action {
        EventAction::Added => "added",
        EventAction::Changed => "changed",
        EventAction::Removed => "removed",
    };
    let value = |value: Option<&String>| value.map(|value| plain(value)).unwrap_or_default();
    fields(&[
        shown(event.time),
        kind.to_owned(),
        action.to_owned(),
        plain(event.key),
        change.map(|change| plain(&change.field)).unwrap_or_default(),
        value(change.and_then(|change| change.before.as_ref())),
        value(change.and_then(|change| change.after.as_ref())),
        plain(event.commit.author),
        plain(event.commit.email),
        event.commit.id(),
        event.merge.map(|merge| merge.id()).unwrap_or_default(),
        plain(event.commit.subject),
        plain(event.path),
    ])
}

fn holder(holding: &Snapshot<'_>) -> String {
    let field = |name: &str| holding.facts.get(name).map(|value| plain(&value)).unwrap_or_default();
    fields(&[
        plain(holding.key),
        holding.served.to_string(),
        shown(holding.span.from),
        holding.span.until.map(shown).unwrap_or_default(),
        field("ip"),
        field("domain"),
        field("plan"),
        holding.rates.clone().unwrap_or_default(),
        field("id"),
        field("name"),
        field("status"),
        field("starts"),
        field("ends"),
        plain(holding.commit.author),
        plain(holding.commit.email),
        holding.commit.id(),
        holding.merge.map(|merge| merge.id()).unwrap_or_default(),
        plain(holding.commit.subject),
        plain(holding.path),
    ])
}
