//! What happened to a subscriber, from git. Of the time in which it was another domain's, nothing is said.

use std::collections::HashSet;

use anyhow::{Context as _, Result};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::ask::{Ask, PageError};
use super::form::query;
use super::pages::values;
use super::subscribers::named;
use super::views::moment;
use crate::git::Git;
use crate::history::answer::{Event, EventAction, HistoryAnswer, SubjectKind, answer};
use crate::history::load;
use crate::history::log::HistoryLog;
use crate::history::print::what;
use crate::history::query::{Question, Who};
use crate::history::story::Past;
use crate::text::quote::{harmless, short_id};
use crate::web::access::Scope;

/// How many events are listed.
const LISTED: usize = 200;

/// An event of a subscriber, or of its plan.
#[derive(Serialize)]
struct EventView {
    when: String,
    kind: &'static str,
    what: String,
    author: String,
    merged_by: Option<String>,
    /// The first line of the commit's message: only for those who see all domains, because it may speak of any.
    subject: Option<String>,
    commit: String,
}

/// The history of one subscriber.
pub(super) async fn one(ask: Ask) -> Result<Response, PageError> {
    let (data, scope) = (ask.portal.current.snapshot(), ask.scope()?);
    let subscriber = named(ask.parameters.get("key"), &data, &scope)?;
    let key = subscriber.key();
    let question =
        Question { who: Some(Who::new(&key)), domain: Some(subscriber.domain.to_string()), ..Question::default() };
    let (proposer, tip) = (ask.portal.proposer.clone(), data.commit.clone());
    let mut events = ask.portal.look_back(move || events(&proposer.git()?, &tip, &question, &scope)).await?;
    let more = events.len().saturating_sub(LISTED);
    events.truncate(LISTED);
    let template = if ask.fragment { "events.html" } else { "history.html" };
    let link = query(&[("key", &key)]);
    ask.page_with(StatusCode::OK, template, values!(key, link, events, more)).await
}

fn events(git: &Git, tip: &str, question: &Question, scope: &Scope) -> Result<Vec<EventView>> {
    let loaded = load(git, git.commit(tip)?, true).context("cannot read the history")?;
    let log = HistoryLog::decode(&loaded.bytes)?;
    let past = Past::new(&log, loaded.commits);
    let answer = answer(&past, question);
    let mut seen = Seen::of(&answer, scope);
    // From the newest on: where a record came from another domain, what is older is not shown.
    Ok(answer.events.iter().filter(|event| seen.shows(event)).map(|event| view(event, scope)).collect())
}

/// Which records are followed back in time.
struct Seen<'a> {
    scope: &'a Scope,
    keys: HashSet<&'a str>,
}

impl<'a> Seen<'a> {
    fn of(answer: &HistoryAnswer<'a>, scope: &'a Scope) -> Seen<'a> {
        let own = answer.subjects.iter().filter(|one| one.facts.get("domain").is_some_and(|domain| scope.has(&domain)));
        Seen { scope, keys: own.map(|one| one.key).collect() }
    }

    fn shows(&mut self, event: &Event<'_>) -> bool {
        let has = |domain: &Option<String>| domain.as_ref().is_none_or(|domain| self.scope.has(domain));
        let foreign = |change: &&_| {
            let change: &crate::history::facts::FieldDifference = change;
            change.field == "domain" && !(has(&change.before) && has(&change.after))
        };
        match event.kind {
            SubjectKind::Plan => true,
            SubjectKind::Subscriber if event.changes.iter().any(|change| foreign(&change)) => {
                self.keys.remove(event.key);
                false
            }
            SubjectKind::Subscriber => self.keys.contains(event.key),
        }
    }
}

fn view(event: &Event<'_>, scope: &Scope) -> EventView {
    let plain = |text: &str| harmless(text, 100);
    let of = if event.kind == SubjectKind::Plan { format!("plan {}: ", plain(event.key)) } else { String::new() };
    EventView {
        when: moment(event.time),
        kind: match event.action {
            EventAction::Added => "added",
            EventAction::Changed => "changed",
            EventAction::Removed => "removed",
        },
        what: format!("{of}{}", what(event)),
        author: plain(event.commit.author),
        merged_by: event.merge.as_ref().map(|merge| plain(merge.author)),
        subject: scope.is_all().then(|| plain(event.commit.subject)),
        commit: short_id(&event.commit.id()).to_owned(),
    }
}
