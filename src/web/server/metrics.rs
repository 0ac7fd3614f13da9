//! Counters in the text format of Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::text::prometheus::{gauge, head};

/// Statuses that are counted each on its own; others count as 0.
const STATUSES: [u16; 16] = [0, 200, 201, 202, 304, 400, 401, 403, 404, 405, 408, 413, 421, 429, 500, 503];

/// Upper bounds of the buckets of the time that requests take, in seconds.
const BUCKETS: [f64; 9] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 1.0, 10.0];

/// What the server counts.
#[derive(Default)]
pub(crate) struct Metrics {
    /// Open connections.
    pub(crate) connections: AtomicUsize,
    requests: Vec<Route>,
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    microseconds: AtomicU64,
}

struct Route {
    name: &'static str,
    statuses: [AtomicU64; STATUSES.len()],
}

/// Which route a request took, as a position among those that are counted; the last is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RouteNumber(pub(crate) usize);

impl Metrics {
    /// Counts for these routes, and for requests that take none of them.
    pub(crate) fn new(routes: impl Iterator<Item = &'static str>) -> Metrics {
        let route = |name| Route { name, statuses: Default::default() };
        Metrics { requests: routes.chain(["other"]).map(route).collect(), ..Metrics::default() }
    }

    /// Counts a request.
    pub(crate) fn count(&self, route: Option<RouteNumber>, status: u16, took: Duration) {
        let route = route.and_then(|route| self.requests.get(route.0)).or(self.requests.last());
        let at = STATUSES.iter().position(|known| *known == status).unwrap_or_default();
        if let Some(counter) = route.and_then(|route| route.statuses.get(at)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let seconds = took.as_secs_f64();
        if let Some(at) = BUCKETS.iter().position(|bound| seconds <= *bound) {
            self.buckets[at].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    /// The counters as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        head(&mut text, "shapeline_http_requests_total", "counter", "Requests by route and status.");
        for route in &self.requests {
            for (status, counter) in STATUSES.iter().zip(&route.statuses) {
                let count = counter.load(Ordering::Relaxed);
                if count > 0 {
                    let name = route.name;
                    let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
                    let labels = format!("route=\"{name}\",status=\"{status}\"");
                    let _ = writeln!(text, "shapeline_http_requests_total{{{labels}}} {count}");
                }
            }
        }
        self.durations(&mut text);
        gauge(&mut text, "shapeline_connections", "Open connections.", self.connections.load(Ordering::Relaxed) as f64);
        text
    }

    fn durations(&self, text: &mut String) {
        let name = "shapeline_http_request_duration_seconds";
        head(text, name, "histogram", "Time from the head of a request to its answer.");
        let mut below = 0;
        for (bound, counter) in BUCKETS.iter().zip(&self.buckets) {
            below += counter.load(Ordering::Relaxed);
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {below}");
        }
        let count = self.count.load(Ordering::Relaxed);
        let sum = self.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_text() {
        let metrics = Metrics::new(["/lookup"].into_iter());
        metrics.count(Some(RouteNumber(0)), 200, Duration::from_micros(700));
        metrics.count(Some(RouteNumber(0)), 200, Duration::from_secs(100));
        metrics.count(None, 418, Duration::ZERO);
        let text = metrics.text();
        for line in [
            "shapeline_http_requests_total{route=\"/lookup\",status=\"200\"} 2",
            "shapeline_http_requests_total{route=\"other\",status=\"other\"} 1",
            "shapeline_http_request_duration_seconds_bucket{le=\"0.0005\"} 1",
            "shapeline_http_request_duration_seconds_bucket{le=\"0.001\"} 2",
            "shapeline_http_request_duration_seconds_bucket{le=\"10\"} 2",
            "shapeline_http_request_duration_seconds_bucket{le=\"+Inf\"} 3",
            "shapeline_http_request_duration_seconds_sum 100.0007",
            "shapeline_connections 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
}
