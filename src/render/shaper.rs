//! The built-in output, written without a template: `address address@domain :=set_attribute attribute`.

use std::fmt::Write as _;

use ipnet::IpNet;
use rayon::prelude::*;

use super::table::{ServedAddress, Table};
use crate::finding::Finding;
use crate::model::Address;
use crate::text::quote::quoted;

/// Lines per piece.
const CHUNK: usize = 8192;

/// How many pieces are made at once, on all cores.
const AT_ONCE: usize = 16;

/// Bytes of a usual line, to reserve.
pub(super) const LINE: usize = 96;

/// Looks for a domain that would break its line. The rules refuse it before, unless they are turned off.
///
/// # Errors
/// A finding for the first of them.
pub(super) fn check(table: &Table) -> Result<(), Box<Finding>> {
    let domain = |row: &ServedAddress| table.subscriber(*row).value.domain.as_str();
    let breaks = |row: &&ServedAddress| !domain(row).bytes().all(|byte| byte.is_ascii_graphic());
    let Some(row) = table.rows().par_iter().find_first(breaks) else { return Ok(()) };
    let message = format!("{} would break its line of the shaper file", quoted(domain(row)));
    let finding = Finding::new("template", table.subscriber(*row).at("domain"), message);
    Err(Box::new(finding.help("write the name of a domain, as in domains/")))
}

/// The shaper file, piece by piece. Its lines are independent.
pub(super) fn pieces(table: &Table) -> impl Iterator<Item = String> {
    table.rows().chunks(CHUNK * AT_ONCE).flat_map(|rows| {
        let pieces: Vec<String> = rows.par_chunks(CHUNK).map(|rows| piece(table, rows)).collect();
        pieces
    })
}

fn piece(table: &Table, rows: &[ServedAddress]) -> String {
    let mut out = String::with_capacity(rows.len() * LINE);
    for &row in rows {
        let start = out.len();
        write_address(&mut out, table.address(row));
        let end = out.len();
        out.push(' ');
        out.extend_from_within(start..end);
        let domain = table.subscriber(row).value.domain.as_str();
        out.extend(["@", domain, " :=set_attribute ", table.plan(row).shaper_attribute(), "\n"]);
    }
    out
}

/// As `Display`, and several times as fast for a single IPv4 address.
fn write_address(out: &mut String, address: &Address) {
    match address.net() {
        IpNet::V4(net) if address.is_host() => {
            for (number, octet) in net.addr().octets().into_iter().enumerate() {
                if number > 0 {
                    out.push('.');
                }
                write_octet(out, octet);
            }
        }
        _ => drop(write!(out, "{address}")),
    }
}

fn write_octet(out: &mut String, octet: u8) {
    let mut digit = |value: u8| out.push(char::from(b'0' + value));
    if octet >= 100 {
        digit(octet / 100);
    }
    if octet >= 10 {
        digit(octet / 10 % 10);
    }
    digit(octet % 10);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_they_display() {
        let octets = (0..=255_u8).map(|octet| format!("{octet}.{}.0.{}", 255 - octet, octet / 2));
        let others = ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/48", "::", "::ffff:10.0.0.1", "2001:db8::1"];
        for text in octets.chain(others.map(str::to_owned)) {
            let address: Address = text.parse().unwrap();
            let mut out = String::new();
            write_address(&mut out, &address);
            assert_eq!(out, address.to_string());
        }
    }
}
