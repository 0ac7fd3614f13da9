//! Which subscriber holds an address: the longest prefix around it.

use crate::model::Address;

/// One address or prefix of a subscriber.
#[derive(Clone, Copy, Debug)]
struct Held {
    v6: bool,
    first: u128,
    last: u128,
    subscriber: u32,
    /// The nearest prefix around it, as a position in the table.
    around: Option<u32>,
}

/// All addresses of all subscribers, sorted so that a prefix comes before what lies in it.
#[derive(Debug, Default)]
pub(crate) struct AddressTable(Vec<Held>);

impl AddressTable {
    /// The table of these addresses, each with the number of its subscriber.
    pub(crate) fn new<'a>(addresses: impl Iterator<Item = (u32, &'a Address)>) -> AddressTable {
        let held = |(subscriber, address): (u32, &Address)| {
            let (first, last) = address.bounds();
            Held { v6: address.net().network().is_ipv6(), first, last, subscriber, around: None }
        };
        let mut table: Vec<Held> = addresses.map(held).collect();
        table.sort_unstable_by_key(|held| (held.v6, held.first, std::cmp::Reverse(held.last), held.subscriber));
        let mut open: Vec<u32> = Vec::new();
        for at in 0..table.len() {
            let here = table[at];
            let ends = |outer: &u32| {
                let outer = &table[*outer as usize];
                outer.v6 != here.v6 || outer.last < here.first
            };
            while open.last().is_some_and(ends) {
                open.pop();
            }
            table[at].around = open.last().copied();
            open.push(at as u32);
        }
        AddressTable(table)
    }

    /// The subscribers whose addresses hold all of `address`, the longest prefix first.
    pub(crate) fn around(&self, address: &Address) -> impl Iterator<Item = u32> + '_ {
        let v6 = address.net().network().is_ipv6();
        let (first, last) = address.bounds();
        let after = self.0.partition_point(|held| (held.v6, held.first) <= (v6, first));
        let nearest = after.checked_sub(1).and_then(|at| self.0.get(at)).filter(move |held| held.v6 == v6);
        let chain = std::iter::successors(nearest, |held| self.0.get(held.around? as usize));
        chain.filter(move |held| held.first <= first && last <= held.last).map(|held| held.subscriber)
    }

    /// The subscribers with exactly this address or prefix.
    pub(crate) fn exactly(&self, address: &Address) -> impl Iterator<Item = u32> + '_ {
        let v6 = address.net().network().is_ipv6();
        let (first, last) = address.bounds();
        let key = move |held: &Held| (held.v6, held.first, std::cmp::Reverse(held.last));
        let wanted = (v6, first, std::cmp::Reverse(last));
        let from = self.0.partition_point(|held| key(held) < wanted);
        let same = self.0.get(from..).unwrap_or_default().iter().take_while(move |held| key(held) == wanted);
        same.map(|held| held.subscriber)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_comes_first() {
        let texts = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "10.1.2.4/30", "2001:db8::/32", "10.1.2.3", "0.0.0.0/0"];
        let addresses: Vec<Address> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let table = AddressTable::new(addresses.iter().enumerate().map(|(at, address)| (at as u32, address)));
        let around = |text: &str| table.around(&text.parse().unwrap()).collect::<Vec<_>>();
        assert_eq!(around("10.1.2.3"), [5, 2, 1, 0, 6]);
        assert_eq!(around("10.1.2.5"), [3, 1, 0, 6]);
        assert_eq!(around("10.1.2.8"), [1, 0, 6]);
        assert_eq!(around("10.1.2.4/29"), [1, 0, 6], "a prefix wants one around all of it");
        assert_eq!(around("9.255.255.255"), [6]);
        assert_eq!(around("2001:db8::1"), [4]);
        assert_eq!(around("::1"), [0; 0]);
        let exactly = |text: &str| table.exactly(&text.parse().unwrap()).collect::<Vec<_>>();
        assert_eq!((exactly("10.1.2.3"), exactly("10.1.2.4"), exactly("10.1.2.4/30")), (vec![2, 5], vec![], vec![3]));
    }
}
