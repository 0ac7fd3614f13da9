//! What one client can take of the server.

use std::time::Duration;

/// The limits, as settings give them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Connections at a time.
    pub(crate) connections: usize,
    /// Requests a second from one address on average; 0 for any number.
    pub(crate) rate: u32,
    /// How many requests more an address may send at once.
    pub(crate) burst: u32,
    /// Bytes of a body.
    pub(crate) body: usize,
    /// How long a client may take to send the head of a request, to finish a TLS handshake, and to send the
    /// next request on an open connection.
    pub(crate) head_time: Duration,
    /// How long a request may take, with its body.
    pub(crate) request_time: Duration,
    /// How long requests under way may take to end once a signal ends the server.
    pub(crate) drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 1024,
            rate: 100,
            burst: 200,
            body: 1 << 20,
            head_time: Duration::from_secs(15),
            request_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(30),
        }
    }
}
