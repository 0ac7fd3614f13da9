//! What people write in the place of an address, and what to write instead.

use std::net::{IpAddr, Ipv4Addr};

use super::misspelling::{LONGEST, Misspelling};
use crate::text::quote::quoted;

const HELP: &str =
    "write an IPv4 or IPv6 address such as 10.10.10.25 or 2001:db8::25, or a prefix such as 10.10.10.16/28";

/// The usual spelling of an address or a prefix; nothing for another text.
type Canonical = fn(&str) -> Option<String>;

/// Why `text` is neither an address nor a prefix, and what to write.
pub(super) fn explain(text: &str, canonical: Canonical) -> Misspelling {
    let plain = || Misspelling::with_help(format!("{} is not an IPv4 or IPv6 address or prefix", quoted(text)), HELP);
    if text.trim().is_empty() {
        return Misspelling::with_help("an empty text is not an IPv4 or IPv6 address or prefix", HELP);
    }
    if text.len() > LONGEST {
        return plain();
    }
    several(text, canonical)
        .or_else(|| meant(text, canonical))
        .or_else(|| wrong_length(text))
        .or_else(|| wrong_numbers(text))
        .unwrap_or_else(plain)
}

/// Several addresses in one text, or a range of them.
fn several(text: &str, canonical: Canonical) -> Option<Misspelling> {
    let is_address = |part: &str| canonical(part.trim()).is_some();
    let parts: Vec<&str> = text.split([',', ';', ' ']).map(str::trim).filter(|part| !part.is_empty()).take(4).collect();
    if let [one, ..] = parts.as_slice()
        && parts.len() > 1
        && is_address(one)
    {
        let help = "write several addresses as a list in brackets, such as [10.10.10.25, 10.10.10.26]";
        return Some(Misspelling::with_help(format!("{} is more than one address", quoted(text)), help));
    }
    if text.contains(',') && parts.iter().any(|part| !part.bytes().all(|b| b.is_ascii_digit())) {
        let help = "write an address such as 10.10.10.25, or a list in brackets such as [10.10.10.25, 10.10.10.26]";
        return Some(Misspelling::with_help(
            format!("{} is neither an address nor a list of them", quoted(text)),
            help,
        ));
    }
    let (first, last) = text.split_once('-')?;
    (is_address(first) && (is_address(last) || last.trim().parse::<u8>().is_ok())).then(|| {
        let help =
            "write a prefix such as 10.10.10.16/28, or each address in a list such as [10.10.10.25, 10.10.10.26]";
        Misspelling::with_help(format!("{} is a range, which is not read", quoted(text)), help)
    })
}

/// A text with a part that can only be left out or replaced.
fn meant(text: &str, canonical: Canonical) -> Option<Misspelling> {
    let found = |why: &str, meant: String| Some(Misspelling::of(format!("{} {why}", quoted(text)), meant));
    let trimmed = text.trim();
    if let Some(address) = canonical(trimmed) {
        return found("has a space around the address", address);
    }
    if let Some((_, rest)) = trimmed.split_once("://") {
        let host = rest.split('/').next().unwrap_or(rest);
        let host = canonical(host).or_else(|| canonical(host.rsplit_once(':')?.0))?;
        return found("is a URL, not an address", host);
    }
    if let Some((address, mask)) = trimmed.split_once('/')
        && let (Ok(address), Ok(mask)) = (address.parse::<Ipv4Addr>(), mask.parse::<Ipv4Addr>())
    {
        let length = mask.to_bits().leading_ones();
        let is_mask = mask.to_bits().count_ones() == length;
        return is_mask.then(|| found("has a netmask in place of a length", format!("{address}/{length}"))).flatten();
    }
    if let Some((address, zone)) = trimmed.split_once('%') {
        let why = format!("names the network interface {}, which is not part of an address", quoted(zone));
        return found(&why, canonical(address)?);
    }
    if let Some((address, port)) = trimmed.split_once(':')
        && address.parse::<Ipv4Addr>().is_ok()
        && port.bytes().all(|b| b.is_ascii_digit())
    {
        return found("has a port, which is not part of an address", address.to_owned());
    }
    let stars = trimmed.matches(".*").count();
    if stars > 0 && trimmed.ends_with(".*") {
        let prefix = format!("{}/{}", trimmed.replace('*', "0"), 32_usize.checked_sub(8 * stars)?);
        return found("is a pattern, not a prefix", canonical(&prefix)?);
    }
    let with_points = trimmed.replace(',', ".");
    found("has commas in place of points", canonical(&with_points).filter(|_| with_points != trimmed)?)
}

/// An address with a length that it cannot have.
fn wrong_length(text: &str) -> Option<Misspelling> {
    let (address, length) = text.split_once('/')?;
    let ip: IpAddr = address.parse().ok()?;
    let (family, most) = if ip.is_ipv4() { ("IPv4", 32) } else { ("IPv6", 128) };
    let message = if length.parse::<u64>().is_ok_and(|length| length > most) {
        format!("{} has a length above {most}, the largest of {family}", quoted(text))
    } else {
        format!("{} has {} in place of a length", quoted(text), quoted(length))
    };
    let help = format!("write a length from 0 to {most} for a block, or {} for the single address", quoted(address));
    Some(Misspelling::with_help(message, help))
}

/// Numbers with points that are not an IPv4 address.
fn wrong_numbers(text: &str) -> Option<Misspelling> {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let numbers: Vec<&str> = address.split('.').collect();
    let all_digits = numbers.iter().all(|number| number.bytes().all(|b| b.is_ascii_digit()));
    if numbers.len() < 2 || !all_digits {
        return None;
    }
    let message = |why: String| format!("{} is not an IPv4 address, because {why}", quoted(text));
    if numbers.len() != 4 || numbers.iter().any(|number| number.is_empty()) {
        let there = numbers.iter().filter(|number| !number.is_empty()).count();
        return Some(Misspelling::with_help(message(format!("it has {there} numbers, and not 4")), HELP));
    }
    if let Some(large) = numbers.iter().find(|number| number.parse::<u8>().is_err()) {
        let help = "write four numbers from 0 to 255, such as 10.10.10.25";
        return Some(Misspelling::with_help(message(format!("{} is more than 255", quoted(large))), help));
    }
    let zeros = numbers.iter().find(|number| number.len() > 1 && number.starts_with('0'))?;
    let plain: Vec<&str> = numbers
        .iter()
        .map(|number| number.trim_start_matches('0'))
        .map(|number| if number.is_empty() { "0" } else { number })
        .collect();
    let plain = plain.join(".") + &length.map(|length| format!("/{length}")).unwrap_or_default();
    let why = format!("{} starts with 0, which some programs read as octal", quoted(zeros));
    Some(Misspelling::with_help(message(why), format!("write {} if the numbers are decimal", quoted(&plain))))
}
