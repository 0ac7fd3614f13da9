//! The router: the gate, the parameters, the handler, the `ETag`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sha2::{Digest as _, Sha256};

use super::app::App;
use super::question::{Answer, Question};
use super::table::{Audience, Content, Handler, ROUTES, Route, Work};
use crate::text::hex::hex;
use crate::text::quote::quoted;
use crate::web::access::Scope;
use crate::web::data::snapshot::Snapshot;
use crate::web::gate::{Client, needs_token};
use crate::web::parts::Parts;
use crate::web::server::client::Caller;
use crate::web::server::guard::Handled;
use crate::web::server::metrics::RouteNumber;
use crate::web::server::parameters::{Parameters, decoded};
use crate::web::server::problem::Problem;

/// The router of the API. With nothing beside it, `/` answers as `/lookup` does; beside the portal alone, there are
/// only the routes for the server itself.
pub(crate) fn router(app: &Arc<App>, parts: Parts) -> Router {
    let mut router = Router::new();
    let asked = |route: &Route| parts != Parts::Portal || route.is_of_server();
    for (number, route) in ROUTES.iter().enumerate().filter(|(_, route)| asked(route)) {
        let answer = |app: &Arc<App>| {
            let app = app.clone();
            move |request: Request| answer(app.clone(), RouteNumber(number), route, request)
        };
        let method = || match route.work {
            Work::Hook | Work::Copy(_) => post(answer(app)),
            Work::Quick(..) | Work::Slow(..) | Work::Document => get(answer(app)),
        };
        router = router.route(&route.pattern(), method());
        if parts == Parts::Lookup && route.path == "/lookup" {
            router = router.route("/", method());
        }
    }
    let nowhere = |uri: Uri| async move {
        let path = quoted(uri.path());
        Problem::not_found(format!("there is nothing at {path}; /v1/openapi.json lists what there is"))
    };
    let wrong_method = |path: MatchedPath| async move {
        let writes = ROUTES.iter().any(|route| route.method() == Method::POST && route.pattern() == path.as_str());
        let methods = if writes { "POST" } else { "GET and HEAD" };
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this address takes {methods} alone"))
    };
    router.fallback(nowhere).method_not_allowed_fallback(wrong_method)
}

async fn answer(app: Arc<App>, number: RouteNumber, route: &'static Route, request: Request) -> Response {
    let mut handled = Handled { route: Some(number), token: None };
    let mut response = match admit(&app, route, &request) {
        Err(problem) => problem.into_response(),
        Ok(client) => {
            handled.token.clone_from(&client.token);
            let answered = match &route.work {
                Work::Hook => hook(&app, request).await,
                Work::Copy(_) => copy(&app, client.token, request).await,
                Work::Document => document(route, &request),
                Work::Quick(handler, content) => ask(&app, route, *handler, *content, &client.scope, &request),
                Work::Slow(handler, content) => {
                    let (handler, content) = (*handler, *content);
                    let work = move || ask(&app, route, handler, content, &client.scope, &request);
                    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(fault()))
                }
            };
            answered.unwrap_or_else(IntoResponse::into_response)
        }
    };
    response.extensions_mut().insert(handled);
    response
}

/// Who asks, if that is someone who may.
fn admit(app: &App, route: &Route, request: &Request) -> Result<Client, Problem> {
    let everyone = Client { scope: Scope::of([""; 0]), token: None, operator: false };
    let peer = Caller::of(request.extensions()).peer;
    match route.audience {
        Audience::Public | Audience::Signed => Ok(everyone),
        Audience::Clients => app.gate.client(peer, request.headers()),
        Audience::AllDomains => {
            let client = app.gate.client(peer, request.headers())?;
            let problem = || Problem::new(StatusCode::FORBIDDEN, "this needs a token for all domains");
            if client.scope.is_all() { Ok(client) } else { Err(problem()) }
        }
        Audience::Operators => {
            let client = app.gate.client(peer, request.headers())?;
            match client.operator {
                false => Err(Problem::new(StatusCode::FORBIDDEN, "this needs an operator's token")),
                // Open to this host is what only reads.
                true if client.token.is_none() && route.method() == Method::POST => Err(needs_token()),
                true => Ok(client),
            }
        }
    }
}

fn ask(
    app: &App,
    route: &'static Route,
    handler: Handler,
    content: Content,
    scope: &Scope,
    request: &Request,
) -> Result<Response, Problem> {
    let data = app.current.snapshot();
    let parameters = Parameters::read(request.uri().query(), route.parameters)?;
    let tail = match route.tail {
        None => String::new(),
        Some(_) => {
            let raw = request.uri().path().strip_prefix(route.fixed()).unwrap_or_default();
            decoded(raw, false).map_err(|why| Problem::bad_request(format!("the end of the path {why}")))?
        }
    };
    let tag = matches!(content, Content::Data(_)).then(|| tag(&data, scope, request.uri()));
    if let Some(tag) = tag.as_ref().filter(|tag| has_tag(request.headers(), tag)) {
        return Ok(with_tag(StatusCode::NOT_MODIFIED.into_response(), tag));
    }
    let question = Question { app, data: &data, scope, parameters, tail };
    let answer = catch_unwind(AssertUnwindSafe(|| handler(&question))).unwrap_or_else(|_| Err(fault()))?;
    let response = written(answer);
    Ok(match tag {
        Some(tag) => with_tag(response, &tag),
        None => {
            let mut response = response;
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
    })
}

fn document(route: &'static Route, request: &Request) -> Result<Response, Problem> {
    Parameters::read(request.uri().query(), route.parameters)?;
    Ok(written(super::openapi::answer()))
}

fn fault() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "this is a fault of shapeline: please report it")
}

fn written(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    response
}

/// What the answer depends on: the data, the day, what the client may see, and the address, which is in it so
/// that only who has had the answer knows the tag.
fn tag(data: &Snapshot, scope: &Scope, uri: &Uri) -> String {
    let mut digest = Sha256::new();
    let parts =
        [env!("CARGO_PKG_VERSION"), &data.commit, &data.today.to_string(), uri.path(), uri.query().unwrap_or("")];
    parts.iter().for_each(|part| digest.update(format!("{}:{part}", part.len())));
    match scope.domains() {
        None => digest.update("all"),
        Some(domains) => domains.iter().for_each(|domain| digest.update(format!("{}:{domain}", domain.len()))),
    }
    let digest = digest.finalize();
    format!("\"{}\"", hex(digest.get(..16).unwrap_or_default()))
}

fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    tags.flat_map(|line| line.split(',')).any(|sent| sent.trim().trim_start_matches("W/") == tag)
}

fn with_tag(mut response: Response, tag: &str) -> Response {
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    response
}

async fn copy(app: &App, token: Option<Arc<str>>, request: Request) -> Result<Response, Problem> {
    let mut answer = Answer::json(&super::copy::answer(app.copies.clone(), token, request).await?)?;
    answer.status = StatusCode::CREATED;
    Ok(written(answer))
}

async fn hook(app: &App, request: Request) -> Result<Response, Problem> {
    let Some(secret) = &app.hook else {
        let variable = super::hook::VARIABLE;
        return Err(Problem::not_found(format!("this replica has no webhook: set {variable} to open it")));
    };
    let (head, body) = request.into_parts();
    secret.verify(&head.headers, body, app.max_body).await?;
    app.wake.now();
    let mut answer = Answer::json(&serde_json::json!({"accepted": true}))?;
    answer.status = StatusCode::ACCEPTED;
    Ok(written(answer))
}
