//! Ending on SIGTERM and SIGINT.

use std::ops::ControlFlow;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use super::journal::Journal;
use crate::process::capture::{self, Captured};

/// Whether the process was asked to end.
///
/// The first signal only sets a flag: the work under way is completed. The second ends the process at
/// once, as if it were not caught.
#[cfg(unix)]
pub(crate) struct StopSignal {
    asked: std::sync::Arc<std::sync::atomic::AtomicBool>,
    /// A signal writes to the other end. That ends a sleep, also one that is only about to begin.
    wake: std::os::unix::net::UnixStream,
    /// Keeps the other end open if no signal has it.
    _waker: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl StopSignal {
    /// Listens for signals from now on.
    ///
    /// # Errors
    /// If the system refuses a handler.
    pub(crate) fn on_signals() -> Result<StopSignal> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let stop = StopSignal::never()?;
        for signal in [SIGTERM, SIGINT] {
            // Registered before the flag is set: the first signal must find it unset.
            signal_hook::flag::register_conditional_default(signal, stop.asked.clone())?;
            signal_hook::flag::register(signal, stop.asked.clone())?;
            signal_hook::low_level::pipe::register(signal, stop._waker.try_clone()?)?;
        }
        Ok(stop)
    }

    /// Listens for no signal.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub(crate) fn never() -> Result<StopSignal> {
        let (wake, waker) = std::os::unix::net::UnixStream::pair()?;
        Ok(StopSignal { asked: std::sync::Arc::default(), wake, _waker: waker })
    }

    /// Asks for the end, as a signal does.
    #[cfg(feature = "serve")]
    pub(crate) fn ask(&self) {
        use std::io::Write as _;
        self.asked.store(true, std::sync::atomic::Ordering::SeqCst);
        let _ = (&self._waker).write(&[0]);
    }

    pub(crate) fn asked(&self) -> bool {
        self.asked.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Sleeps for `time`, or until the process is asked to end.
    pub(crate) fn sleep(&self, time: Duration) {
        use std::io::Read;
        let began = std::time::Instant::now();
        while !self.asked() {
            let left = time.saturating_sub(began.elapsed());
            // A read timeout of zero would mean none.
            if left.is_zero() || self.wake.set_read_timeout(Some(left)).is_err() {
                return;
            }
            let _ = (&self.wake).read(&mut [0]);
        }
    }
}

/// Without such signals the process is never asked to end.
#[cfg(not(unix))]
pub(crate) struct StopSignal;

#[cfg(not(unix))]
impl StopSignal {
    pub(crate) fn on_signals() -> Result<StopSignal> {
        Ok(StopSignal)
    }

    pub(crate) fn asked(&self) -> bool {
        false
    }

    pub(crate) fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

impl StopSignal {
    /// Runs a program, which is killed after `limit` or when the process is asked to end.
    ///
    /// # Errors
    /// As [`capture::run`].
    pub(crate) fn run(&self, command: Command, limit: Duration) -> Result<Captured> {
        capture::run(command, limit, &mut |time| {
            self.sleep(time);
            if self.asked() {
                ControlFlow::Break("was stopped: shapeline is ending")
            } else {
                ControlFlow::Continue(())
            }
        })
    }
}

/// A wait for the lock of a target. It is given up when the process is asked to end: nothing has begun
/// that would have to be completed.
pub(super) struct LockWait<'s> {
    target: &'s str,
    stop: &'s StopSignal,
    announced: String,
    pub(super) given_up: bool,
}

impl<'s> LockWait<'s> {
    pub(super) fn new(target: &'s str, stop: &'s StopSignal) -> LockWait<'s> {
        LockWait { target, stop, announced: String::new(), given_up: false }
    }

    /// Reports who holds the lock, once for each holder.
    ///
    /// # Errors
    /// If the process was asked to end.
    pub(super) fn notice(&mut self, holder: &str) -> Result<()> {
        if self.stop.asked() {
            self.given_up = true;
            bail!("gave up waiting for {holder}: shapeline is ending");
        }
        if self.announced != holder {
            Journal::default().event(self.target, &format!("waiting for {holder}"));
            holder.clone_into(&mut self.announced);
        }
        Ok(())
    }
}
