//! What the served subscribers add up to.

use std::collections::{HashMap, HashSet};
use std::ops::Add;

use foldhash::fast::RandomState;

use super::Served;

/// The bandwidth that a domain has sold. A subscriber with several addresses counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sold {
    pub(crate) subscribers: usize,
    pub(crate) addresses: usize,
    /// The sum of their upload rates, in bit/s.
    pub(crate) up: u128,
    /// The sum of their download rates, in bit/s.
    pub(crate) down: u128,
    /// How many subscribers have a plan with unknown rates.
    pub(crate) unknown: usize,
}

impl Add for Sold {
    type Output = Sold;

    fn add(self, other: Sold) -> Sold {
        Sold {
            subscribers: self.subscribers + other.subscribers,
            addresses: self.addresses + other.addresses,
            up: self.up + other.up,
            down: self.down + other.down,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// What is sold, by domain, as it is added up.
#[derive(Default)]
pub(crate) struct SoldSums<'a> {
    pub(super) by_domain: HashMap<&'a str, Sold, RandomState>,
    /// The subscribers with several addresses that were counted.
    counted: HashSet<u32>,
}

impl<'a> SoldSums<'a> {
    /// With what other subscribers have.
    pub(super) fn and(mut self, others: &SoldSums<'a>) -> Self {
        for (domain, more) in &others.by_domain {
            let sold = self.by_domain.entry(domain).or_default();
            *sold = *sold + *more;
        }
        self
    }

    pub(super) fn add(&mut self, served: &Served<'a>) {
        let sold = self.by_domain.entry(served.domain).or_default();
        sold.addresses += 1;
        if served.subscriber.is_some_and(|subscriber| !self.counted.insert(subscriber)) {
            return;
        }
        sold.subscribers += 1;
        match served.rates {
            Some((up, down)) => {
                sold.up += u128::from(up.bps());
                sold.down += u128::from(down.bps());
            }
            None => sold.unknown += 1,
        }
    }
}
