//! Starts the server, and ends it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use super::data::follow::{Follower, Wake, spawn, wakes};
use super::data::notify::FollowNotifier;
use super::data::source::Source;
#[cfg(feature = "telemetry")]
use super::demo::{DemoWork, account};
use super::forge::Forge;
use super::gate::{Gate, is_open};
use super::identity::providers::Providers;
#[cfg(feature = "telemetry")]
use super::live::{follow::follow, hub::Hub, totals::keep_totals};
use super::lookup::app::{App, Replica};
use super::lookup::copy::CopyDesk;
use super::lookup::hook::HookSecret;
use super::lookup::router::router;
use super::lookup::table::ROUTES;
use super::parts::Parts;
use super::portal::app::Portal;
use super::portal::keep_going::keep_going;
use super::portal::proposer::{Direct, Proposer};
use super::portal::routes::{PAGES, nowhere, router as portal_router};
use super::portal::watch_targets::watch_targets;
use super::refresh;
use super::renewal::Renewal;
use super::request::ServeRequest;
use super::server::accept::{Acceptor, Phase};
use super::server::access_log::AccessLog;
use super::server::client::TrustedProxies;
use super::server::guard::Guard;
use super::server::metrics::Metrics;
use super::server::rate::RateLimit;
use super::server::share::Shares;
use super::server::tls::TlsFront;
use super::settings::ServerSettings;
use crate::database::store::StateStore;
use crate::git::Git;
use crate::notification::notifier::{DeliveryPatience, Notifier};
use crate::sync::interval::Interval;
use crate::sync::journal::Journal;
use crate::sync::stop::StopSignal;
use crate::sync::systemd::notify;
use crate::sync::upstream::Upstream;
use crate::text::count::counted;

/// How often the branch is looked at if nothing else is said, in seconds.
const INTERVAL: &str = "60s";

/// How many requests read logs at a time: each may wait for the servers of all targets.
const MAX_LOG_READERS: usize = 2;

/// The address is in use, or none of this host's.
#[derive(Debug)]
pub(crate) struct CannotListen(SocketAddr);

impl std::fmt::Display for CannotListen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot listen on {}", self.0)
    }
}

