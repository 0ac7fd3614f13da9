//! The pages: one table, from which the router and the tests are made.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use http_body_util::{BodyExt as _, Limited};

use super::app::Portal;
use super::ask::{Ask, PageError};
#[cfg(feature = "telemetry")]
use super::dashboard;
use super::form::{Form, query};
use super::pages::values;
use super::session::{is_own_form, secret};
use super::{draft_page, form_page, history_page, request_page, sign_in, subscribers, upload_page, vouched_sign_in};
use crate::database::random::random;
use crate::web::server::client::Caller;
use crate::web::server::guard::Handled;
use crate::web::server::metrics::RouteNumber;
use crate::web::state::users::{Role, User};

/// Who may see a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Everyone, signed in or not.
    Everyone,
    /// People with at least this role.
    People(Role),
}

type Answering = Pin<Box<dyn Future<Output = Result<Response, PageError>> + Send>>;

/// A page, or what a form does.
pub(crate) struct PortalRoute {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// Both, for the metrics.
    pub(crate) label: &'static str,
    audience: Audience,
    handler: fn(Ask) -> Answering,
}

macro_rules! route {
    ($method:ident $path:literal, $audience:expr, $handler:path) => {
        PortalRoute {
            method: Method::$method,
            path: $path,
            label: concat!(stringify!($method), " ", $path),
            audience: $audience,
            handler: |ask| Box::pin($handler(ask)),
        }
    };
}

const VIEWERS: Audience = Audience::People(Role::Viewer);
const EDITORS: Audience = Audience::People(Role::Editor);
#[cfg(feature = "telemetry")]
const OPERATORS: Audience = Audience::People(Role::Operator);

/// Every page.
pub(crate) static PAGES: &[PortalRoute] = &[
    route!(GET "/", VIEWERS, first),
    route!(GET "/sign-in", Audience::Everyone, sign_in::page),
    route!(POST "/sign-in", Audience::Everyone, sign_in::sign_in),
    route!(POST "/sign-in/openid", Audience::Everyone, vouched_sign_in::begin),
    route!(GET "/sign-in/openid", Audience::Everyone, vouched_sign_in::finish),
    route!(POST "/sign-in/github", Audience::Everyone, vouched_sign_in::begin),
    route!(GET "/sign-in/github", Audience::Everyone, vouched_sign_in::finish),
    route!(POST "/sign-out", VIEWERS, sign_in::sign_out),
    route!(GET "/setup", Audience::Everyone, sign_in::setup_page),
    route!(POST "/setup", Audience::Everyone, sign_in::setup),
    route!(GET "/account", VIEWERS, sign_in::account),
    route!(POST "/account", VIEWERS, sign_in::change_password),
    route!(GET "/subscribers", VIEWERS, subscribers::list),
    route!(GET "/subscribers.csv", VIEWERS, subscribers::csv),
    route!(GET "/subscriber", VIEWERS, subscribers::one),
    route!(GET "/history", VIEWERS, history_page::one),
    route!(GET "/add", EDITORS, form_page::add_page),
    route!(GET "/edit", EDITORS, form_page::edit_page),
    route!(POST "/save", EDITORS, form_page::save),
    route!(POST "/act", EDITORS, form_page::act),
    route!(GET "/upload", EDITORS, upload_page::page),
    route!(POST "/upload", EDITORS, upload_page::upload),
    route!(GET "/draft", EDITORS, draft_page::review),
    route!(POST "/draft/discard", EDITORS, draft_page::discard),
    route!(POST "/draft/mine", EDITORS, draft_page::keep_mine),
    route!(POST "/draft/submit", EDITORS, draft_page::submit),
    route!(GET "/requests", VIEWERS, request_page::list),
    route!(GET "/request", VIEWERS, request_page::one),
    route!(POST "/request/retry", EDITORS, request_page::retry),
    route!(POST "/request/withdraw", EDITORS, request_page::withdraw),
    #[cfg(feature = "telemetry")]
    route!(GET "/demo", Audience::Everyone, dashboard::demo),
    #[cfg(feature = "telemetry")]
    route!(GET "/live", VIEWERS, dashboard::page),
    #[cfg(feature = "telemetry")]
    route!(GET "/live/history", VIEWERS, dashboard::points),
    #[cfg(feature = "telemetry")]
    route!(POST "/live/refresh", OPERATORS, dashboard::refresh),
    #[cfg(feature = "telemetry")]
    route!(POST "/live/clean", OPERATORS, dashboard::clean),
];

async fn first(ask: Ask) -> Result<Response, PageError> {
    Ok(ask.redirect("/subscribers"))
}

/// The router of the portal. The metrics have its pages from `number` on.
pub(crate) fn router(portal: &Arc<Portal>, number: usize) -> Router {
    let mut router = Router::new();
    let mut paths: Vec<&str> = PAGES.iter().map(|page| page.path).collect();
    paths.dedup();
    for path in paths {
        let mut methods = MethodRouter::new();
        for (at, page) in PAGES.iter().enumerate().filter(|(_, page)| page.path == path) {
            let portal = portal.clone();
            let handle = move |request: Request| answer(portal.clone(), page, RouteNumber(number + at), request);
            methods = if page.method == Method::GET { methods.merge(get(handle)) } else { methods.merge(post(handle)) };
        }
        router = router.route(path, methods);
    }
    #[cfg(feature = "telemetry")]
    let router = {
        let portal = portal.clone();
        let connect = move |request: Request| super::live_socket::connect(portal.clone(), request);
        router.route("/live/socket", get(connect))
    };
    let portal = portal.clone();
    router.route("/assets/{name}", get(move |Path(name): Path<String>| async move { asset(&portal, &name) }))
}

