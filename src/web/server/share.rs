//! How many of the connections one client address holds.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use ipnet::{IpNet, Ipv4Net};

use super::client::TrustedProxies;
use super::rate::network;

/// An address may hold one in so many of all connections,
const PART: usize = 4;

/// but always these: a browser opens half a dozen.
const LEAST: usize = 8;

/// The connections of each address (IPv6: a /64).
pub(crate) struct Shares {
    most: usize,
    /// Whose connections are not counted.
    exempt: Vec<IpNet>,
    held: Mutex<HashMap<IpAddr, usize>>,
}

impl Shares {
    /// For a server with so many connections at a time. Connections from this host are not counted, nor are those
    /// of trusted proxies, each of which has the connections of many clients.
    pub(crate) fn new(connections: usize, proxies: &TrustedProxies) -> Arc<Shares> {
        let loopback = [
            IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
            IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ];
        Shares::except(connections, proxies.0.iter().copied().chain(loopback).collect())
    }

    /// The same, with the networks whose connections are not counted.
    pub(super) fn except(connections: usize, exempt: Vec<IpNet>) -> Arc<Shares> {
        Arc::new(Shares { most: (connections / PART).max(LEAST), exempt, held: Mutex::default() })
    }

    /// Counts a connection; `None` if its address holds its whole share.
    pub(crate) fn take(self: &Arc<Shares>, peer: IpAddr) -> Option<Share> {
        let (address, client) = (peer.to_canonical(), network(peer));
        if self.exempt.iter().any(|net| net.contains(&address)) {
            return Some(Share(None));
        }
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = all.entry(client).or_default();
        if *held >= self.most {
            return None;
        }
        *held += 1;
        Some(Share(Some((self.clone(), client))))
    }
}

/// A connection, counted until this is dropped; one that is not counted has no client.
pub(crate) struct Share(Option<(Arc<Shares>, IpAddr)>);

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, client)) = &self.0 else { return };
        let mut all = shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = all.get_mut(client) {
            *held -= 1;
            if *held == 0 {
                all.remove(client);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_share_of_the_connections() {
        let shares = Shares::new(40, &TrustedProxies::default());
        let take = |peer: &str| shares.take(peer.parse().unwrap());
        let mut held: Vec<Share> = (0..10).map(|n| take(&format!("2001:db8::{n}")).unwrap()).collect();
        assert!(take("2001:db8::ffff").is_none() && take("2001:db8:0:1::1").is_some(), "a /64 is one client");
        held.pop();
        held.push(take("2001:db8::ffff").unwrap());
        assert!(take("2001:db8::1").is_none());
        drop(held);
        assert!(shares.held.lock().unwrap().is_empty(), "no address without a connection is remembered");
        let most = |connections| Shares::new(connections, &TrustedProxies::default()).most;
        assert_eq!((most(1), most(1024)), (8, 256));
    }

    #[test]
    fn this_host_and_trusted_proxies_may_hold_all() {
        let proxies = TrustedProxies(vec!["192.0.2.7/32".parse().unwrap(), "2001:db8::7/128".parse().unwrap()]);
        let shares = Shares::new(40, &proxies);
        let many = |peer: &str| (0..100).filter_map(|_| shares.take(peer.parse().unwrap())).collect::<Vec<_>>().len();
        for exempt in ["127.0.0.1", "::ffff:127.0.0.1", "::1", "192.0.2.7", "::ffff:192.0.2.7", "2001:db8::7"] {
            assert_eq!(many(exempt), 100, "{exempt}");
        }
        for counted in ["192.0.2.8", "::ffff:192.0.2.8", "2001:db8::8"] {
            assert_eq!(many(counted), 10, "{counted}");
        }
    }
}
