//! The live dashboard: its page, what its charts ask, and what operators do there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::ask::{Ask, PageError};
use super::pages::values;
use super::views::{moment, rate};
use crate::sync::journal::Journal;
use crate::telemetry::sample::now;
use crate::web::live::history::{Who, history, is_span, present};
use crate::web::live::hub::Hub;
use crate::web::live::view::Sight;
use crate::web::state::users::{Role, User};

/// Whether samples are being deleted: once at a time.
static CLEANING: AtomicBool = AtomicBool::new(false);

/// What a person may see.
pub(super) fn sight(user: &User) -> Sight {
    Sight::of(&user.scope, user.role >= Role::Operator)
}

fn hub(ask: &Ask) -> Result<Arc<Hub>, PageError> {
    let none = "This server collects nothing: its settings have no `telemetry`.";
    ask.portal.hub.clone().ok_or_else(|| PageError::not_found(none))
}

fn away() -> PageError {
    PageError::new(StatusCode::SERVICE_UNAVAILABLE, "The store of samples cannot be reached now.")
}

/// The page.
pub(super) async fn page(ask: Ask) -> Result<Response, PageError> {
    hub(&ask)?;
    let sight = sight(ask.user()?);
    let scripts = ask.portal.pages.live();
    let values = values!(operator => ask.user()?.role >= Role::Operator, unknown => sight.unknown,
                         cleaning => CLEANING.load(Ordering::Relaxed), chart => scripts[0], chart_style => scripts[1],
                         dashboard => scripts[2], dashboard_style => scripts[3]);
    ask.page("live.html", values).await
}

/// Signs in to a demonstration, by the link that was printed.
pub(super) async fn demo(ask: Ask) -> Result<Response, PageError> {
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    let given = digest(ask.parameters.get("key"));
    let user = match ask.portal.demo.as_ref().filter(|demo| digest(&demo.key) == given) {
        Some(demo) => ask.portal.store.user_named(demo.account).await?,
        None => None,
    };
    let (user, _) = user.ok_or_else(|| PageError::not_found("There is nothing at this address."))?;
    let secret = ask.portal.store.begin_session(&user).await?;
    Ok(ask.redirect_as(&secret, "/live"))
}

/// The history of a subscriber, a series, a domain or all as JSON.
pub(super) async fn points(ask: Ask) -> Result<Response, PageError> {
    let (hub, sight) = (hub(&ask)?, sight(ask.user()?));
    let asked = ["subscriber", "series", "domain"].map(|name| ask.parameters.some(name));
    let who = match asked {
        [None, None, None] => Who::All,
        [Some(key), None, None] => Who::Subscriber(key),
        [None, Some(id), None] => Who::Series(id.parse().unwrap_or(-1)),
        [None, None, Some(name)] => Who::Domain(name),
        _ => return Err(PageError::new(StatusCode::BAD_REQUEST, "Name one of subscriber, series and domain.")),
    };
    if hub.store().is_none() {
        return Err(away());
    }
    let span = ask.parameters.get("span");
    if !is_span(span) {
        return Err(PageError::new(StatusCode::BAD_REQUEST, "`span` is one of 30m, 3h, 24h, 7d, 400d."));
    }
    let busy = || PageError::new(StatusCode::TOO_MANY_REQUESTS, "Too many histories are asked for: try again.");
    let reading = history(&hub, &sight, who, span);
    let found = hub.seats.read(&ask.user()?.id, reading).await.ok_or_else(busy)??;
    let found = found.ok_or_else(|| PageError::not_found("There is no such subscriber, series or domain."))?;
    let mut response = Response::new(Body::from(serde_json::to_string(&found).map_err(anyhow::Error::from)?));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What a subscriber uses, for its page.
#[derive(Serialize)]
pub(super) struct Measured {
    up: String,
    down: String,
    at: String,
    /// The points of the lines of a day, in a box of 288 by 48.
    lines: [String; 2],
    /// What the height of the box is.
    top: String,
}

/// What a subscriber uses. While the store is away or busy, nothing.
pub(super) async fn measured(ask: &Ask, key: &str) -> Result<Option<Measured>, PageError> {
    let (Some(hub), sight) = (ask.portal.hub.clone(), sight(ask.user()?)) else { return Ok(None) };
    let Some(present) = present(&hub, &sight, key) else { return Ok(None) };
    let reading = history(&hub, &sight, Who::Subscriber(key), "24h");
    let Some(Ok(Some(day))) = hub.seats.read(&ask.user()?.id, reading).await else { return Ok(None) };
    let until = now();
    let top = day.top();
    let points = |line: Vec<(f64, f64)>| {
        let point = |(x, y): (f64, f64)| format!("{:.1},{:.1}", x * 288.0, 47.0 - y * 46.0);
        line.into_iter().map(point).collect::<Vec<String>>().join(" ")
    };
    Ok(Some(Measured {
        up: rate(rounded(present.up as u64)),
        down: rate(rounded(present.down as u64)),
        at: moment(present.at / 1000),
        lines: day.lines((until - 86_400_000, until), top).map(points),
        top: rate(rounded(top)),
    }))
}

/// Three digits of a rate, as on the dashboard.
fn rounded(bps: u64) -> u64 {
    let unit = 10_u64.pow(bps.checked_ilog10().unwrap_or(0).saturating_sub(2));
    bps / unit * unit
}

/// Reads the branch and the store anew.
pub(super) async fn refresh(ask: Ask) -> Result<Response, PageError> {
    let hub = hub(&ask)?;
    ask.portal.store.record(&ask.user()?.name, ask.address, "had the live data read anew").await?;
    hub.refresh.notify_one();
    ask.portal.wake.now();
    Ok(ask.redirect("/live"))
}

/// Deletes the samples that are older than the settings want.
pub(super) async fn clean(ask: Ask) -> Result<Response, PageError> {
    let hub = hub(&ask)?;
    let store = hub.store().ok_or_else(away)?;
    ask.portal.store.record(&ask.user()?.name, ask.address, "had old samples deleted").await?;
    if !CLEANING.swap(true, Ordering::Relaxed) {
        tokio::spawn(async move {
            let ended = async {
                store.roll_up(now(), false).await?;
                store.clean(now(), &hub.settings.retention).await
            };
            if let Err(error) = ended.await {
                Journal::default().event("live", &format!("old samples are not deleted: {error:#}"));
            }
            CLEANING.store(false, Ordering::Relaxed);
        });
    }
    Ok(ask.redirect("/live"))
}
