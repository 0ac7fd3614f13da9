//! Requests: the list, and one of them.

use anyhow::bail;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::ask::{Ask, PageError};
use super::draft_page::views;
use super::drafting::MOST;
use super::live::LiveSince;
use super::pages::values;
use super::views::moment;
use crate::database::random::now;
use crate::edit::gathered::GatheredChange;
use crate::query::Refusal;
use crate::text::quote::{harmless, short_id};
use crate::web::access::Scope;
use crate::web::state::requests::{ChangeRequest, Stage};

/// How many requests are listed.
const LISTED: usize = 500;

/// How many are looked at for that, with those that a person may not see.
const LOOKED: usize = 20_000;

/// A request in the list.
#[derive(Serialize)]
struct RequestRow {
    id: String,
    title: String,
    author: String,
    when: String,
    state: &'static str,
    trouble: Option<String>,
}

impl RequestRow {
    fn of(request: &ChangeRequest) -> RequestRow {
        RequestRow {
            id: request.id.clone(),
            title: request.title.clone(),
            author: request.author.clone(),
            when: moment(request.created),
            state: state(request),
            trouble: request.trouble.clone(),
        }
    }
}

/// The state of a request in a word.
fn state(request: &ChangeRequest) -> &'static str {
    match request.stage {
        Stage::Accepted | Stage::Committed if request.trouble.is_some() => "stuck",
        Stage::Accepted | Stage::Committed => "being sent",
        Stage::Proposed => "open",
        Stage::Merged => "merged",
        Stage::Closed if request.review.reason.is_some() => "rejected",
        Stage::Withdrawn | Stage::Closed => "withdrawn",
    }
}

/// Whether a person may see a request: all of its domains are theirs.
fn sees(scope: &Scope, request: &ChangeRequest) -> bool {
    request.domains.iter().all(|domain| scope.has(domain))
}

/// The list.
pub(super) async fn list(ask: Ask) -> Result<Response, PageError> {
    let scope = ask.scope()?;
    let all = ask.portal.store.requests(LISTED, LOOKED, |request| sees(&scope, request)).await?;
    let rows: Vec<RequestRow> = all.iter().map(RequestRow::of).collect();
    ask.page("requests.html", values!(rows)).await
}

async fn named(ask: &Ask, id: &str) -> Result<ChangeRequest, PageError> {
    let scope = ask.scope()?;
    let found = ask.portal.store.request(id).await?.filter(|request| sees(&scope, request));
    found.ok_or_else(|| PageError::not_found("There is no such request."))
}

/// One request.
pub(super) async fn one(ask: Ask) -> Result<Response, PageError> {
    let request = named(&ask, ask.parameters.get("id")).await?;
    let changes: Vec<GatheredChange> = serde_json::from_str(&request.changes).map_err(anyhow::Error::from)?;
    let own = ask.user()?.id == request.user_id;
    let mut row = RequestRow::of(&request);
    if !ask.scope()?.is_all() {
        // What git says may name hosts and paths.
        row.trouble = row.trouble.map(|_| "the operator finds the reason in the journal; it is tried again".to_owned());
    }
    let review = request.review.clone();
    let live = match request.stage {
        Stage::Merged => since(&ask, &request).await?,
        _ => None,
    };
    if live.is_some() {
        row.state = "live";
    }
    let link = request.link.filter(|link| ask.portal.proposer.forge.as_ref().is_some_and(|forge| forge.has(link)));
    let values = values!(
        row, live => live.map(|live| (live.time, short_id(&live.commit).to_owned())),
        link, pull => review.pull, opened => review.opened.map(moment), ended => review.ended.map(moment),
        reason => review.reason, merged_as => review.merged_as.as_deref().map(short_id), changes => views(&changes, &[])?, own, branch => request.branch,
        commit => request.commit.as_deref().map(|id| id.get(..12).unwrap_or(id).to_owned()),
        message => request.message,
        stage => request.stage.as_str(), to => ask.portal.proposer.destination(),
        open => request.stage <= Stage::Proposed,
    );
    ask.page("request.html", values).await
}

/// Since when the change of a request is live.
async fn since(ask: &Ask, request: &ChangeRequest) -> Result<Option<LiveSince>, PageError> {
    let (portal, again) = (ask.portal.clone(), request.clone());
    Ok(ask.portal.heavy(move || portal.live.since(&portal.proposer.git()?, &again)).await?)
}

/// Tries again to send a request.
pub(super) async fn retry(ask: Ask) -> Result<Response, PageError> {
    let mut request = named(&ask, ask.form.get("id")).await?;
    ask.portal.advance(&mut request).await?;
    Ok(ask.redirect(&format!("/request?id={}", request.id)))
}

/// Gives a request up, and puts its changes back into the draft of who made it.
pub(super) async fn withdraw(ask: Ask) -> Result<Response, PageError> {
    let mut request = named(&ask, ask.form.get("id")).await?;
    let user = ask.user()?.clone();
    if request.user_id != user.id {
        return Err(PageError::not_found("Only who made a request can take it back."));
    }
    if request.stage > Stage::Proposed {
        return Err(PageError::not_found("This request is closed already."));
    }
    let changes: Vec<GatheredChange> = serde_json::from_str(&request.changes).map_err(anyhow::Error::from)?;
    // In this order: after a crash in between, the changes are in the draft, and the request can be taken back again.
    ask.change_draft(None, |draft| {
        for change in changes {
            let key = change.key();
            match draft.iter().find(|known| known.key() == key) {
                None => draft.push(change),
                // From an earlier try.
                Some(known) if *known == change => {}
                Some(_) => bail!(Refusal(format!(
                    "Your draft changes {} otherwise by now. Submit or drop that first.",
                    harmless(&key, 100)
                ))),
            }
        }
        if draft.len() > MOST {
            bail!(Refusal(format!("A draft has at most {MOST} changes. Submit yours first.")));
        }
        Ok(())
    })
    .await?;
    let from = std::mem::replace(&mut request.stage, Stage::Withdrawn);
    request.review.ended = Some(now());
    (request.trouble, request.tries, request.due) = (None, 0, 0);
    if !ask.portal.store.note_stage(&request, from).await? {
        let why = "This request went on at the same moment. Look at it again; its changes are in your draft, too.";
        return Err(PageError::new(StatusCode::CONFLICT, why));
    }
    // Its page does not wait for the remote; what is not removed now is removed later.
    let portal = ask.portal.clone();
    let removed = request.clone();
    tokio::spawn(async move { portal.tidy(removed).await });
    ask.portal.store.record(&user.name, ask.address, &format!("took back request {}", request.id)).await?;
    Ok(ask.redirect("/draft"))
}
