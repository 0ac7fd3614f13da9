//! How many of the connections one client address holds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::rate::network;

/// An address may hold one in so many of all connections,
const PART: usize = 4;

/// but always these: a browser opens half a dozen.
const LEAST: usize = 8;

/// The connections of each address (IPv6: a /64).
pub(crate) struct Shares {
    most: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

impl Shares {
    /// For a server with so many connections at a time.
    pub(crate) fn new(connections: usize) -> Arc<Shares> {
        Arc::new(Shares { most: (connections / PART).max(LEAST), held: Mutex::default() })
    }

    /// Counts a connection; `None` if its address holds its whole share. This host's connections are not counted.
    pub(crate) fn take(self: &Arc<Shares>, peer: IpAddr) -> Option<Share> {
        let (client, counted) = (network(peer), !peer.to_canonical().is_loopback());
        if counted {
            let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let held = all.entry(client).or_default();
            if *held >= self.most {
                return None;
            }
            *held += 1;
        }
        Some(Share(Arc::new(Held { shares: self.clone(), client, counted: AtomicBool::new(counted) })))
    }
}

/// A connection that is counted until it ends.
#[derive(Clone)]
pub(crate) struct Share(Arc<Held>);

struct Held {
    shares: Arc<Shares>,
    client: IpAddr,
    counted: AtomicBool,
}

impl Share {
    /// Counts it no longer: it is a trusted proxy's, which has the connections of many.
    pub(crate) fn release(&self) {
        self.0.release();
    }
}

impl Held {
    fn release(&self) {
        if !self.counted.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut all = self.shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = all.get_mut(&self.client) {
            *held -= 1;
            if *held == 0 {
                all.remove(&self.client);
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_share_of_the_connections() {
        let shares = Shares::new(40);
        let take = |peer: &str| shares.take(peer.parse().unwrap());
        let mut held: Vec<Share> = (0..10).map(|n| take(&format!("2001:db8::{n}")).unwrap()).collect();
        assert!(take("2001:db8::ffff").is_none() && take("2001:db8:0:1::1").is_some(), "a /64 is one client");
        held.pop();
        let again = take("2001:db8::ffff").unwrap();
        assert!(take("2001:db8::ffff").is_none());
        again.release();
        again.release();
        assert!(take("2001:db8::ffff").is_some_and(|_| true), "a proxy's is not counted, and given back once");
        held.push(take("2001:db8::1").unwrap());
        drop(again);
        assert!(take("2001:db8::1").is_none());
        let local: Vec<_> = (0..100).map(|_| take("::ffff:127.0.0.1")).collect();
        assert!(local.iter().all(Option::is_some));
        drop((held, local));
        assert!(shares.held.lock().unwrap().is_empty(), "nobody is remembered");
        assert_eq!((Shares::new(1).most, Shares::new(1024).most), (8, 256));
    }
}
