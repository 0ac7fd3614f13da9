//! What the pages share.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;

use super::live::LiveTargets;
use super::pages::Pages;
use super::proposer::Proposer;
use crate::database::store::StateStore;
use crate::web::data::current::Current;
use crate::web::data::follow::Wake;
use crate::web::identity::providers::Providers;
#[cfg(feature = "telemetry")]
use crate::web::live::hub::Hub;

/// How many drafts are checked at a time: each check reads all data once more.
const CHECKS: usize = 2;

/// A link that signs in.
#[cfg(feature = "telemetry")]
#[derive(Clone)]
pub(crate) struct DemoLink {
    pub(crate) account: &'static str,
    /// Who has it may sign in.
    pub(crate) key: String,
}

/// What the pages share.
pub(crate) struct Portal {
    pub(crate) current: Arc<Current>,
    pub(crate) store: StateStore,
    pub(crate) pages: Pages,
    pub(crate) proposer: Arc<Proposer>,
    pub(crate) providers: Providers,
    /// Whether browsers reach it by https alone: then cookies are for https alone.
    pub(crate) secure: bool,
    /// The largest body, in bytes.
    pub(crate) max_body: usize,
    /// The live dashboard, if there is one.
    #[cfg(feature = "telemetry")]
    pub(crate) hub: Option<Arc<Hub>>,
    /// The link that signs in to a demonstration.
    #[cfg(feature = "telemetry")]
    pub(crate) demo: Option<DemoLink>,
    checks: Arc<Semaphore>,
    /// Has the branch read once something was merged into it.
    pub(super) wake: Wake,
    /// What is live on the targets.
    pub(super) live: LiveTargets,
    /// A target that hangs keeps no other work waiting.
    watching: Arc<Semaphore>,
    /// One history is read at a time: the first run reads all commits.
    looking_back: Arc<Semaphore>,
    /// One at a time is sent: a remote that hangs keeps no page waiting.
    sending: Arc<Semaphore>,
}

impl Portal {
    pub(crate) fn new(
        current: Arc<Current>,
        store: StateStore,
        proposer: Arc<Proposer>,
        providers: Providers,
        secure: bool,
        max_body: usize,
        wake: Wake,
    ) -> Result<Portal> {
        let pages = Pages::new().context("a template of the portal is damaged")?;
        Ok(Portal {
            current,
            store,
            pages,
            proposer,
            providers,
            secure,
            max_body,
            wake,
            #[cfg(feature = "telemetry")]
            hub: None,
            #[cfg(feature = "telemetry")]
            demo: None,
            checks: Arc::new(Semaphore::new(CHECKS)),
            live: LiveTargets::default(),
            watching: Arc::new(Semaphore::new(1)),
            looking_back: Arc::new(Semaphore::new(1)),
            sending: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether there is a live dashboard.
    pub(super) fn has_live(&self) -> bool {
        #[cfg(feature = "telemetry")]
        return self.hub.is_some();
        #[cfg(not(feature = "telemetry"))]
        false
    }

    /// Runs work that takes a while on a thread of its own, a few at a time.
    ///
    /// # Errors
    /// If the work fails.
    pub(crate) async fn heavy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        in_slot(&self.checks, work).await
    }

    /// Runs work that looks at a target.
    ///
    /// # Errors
    /// If the work fails.
    pub(super) async fn watch<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        in_slot(&self.watching, work).await
    }

    /// Runs work that reads the history.
    ///
    /// # Errors
    /// If the work fails.
    pub(crate) async fn look_back<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        in_slot(&self.looking_back, work).await
    }

    /// Runs work that waits for a remote.
    ///
    /// # Errors
    /// If the work fails.
    pub(crate) async fn send<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        in_slot(&self.sending, work).await
    }
}

async fn in_slot<T: Send + 'static>(
    slots: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let slot = slots.clone().acquire_owned().await?;
    let work = move || {
        // Held by the work itself: it goes on after the client has left.
        let _slot = slot;
        work()
    };
    tokio::task::spawn_blocking(work).await.context("this is a fault of shapeline: please report it")?
}
