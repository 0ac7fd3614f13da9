//! What the handlers of the API share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Semaphore;

use super::copy::CopyDesk;
use super::hook::HookSecret;
use crate::web::data::current::Current;
use crate::web::data::follow::Wake;
use crate::web::gate::Gate;
use crate::web::server::metrics::Metrics;

/// The replica that answers.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    /// Its name.
    pub(crate) name: String,
    /// The port on which it listens.
    pub(crate) port: u16,
}

/// What the handlers share.
pub(crate) struct App {
    pub(crate) current: Arc<Current>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) replica: Replica,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) wake: Wake,
    /// The secret of the webhook; without one it is closed.
    pub(crate) hook: Option<HookSecret>,
    /// Copies for operators; without it none are made.
    pub(crate) copies: Option<Arc<CopyDesk>>,
    /// How many requests may read logs at a time.
    pub(crate) logs: Semaphore,
    /// The largest body, in bytes.
    pub(crate) max_body: usize,
    /// Whether the server is about to end.
    pub(crate) ending: Arc<AtomicBool>,
}
