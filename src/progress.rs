//! A sign of life on a terminal, for work that takes longer than people like to wait in silence.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows what is being done until it is dropped. Only on a terminal, only on standard error, and
/// only if it takes a moment.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Says that `what` is going on.
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what.into());
        // The first tick comes after the interval: what is quick shows nothing.
        bar.enable_steady_tick(Duration::from_millis(300));
        Self(bar)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
