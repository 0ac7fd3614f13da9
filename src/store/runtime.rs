//! The two libraries that speak to servers are asynchronous; everything here is not. One small
//! runtime serves them both.

use std::sync::OnceLock;

use anyhow::{Context, Result};
use tokio::runtime::{Builder, Runtime};

/// The runtime on which servers are spoken to. One thread: it waits, mostly.
///
/// # Errors
/// If the system gives no thread.
#[allow(dead_code)]
pub(crate) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let made = Builder::new_multi_thread().worker_threads(1).enable_all().build().context("cannot start a thread")?;
    Ok(RUNTIME.get_or_init(|| made))
}
