//! What every part of the server shares: connections with limits, TLS, shutdown ([`accept`]), the checks
//! around each request ([`guard`]), errors ([`problem`]), [`metrics`] and the [`access_log`].

pub(crate) mod accept;
pub(crate) mod access_log;
pub(crate) mod client;
pub(crate) mod guard;
pub(crate) mod limits;
pub(crate) mod metrics;
pub(crate) mod parameters;
pub(crate) mod problem;
pub(crate) mod rate;
pub(crate) mod share;
pub(crate) mod tls;
