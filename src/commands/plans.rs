//! `plans`: what can be sold, at which rates, and how many have it.

use std::io::Write;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::{Outcome, load_unaltered, refusal_is_an_outcome, tree};
use crate::cli::{ListFormat, NamedArgs};
use crate::query::{PlanView, plans};
use crate::text::columns::{columns, csv_line, fitted};
use crate::text::count::{counted, grouped};
use crate::text::quote::harmless;

const JSON_VERSION: u32 = 1;

/// The longest a value is in a column.
const WIDEST: usize = 80;

#[derive(Serialize)]
struct Listed<'r> {
    version: u32,
    plans: Vec<PlanView<'r>>,
}

pub(super) fn run(root: &Path, args: &NamedArgs) -> Result<Outcome> {
    refusal_is_an_outcome(list(root, args))
}

fn list(root: &Path, args: &NamedArgs) -> Result<Outcome> {
    let repo = load_unaltered(&tree(root, &args.data)?)?;
    let plans = plans(&repo, args.name.as_deref())?;
    match args.format {
        ListFormat::Json => {
            let mut out = crate::console::plain_out();
            crate::text::json::write_json(&mut out, &Listed { version: JSON_VERSION, plans })?;
            out.flush()?;
        }
        ListFormat::Csv => print_csv(&plans)?,
        ListFormat::Text => match (plans.as_slice(), &args.name) {
            ([one], Some(_)) => crate::console::out().write_all(columns(&rows(one)).as_bytes())?,
            _ => print_table(&plans)?,
        },
    }
    Ok(Outcome::Fine)
}

fn text(text: &str) -> String {
    harmless(text, WIDEST)
}

fn print_table(plans: &[PlanView<'_>]) -> Result<()> {
    let mut out = crate::console::out();
    let heading = ["plan", "up", "down", "subscribers", "status", "description"].map(ToOwned::to_owned);
    let row = |view: &PlanView<'_>| {
        [
            text(view.name),
            view.plan.up.to_string(),
            view.plan.down.to_string(),
            grouped(view.subscribers),
            view.status.to_owned(),
            text(view.description.unwrap_or_default()),
        ]
    };
    if !plans.is_empty() {
        let rows: Vec<[String; 6]> = std::iter::once(heading).chain(plans.iter().map(row)).collect();
        out.write_all(columns(&fitted(rows, 0)).as_bytes())?;
    }
    out.flush()?;
    // The list is printed: a closed standard error changes nothing.
    let subscribers = counted(plans.iter().map(|view| view.subscribers).sum(), "subscriber", "subscribers");
    let subscribers = if plans.is_empty() { String::new() } else { format!(", {subscribers}") };
    let _ = writeln!(crate::console::err(), "{}{subscribers}", counted(plans.len(), "plan", "plans"));
    Ok(())
}

/// Everything about one plan.
fn rows(view: &PlanView<'_>) -> Vec<[String; 2]> {
    let mut rows = vec![
        ["plan".to_owned(), text(view.name)],
        ["up".to_owned(), view.plan.up.to_string()],
        ["down".to_owned(), view.plan.down.to_string()],
        ["status".to_owned(), view.status.to_owned()],
        ["attribute".to_owned(), text(view.attribute)],
    ];
    rows.extend(view.description.map(|description| ["description".to_owned(), harmless(description, 400)]));
    rows.push(["file".to_owned(), format!("{}:{}", text(view.file), view.line)]);
    rows.push(["subscribers".to_owned(), grouped(view.subscribers)]);
    rows.extend(
        view.domains
            .iter()
            .map(|(domain, count)| ["domain".to_owned(), format!("{}: {}", text(domain), grouped(count))]),
    );
    rows
}

fn print_csv(plans: &[PlanView<'_>]) -> Result<()> {
    let mut out = std::io::BufWriter::new(crate::console::plain_out());
    out.write_all(b"name,up_bps,down_bps,status,attribute,description,subscribers,file,line\n")?;
    for view in plans {
        let fields = [
            view.name.to_owned(),
            view.up_bps.to_string(),
            view.down_bps.to_string(),
            view.status.to_owned(),
            view.attribute.to_owned(),
            view.description.unwrap_or_default().to_owned(),
            view.subscribers.to_string(),
            view.file.to_owned(),
            view.line.to_string(),
        ];
        out.write_all(csv_line(fields.iter().map(|field| field.as_str())).as_bytes())?;
    }
    out.flush()?;
    Ok(())
}
