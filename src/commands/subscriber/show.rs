//! `subscriber show`: everything about one.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use super::record::{JSON_VERSION, Json, Teller};
use crate::cli::{ShowArgs, TextOrJson};
use crate::commands::{Outcome, load_unaltered, today, tree};
use crate::edit::{Refusal, who};
use crate::inventory::Context;
use crate::model::{Date, Subscriber};
use crate::render::{self, Table};
use crate::repo::{Record, Repo};
use crate::text::columns::columns;
use crate::text::quote::harmless;

/// The longest a value may be shown.
const WIDEST: usize = 400;

#[derive(Serialize)]
struct Shown<'r> {
    version: u32,
    subscriber: Json<'r>,
    /// Its lines in the shaper file; none if it has a template of its own.
    lines: Vec<String>,
}

pub(super) fn run(root: &Path, args: &ShowArgs) -> Result<Outcome> {
    let repo = Arc::new(load_unaltered(&tree(root, &args.data)?)?);
    let today = today(&args.data);
    let record = who::find(&repo, &args.who).map_err(Refusal)?;
    let mut teller = Teller::new(&repo, today);
    let lines = lines(&repo, record, today)?;
    if args.format == TextOrJson::Json {
        let shown = Shown { version: JSON_VERSION, subscriber: teller.json(record), lines };
        let mut out = crate::console::plain_out();
        crate::text::json::write_json(&mut out, &shown)?;
        out.flush()?;
        return Ok(Outcome::Fine);
    }
    let rows = rows(&mut teller, record, &lines);
    let mut out = crate::console::out();
    out.write_all(columns(&rows).as_bytes())?;
    out.flush()?;
    Ok(Outcome::Fine)
}

fn rows(teller: &mut Teller<'_>, record: &Record<Subscriber>, lines: &[String]) -> Vec<[String; 2]> {
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
        match teller.plan(subscriber) {
            Some(known) => format!("{plan}: {} up, {} down", known.up, known.down),
            None => format!("{plan}: there is no such plan"),
        },
    );
    let status = super::record::status(subscriber);
    row(
        "status",
        match teller.reason(subscriber) {
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
    let (file, line) = teller.place(record);
    row("file", format!("{}:{line}", text(file)));
    lines.iter().for_each(|line| row("shaper", text(line)));
    rows
}

/// The record's lines in the shaper file, as they are rendered.
fn lines(repo: &Arc<Repo>, record: &Record<Subscriber>, today: Date) -> Result<Vec<String>> {
    let output = render::output(&repo.settings, None)?;
    if !output.is_shaper_format() {
        return Ok(Vec::new());
    }
    let table = Arc::new(Table::new(repo, &Context::new(repo, today, None)));
    let mine: Vec<usize> = table
        .rows()
        .iter()
        .enumerate()
        .filter(|(_, row)| std::ptr::eq(table.subscriber(**row), record))
        .map(|(at, _)| at)
        .collect();
    // A line of the output for each row of the table, in the same order.
    let Ok(text) = render::render(&table, &output).map(render::Rendered::into_text) else { return Ok(Vec::new()) };
    let all: Vec<&str> = text.lines().collect();
    Ok(mine.into_iter().filter_map(|at| all.get(at)).map(|line| (*line).to_owned()).collect())
}
