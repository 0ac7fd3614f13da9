//! Accepts connections, serves each on a task of its own, and ends without cutting a request.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::guard::{Guard, guarded};
use super::limits::Limits;
use super::metrics::Metrics;
use super::share::{Share, Shares};
use super::tls::TlsFront;
use crate::sync::journal::Journal;
use crate::text::count::counted;

/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;

/// How long to wait after the system refused a connection, for want of file descriptors, say.
const AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// How long not to say again that all connections are taken.
const BETWEEN_REPORTS: Duration = Duration::from_secs(60);

/// Serves connections.
pub(crate) struct Acceptor {
    pub(crate) router: Router,
    pub(crate) guard: Arc<Guard>,
    pub(crate) tls: Option<Arc<TlsFront>>,
    pub(crate) limits: Limits,
    pub(crate) shares: Arc<Shares>,
    pub(crate) metrics: Arc<Metrics>,
}

/// How far the server is on its way to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It serves.
    #[default]
    Serving,
    /// It takes no more connections, and completes the requests under way.
    Draining,
    /// It ends at once.
    Ending,
}

impl Acceptor {
    /// Serves until the phase is over, and the requests then under way are answered. Returns how many
    /// connections were cut since they took too long.
    pub(crate) async fn run(self, listener: TcpListener, mut phase: watch::Receiver<Phase>) -> usize {
        let slots = Slots::new(self.limits.connections);
        let acceptor = Arc::new(self);
        // Closed when every task has dropped its end.
        let (alive, mut all_gone) = mpsc::channel::<()>(1);
        let (spawner, phases) = (acceptor.clone(), phase.clone());
        // A connection beyond its client's share is closed.
        let connect = |stream: TcpStream, peer: SocketAddr, slot| {
            if let Some(share) = spawner.shares.take(peer.ip()) {
                let open = OpenConnection::new(spawner.metrics.clone(), slot, share, alive.clone());
                spawner.clone().spawn(stream, peer.ip(), open, phases.clone());
            }
        };
        let mut reported = None;
        loop {
            let Some(slot) = slots.free(&mut reported, &mut phase).await else { break };
            let accepted = tokio::select! {
                biased;
                accepted = listener.accept() => accepted,
                _ = phase.wait_for(|phase| *phase > Phase::Serving) => break,
            };
            match accepted {
                Ok((stream, peer)) => connect(stream, peer, slot),
                Err(_) => tokio::time::sleep(AFTER_REFUSAL).await,
            }
        }
        // The system has completed these connections already: to close the listener would reset them.
        while let Ok(Ok((stream, peer))) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
            let Ok(slot) = slots.all.clone().try_acquire_owned() else { break };
            connect(stream, peer, slot);
        }
        drop((listener, alive));
        let limit = acceptor.limits.drain_time;
        tokio::select! {
            _ = all_gone.recv() => {}
            () = tokio::time::sleep(limit) => {}
            _ = phase.wait_for(|phase| *phase == Phase::Ending) => {}
        }
        acceptor.metrics.connections.load(Ordering::Relaxed)
    }

    fn spawn(self: Arc<Self>, stream: TcpStream, peer: IpAddr, open: OpenConnection, phase: watch::Receiver<Phase>) {
        tokio::spawn(async move {
            set_options(&stream, self.limits.request_time);
            match self.tls.as_ref().map(|tls| tls.acceptor()) {
                Some(tls) => {
                    let handshake = tokio::time::timeout(self.limits.head_time, tls.accept(stream)).await;
                    if let Ok(Ok(stream)) = handshake {
                        self.serve(stream, peer, phase).await;
                    }
                }
                None => self.serve(stream, peer, phase).await,
            }
            drop(open);
        });
    }

    async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: IpAddr,
        mut phase: watch::Receiver<Phase>,
    ) {
        let router = Arc::new(TowerToHyperService::new(self.router.clone()));
        let service = Guarded { router, guard: self.guard.clone(), peer };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_time)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        // Errors are the client's: it is gone, or sent no HTTP.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = phase.wait_for(|phase| *phase > Phase::Serving) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

/// A slot for each connection that may be open.
struct Slots {
    all: Arc<Semaphore>,
    count: usize,
}