/// Serves until a signal ends it.
///
/// # Errors
/// A [`crate::query::Refusal`] if the data has errors; or if the server cannot be started.
pub(crate) fn serve(request: &ServeRequest) -> Result<()> {
    let settings = &request.settings;
    let hook = HookSecret::from_environment()?;
    let secure = is_secure(settings, request.parts)?;
    let providers = (request.parts != Parts::Lookup).then(|| Providers::open(settings)).transpose()?;
    let copies = settings.backup.as_ref().map(CopyDesk::open).transpose()?.map(Arc::new);
    let tls = settings.tls.as_ref().map(|files| TlsFront::open(&files.certificate, &files.key)).transpose()?;
    let tls = tls.map(Arc::new);
    let stop = Arc::new(StopSignal::never()?);
    let source = Source::open(&request.root, &request.source)?;
    let interval = settings.interval.map_or_else(|| INTERVAL.parse::<Interval>().map_err(anyhow::Error::msg), Ok)?;
    let upstream = source.upstream()?;
    let forge = forge(request, upstream.as_ref())?;
    let local = source.local_branch().map(ToOwned::to_owned);
    let direct = settings.direct.map(|role| Direct { role, local });
    let name = settings.name.clone().unwrap_or_else(host_name);
    let notifier = Arc::new(Notifier::start("serve", &request.root, DeliveryPatience::SERVICE)?);
    let renewal = tls.as_ref().map(|front| Renewal::new(front.clone(), notifier.clone(), &name));
    let mut follower = Follower::new(source, interval, FollowNotifier::new(notifier, &name))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    // Bound before the data is loaded: an address in use is said at once.
    let wanted = settings.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)));
    let listener = runtime.block_on(TcpListener::bind(wanted));
    let listener = listener.with_context(|| CannotListen(wanted))?;
    let address = listener.local_addr()?;
    let current = Arc::new(follower.begin(&stop)?);
    let pages = PAGES.iter().map(|page| page.label);
    let routes = ROUTES.iter().map(|route| route.path);
    let metrics = Arc::new(Metrics::new(routes.chain(pages.filter(|_| request.parts != Parts::Lookup))));
    let (wake, woken) = wakes();
    let ending = Arc::new(AtomicBool::new(false));
    let store = runtime.block_on(StateStore::open(&request.state))?;
    let proxies = TrustedProxies(settings.trusted_proxies.clone());
    let open = is_open(address.ip(), &proxies);
    let gate = Arc::new(Gate::new(open, runtime.block_on(store.token_table())?));
    let app = Arc::new(App {
        current: current.clone(),
        gate: gate.clone(),
        replica: Replica { name, port: address.port() },
        metrics: metrics.clone(),
        wake: wake.clone(),
        hook,
        copies,
        logs: Semaphore::new(MAX_LOG_READERS),
        max_body: settings.limits.body,
        ending: ending.clone(),
    });
    let shares = Shares::new(settings.limits.connections, &proxies);
    let (log, log_thread) = settings.access_log.unwrap_or(true).then(AccessLog::start).transpose()?.unzip();
    let guard = Arc::new(Guard {
        rate: RateLimit::new(settings.limits.rate, settings.limits.burst),
        proxies,
        request_time: settings.limits.request_time,
        metrics: metrics.clone(),
        log,
    });
    let mut routes = router(&app, request.parts);
    let mut invited = None;
    #[cfg(feature = "telemetry")]
    let mut demo = None;
    if let Some(providers) = providers {
        let proposer = Arc::new(Proposer::new(&request.root, upstream, forge, direct, stop.clone()));
        let (state, body, woken) = (store.clone(), settings.limits.body, wake.clone());
        let portal = Portal::new(current.clone(), state, proposer, providers, secure, body, woken)?;
        #[cfg(feature = "telemetry")]
        let portal = with_live(portal, request, &runtime)?;
        #[cfg(feature = "telemetry")]
        demo.clone_from(&portal.demo);
        let portal = Arc::new(portal);
        routes = routes.merge(portal_router(&portal, ROUTES.len()));
        let lost = portal.clone();
        routes = routes.fallback(move |request| nowhere(lost.clone(), request));
        runtime.spawn(keep_going(portal.clone()));
        runtime.spawn(watch_targets(portal.clone(), settings.watch_targets));
        invited = runtime.block_on(invite(&portal, settings, address, tls.is_some()))?;
    }
    announce(&app, &follower, address, tls.is_some(), open, &request.state.shown());
    if let Some(link) = invited {
        Journal::default().event("portal", &format!("there is no account yet: {link} makes the first one, once"));
    }
    #[cfg(feature = "telemetry")]
    if let Some(link) = demo {
        Journal::default().event("demo", &format!("open http://{address}/demo?key={}", link.key));
    }
    let following = spawn(follower, current, woken, stop.clone())?;
    let acceptor = Acceptor { router: routes, guard, tls, limits: settings.limits, shares, metrics };
    runtime.spawn(refresh::refresh(store.clone(), gate.clone()));
    let cut = runtime.block_on(run(acceptor, listener, renewal, wake.clone(), ending));
    notify("STOPPING=1");
    stop.ask();
    wake.now();
    if let Err(error) = runtime.block_on(refresh::once(&store, &gate)) {
        Journal::default().event("state", &format!("{error:#}"));
    }
    drop(app);
    // A fetch that is under way ends with the signal; a load does not last long.
    let _ = following.join();
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    if let Some(thread) = log_thread {
        let _ = thread.join();
    }
    match cut? {
        0 => {}
        cut => Journal::default().event("serve", &format!("{} cut", counted(cut, "connection", "connections"))),
    }
    Ok(())
}

/// Whether browsers reach the server by https alone.
///
/// # Errors
/// If the portal's passwords would cross a network as they are.
fn is_secure(settings: &ServerSettings, parts: Parts) -> Result<bool> {
    let secure = settings.tls.is_some() || settings.url.as_deref().is_some_and(|url| url.starts_with("https://"));
    let here = settings.listen.is_none_or(|address| address.ip().is_loopback()) && settings.trusted_proxies.is_empty();
    if parts != Parts::Lookup && !secure && !here {
        bail!(
            "the portal would send passwords unencrypted: name a certificate with `tls` in the settings, or the https \
             address of the proxy in front of it with `url`"
        );
    }
    Ok(secure)
}

