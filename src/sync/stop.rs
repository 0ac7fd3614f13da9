//! Being told to end: SIGTERM and SIGINT.

use std::ops::ControlFlow;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::process::capture::{self, Captured};

/// Whether somebody asked for the end.
///
/// The first signal is only noted: what is under way is brought to its end. The second ends the
/// process at once, as if it were not caught.
#[cfg(unix)]
pub struct Stop {
    /// What the process ends with that is left half-way.
    code: i32,
    asked: std::sync::Arc<std::sync::atomic::AtomicBool>,
    /// A signal writes to the other end: that ends a sleep, also one that is only about to begin.
    bell: std::os::unix::net::UnixStream,
    /// Keeps the other end open where no signal has it.
    _ring: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl Stop {
    /// Listens for signals from now on. `code` is what [`Stop::leave`] ends with.
    ///
    /// # Errors
    /// If the system does not let one.
    pub fn on_signals(code: u8) -> Result<Stop> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let stop = Stop { code: code.into(), ..Stop::never()? };
        for signal in [SIGTERM, SIGINT] {
            // Before the flag is set: the first signal must find it not set yet.
            signal_hook::flag::register_conditional_default(signal, stop.asked.clone())?;
            signal_hook::flag::register(signal, stop.asked.clone())?;
            signal_hook::low_level::pipe::register(signal, stop._ring.try_clone()?)?;
        }
        Ok(stop)
    }

    /// Hears of no signal.
    ///
    /// # Errors
    /// If the system gives no socket.
    pub fn never() -> Result<Stop> {
        let (bell, ring) = std::os::unix::net::UnixStream::pair()?;
        Ok(Stop { code: 0, asked: std::sync::Arc::default(), bell, _ring: ring })
    }

    /// Whether the end was asked for.
    pub fn asked(&self) -> bool {
        self.asked.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Ends the process, for whoever waits on others and has begun nothing that it would have to
    /// bring to an end.
    pub fn leave(&self) -> ! {
        std::process::exit(self.code)
    }

    /// Sleeps so long, or until the end is asked for.
    pub fn sleep(&self, time: Duration) {
        use std::io::Read;
        let began = std::time::Instant::now();
        while !self.asked() {
            let left = time.saturating_sub(began.elapsed());
            // A time limit of nothing would be none.
            if left.is_zero() || self.bell.set_read_timeout(Some(left)).is_err() {
                return;
            }
            let _ = (&self.bell).read(&mut [0]);
        }
    }
}

/// Where there are no such signals, nobody asks.
#[cfg(not(unix))]
pub struct Stop;

#[cfg(not(unix))]
impl Stop {
    /// Hears of nothing.
    ///
    /// # Errors
    /// Never.
    pub fn on_signals(_: u8) -> Result<Stop> {
        Ok(Stop)
    }

    /// Never.
    pub fn asked(&self) -> bool {
        false
    }

    /// Ends the process.
    pub fn leave(&self) -> ! {
        std::process::exit(0)
    }

    /// Sleeps.
    pub fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

impl Stop {
    /// Runs a program, which is killed after `limit` or when the process is asked to end.
    ///
    /// # Errors
    /// As [`capture::run`].
    pub(super) fn run(&self, command: Command, limit: Duration) -> Result<Captured> {
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