impl Slots {
    fn new(count: usize) -> Slots {
        Slots { all: Arc::new(Semaphore::new(count)), count }
    }

    /// Waits for a slot; `None` once no more connections are taken. `reported`: when it was last said that
    /// all are taken.
    async fn free(
        &self,
        reported: &mut Option<Instant>,
        phase: &mut watch::Receiver<Phase>,
    ) -> Option<OwnedSemaphorePermit> {
        if self.all.available_permits() == 0 && reported.is_none_or(|last| last.elapsed() > BETWEEN_REPORTS) {
            *reported = Some(Instant::now());
            let all = counted(self.count, "connection is", "connections are");
            Journal::default().event("serve", &format!("{all} open, which is the limit: more have to wait"));
        }
        tokio::select! {
            slot = self.all.clone().acquire_owned() => slot.ok(),
            _ = phase.wait_for(|phase| *phase > Phase::Serving) => None,
        }
    }
}

/// Answers leave at once; a client that reads nothing is given up.
fn set_options(stream: &TcpStream, patience: Duration) {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, patience.as_millis() as u32);
    #[cfg(not(target_os = "linux"))]
    let _ = patience;
}

/// Counts a connection for as long as it is open.
struct OpenConnection {
    metrics: Arc<Metrics>,
    _slot: OwnedSemaphorePermit,
    _share: Share,
    _alive: mpsc::Sender<()>,
}

impl OpenConnection {
    fn new(metrics: Arc<Metrics>, slot: OwnedSemaphorePermit, share: Share, alive: mpsc::Sender<()>) -> OpenConnection {
        metrics.connections.fetch_add(1, Ordering::Relaxed);
        OpenConnection { metrics, _slot: slot, _share: share, _alive: alive }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The router behind the guard, for the requests of one connection.
struct Guarded {
    router: Arc<TowerToHyperService<Router>>,
    guard: Arc<Guard>,
    peer: IpAddr,
}

impl hyper::service::Service<Request<Incoming>> for Guarded {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (router, guard, peer) = (self.router.clone(), self.guard.clone(), self.peer);
        Box::pin(async move { Ok(guarded(&guard, &router, peer, request).await) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Read as _, Write as _};

    use ipnet::IpNet;

    use super::super::client::TrustedProxies;
    use super::*;

    /// Hands the test those of thirty connections from this host that are served, and what opens one more.
    fn served(shares: Arc<Shares>, test: impl FnOnce(Vec<std::net::TcpStream>, &dyn Fn() -> bool)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", axum::routing::get(|| async { "served" }));
        let limits = Limits { connections: 40, ..Limits::default() };
        let metrics = Arc::new(Metrics::default());
        let (phase, phases) = watch::channel(Phase::Serving);
        let guard = Arc::new(Guard {
            rate: None,
            proxies: TrustedProxies::default(),
            request_time: limits.request_time,
            metrics: metrics.clone(),
            log: None,
        });
        let acceptor = Acceptor { router, guard, tls: None, limits, shares, metrics };
        let serving = runtime.spawn(acceptor.run(listener, phases));
        let open = || {
            let mut stream = std::net::TcpStream::connect(address).ok()?;
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
            (stream.read(&mut [0; 1]).ok()? == 1).then_some(stream)
        };
        let held: Vec<_> = (0..30).filter_map(|_| open()).collect();
        test(held, &|| open().is_some());
        phase.send_replace(Phase::Ending);
        runtime.block_on(serving).unwrap();
    }

    #[test]
    fn an_address_that_holds_its_share_is_disconnected_until_it_closes_one() {
        served(Shares::except(40, Vec::new()), |mut held, one_more| {
            assert_eq!(held.len(), 10);
            assert!(!one_more());
            held.pop();
            let began = Instant::now();
            while !one_more() {
                assert!(began.elapsed() < Duration::from_secs(60), "the closed one is still counted");
                std::thread::sleep(Duration::from_millis(10));
            }
        });
    }

    #[test]
    fn an_exempt_address_may_hold_all() {
        let this_host: IpNet = "127.0.0.1/32".parse().unwrap();
        served(Shares::except(40, vec![this_host]), |held, one_more| {
            assert_eq!(held.len(), 30);
            assert!(one_more());
        });
    }
}
