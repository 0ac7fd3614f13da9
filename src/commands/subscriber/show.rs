//! `subscriber show`: everything about one.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use super::JSON_VERSION;
use crate::cli::{ShowArgs, TextOrJson};
use crate::commands::{Outcome, load_unaltered, today, tree};
use crate::model::Subscriber;
use crate::query::who::{self, Naming};
use crate::query::{SubscriberView, Viewer, shaper_lines, status};
use crate::repo::Record;
use crate::text::columns::columns;
use crate::text::quote::harmless;

/// The longest a value may be shown.
const WIDEST: usize = 400;

#[derive(Serialize)]
struct Shown<'r> {
    version: u32,
    subscriber: SubscriberView<'r>,
    /// Its lines in the shaper file; none if it has a template of its own.
    lines: Vec<String>,
}

pub(super) fn run(root: &Path, args: &ShowArgs) -> Result<Outcome> {
    let repo = Arc::new(load_unaltered(&tree(root, &args.data)?)?);
    let today = today(&args.data);
    let found = who::find(&repo, &args.who, Naming::Part)?;
    let record = found.record;
    if let Some(note) = &found.note {
        writeln!(crate::console::err(), "note: {note}")?;
    }
    let mut viewer = Viewer::new(&repo, today);
    let lines = shaper_lines(&repo, record, today)?;
    if args.format == TextOrJson::Json {
        let shown = Shown { version: JSON_VERSION, subscriber: viewer.view(record), lines };
        let mut out = crate::console::plain_out();
        crate::text::json::write_json(&mut out, &shown)?;
        out.flush()?;
        return Ok(Outcome::Fine);
    }
    let rows = rows(&mut viewer, record, &lines);
    let mut out = crate::console::out();
    out.write_all(columns(&rows).as_bytes())?;
    out.flush()?;
    Ok(Outcome::Fine)
}

fn rows(viewer: &mut Viewer<'_>, record: &Record<Subscriber>, lines: &[String]) -> Vec<[String; 2]> {
    let subscriber = &record.value;
    let text = |text: &str| harmless(text, WIDEST);
    let mut rows = vec![["key", &text(&subscriber.key())].map(ToOwned::to_owned)];
    let mut row = |name: &str, value: String| rows.push([name.to_owned(), value]);
    subscriber.name.iter().for_each(|name| row("name", text(name.as_str())));
    subscriber.ip.as_slice().iter().for_each(|ip| row("address", ip.to_string()));
    row("domain", text(subscriber.domain.as_str()));
    let plan = text(subscriber.plan.as_str());
    row(
        "plan",
        match viewer.plan(subscriber) {
            Some(known) => format!("{plan}: {} up, {} down", known.up, known.down),
            None => format!("{plan}: there is no such plan"),
        },
    );
    let status = status(subscriber);
    row(
        "status",
        match viewer.reason(subscriber) {
            Some(reason) if reason != status => format!("{status}, not served: {reason}"),
            Some(_) => format!("{status}, not served"),
            None if status == "suspended" => "suspended, served with the plan for the suspended".to_owned(),
            None => status.to_owned(),
        },
    );
    subscriber.starts.iter().for_each(|date| row("starts", date.to_string()));
    subscriber.ends.iter().for_each(|date| row("ends", date.to_string()));
    let labels = subscriber.labels.iter().flat_map(|labels| labels.iter());
    labels.for_each(|(name, value)| row("label", format!("{}={}", text(name), text(value))));
    let (file, line) = viewer.place(record);
    row("file", format!("{}:{line}", text(file)));
    lines.iter().for_each(|line| row("shaper", text(line)));
    rows
}
