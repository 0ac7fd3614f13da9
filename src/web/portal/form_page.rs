//! The form of a new subscriber, and of changes to one.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::ask::{Ask, PageError};
use super::drafting::{Checked, put};
use super::fields::{FieldTexts, Remark, Wrong, say};
use super::form::query;
use super::pages::values;
use super::subscribers::named;
use super::views::{Bar, fastest, rate};
use crate::edit::gathered::{Fate, GatheredChange};
use crate::import::gathered::outside;
use crate::model::{Subscriber, SubscriberStatus};
use crate::query::{domain, offered};
use crate::text::quote::quoted;
use crate::web::access::Scope;
use crate::web::data::snapshot::Snapshot;

/// How many free addresses are looked at for one that the draft does not give out.
const CANDIDATES: usize = 1000;

/// A plan to choose.
#[derive(Serialize)]
struct PlanChoice {
    name: String,
    description: Option<String>,
    up: String,
    down: String,
    bar: Bar,
}

/// What a form is about.
struct Subject {
    /// The record before the change; none for a new subscriber.
    was: Option<Subscriber>,
    /// The key under which the draft has it; empty if it has not.
    drafted: String,
}

/// The empty form of a new subscriber.
pub(super) async fn add_page(ask: Ask) -> Result<Response, PageError> {
    let (data, scope) = (ask.portal.current.snapshot(), ask.scope()?);
    let domain = match ask.parameters.some("domain") {
        Some(domain) => domain.to_owned(),
        None => choices(&data, &scope).into_iter().next().unwrap_or_default(),
    };
    let ip = next_free(&ask, &data, &scope, &domain).await?.unwrap_or_default();
    let texts = FieldTexts { domain, ip, ..FieldTexts::default() };
    let subject = Subject { was: None, drafted: String::new() };
    show(&ask, StatusCode::OK, &texts, &subject, Wrong::new(), None).await
}

/// The domains that a person sees.
pub(super) fn choices(data: &Snapshot, scope: &Scope) -> Vec<String> {
    data.domains.iter().map(|domain| domain.name.clone()).filter(|name| scope.has(name)).collect()
}

/// The first free address of a domain that is not in the draft either.
async fn next_free(ask: &Ask, data: &Snapshot, scope: &Scope, domain: &str) -> Result<Option<String>, PageError> {
    let Some(domain) = data.domain(domain, scope) else { return Ok(None) };
    let (_, drafted) = ask.draft().await?;
    let given = |address: &std::net::IpAddr| {
        let mut now = drafted.iter().filter_map(|change| change.now.as_ref());
        now.any(|now| now.ip.as_slice().iter().any(|held| held.net().contains(address)))
    };
    let free = data.free(domain).into_iter();
    // A drafted prefix of IPv6 covers more addresses than can be gone through.
    let candidates = free.flat_map(|range| addresses(range.first, range.last)).take(CANDIDATES);
    Ok(candidates.into_iter().find(|ip| !given(ip)).map(|ip| ip.to_string()))
}

/// The addresses from one to another.
fn addresses(first: std::net::IpAddr, last: std::net::IpAddr) -> Box<dyn Iterator<Item = std::net::IpAddr>> {
    use std::net::IpAddr::{V4, V6};
    match (first, last) {
        (V4(first), V4(last)) => Box::new((u32::from(first)..=u32::from(last)).map(|ip| V4(ip.into()))),
        (V6(first), V6(last)) => Box::new((u128::from(first)..=u128::from(last)).map(|ip| V6(ip.into()))),
        _ => Box::new(std::iter::empty()),
    }
}

/// The form of a subscriber that is there, with what the draft changes of it.
pub(super) async fn edit_page(ask: Ask) -> Result<Response, PageError> {
    let key = ask.parameters.get("key").to_owned();
    let (was, now, drafted) = present(&ask, &key).await?;
    let Some(now) = now else {
        return Err(PageError::not_found("Your draft removes this subscriber: take that back first."));
    };
    let subject = Subject { was, drafted };
    show(&ask, StatusCode::OK, &FieldTexts::of(&now), &subject, Wrong::new(), None).await
}

