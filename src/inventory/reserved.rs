//! Addresses that no host can have, in any network.

use ipnet::IpNet;

use crate::model::Address;

/// A range that has the same meaning in every network and cannot be given out.
pub(crate) struct ReservedRange {
    first: u128,
    last: u128,
    pub(crate) message: &'static str,
    pub(crate) help: &'static str,
}

impl ReservedRange {
    const fn v4(a: u8, b: u8, length: u8, message: &'static str) -> Self {
        let first = u32::from_be_bytes([a, b, 0, 0]);
        Self { first: first as u128, last: (first | u32::MAX >> length) as u128, message, help: OTHER_ADDRESS }
    }

    const fn v6(first: u128, length: u8, message: &'static str) -> Self {
        let hosts = if length == 128 { 0 } else { u128::MAX >> length };
        Self { first, last: first | hosts, message, help: OTHER_ADDRESS }
    }

    fn overlaps(&self, (first, last): (u128, u128)) -> bool {
        first <= self.last && self.first <= last
    }

    pub(crate) fn message_about(&self, address: &Address) -> &'static str {
        if self.holds(address.bounds()) { self.message } else { "contains addresses that no host can have" }
    }

    pub(crate) fn holds(&self, (first, last): (u128, u128)) -> bool {
        self.first <= first && last <= self.last
    }
}

const OTHER_ADDRESS: &str = "choose an address that a host can have";

const V4: [ReservedRange; 5] = [
    // RFC 791 section 3.2: "this network".
    ReservedRange::v4(0, 0, 8, "is unspecified: an address that starts with 0 names no host"),
    // RFC 1122 section 3.2.1.3.
    ReservedRange::v4(127, 0, 8, "is a loopback address: it never leaves the host"),
    // RFC 3927.
    ReservedRange::v4(169, 254, 16, "is a link-local address: it is never routed"),
    // RFC 5771.
    ReservedRange::v4(224, 0, 4, "is a multicast address: it names a group, not a host"),
    // RFC 1112 section 4; RFC 919 has its last address, the limited broadcast.
    ReservedRange::v4(240, 0, 4, "is reserved: addresses from 240.0.0.0 on are not in use"),
];

const V6: [ReservedRange; 5] = [
    // RFC 4291 section 2.5.5.2.
    ReservedRange {
        help: "write the IPv4 address",
        ..ReservedRange::v6(0xffff_0000_0000, 96, "is an IPv4 address written as IPv6")
    },
    // RFC 4291 sections 2.5.2 and 2.5.3.
    ReservedRange::v6(0, 128, "is the unspecified address: it names no host"),
    ReservedRange::v6(1, 128, "is the loopback address: it never leaves the host"),
    // RFC 4291 section 2.5.6.
    ReservedRange::v6(0xfe80 << 112, 10, "is a link-local address: it is never routed"),
    // RFC 4291 section 2.7.
    ReservedRange::v6(0xff00 << 112, 8, "is a multicast address: it names a group, not a host"),
];

/// The reserved ranges of IPv4, each from its first to its last address.
pub(crate) fn reserved_v4() -> impl Iterator<Item = (u128, u128)> {
    V4.iter().map(|range| (range.first, range.last))
}

/// The reserved ranges of IPv6.
#[cfg(feature = "serve")]
pub(crate) fn reserved_v6() -> impl Iterator<Item = (u128, u128)> {
    V6.iter().map(|range| (range.first, range.last))
}

pub(crate) fn ranges(address: &Address) -> &'static [ReservedRange; 5] {
    match address.net() {
        IpNet::V4(_) => &V4,
        IpNet::V6(_) => &V6,
    }
}

/// The last address of the reserved range that `address` lies in, as a number.
pub(crate) fn reserved_until(address: &Address) -> Option<u128> {
    reserved_range(address).map(|range| range.last)
}

/// Why no host can have such an address, in any network: the end of a sentence about it.
pub(crate) fn reserved_address(address: &Address) -> Option<&'static str> {
    reserved_range(address).map(|range| range.message_about(address))
}

pub(crate) fn reserved_range(address: &Address) -> Option<&'static ReservedRange> {
    let bounds = address.bounds();
    ranges(address).iter().find(|range| range.overlaps(bounds))
}
