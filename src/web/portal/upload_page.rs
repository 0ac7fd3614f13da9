//! A table of subscribers, as CSV or a workbook, that becomes changes of the draft.

use std::collections::HashSet;

use anyhow::Result;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::ask::{Ask, PageError};
use super::drafting::MOST;
use super::form_page::choices;
use super::pages::values;
use crate::edit::gathered::GatheredChange;
use crate::import::gathered::{TableChanges, compared};
use crate::import::{ReadOptions, RefusedRow, RowReason, RowRemedy, SourceKind, Unusable, read};
use crate::model::{Date, Domain, DomainName};
use crate::query::Refusal;
use crate::repo::{Record, Repo};
use crate::text::count::grouped;
use crate::text::quote::quoted;

/// How many rows that are left out are listed.
const LISTED: usize = 200;

/// What a person chose beside the file.
struct Choice {
    domain: String,
    sheet: String,
    /// Whether the table has all subscribers of the domain.
    is_all: bool,
    /// Whether rows that cannot be taken are left out.
    skip: bool,
}

/// What became of a table.
#[derive(Serialize)]
struct TableView {
    /// Whether its changes are in the draft.
    taken: bool,
    changes: usize,
    unchanged: usize,
    notes: Vec<String>,
    left_out: Vec<String>,
    /// How many more are left out.
    more: usize,
}

/// The page with the form.
pub(super) async fn page(ask: Ask) -> Result<Response, PageError> {
    let domain = ask.parameters.get("domain").to_owned();
    show(&ask, StatusCode::OK, &Choice { domain, sheet: String::new(), is_all: false, skip: false }, "", None).await
}

async fn show(
    ask: &Ask,
    status: StatusCode,
    choice: &Choice,
    wrong: &str,
    table: Option<TableView>,
) -> Result<Response, PageError> {
    let domains = choices(&ask.portal.current.snapshot(), &ask.scope()?);
    let values = values!(
        wrong, table, domains, domain => choice.domain, sheet => choice.sheet, is_all => choice.is_all,
        skip => choice.skip, most => ask.portal.max_body >> 10,
    );
    ask.page_with(status, "upload.html", values).await
}

/// Adds what a table changes to the draft: all of it, or without the rows that cannot be taken if that is asked for.
pub(super) async fn upload(mut ask: Ask) -> Result<Response, PageError> {
    let text = |name| ask.form.get(name).to_owned();
    let choice = Choice {
        domain: text("domain"),
        sheet: text("sheet"),
        is_all: ask.form.get("rest") == "remove",
        skip: ask.form.get("skip") == "yes",
    };
    let scope = ask.scope()?;
    let data = ask.portal.current.snapshot();
    let known = |record: &Record<Domain>| record.value.name.as_str() == choice.domain;
    let Some(domain) = data.repo.domains.iter().find(|record| scope.has(&choice.domain) && known(record)).cloned()
    else {
        return refused(&ask, &choice, "This domain is not one of yours.").await;
    };
    if ask.form.file.is_empty() {
        return refused(&ask, &choice, "Choose a file that is not empty.").await;
    }
    let (bytes, sheet, is_all) = (std::mem::take(&mut ask.form.file), choice.sheet.clone(), choice.is_all);
    let (repo, today) = (data.repo.clone(), data.today);
    let work = move || Ok(read_table(&bytes, sheet, &repo, &domain, is_all, today));
    let mut table = match ask.portal.heavy(work).await? {
        Ok(table) => table,
        Err(why) => return refused(&ask, &choice, &format!("The file cannot be used: {why}.")).await,
    };
    let twice = drop_drafted(&mut table.changes, &ask.draft().await?.1);
    let left_out: Vec<String> = table.refused.iter().map(row).chain(twice).collect();
    let taken = left_out.is_empty() || choice.skip;
    let changes = table.changes.len();
    if taken && changes > 0 {
        ask.change_draft(None, |drafted| add(drafted, std::mem::take(&mut table.changes))).await?;
        if left_out.is_empty() && table.notes.is_empty() {
            return Ok(ask.redirect("/draft"));
        }
    }
    let status = if taken { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let TableChanges { notes, unchanged, .. } = table;
    let more = left_out.len().saturating_sub(LISTED);
    let left_out = left_out.into_iter().take(LISTED).collect();
    show(&ask, status, &choice, "", Some(TableView { taken, changes, unchanged, notes, left_out, more })).await
}

async fn refused(ask: &Ask, choice: &Choice, wrong: &str) -> Result<Response, PageError> {
    show(ask, StatusCode::UNPROCESSABLE_ENTITY, choice, wrong, None).await
}

/// What the table changes, or why it cannot be read.
fn read_table(
    bytes: &[u8],
    sheet: String,
    repo: &Repo,
    domain: &Record<Domain>,
    is_all: bool,
    today: Date,
) -> Result<TableChanges, String> {
    let options = ReadOptions {
        kind: Some(SourceKind::Csv),
        domain: domain.value.name.as_str().parse::<DomainName>().ok(),
        sheet: Some(sheet).filter(|sheet| !sheet.is_empty()),
        ..ReadOptions::default()
    };
    let found = read(bytes, &options).map_err(|why| unusable(&why))?;
    Ok(compared(found, repo, domain, today, is_all))
}

/// Drops the changes of subscribers that the draft changes already, and says so of each.
fn drop_drafted(changes: &mut Vec<GatheredChange>, drafted: &[GatheredChange]) -> Vec<String> {
    let keys: HashSet<String> = drafted.iter().map(GatheredChange::key).collect();
    let mut twice = Vec::new();
    changes.retain(|change| {
        let key = change.key();
        let free = !keys.contains(&key);
        if !free {
            twice.push(format!("{}: your draft already changes this subscriber", quoted(&key)));
        }
        free
    });
    twice
}

fn add(drafted: &mut Vec<GatheredChange>, changes: Vec<GatheredChange>) -> Result<()> {
    drafted.extend(changes);
    if drafted.len() > MOST {
        let all = grouped(drafted.len() as u64);
        let why =
            format!("A draft has at most {MOST} changes, and with this table it would have {all}. Split the table.");
        return Err(Refusal(why).into());
    }
    Ok(())
}

/// A row that is not taken, in a line.
fn row(row: &RefusedRow) -> String {
    let reason = |reason: &RowReason| match reason.remedy {
        Some(RowRemedy::Unit) => format!("{}: write it into the header, such as `Upload (Mbps)`", reason.text),
        Some(RowRemedy::Domain) | None => reason.text.clone(),
    };
    let reasons: Vec<String> = row.reasons.iter().map(reason).collect();
    format!("{}: {}: {}", row.origin, row.subject, reasons.join("; "))
}

/// Why a file is refused, and what to do in a browser.
fn unusable(why: &Unusable) -> String {
    match why {
        Unusable::SeveralSheets(names) => {
            let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
            format!("{why}: choose one by its name, of {}", names.join(", "))
        }
        Unusable::NoColumn { field, .. } => format!("{why}; call the column `{field}`"),
        Unusable::TwoColumns { .. } => format!("{why}; rename one of them"),
        other => other.to_string(),
    }
}
