//! An axum handler that does nothing but answer, to compare `shapeline serve` with: see scripts/bench-serve.

use axum::Router;
use axum::routing::get;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;

/// As long as an answer of `/lookup`.
const BODY: &str = r#"{"user_key":"10.10.10.25@ispcustomer.co.zw","port":8080,"name":"lookup-1","commit":"0123456789012345678901234567890123456789"}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let answer = || async { ([("content-type", "application/json")], BODY) };
    let router: Router = Router::new().route("/lookup", get(answer));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = TowerToHyperService::new(router.clone());
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move { drop(connection.await) });
        }
    })
}
