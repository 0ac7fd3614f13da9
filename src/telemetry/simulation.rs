//! A pretend network. What a subscriber uses is a function of the seed, the subscriber and the moment, so that every
//! sample can be computed again.

use sha2::{Digest as _, Sha256};

use super::subscribers::Declared;

/// Shares of the subscribers that are never seen, and that use all they have.
const NEVER_SEEN: f64 = 0.02;
const SATURATED: f64 = 0.03;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The rules of a pretend network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Simulation {
    pub(crate) seed: u64,
    /// The share of subscribers that exceed their plans, from 0 to 1.
    pub(crate) exceed: f64,
}

/// How a subscriber behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Absent,
    Saturated,
    Exceeding,
    Ordinary,
}

/// A pretend subscriber.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Simulated {
    pub(crate) name: String,
    pub(crate) address: Option<String>,
    /// The plan's rates in bit/s.
    up: f64,
    down: f64,
    /// A number of its own.
    own: u64,
    habit: Habit,
}

impl Simulation {
    /// The subscribers that are seen, and one more that is not declared.
    pub(crate) fn network(&self, declared: &[Declared]) -> Vec<Simulated> {
        let known = declared.iter().map(|one| {
            let address = one.addresses.first().map(|address| address.net().addr().to_string());
            self.simulated(&one.key, address, one.up as f64, one.down as f64)
        });
        let mut network: Vec<Simulated> = known.filter(|one| one.habit != Habit::Absent).collect();
        let stranger = self.simulated("undeclared-1", Some("192.0.2.1".to_owned()), 2e6, 2e6);
        network.push(Simulated { habit: Habit::Ordinary, ..stranger });
        network
    }

    fn simulated(&self, name: &str, address: Option<String>, up: f64, down: f64) -> Simulated {
        let own = hashed(self.seed, name);
        let dice = unit(mixed(own));
        let habit = if dice < self.exceed {
            Habit::Exceeding
        } else if dice >= 1.0 - NEVER_SEEN {
            Habit::Absent
        } else if dice >= 1.0 - NEVER_SEEN - SATURATED {
            Habit::Saturated
        } else {
            Habit::Ordinary
        };
        Simulated { name: name.to_owned(), address, up, down, own, habit }
    }
}

impl Simulated {
    /// The number that its made-up facts come from.
    pub(crate) fn own(&self) -> u64 {
        self.own
    }

    /// What it sends and receives at a moment, in whole bit/s.
    pub(crate) fn rates(&self, at: i64) -> (f64, f64) {
        let noise = unit(mixed(self.own ^ mixed(at as u64)));
        let share = match self.habit {
            Habit::Absent => 0.0,
            Habit::Saturated => 0.97 + 0.03 * noise,
            Habit::Exceeding => 1.1 + 0.2 * noise,
            Habit::Ordinary => self.ordinary(at, noise),
        };
        let asymmetry = if self.habit == Habit::Ordinary { 0.1 + 0.4 * unit(mixed(self.own ^ 1)) } else { 1.0 };
        ((self.up * share * asymmetry).floor(), (self.down * share).floor())
    }

    /// By the hour of the day (UTC), the subscriber's own measure, and bursts of a minute. Below 1.
    fn ordinary(&self, at: i64, noise: f64) -> f64 {
        let of_day = at.rem_euclid(DAY) as f64 / DAY as f64;
        let daily = 0.5 - 0.5 * ((of_day - 4.0 / 24.0) * std::f64::consts::TAU).cos();
        let measure = unit(mixed(self.own ^ 2)).powi(2);
        let minute = mixed(self.own ^ mixed(at.div_euclid(60_000) as u64 ^ 3));
        if minute.is_multiple_of(20) {
            0.6 + 0.39 * noise
        } else {
            measure * (0.15 + 0.6 * daily) * (0.5 + 0.5 * noise)
        }
    }

    /// Errors or discards at a moment, in both directions: mostly none.
    pub(crate) fn faults(&self, at: i64) -> (f64, f64) {
        let dice = mixed(self.own ^ mixed(at as u64 ^ 4));
        (f64::from(u8::from(dice.is_multiple_of(50))), f64::from(u8::from(dice.is_multiple_of(40))))
    }
}

fn hashed(seed: u64, name: &str) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(name).finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood: Fast splittable pseudorandom number generators, 2014).
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// From 0 to before 1.
fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(exceed: f64) -> Vec<Simulated> {
        let declared = (0..2000).map(|number| Declared {
            key: format!("subscriber-{number}"),
            domain: "ispcustomer.co.zw".to_owned(),
            plan: "30_MEG_UP_30_MEG_DOWN".to_owned(),
            up: 30_000_000,
            down: 30_000_000,
            addresses: Vec::new(),
        });
        Simulation { seed: 7, exceed }.network(&declared.collect::<Vec<Declared>>())
    }

    #[test]
    fn use_is_bounded_by_the_plan_unless_asked() {
        let fits = |one: &Simulated, at| {
            let (up, down) = one.rates(at);
            (0.0..=one.up).contains(&up) && (0.0..=one.down).contains(&down) && up == up.trunc()
        };
        let moments = || (0..200).map(|step| 1_790_000_000_000 + step * 431_000);
        let network_without = network(0.0);
        assert!(network_without.iter().all(|one| moments().all(|at| fits(one, at))));
        let never = 2001 - network_without.len();
        assert!((15..80).contains(&never), "{never} are never seen");
        let exceeding = network(0.05).iter().filter(|one| moments().all(|at| !fits(one, at))).count();
        assert!((50..200).contains(&exceeding), "{exceeding} exceed their plans");
    }

    #[test]
    fn the_same_seed_gives_the_same_network() {
        assert_eq!(network(0.0), network(0.0));
        let values: std::collections::HashSet<u64> = network(0.0).iter().map(|one| one.rates(0).1 as u64).collect();
        assert!(values.len() > 500, "subscribers differ");
    }
}
