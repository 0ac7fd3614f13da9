//! How often each client address may ask: a bucket of tokens for each.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many addresses are remembered. When there are more, those that have been quiet are forgotten; if none
/// has been, the others share one bucket.
const MAX_ADDRESSES: usize = 100_000;

/// How long not to look for quiet addresses again: that takes a while, and every request waits for it.
const BETWEEN_CLEANINGS: Duration = Duration::from_secs(1);

struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// The buckets of all addresses.
pub(crate) struct RateLimit {
    rate: f64,
    burst: f64,
    buckets: Mutex<Buckets>,
}

#[derive(Default)]
struct Buckets {
    known: HashMap<IpAddr, Bucket>,
    /// Of all addresses for which there is no room.
    shared: Option<Bucket>,
    cleaned: Option<Instant>,
}

impl RateLimit {
    /// `rate` requests a second, `burst` at once; `None` for any number.
    pub(crate) fn new(rate: u32, burst: u32) -> Option<RateLimit> {
        let (rate, burst) = (f64::from(rate), f64::from(burst.max(1)));
        (rate > 0.0).then(|| RateLimit { rate, burst, buckets: Mutex::default() })
    }

    /// Takes a token; if there is none, how long to wait for one.
    pub(crate) fn take(&self, client: IpAddr, now: Instant) -> Result<(), Duration> {
        let client = network(client);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = buckets.known.contains_key(&client);
        if !known {
            buckets.clean(Duration::from_secs_f64(self.burst / self.rate), now);
        }
        let full = Bucket { tokens: self.burst, filled: now };
        let bucket = if known || buckets.known.len() < MAX_ADDRESSES {
            buckets.known.entry(client).or_insert(full)
        } else {
            buckets.shared.get_or_insert(full)
        };
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.rate).min(self.burst);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            Ok(())
        } else {
            Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.rate))
        }
    }
}

impl Buckets {
    /// Forgets the addresses that have been quiet for so long that their buckets are full, if room is needed.
    fn clean(&mut self, quiet: Duration, now: Instant) {
        let lately = |cleaned| now.saturating_duration_since(cleaned) < BETWEEN_CLEANINGS;
        if self.known.len() < MAX_ADDRESSES || self.cleaned.is_some_and(lately) {
            return;
        }
        self.cleaned = Some(now);
        self.known.retain(|_, bucket| now.saturating_duration_since(bucket.filled) < quiet);
    }
}

/// One customer has a whole /64 of IPv6.
pub(super) fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let limit = RateLimit::new(10, 3).unwrap();
        let (start, client) = (Instant::now(), "192.0.2.1".parse().unwrap());
        let at = |milliseconds| limit.take(client, start + Duration::from_millis(milliseconds));
        assert!((0..3).all(|_| at(0).is_ok()));
        assert!(at(0).unwrap_err() > Duration::from_millis(99));
        assert!(at(101).is_ok());
        assert!(at(102).is_err());
        assert!(limit.take("192.0.2.2".parse().unwrap(), start).is_ok(), "another address has its own");
        assert!((0..3).all(|_| at(60_000).is_ok()) && at(60_000).is_err(), "no more than the burst gathers");
        assert!(RateLimit::new(0, 5).is_none());
    }

    #[test]
    fn addresses_of_one_network_share_a_bucket() {
        let limit = RateLimit::new(1, 1).unwrap();
        let now = Instant::now();
        let take = |client: &str| limit.take(client.parse().unwrap(), now).is_ok();
        assert!(take("2001:db8::1") && !take("2001:db8::2") && take("2001:db8:0:1::1"));
        assert!(take("192.0.2.1") && !take("::ffff:192.0.2.1"));
    }

    #[test]
    fn many_addresses_do_not_take_all_memory() {
        let limit = RateLimit::new(1, 2).unwrap();
        let now = Instant::now();
        let after = |milliseconds| now + Duration::from_millis(milliseconds);
        let take = |number: u32, now| limit.take(IpAddr::V4(number.into()), now).is_ok();
        assert!((0..MAX_ADDRESSES as u32).all(|number| take(number, now)));
        assert!(take(u32::MAX, now) && take(u32::MAX - 1, now), "the others have one bucket together");
        assert!(!take(u32::MAX, now) && !take(u32::MAX - 2, now));
        assert!(take(7, now) && !take(7, now), "those that are known go on, each with its own");
        assert!(take(8, after(1900)) && take(u32::MAX, after(1900)), "looked for quiet ones: there is none");
        let shared = |milliseconds| (0..3).filter(|_| take(u32::MAX, after(milliseconds))).count();
        assert!(shared(2100) < 2, "not looked for again so soon");
        assert_eq!(shared(3000), 2, "it has a bucket of its own");
        assert!(limit.buckets.lock().unwrap().known.len() <= 2);
    }
}
