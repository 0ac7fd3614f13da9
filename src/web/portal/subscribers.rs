//! The list of subscribers, and one of them.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use minijinja::context;
use serde::Serialize;

use super::ask::{Ask, PageError};
use super::form::query;
use super::pages::values;
use super::views::{Bar, Row, domains, fastest, rate};
use crate::model::Subscriber;
use crate::query::{PAGE, SortField, StatusFilter, shaper_lines, status};
use crate::text::columns::csv_line;
use crate::text::count::grouped;
use crate::text::quote::harmless;
use crate::web::access::Scope;
use crate::web::data::snapshot::{Filter, Snapshot};

/// The columns by which the list is sorted.
const SORTS: [(&str, SortField, &str); 5] = [
    ("address", SortField::Address, "Address"),
    ("name", SortField::Name, "Name"),
    ("domain", SortField::Domain, "Domain"),
    ("plan", SortField::Plan, "Plan"),
    ("status", SortField::Status, "Status"),
];

/// The ways to filter by status.
const STATUSES: [(&str, StatusFilter); 4] = [
    ("active", StatusFilter::Active),
    ("suspended", StatusFilter::Suspended),
    ("served", StatusFilter::Served),
    ("unserved", StatusFilter::Unserved),
];

/// What is asked of the list.
struct Wanted<'a> {
    filter: Filter<'a>,
    page: usize,
    sort: &'a str,
    order: &'a str,
}

fn wanted(ask: &Ask) -> Wanted<'_> {
    let some = |name| ask.parameters.some(name);
    let sort = SORTS.iter().find(|(word, ..)| Some(*word) == some("sort")).unwrap_or(&SORTS[0]);
    let reverse = some("order") == Some("down");
    let status = STATUSES.iter().find(|(word, _)| Some(*word) == some("status"));
    let filter = Filter {
        domain: some("domain"),
        plan: some("plan"),
        status: status.map(|(_, status)| *status),
        text: some("q"),
        sort: (sort.1, reverse),
    };
    let page = some("page").and_then(|page| page.parse().ok()).filter(|page| *page >= 1).unwrap_or(1);
    Wanted { filter, page, sort: sort.0, order: if reverse { "down" } else { "" } }
}

impl Wanted<'_> {
    /// The address of the list with other parameters.
    fn link(&self, path: &str, ask: &Ask, page: usize, sort: &str, order: &str) -> String {
        let page = if page > 1 { page.to_string() } else { String::new() };
        let sort = if sort == SORTS[0].0 { "" } else { sort };
        let given = |name| ask.parameters.get(name);
        let parameters = query(&[
            ("q", given("q")),
            ("domain", given("domain")),
            ("plan", given("plan")),
            ("status", given("status")),
            ("sort", sort),
            ("order", order),
            ("page", &page),
        ]);
        if parameters.is_empty() { path.to_owned() } else { format!("{path}?{parameters}") }
    }
}

/// A heading that sorts.
#[derive(Serialize)]
struct Heading {
    name: &'static str,
    label: &'static str,
    link: String,
    sorted: &'static str,
}

/// The list.
pub(super) async fn list(ask: Ask) -> Result<Response, PageError> {
    let (data, scope) = (ask.portal.current.snapshot(), ask.scope()?);
    let wanted = wanted(&ask);
    let (total, shown) = data.page(&wanted.filter, &scope, wanted.page - 1, PAGE);
    let fastest = fastest(&data);
    let rows: Vec<Row> = shown.into_iter().map(|one| Row::of(one, &data, fastest)).collect();
    let pages = total.div_ceil(PAGE).max(1);
    let link = |page: usize| wanted.link("/subscribers", &ask, page, wanted.sort, wanted.order);
    let several = scope.domains().is_none_or(|domains| domains.len() > 1) && data.domains.len() > 1;
    let headings: Vec<Heading> = SORTS
        .iter()
        .filter(|(name, ..)| several || *name != "domain")
        .map(|(name, _, label)| {
            let own = *name == wanted.sort;
            let (sorted, next) = match (own, wanted.order) {
                (true, "") => ("ascending", "down"),
                (true, _) => ("descending", ""),
                (false, _) => ("none", ""),
            };
            Heading { name, label, link: wanted.link("/subscribers", &ask, 1, name, next), sorted }
        })
        .collect();
    let everyone: usize =
        data.domains.iter().filter(|domain| scope.has(&domain.name)).map(|domain| domain.subscribers).sum();
    let from = (wanted.page - 1) * PAGE;
    let values = values!(
        rows, headings, several,
        total => grouped(total), everyone => grouped(everyone), filtered => total != everyone,
        first => grouped(from + 1), last => grouped((from + PAGE).min(total)), page => wanted.page, pages,
        previous => (wanted.page > 1).then(|| link(wanted.page - 1)),
        next => (wanted.page < pages).then(|| link(wanted.page + 1)),
        csv => wanted.link("/subscribers.csv", &ask, 1, wanted.sort, wanted.order),
        sort => wanted.sort, order => wanted.order,
    );
    if ask.fragment {
        let mut response = ask.page("list.html", values).await?;
        // What the browser shows as the address, and what comes back after a reload.
        let here = link(wanted.page).parse().map_err(anyhow::Error::from)?;
        response.headers_mut().insert("hx-push-url", here);
        return Ok(response);
    }
    let plans: Vec<String> = data.plans.iter().filter_map(|plan| plan.within(&scope)).map(|plan| plan.name).collect();
    let given = |name| ask.parameters.get(name);
    let form = values!(
        q => given("q"), domain => given("domain"), plan => given("plan"), status => given("status"), plans, domains => domains(&data, &scope),
        statuses => STATUSES.map(|(word, _)| word),
    );
    ask.page("subscribers.html", context!(..values, ..form)).await
}

