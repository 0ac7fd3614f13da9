//! IP addresses and prefixes of subscribers and domains, IPv4 and IPv6.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::address_spelling;
use super::misspelling::{Misspelling, Misspelt};
use crate::text::quote::quoted;

/// One address, or one routed prefix.
///
/// Stores the original spelling only if it is not canonical (RFC 5952 for IPv6; a prefix without host
/// bits; a single address without `/32` or `/128`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    net: IpNet,
    // A pointer to a pointer: nearly no address has it, and there may be a million.
    written: Option<Box<Box<str>>>,
}

impl Address {
    /// The address as a prefix, without host bits; a single address has the full length.
    pub(crate) fn net(&self) -> IpNet {
        self.net
    }

    /// The original spelling, if it is not the canonical one.
    pub(crate) fn written(&self) -> Option<&str> {
        self.written.as_deref().map(AsRef::as_ref)
    }

    /// Whether this is a single address and not a prefix of several.
    pub(crate) fn is_host(&self) -> bool {
        self.net.prefix_len() == self.net.max_prefix_len()
    }

    /// Why a text is neither an address nor a prefix.
    pub(crate) fn explain(text: &str) -> Misspelling {
        address_spelling::explain(text, |text| text.parse::<Address>().ok().map(|address| address.to_string()))
    }

    /// The single address in a prefix that was written with one, such as `10.10.10.25/24`: whether the
    /// address or the block is meant is not known.
    fn host_in_block(&self) -> Option<IpAddr> {
        let (ip, _) = self.written()?.split_once('/')?;
        ip.parse::<IpAddr>().ok().filter(|ip| *ip != self.net.network())
    }

    /// Whether it names a single address and a block at once.
    pub(crate) fn has_host_bits(&self) -> bool {
        self.host_in_block().is_some()
    }

    /// What to do about a prefix that names a single address and a block at once.
    pub(crate) fn block_or_host(&self) -> Option<Misspelling> {
        let (host, written) = (quoted(&self.host_in_block()?.to_string()), quoted(self.written()?));
        let block = quoted(&self.net.to_string());
        Some(Misspelling::with_help(
            format!("{written} can be read in two ways: as the address {host}, or as the block {block} around it"),
            format!("write {host} for the single address, or {block} for the whole block"),
        ))
    }

    /// First and last address as numbers, for ordering and overlap within one family.
    pub(crate) fn bounds(&self) -> (u128, u128) {
        (number(self.net.network()), number(self.net.broadcast()))
    }

    /// The order of lines in an output: IPv4 before IPv6, then by number, then the wider first.
    pub fn sort_key(&self) -> (bool, u128, u8) {
        (self.net.network().is_ipv6(), number(self.net.network()), self.net.prefix_len())
    }
}

pub(crate) fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl From<IpNet> for Address {
    fn from(net: IpNet) -> Self {
        Self { net: net.trunc(), written: None }
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // The spelling comes last, so that `cmp` agrees with `eq`.
        self.sort_key().cmp(&other.sort_key()).then_with(|| self.written.cmp(&other.written))
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Address {
    type Err = Misspelt;

    fn from_str(text: &str) -> Result<Self, Misspelt> {
        let bad = || Misspelt::new(text, Address::explain);
        let slash = text.bytes().position(|byte| byte == b'/');
        let net = match slash.map(|at| (&text[..at], &text[at + 1..])) {
            None => IpNet::from(text.parse::<IpAddr>().map_err(|_| bad())?),
            Some((ip, length)) => {
                let plain = length.bytes().all(|b| b.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
                let length = if plain { length.parse().map_err(|_| bad())? } else { return Err(bad()) };
                IpNet::new(ip.parse().map_err(|_| bad())?, length).map_err(|_| bad())?
            }
        };
        let address = Self::from(net);
        // An IPv4 address has one spelling: a leading zero is refused.
        let canonical = matches!(net, IpNet::V4(_)) && slash.is_none() || address.is_written_as(text);
        let written = (!canonical).then(|| Box::new(text.into()));
        Ok(Self { written, ..address })
    }
}

impl Address {
    fn is_written_as(&self, text: &str) -> bool {
        // No allocation: a run reads a million addresses, nearly all canonical.
        struct Compare<'a>(&'a str, bool);
        impl fmt::Write for Compare<'_> {
            fn write_str(&mut self, part: &str) -> fmt::Result {
                match self.0.strip_prefix(part) {
                    Some(rest) => self.0 = rest,
                    None => self.1 = false,
                }
                Ok(())
            }
        }
        let mut compare = Compare(text, true);
        let written = fmt::Write::write_fmt(&mut compare, format_args!("{self}"));
        written.is_ok() && compare.1 && compare.0.is_empty()
    }
}

impl fmt::Display for Address {
    /// The canonical spelling.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_host(), self.net) {
            (true, IpNet::V4(net)) => write!(f, "{}", net.addr()),
            (true, IpNet::V6(net)) => write!(f, "{}", net.addr()),
            (false, net) => write!(f, "{net}"),
        }
    }
}

impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(super::text::FromStrVisitor::new("an IP address or prefix"))
    }
}

impl schemars::JsonSchema for Address {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Address".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": pattern(),
            "x-expected": "an IPv4 or IPv6 address or prefix, such as 10.10.10.25 or 2001:db8::/48",
            "x-form": "Address",
        })
    }
}

/// The syntax that [`Address::from_str`] accepts, as a pattern: RFC 4291 section 2.2 and RFC 4632.
fn pattern() -> String {
    let v4 = r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    let h = "[0-9a-fA-F]{1,4}";
    let last = format!("(?:{h}:{h}|{v4})");
    // Eight groups, or one `::` with at most seven groups around it; the last two may be IPv4.
    let mut forms = vec![format!("(?:{h}:){{6}}{last}")];
    for before in 0..=7_usize {
        let head = match before {
            0 => String::new(),
            n => format!("{h}(?::{h}){{{}}}", n - 1),
        };
        let room = 7 - before;
        let groups = format!("(?:{h}(?::{h}){{0,{}}})?", room.saturating_sub(1));
        forms.push(if room == 0 { format!("{head}::") } else { format!("{head}::{groups}") });
        if room >= 2 {
            forms.push(format!("{head}::(?:{h}:){{0,{}}}{v4}", room - 2));
        }
    }
    let v6 = format!("(?:{})", forms.join("|"));
    format!("^(?:{v4}(?:/(?:3[0-2]|[12]?[0-9]))?|{v6}(?:/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$")
}

/// One or several addresses: `ip: 10.10.10.25` or `ip: [10.10.10.25, 2001:db8::25]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Addresses {
    /// Written as one value.
    One(Address),
    /// Written as a list, at least one.
    Many(Box<[Address]>),
}

impl Addresses {
    /// How many addresses a list may hold.
    pub(crate) const MAX: usize = 256;

    /// In the order of the file.
    pub fn as_slice(&self) -> &[Address] {
        match self {
            Addresses::One(one) => std::slice::from_ref(one),
            Addresses::Many(many) => many,
        }
    }

    /// The first address. It identifies a subscriber without an id.
    pub(crate) fn first(&self) -> Option<&Address> {
        self.as_slice().first()
    }
}

impl serde::Serialize for Addresses {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Addresses::One(one) => one.serialize(serializer),
            Addresses::Many(many) => many.serialize(serializer),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Addresses {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> serde::de::Visitor<'de> for OneOrMany {
            type Value = Addresses;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an IP address or prefix, or a list of them")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Addresses, E> {
                text.parse().map(Addresses::One).map_err(E::custom)
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Addresses, A::Error> {
                let mut many = Vec::new();
                while let Some(address) = seq.next_element()? {
                    many.push(address);
                }
                if many.is_empty() || many.len() > Addresses::MAX {
                    return Err(serde::de::Error::invalid_length(many.len(), &"1 to 256 addresses"));
                }
                Ok(Addresses::Many(many.into()))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl schemars::JsonSchema for Addresses {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Addresses".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // One flat schema, not `anyOf`: `pattern` applies to strings only and `items` to lists only, so
        // the validator reports the violation that matters.
        let mut schema = Address::json_schema(generator);
        schema.insert("type".into(), serde_json::json!(["string", "array"]));
        schema.insert("items".into(), Address::json_schema(generator).to_value());
        schema.insert("minItems".into(), 1.into());
        schema.insert("maxItems".into(), Addresses::MAX.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<(String, bool)> {
        let address = text.parse::<Address>().ok()?;
        Some((address.to_string(), address.written().is_none()))
    }

    #[test]
    fn canonical_or_not() {
        for text in ["10.10.10.25", "10.0.0.0/8", "2001:db8::1", "2001:db8::/32", "::", "0.0.0.0/0"] {
            assert_eq!(shown(text), Some((text.to_owned(), true)), "{text}");
        }
        for (text, canonical) in [
            ("10.10.10.25/32", "10.10.10.25"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("2001:DB8::1", "2001:db8::1"),
            ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
            ("2001:db8::1/128", "2001:db8::1"),
        ] {
            assert_eq!(shown(text), Some((canonical.to_owned(), false)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "10.10.10",
            "10.10.10.256",
            "010.1.1.1",
            "41.221.144.5dd",
            "1.2.3.4/33",
            "1.2.3.4/08",
            "::1/129",
            "fe80::1%eth0",
            "1.2.3.4 ",
            "::1/",
            "1.2.3.4/+8",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn orders_ipv4_before_ipv6_and_by_number() {
        let mut all: Vec<Address> =
            ["2001:db8::1", "10.10.10.100", "10.10.10.25", "9.0.0.0/8"].iter().map(|t| t.parse().unwrap()).collect();
        all.sort();
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(all, ["9.0.0.0/8", "10.10.10.25", "10.10.10.100", "2001:db8::1"]);
    }
}
