//! A spinner on the terminal while slow work runs.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How long work takes before it is shown, and then between two pictures.
const MOMENT: Duration = Duration::from_millis(300);

/// A spinner that runs until it is dropped. It appears only on a terminal, on standard error, and only
/// if the work takes a moment.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Closed when the work is done.
    done: Option<Sender<()>>,
}

impl Progress {
    /// Starts a spinner with the text `what`.
    pub(crate) fn start(what: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what.into());
        if bar.is_hidden() {
            return Self { bar, done: None };
        }
        let (done, until_done) = channel::<()>();
        let shown = bar.clone();
        // The bar's own ticker would draw at once, and quick commands would flicker.
        std::thread::spawn(move || {
            if until_done.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
                shown.enable_steady_tick(MOMENT);
            }
        });
        Self { bar, done: Some(done) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        self.bar.finish_and_clear();
    }
}