/// The same list, whole, as CSV.
pub(super) async fn csv(ask: Ask) -> Result<Response, PageError> {
    let (data, scope) = (ask.portal.current.snapshot(), ask.scope()?);
    let mut text = String::from("key,ip,domain,plan,id,name,status,served,up_bps,down_bps,starts,ends\n");
    let (_, shown) = data.page(&wanted(&ask).filter, &scope, 0, usize::MAX);
    for subscriber in shown {
        text.push_str(&csv_of(subscriber, &data));
    }
    ask.portal.store.record(&ask.user()?.name, ask.address, "downloaded the list of subscribers").await?;
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"subscribers.csv\""));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn csv_of(subscriber: &Subscriber, data: &Snapshot) -> String {
    let ips: Vec<String> = subscriber.ip.as_slice().iter().map(ToString::to_string).collect();
    let rates = data.rates(subscriber.plan.as_str());
    let number = |bps: Option<u64>| bps.map(|bps| bps.to_string()).unwrap_or_default();
    let date = |date: Option<crate::model::Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let text = |text: &str| harmless(text, 400);
    let fields = [
        text(&subscriber.key()),
        ips.join(" "),
        text(subscriber.domain.as_str()),
        text(subscriber.plan.as_str()),
        text(subscriber.id.as_ref().map(|id| id.as_str()).unwrap_or_default()),
        text(subscriber.name.as_ref().map(|name| name.as_str()).unwrap_or_default()),
        status(subscriber).to_owned(),
        data.unserved(subscriber).unwrap_or("yes").to_owned(),
        number(rates.map(|(up, _)| up)),
        number(rates.map(|(_, down)| down)),
        date(subscriber.starts),
        date(subscriber.ends),
    ];
    csv_line(fields.iter().map(String::as_str))
}

/// The subscriber that the parameters name, if the person may see it.
///
/// # Errors
/// 404, whether there is none or it is of another domain.
pub(super) fn named<'d>(key: &str, data: &'d Snapshot, scope: &Scope) -> Result<&'d Subscriber, PageError> {
    let none = || PageError::not_found(format!("There is no subscriber {}.", harmless(key, 100)));
    data.subscriber(key, scope).ok_or_else(none)
}

/// One subscriber.
pub(super) async fn one(ask: Ask) -> Result<Response, PageError> {
    let (data, scope) = (ask.portal.current.snapshot(), ask.scope()?);
    let subscriber = named(ask.parameters.get("key"), &data, &scope)?.clone();
    let (again, wanted) = (data.clone(), subscriber.clone());
    let lines = ask.portal.heavy(move || lines(&again, &wanted)).await?;
    let top = fastest(&data);
    let rates = data.rates(subscriber.plan.as_str());
    let bar = |bps: Option<u64>| values!(text => bps.map(rate), bar => Bar::of(bps.unwrap_or(0) as f64, top as f64));
    let labels: Vec<(String, String)> = subscriber
        .labels
        .iter()
        .flat_map(|labels| labels.iter())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let drafted = ask.draft().await?.1.iter().any(|change| change.key() == subscriber.key());
    #[cfg(feature = "telemetry")]
    let measured = super::dashboard::measured(&ask, &subscriber.key()).await?;
    #[cfg(not(feature = "telemetry"))]
    let measured: Option<()> = None;
    let values = values!(
        measured, row => Row::of(&subscriber, &data, top),
        down => bar(rates.map(|(_, down)| down)), up => bar(rates.map(|(up, _)| up)),
        starts => subscriber.starts.map(|date| date.to_string()),
        ends => subscriber.ends.map(|date| date.to_string()),
        was => serde_json::to_string(&subscriber).map_err(anyhow::Error::from)?,
        labels, lines, in_draft => drafted,
        commit => data.commit.get(..12), link => query(&[("key", &subscriber.key())]),
    );
    ask.page_with(StatusCode::OK, "subscriber.html", values).await
}

fn lines(data: &Snapshot, wanted: &Subscriber) -> anyhow::Result<Vec<String>> {
    let record = data.repo.subscribers.iter().find(|record| record.value == *wanted);
    record.map_or(Ok(Vec::new()), |record| shaper_lines(&data.repo, record, data.today))
}
