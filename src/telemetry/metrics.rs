//! What the collector counts, as metrics for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::header;
use axum::routing::get;

use super::sample::now;
use crate::text::prometheus::{gauge, head, label};

/// What the collector counts; a clone counts into the same.
#[derive(Clone, Default)]
pub(crate) struct Counters(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    sources: BTreeMap<String, OfSource>,
    /// Messages in the outbox, and whether collecting pauses for them.
    waiting: u64,
    paused: bool,
}

#[derive(Clone, Copy, Default)]
struct OfSource {
    fine: u64,
    failed: u64,
    samples: u64,
    refused: u64,
    seconds: f64,
    /// When the last round without a failure ended, in milliseconds since 1970.
    last: i64,
}

impl Counters {
    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        // Numbers are numbers after a panic in another thread, too.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts samples that are in the store.
    pub(crate) fn samples(&self, source: &str, samples: usize) {
        self.with(|counts| counts.of(source).samples += samples as u64);
    }

    /// How many samples were written.
    pub(crate) fn all_samples(&self) -> u64 {
        self.with(|counts| counts.sources.values().map(|of| of.samples).sum())
    }

    /// Counts a round.
    pub(crate) fn round(&self, source: &str, fine: bool, refused: u64, took: Duration) {
        self.with(|counts| {
            let of = counts.of(source);
            of.refused += refused;
            of.seconds += took.as_secs_f64();
            if fine {
                of.fine += 1;
                of.last = now();
            } else {
                of.failed += 1;
            }
        });
    }

    /// Notes how many messages wait, and whether collecting pauses for them.
    pub(crate) fn outbox(&self, waiting: u64, paused: bool) {
        self.with(|counts| (counts.waiting, counts.paused) = (waiting, paused));
    }

    /// Answers `GET /metrics`.
    pub(crate) fn router(&self) -> Router {
        let counters = self.clone();
        let answer = move || async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], counters.text()) };
        Router::new().route("/metrics", get(answer))
    }

    fn text(&self) -> String {
        self.with(|counts| counts.text())
    }
}

impl Counts {
    fn of(&mut self, source: &str) -> &mut OfSource {
        self.sources.entry(source.to_owned()).or_default()
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let name = "shapeline_collector_rounds_total";
        head(&mut text, name, "counter", "Rounds of a source by outcome.");
        for (source, of) in &self.sources {
            for (outcome, count) in [("success", of.fine), ("failure", of.failed)] {
                let _ = writeln!(text, "{name}{{source={},outcome=\"{outcome}\"}} {count}", label(source));
            }
        }
        let mut each = |name: &str, kind: &str, help: &str, value: fn(&OfSource) -> f64| {
            head(&mut text, name, kind, help);
            for (source, of) in &self.sources {
                let _ = writeln!(text, "{name}{{source={}}} {}", label(source), value(of));
            }
        };
        each("shapeline_collector_samples_total", "counter", "Samples written to the store.", |of| of.samples as f64);
        each("shapeline_collector_refused_total", "counter", "Values that were refused.", |of| of.refused as f64);
        each("shapeline_collector_round_seconds_total", "counter", "Time that rounds took.", |of| of.seconds);
        let help = "End of the last round without a failure, in seconds since 1970; 0 before the first.";
        each("shapeline_collector_last_success_seconds", "gauge", help, |of| of.last as f64 / 1000.0);
        gauge(&mut text, "shapeline_collector_outbox_messages", "Messages that wait.", self.waiting as f64);
        let paused = f64::from(u8::from(self.paused));
        gauge(&mut text, "shapeline_collector_paused", "1 while collecting pauses for the outbox.", paused);
        text
    }
}
