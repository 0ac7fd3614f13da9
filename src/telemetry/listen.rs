//! A plain HTTP server for what is asked on the same machine: a pretend network, and metrics.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at a time, and how long the head of a request may take.
const CONNECTIONS: usize = 64;
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Answers by `router`, and never ends.
pub(super) async fn accept(listener: TcpListener, router: Router) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
            // Errors are the client's: it is gone, or sent no HTTP.
            drop(http.serve_connection(TokioIo::new(stream), service).await);
            drop(slot);
        });
    }
}