/// A subscriber before the draft and with it, and the key under which the draft has it.
async fn present(ask: &Ask, key: &str) -> Result<(Option<Subscriber>, Option<Subscriber>, String), PageError> {
    let (data, scope) = (ask.portal.current.snapshot(), ask.scope()?);
    if let Some(change) = ask.draft().await?.1.into_iter().find(|change| change.key() == key) {
        return Ok((change.was, change.now, key.to_owned()));
    }
    let known = named(key, &data, &scope)?.clone();
    Ok((Some(known.clone()), Some(known), String::new()))
}

/// Checks a form, and adds its change to the draft if it has no error.
pub(super) async fn save(ask: Ask) -> Result<Response, PageError> {
    let scope = ask.scope()?;
    let was = was(&ask, &scope)?;
    let subject = Subject { was, drafted: ask.form.get("drafted").to_owned() };
    let mut texts = FieldTexts::sent(&ask.form);
    if texts.status.is_empty() {
        texts.status = "active".to_owned();
    }
    let now = match wanted(&texts, &scope, &ask.portal.current.snapshot(), subject.was.as_ref()) {
        Ok(now) => now,
        Err(wrong) => return show(&ask, StatusCode::UNPROCESSABLE_ENTITY, &texts, &subject, wrong, None).await,
    };
    let change = GatheredChange { was: subject.was.clone(), now: Some(now) };
    if change.was == change.now {
        let mut wrong = Wrong::new();
        say(&mut wrong, "", "nothing is different from what is there".to_owned());
        return show(&ask, StatusCode::UNPROCESSABLE_ENTITY, &texts, &subject, wrong, None).await;
    }
    let (_, mut all) = ask.draft().await?;
    if !put(&mut all, change.clone(), &subject.drafted) {
        let mut wrong = Wrong::new();
        say(&mut wrong, "", "your draft already changes this subscriber: edit it there".to_owned());
        return show(&ask, StatusCode::UNPROCESSABLE_ENTITY, &texts, &subject, wrong, None).await;
    }
    let checked = ask.check(all).await?;
    let mut wrong = remarks(&checked, &change);
    if checked.gathered.fates.last() == Some(&Fate::Already) {
        say(&mut wrong, "", "the data is that way already".to_owned());
    }
    let failed = wrong.values().flatten().any(|remark| remark.error);
    if failed || ask.form.get("action") == "check" {
        let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        return show(&ask, status, &texts, &subject, wrong, Some(checked)).await;
    }
    ask.gather(change, &subject.drafted).await?;
    Ok(ask.redirect("/draft"))
}

/// The record as the person saw it, which the page sent along.
fn was(ask: &Ask, scope: &Scope) -> Result<Option<Subscriber>, PageError> {
    let was: Option<Subscriber> = match ask.form.raw("was") {
        "" => None,
        json => Some(serde_json::from_str(json).map_err(|_| damaged())?),
    };
    match was.as_ref().is_some_and(|was| !scope.has(was.domain.as_str())) {
        true => Err(PageError::not_found("There is no such subscriber.")),
        false => Ok(was),
    }
}

fn damaged() -> PageError {
    PageError::new(StatusCode::BAD_REQUEST, "The form came back damaged. Open it again.")
}

/// The record that a form describes, if it is one of the domain's own: what the rules say of others' addresses and
/// plans is not for everyone.
fn wanted(texts: &FieldTexts, scope: &Scope, data: &Snapshot, was: Option<&Subscriber>) -> Result<Subscriber, Wrong> {
    let record = texts.record()?;
    let mut wrong = Wrong::new();
    let known =
        Some(record.domain.as_str()).filter(|name| scope.has(name)).and_then(|name| domain(&data.repo, name).ok());
    let Some(domain) = known else {
        say(&mut wrong, "domain", "this domain is not one of yours".to_owned());
        return Err(wrong);
    };
    if scope.is_all() {
        return Ok(record);
    }
    for address in record.ip.as_slice() {
        if let Some(why) = outside(address, domain) {
            say(&mut wrong, "ip", why);
        }
    }
    let sold = offered(&data.repo, domain).iter().any(|plan| plan.name.as_str() == record.plan.as_str());
    if !sold && was.is_none_or(|was| was.plan != record.plan) {
        say(&mut wrong, "plan", format!("this domain does not sell a plan {}", quoted(record.plan.as_str())));
    }
    if wrong.is_empty() { Ok(record) } else { Err(wrong) }
}

