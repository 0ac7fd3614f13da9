//! One measurement, and what it is a measurement of.

/// Milliseconds of a minute.
pub(crate) const MINUTE: i64 = 60_000;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// bit/s.
    Traffic,
    /// Errors, in the unit of the source.
    Errors,
    /// Discarded packets, in the unit of the source.
    Discards,
}

impl Kind {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Kind; 3] = [Kind::Traffic, Kind::Errors, Kind::Discards];

    /// The number in the store.
    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    /// The name in URLs and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Traffic => "traffic",
            Kind::Errors => "errors",
            Kind::Discards => "discards",
        }
    }
}

/// One measurement, from the subscriber's side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The number of the series in the store.
    pub(crate) series: i64,
    pub(crate) kind: Kind,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// From the subscriber: bit/s for traffic.
    pub(crate) up: f64,
    /// To the subscriber.
    pub(crate) down: f64,
    /// Whether a device had a connection.
    pub(crate) active: Option<bool>,
}

impl Sample {
    /// The minute since 1970.
    pub(crate) fn slot(&self) -> i64 {
        self.at.div_euclid(MINUTE)
    }
}

/// Now, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