/// The page for an address where there is nothing.
pub(crate) async fn nowhere(portal: Arc<Portal>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let error = PageError::not_found("There is nothing at this address.");
    match ask(&portal, &head, Form::default()).await {
        Ok(ask) => failed(ask, error).await,
        Err(error) => error.plain(),
    }
}

async fn answer(portal: Arc<Portal>, page: &'static PortalRoute, number: RouteNumber, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut handled = Handled { route: Some(number), token: None };
    let answered = async {
        let form = read(&head.headers, body, portal.max_body).await?;
        let asked = ask(&portal, &head, form).await?;
        handled.token = asked.user.as_ref().map(|user| user.name.as_str().into());
        Ok::<Response, PageError>(respond(page, asked, &head.headers, head.uri.query()).await)
    };
    let mut response = answered.await.unwrap_or_else(|error: PageError| error.plain());
    response.extensions_mut().insert(handled);
    response
}

/// The page, if the person may see it, and if a form is one of ours.
async fn respond(page: &'static PortalRoute, ask: Ask, headers: &HeaderMap, parameters: Option<&str>) -> Response {
    let sent = secret(headers, ask.portal.secure);
    if page.method == Method::POST && !is_own_form(headers, sent.as_deref(), ask.form.get("token")) {
        let why = "This form is too old, or was sent by another site. Open the page again.";
        return failed(ask, PageError::new(StatusCode::FORBIDDEN, why)).await;
    }
    match (page.audience, &ask.user) {
        (Audience::Everyone, _) => {}
        (Audience::People(_), None) => {
            let next = match (page.method == Method::GET, parameters) {
                (false, _) => String::new(),
                (true, None) => page.path.to_owned(),
                (true, Some(parameters)) => format!("{}?{parameters}", page.path),
            };
            let next = if next == "/" { String::new() } else { next };
            let to = query(&[("next", &next)]);
            return ask.redirect(&if to.is_empty() { "/sign-in".to_owned() } else { format!("/sign-in?{to}") });
        }
        (Audience::People(role), Some(user)) if user.role < role => {
            let why = match role {
                Role::Operator => "This is for operators.",
                _ => "Your account can look at subscribers, and not change them.",
            };
            return failed(ask, PageError::new(StatusCode::FORBIDDEN, why)).await;
        }
        (Audience::People(_), Some(_)) => {}
    }
    let again = again(&ask);
    match (page.handler)(ask).await {
        Ok(response) => response,
        Err(error) => failed(again, error).await,
    }
}

/// The same request, for the page that says what went wrong.
fn again(ask: &Ask) -> Ask {
    Ask {
        portal: ask.portal.clone(),
        user: ask.user.clone(),
        secret: ask.secret.clone(),
        address: ask.address,
        path: ask.path.clone(),
        parameters: Form::default(),
        form: Form::default(),
        fragment: false,
    }
}

async fn failed(ask: Ask, error: PageError) -> Response {
    let title = match error.status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::INTERNAL_SERVER_ERROR => "Something went wrong",
        _ => "This did not work",
    };
    let page = ask.page_with(error.status, "error.html", values!(title, detail => error.detail)).await;
    page.unwrap_or_else(|error| error.plain())
}

impl PageError {
    /// The error where no page can be made.
    fn plain(&self) -> Response {
        let mut response = (self.status, self.detail.clone()).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Who asks for what.
async fn ask(portal: &Arc<Portal>, head: &axum::http::request::Parts, form: Form) -> Result<Ask, PageError> {
    let sent = secret(&head.headers, portal.secure);
    let user: Option<User> = match &sent {
        // Of who could still sign in as they did.
        Some(secret) => portal.store.session(secret).await?.filter(|user| portal.providers.accepts(user)),
        None => None,
    };
    let secret = match sent {
        Some(secret) => secret,
        None => random::<32>()?,
    };
    Ok(Ask {
        portal: portal.clone(),
        user,
        secret,
        address: Caller::of(&head.extensions).client,
        path: head.uri.path().to_owned(),
        parameters: Form::read(head.uri.query().unwrap_or_default().as_bytes()),
        form,
        fragment: head.headers.contains_key("hx-request") && !head.headers.contains_key("hx-history-restore-request"),
    })
}

/// The fields of the form in a body.
async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Form, PageError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = Limited::new(body, most).collect().await.map_err(|_| {
        let why = format!("This form, or its file, is larger than the {} KiB that this server takes.", most >> 10);
        PageError::new(StatusCode::PAYLOAD_TOO_LARGE, why)
    })?;
    if let Ok(boundary) = multer::parse_boundary(kind) {
        let damaged = |_| PageError::new(StatusCode::BAD_REQUEST, "The form came back damaged. Open it again.");
        return Form::read_with_file(body.to_bytes(), boundary).await.map_err(damaged);
    }
    let is_form = kind.starts_with("application/x-www-form-urlencoded");
    Ok(if is_form { Form::read(&body.to_bytes()) } else { Form::default() })
}

fn asset(portal: &Portal, name: &str) -> Response {
    let Some(asset) = portal.pages.asset(name) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = Response::new(Body::from(asset.bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    // Its name changes with its content.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}