/// What the rules say of a change, by field.
fn remarks(checked: &Checked, change: &GatheredChange) -> Wrong {
    let mut wrong = Wrong::new();
    let keys = [change.now.as_ref().map(Subscriber::key), Some(change.key())];
    let own = checked.findings.iter().filter(|finding| finding.key.is_none() || keys.contains(&finding.key));
    for finding in own {
        let field = finding.field.clone().unwrap_or_default();
        wrong.entry(field).or_default().push(Remark { text: finding.text(), error: finding.error });
    }
    wrong
}

/// Suspends, resumes or removes a subscriber, in the draft.
pub(super) async fn act(ask: Ask) -> Result<Response, PageError> {
    let (mut was, mut now, drafted) = present(&ask, ask.form.get("key")).await?;
    if let Some(seen) = self::was(&ask, &ask.scope()?)?.filter(|_| drafted.is_empty()) {
        // Another one may have the address by now: then it is a conflict.
        (was, now) = (Some(seen.clone()), Some(seen));
    }
    let status = |status| now.clone().map(|now| Subscriber { status, ..now });
    let now = match ask.form.get("action") {
        "suspend" => status(SubscriberStatus::Suspended),
        "resume" => status(SubscriberStatus::Active),
        "remove" => None,
        _ => return Err(damaged()),
    };
    if now == was && drafted.is_empty() {
        return Ok(ask.redirect(&format!("/subscriber?{}", query(&[("key", ask.form.get("key"))]))));
    }
    ask.gather(GatheredChange { was, now }, &drafted).await?;
    Ok(ask.redirect("/draft"))
}

async fn show(
    ask: &Ask,
    status: StatusCode,
    texts: &FieldTexts,
    subject: &Subject,
    wrong: Wrong,
    checked: Option<Checked>,
) -> Result<Response, PageError> {
    let (data, scope) = (ask.portal.current.snapshot(), ask.scope()?);
    let domains = choices(&data, &scope);
    let plans = plans(&data, &scope, texts);
    let was = subject.was.as_ref().map(serde_json::to_string).transpose().map_err(anyhow::Error::from)?;
    let free = match subject.was {
        None => next_free(ask, &data, &scope, &texts.domain).await?,
        Some(_) => None,
    };
    let failed = wrong.values().flatten().any(|remark| remark.error);
    let network = checked.and_then(|checked| checked.network);
    let values = values!(
        fields => texts, wrong, failed, domains, plans, free,
        was => was.unwrap_or_default(), drafted => subject.drafted, network,
        key => subject.was.as_ref().map(Subscriber::key),
    );
    ask.page_with(status, "form.html", values).await
}

/// The plans that the domain may sell, and the one that is chosen.
fn plans(data: &Snapshot, scope: &Scope, texts: &FieldTexts) -> Vec<PlanChoice> {
    let Some(domain) =
        Some(&texts.domain).filter(|name| scope.has(name)).and_then(|name| domain(&data.repo, name).ok())
    else {
        return Vec::new();
    };
    let top = fastest(data);
    let choice = |name: &str, description: Option<String>, up: u64, down: u64| PlanChoice {
        name: name.to_owned(),
        description,
        up: rate(up),
        down: rate(down),
        bar: Bar::of(down as f64, top as f64),
    };
    let described =
        |name: &str| data.plans.iter().find(|plan| plan.name == name).and_then(|plan| plan.description.clone());
    let mut plans: Vec<PlanChoice> = offered(&data.repo, domain)
        .into_iter()
        .map(|plan| choice(plan.name.as_str(), described(plan.name.as_str()), plan.up.bps(), plan.down.bps()))
        .collect();
    let retired = !texts.plan.is_empty() && !plans.iter().any(|plan| plan.name == texts.plan);
    if let Some((up, down)) = data.rates(&texts.plan).filter(|_| retired && data.plan(&texts.plan, scope).is_some()) {
        plans.push(choice(&texts.plan, described(&texts.plan), up, down));
    }
    plans
}
