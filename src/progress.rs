//! A spinner on the terminal while slow work runs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A spinner that runs until it is dropped. It appears only on a terminal, on standard error, and only
/// if the work takes a moment.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Starts a spinner with the text `what`.
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what.into());
        // The first tick comes after the interval: quick work shows nothing.
        bar.enable_steady_tick(Duration::from_millis(300));
        Self(bar)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
