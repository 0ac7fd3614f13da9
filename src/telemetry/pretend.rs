//! `simulate --listen`: serves a pretend network over HTTP, in the two shapes that sources speak.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::listen::accept;
use super::sample::{Kind, now};
use super::simulation::Simulated;
use crate::sync::journal::Journal;
use crate::text::count::counted;

/// From one point of an interface to the next, in milliseconds.
const STEP: i64 = 30_000;

/// The longest time that is answered at once.
const MAX_WINDOW: i64 = 48 * 3_600_000;

/// The longest body of a request, in bytes, and how many devices can be added in all.
const MAX_BODY: usize = 8 << 20;
const MAX_ADDED: usize = 100_000;

struct Network {
    simulated: Vec<Simulated>,
    /// Devices that clients added.
    added: Mutex<Vec<Value>>,
}

/// Serves until a signal ends it.
///
/// # Errors
/// If the address cannot be listened on.
pub(crate) fn serve(address: SocketAddr, simulated: Vec<Simulated>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.context("cannot start threads")?.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let size = counted(simulated.len(), "interface", "interfaces");
        let line = format!("http://{}: {size}, and as many devices", listener.local_addr()?);
        Journal::default().event("simulate", &line);
        let network = Arc::new(Network { simulated, added: Mutex::default() });
        tokio::select! {
            () = accept(listener, router(network)) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

fn router(network: Arc<Network>) -> Router {
    Router::new()
        .route("/interfaces", get(interfaces))
        .route("/interfaces/{number}/{kind}", get(points))
        .route("/devices/", get(devices).post(add_devices))
        .with_state(network)
}

fn answer(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

async fn interfaces(State(network): State<Arc<Network>>) -> Response {
    let entry = |(number, one): (usize, &Simulated)| json!({"name": one.name, "resource": format!("/interfaces/{number}"), "address": one.address});
    answer(StatusCode::OK, &network.simulated.iter().enumerate().map(entry).collect())
}

async fn points(
    State(network): State<Arc<Network>>,
    Path((number, kind)): Path<(usize, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let kind = Kind::ALL.into_iter().find(|one| one.name() == kind);
    let (Some(one), Some(kind)) = (network.simulated.get(number), kind) else {
        return answer(StatusCode::NOT_FOUND, &json!({"error": "there is no such record"}));
    };
    let query = query.unwrap_or_default();
    let named = |name: &str| {
        let value = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name)?.1.into_owned();
        value.parse::<i64>().ok().filter(|moment| (0..=i64::MAX / 2).contains(moment))
    };
    let (Some(begin), Some(end)) = (named("begin"), named("end")) else {
        return answer(StatusCode::BAD_REQUEST, &json!({"error": "begin and end are milliseconds since 1970"}));
    };
    let end = end.min(now()).min(begin + MAX_WINDOW);
    let mut points = Vec::new();
    let mut at = begin.div_euclid(STEP) * STEP;
    while at <= end {
        if at >= begin {
            let (up, down) = if kind == Kind::Traffic { one.rates(at) } else { one.faults(at) };
            points.push(json!([at, up, down]));
        }
        at += STEP;
    }
    answer(StatusCode::OK, &json!({"points": points}))
}

async fn devices(State(network): State<Arc<Network>>) -> Response {
    let at = now().div_euclid(1000) * 1000;
    let device = |(number, one): (usize, &Simulated)| {
        let (up, down) = one.rates(at);
        let own = one.own().to_be_bytes();
        json!({
            "id": number + 1,
            "device_type": "cpe",
            "operating_system": "Linux",
            "host_name": format!("cpe-{}", number + 1),
            "ip_address": one.address,
            // A locally administered address: none of a manufacturer.
            "mac_address": format!("02:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", own[0], own[1], own[2], own[3], own[4]),
            "upload_speed": up,
            "download_speed": down,
            "active_connection": down > 0.0,
        })
    };
    let mut list: Vec<Value> = network.simulated.iter().enumerate().map(device).collect();
    list.extend(network.added.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
    answer(StatusCode::OK, &Value::Array(list))
}

async fn add_devices(State(network): State<Arc<Network>>, body: Body) -> Response {
    let bytes = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let devices = match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Array(devices)) if devices.iter().all(|one| one["mac_address"].is_string()) => devices,
        Ok(one @ Value::Object(_)) if one["mac_address"].is_string() => vec![one],
        _ => return answer(StatusCode::BAD_REQUEST, &json!({"error": "a list of devices, each with its mac_address"})),
    };
    let mut added = network.added.lock().unwrap_or_else(PoisonError::into_inner);
    if added.len() + devices.len() > MAX_ADDED {
        return answer(StatusCode::INSUFFICIENT_STORAGE, &json!({"error": "there are too many devices"}));
    }
    let count = devices.len();
    added.extend(devices);
    answer(StatusCode::CREATED, &json!({"added": count}))
}
