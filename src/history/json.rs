//! An answer for programs. The shape is documented in docs/history.md and has a version; it is not the
//! internal type.

use std::io;

use serde::Serialize;

use super::answer::{Event, EventAction, HistoryAnswer, Snapshot, Subject, SubjectKind};
use super::facts::{Facts, FieldDifference};
use super::log::LogCommit;
use super::times::{TimeSpan, shown};

/// The version of the shape. It grows when a reader of the old shape would be misled.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct HistoryJson<'a> {
    version: u32,
    tool: ToolVersion,
    revision: &'a Revision,
    notes: &'a [String],
    total: usize,
    subscribers: Vec<SubjectJson<'a>>,
    events: Vec<HistoryEventJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    holders: Option<Vec<SnapshotJson<'a>>>,
}

#[derive(Serialize)]
struct ToolVersion {
    name: &'static str,
    version: &'static str,
}

/// The revision that was read.
#[derive(Serialize)]
pub struct Revision {
    /// Its name, as given.
    pub name: String,
    /// Its id.
    pub commit: String,
    /// How many commits are on its line.
    pub commits: usize,
}

#[derive(Serialize)]
struct CommitJson<'a> {
    id: String,
    author: &'a str,
    email: &'a str,
    authored: String,
    committed: String,
    subject: &'a str,
}

#[derive(Serialize)]
struct FieldsJson(serde_json::Map<String, serde_json::Value>);

#[derive(Serialize)]
struct SpanJson {
    from: String,
    until: Option<String>,
}

#[derive(Serialize)]
struct SubjectJson<'a> {
    key: &'a str,
    present: bool,
    active_from: Option<String>,
    active_until: Option<String>,
    active: Vec<SpanJson>,
    path: &'a str,
    fields: FieldsJson,
}

#[derive(Serialize)]
struct HistoryEventJson<'a> {
    kind: SubjectKind,
    action: EventAction,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    becomes: Option<&'a str>,
    time: String,
    commit: CommitJson<'a>,
    merge: Option<CommitJson<'a>>,
    path: &'a str,
    changes: Vec<FieldChangeJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rates: Option<RatesJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscribers: Option<usize>,
}

#[derive(Serialize)]
struct FieldChangeJson<'a> {
    field: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

#[derive(Serialize)]
struct RatesJson<'a> {
    before: Option<&'a str>,
    after: Option<&'a str>,
}

#[derive(Serialize)]
struct SnapshotJson<'a> {
    key: &'a str,
    served: bool,
    from: String,
    until: Option<String>,
    rates: Option<&'a str>,
    commit: CommitJson<'a>,
    merge: Option<CommitJson<'a>>,
    path: &'a str,
    fields: FieldsJson,
}

/// Writes the answer as JSON, indented, with a line break at the end.
///
/// # Errors
/// If it cannot be written.
pub fn write(out: &mut dyn io::Write, answer: &HistoryAnswer<'_>, revision: &Revision, on: bool) -> io::Result<()> {
    let json = HistoryJson {
        version: VERSION,
        tool: ToolVersion { name: "shapeline", version: env!("CARGO_PKG_VERSION") },
        revision,
        notes: &answer.notes,
        total: answer.total,
        subscribers: answer.subjects.iter().map(subject).collect(),
        events: answer.events.iter().map(event).collect(),
        holders: on.then(|| answer.holdings.iter().map(holding).collect()),
    };
    crate::text::json::write_json(out, &json)
}

fn commit<'a>(commit: &LogCommit<'a>) -> CommitJson<'a> {
    CommitJson {
        id: commit.id(),
        author: commit.author,
        email: commit.email,
        authored: shown(commit.author_time),
        committed: shown(commit.time),
        subject: commit.subject,
    }
}

fn fields(facts: Facts<'_>) -> FieldsJson {
    let text = |value: std::borrow::Cow<'_, str>| serde_json::Value::String(value.into_owned());
    let many = |value: std::borrow::Cow<'_, str>| value.split(", ").map(Into::into).collect::<Vec<serde_json::Value>>();
    FieldsJson(
        facts
            .fields()
            .map(|(field, value)| {
                let value = if field == "ip" { many(value).into() } else { text(value) };
                (field.to_owned(), value)
            })
            .collect(),
    )
}

fn span(span: &TimeSpan) -> SpanJson {
    SpanJson { from: shown(span.from), until: span.until.map(shown) }
}

fn subject<'a>(subject: &Subject<'a>) -> SubjectJson<'a> {
    SubjectJson {
        key: subject.key,
        present: subject.present,
        active_from: subject.served.first().map(|span| shown(span.from)),
        active_until: subject.served.last().and_then(|span| span.until).map(shown),
        active: subject.served.iter().map(span).collect(),
        path: subject.path,
        fields: fields(subject.facts),
    }
}

fn change(change: &FieldDifference) -> FieldChangeJson<'_> {
    FieldChangeJson { field: &change.field, before: change.before.as_deref(), after: change.after.as_deref() }
}

fn event<'a>(event: &'a Event<'a>) -> HistoryEventJson<'a> {
    HistoryEventJson {
        kind: event.kind,
        action: event.action,
        key: event.key,
        was: event.was,
        becomes: event.becomes,
        time: shown(event.time),
        commit: commit(&event.commit),
        merge: event.merge.as_ref().map(commit),
        path: event.path,
        changes: event.changes.iter().map(change).collect(),
        rates: event
            .rates
            .as_ref()
            .map(|(before, after)| RatesJson { before: before.as_deref(), after: after.as_deref() }),
        subscribers: event.subscribers,
    }
}

fn holding<'a>(holding: &'a Snapshot<'a>) -> SnapshotJson<'a> {
    SnapshotJson {
        key: holding.key,
        served: holding.served,
        from: shown(holding.span.from),
        until: holding.span.until.map(shown),
        rates: holding.rates.as_deref(),
        commit: commit(&holding.commit),
        merge: holding.merge.as_ref().map(commit),
        path: holding.path,
        fields: fields(holding.facts),
    }
}