/// The portal with the live dashboard.
///
/// # Errors
/// If it cannot be started.
#[cfg(feature = "telemetry")]
fn with_live(mut portal: Portal, request: &ServeRequest, runtime: &tokio::runtime::Runtime) -> Result<Portal> {
    if let Some(live) = &request.live {
        if live.demo {
            let link = runtime.block_on(account(&portal))?;
            let work = runtime.block_on(DemoWork::begin(&portal, live))?;
            runtime.spawn(work.run());
            portal.demo = Some(link);
        }
        let hub = Hub::start(live.settings.clone(), request.settings.url.clone())?;
        runtime.spawn(follow(hub.clone(), portal.current.clone(), live.store.clone()));
        runtime.spawn(keep_totals(hub.clone()));
        portal.hub = Some(hub);
    }
    Ok(portal)
}

/// Where the portal's pull requests are opened.
///
/// # Errors
/// If it has no token, or nothing is pushed to where a forge would see it.
fn forge(request: &ServeRequest, upstream: Option<&Upstream>) -> Result<Option<Forge>> {
    let (Some(settings), true) = (&request.settings.forge, request.parts != Parts::Lookup) else { return Ok(None) };
    let Some(upstream) = upstream else {
        bail!("`forge` needs a branch with a remote: pull requests are of branches that are pushed there")
    };
    Forge::open(settings, upstream.branch()).map(Some)
}

/// The link that makes the first account, if there is none.
async fn invite(portal: &Portal, settings: &ServerSettings, address: SocketAddr, tls: bool) -> Result<Option<String>> {
    if !portal.providers.local || portal.store.has_users().await? {
        return Ok(None);
    }
    let key = portal.store.invite().await?;
    let scheme = if tls { "https" } else { "http" };
    let site = settings.url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    Ok(Some(format!("{site}/setup?key={key}")))
}

/// Accepts connections until a signal; the second one ends at once. SIGHUP has the branch read, and the certificate.
async fn run(
    acceptor: Acceptor,
    listener: TcpListener,
    renewal: Option<Renewal>,
    wake: Wake,
    ending: Arc<AtomicBool>,
) -> Result<usize> {
    let (phase, phases) = watch::channel(Phase::Serving);
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    if let Some(renewal) = renewal {
        tokio::spawn(renewal.follow(signal(SignalKind::hangup()).context("cannot listen for signals")?));
    }
    let mut serving = tokio::spawn(acceptor.run(listener, phases));
    notify("READY=1");
    loop {
        tokio::select! {
            cut = &mut serving => return Ok(cut?),
            Some(()) = hangup.recv() => wake.now(),
            _ = async { tokio::select! { it = terminate.recv() => it, it = interrupt.recv() => it } } => {
                ending.store(true, Ordering::Relaxed);
                phase.send_modify(|phase| {
                    *phase = if *phase == Phase::Serving { Phase::Draining } else { Phase::Ending };
                });
            }
        }
    }
}

fn announce(app: &App, follower: &Follower, address: SocketAddr, tls: bool, open: bool, state: &str) {
    let snapshot = app.current.snapshot();
    let scheme = if tls { "https" } else { "http" };
    let subscribers = counted(snapshot.subscribers(), "subscriber", "subscribers");
    let commit = git2::Oid::from_str(&snapshot.commit).map(Git::short).unwrap_or_default();
    let mut journal = Journal::default();
    journal.event(
        "serve",
        &format!("{} at {scheme}://{address}, {}, commit {commit}: {subscribers}", app.replica.name, follower.name()),
    );
    let who = match (app.gate.tokens().any(), open) {
        (true, _) => "the tokens in it say who may ask",
        (false, true) => "it has no token: every program on this host may ask everything, and so may a proxy's clients",
        (false, false) => "it has no token, so every request is refused: `shapeline token add` makes one",
    };
    journal.event("serve", &format!("state {state}: {who}"));
}

/// The name of this host.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// The settings in a file, or the defaults.
///
/// # Errors
/// Every mistake in the file.
pub(crate) fn settings(path: Option<&Path>) -> Result<ServerSettings> {
    path.map_or_else(|| Ok(ServerSettings::default()), ServerSettings::read)
}
