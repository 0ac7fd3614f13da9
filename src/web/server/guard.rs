//! What happens around each request: rate limit, time limit, headers, metrics, access log.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::access_log::{AccessEntry, AccessLog};
use super::client::{Caller, Origin, TrustedProxies};
use super::metrics::{Metrics, RouteNumber};
use super::problem::Problem;
use super::rate::RateLimit;
use crate::records::moment::Moment;

/// What a load balancer asks: if that had a limit, a flood would have it take the replica out.
const UNLIMITED: [&str; 2] = ["/healthz", "/readyz"];

/// What the guard needs.
pub(crate) struct Guard {
    pub(crate) rate: Option<RateLimit>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) request_time: Duration,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Option<AccessLog>,
}

/// What the handler says of a request, for metrics and log: an extension of its response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handled {
    pub(crate) route: Option<RouteNumber>,
    pub(crate) token: Option<Arc<str>>,
}

/// Answers a request of `peer` by the router. Not a layer of that: a layer clones and boxes the whole router for each
/// request.
pub(crate) async fn guarded(
    guard: &Guard,
    router: &TowerToHyperService<Router>,
    peer: IpAddr,
    mut request: Request<Incoming>,
) -> Response {
    let began = Instant::now();
    let client = guard.proxies.client(peer, request.headers());
    request.extensions_mut().insert(Caller { peer, client: client.ip });
    let logged = guard.log.is_some().then(|| (request.method().clone(), request.uri().clone()));
    let limited = !UNLIMITED.contains(&request.uri().path());
    let refused = if limited { guard.too_often(client, began) } else { None };
    let mut response = match refused {
        Some(problem) => problem.into_response(),
        None => match tokio::time::timeout(guard.request_time, router.call(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "the request took too long").into_response(),
        },
    };
    set_headers(response.headers_mut());
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        // Who asks too often does not keep a connection from others.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let handled = response.extensions_mut().remove::<Handled>().unwrap_or_default();
    let (status, took) = (response.status(), began.elapsed());
    guard.metrics.count(handled.route, status.as_u16(), took);
    if let (Some(log), Some((method, uri))) = (&guard.log, logged) {
        let (client, time, token) = (client.ip, Moment::now(), handled.token);
        log.log(AccessEntry { client, method, uri, status, time, took, token });
    }
    response
}

impl Guard {
    /// Programs on this host are not limited, unless they are proxies: then their clients are.
    fn too_often(&self, client: Origin, now: Instant) -> Option<Problem> {
        let wait = self.rate.as_ref().filter(|_| !client.unlimited)?.take(client.ip, now).err()?;
        let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, format!("too many requests: wait {seconds} s"));
        Some(problem.with(header::RETRY_AFTER, HeaderValue::from(seconds)))
    }
}

fn set_headers(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Pages have their own.
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
}
