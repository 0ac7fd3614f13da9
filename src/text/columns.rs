//! Tables, for terminals and for spreadsheets.

use std::borrow::Cow;
use std::fmt::Write;

/// Columns as wide as their widest value, two spaces apart, without spaces at the end.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = (*width).max(value.chars().count());
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, value) in widths.iter().zip(row) {
            let pad = if *width == 0 { 0 } else { width + 2 - value.chars().count() };
            line.push_str(value);
            line.extend(std::iter::repeat_n(' ', pad));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}

/// One field of a CSV line (RFC 4180), quoted where needed. A formula of a spreadsheet gets a `'` in
/// front: OWASP's list for "CSV injection" with its fullwidth forms, at the beginning of the field and,
/// for a spreadsheet that separates at them, after a semicolon, a tab or a line break. Spaces before it
/// do not help. A number, with its sign, and a sign alone are left as they are.
pub(crate) fn csv_field(text: &str) -> String {
    // A tab or a line break at the beginning of a cell is on the list itself.
    let first = if text.starts_with(['\t', '\r', '\n']) { "'" } else { "" };
    let pieces = text.split_inclusive([';', '\t', '\r', '\n']).map(not_computed);
    let text: String = std::iter::once(first.into()).chain(pieces).collect();
    // A workflow takes a line that begins with `::` for a command.
    let quote = text.contains([',', '"', ';', '\'', ' ', '\t', '\r', '\n']) || text.starts_with("::");
    if quote { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn not_computed(piece: &str) -> Cow<'_, str> {
    let body = piece.trim().trim_end_matches(';').trim_end();
    let formula = body.starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    let computed = formula && body.chars().nth(1).is_some() && !is_number(body);
    if computed { format!("'{piece}").into() } else { piece.into() }
}

/// Digits with an optional sign and fraction: nothing to compute, whatever reads it.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(crate) fn csv_line<'f>(fields: impl IntoIterator<Item = &'f str>) -> String {
    let fields: Vec<String> = fields.into_iter().map(csv_field).collect();
    fields.join(",") + "\n"
}

/// The smallest width to which a column is cut.
const NARROWEST: usize = 8;

/// Cuts the widest columns until a line fits the terminal, the column `last` only if the others are as narrow
/// as can be: a line without its address says nothing. Without a terminal on standard output, nothing is cut.
pub(crate) fn fitted<const N: usize>(rows: Vec<[String; N]>, last: usize) -> Vec<[String; N]> {
    match terminal_width() {
        Some(width) => cut(rows, width, last),
        None => rows,
    }
}

fn cut<const N: usize>(mut rows: Vec<[String; N]>, width: usize, last: usize) -> Vec<[String; N]> {
    let mut widths = [0; N];
    for row in &rows {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = (*width).max(value.chars().count());
        }
    }
    let line = |widths: &[usize; N]| -> usize {
        widths.iter().filter(|width| **width > 0).map(|width| width + 2).sum::<usize>().saturating_sub(2)
    };
    while line(&widths) > width {
        let wide = widths.iter_mut().enumerate().filter(|(_, width)| **width > NARROWEST);
        match wide.max_by_key(|(at, width)| (*at != last, **width)) {
            Some((_, widest)) => *widest -= 1,
            None => break,
        }
    }
    for (value, width) in rows.iter_mut().flat_map(|row| row.iter_mut().zip(widths)) {
        if value.chars().count() > width {
            *value = value.chars().take(width.saturating_sub(1)).chain(['…']).collect();
        }
    }
    rows
}

#[cfg(unix)]
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|width| *width > 0)
}

#[cfg(not(unix))]
fn terminal_width() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::{csv_field, cut};

    #[test]
    fn no_spreadsheet_computes_a_field() {
        for (text, field) in [
            ("=1+1", "'=1+1"),
            ("+nan", "'+nan"),
            ("-inf", "'-inf"),
            ("+1e9", "'+1e9"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("\u{ff0b}1", "'\u{ff0b}1"),
            ("\u{ff0d}1", "'\u{ff0d}1"),
            ("\u{ff20}a", "'\u{ff20}a"),
            (" \u{a0}=1+1", "' \u{a0}=1+1"),
            ("a;=1+1;b", "a;'=1+1;b"),
            ("a; -x", "a;' -x"),
            ("a\t=1", "a\t'=1"),
            ("a\r\n=1", "a\r\n'=1"),
            ("\tx", "'\tx"),
            ("\n", "'\n"),
            ("+27 82 123 4567", "'+27 82 123 4567"),
            ("::error::x", "::error::x"),
        ] {
            assert_eq!(csv_field(text), format!("\"{field}\""), "{text}");
        }
        for text in ["-5", "+27821234567", "-0.25", "-", "=", "a=1", "a-b", "10.10.10.25", "", "2001:db8::1"] {
            assert_eq!(csv_field(text), text);
        }
        assert_eq!(csv_field("a,=b"), "\"a,=b\"", "a comma is the separator, and quoted");
        assert_eq!(csv_field("say \"=1\""), "\"say \"\"=1\"\"\"");
    }

    #[test]
    fn the_widest_columns_are_cut_and_no_more_than_need_be() {
        let rows = || vec![["10.10.10.25".to_owned(), "x".repeat(30), "active".to_owned()]];
        assert_eq!(cut(rows(), 80, 0), rows());
        let narrow = cut(rows(), 40, 0);
        assert_eq!(narrow, [["10.10.10.25".to_owned(), format!("{}…", "x".repeat(18)), "active".to_owned()]]);
        let least = cut(rows(), 1, 0);
        assert_eq!(least, [["10.10.1…".to_owned(), format!("{}…", "x".repeat(7)), "active".to_owned()]]);
        let wide = vec![["2001:db8:1:2::/64".to_owned(), "x".repeat(12), "x".repeat(12)]];
        let cut_names =
            [["2001:db8:1:2::/64".to_owned(), format!("{}…", "x".repeat(8)), format!("{}…", "x".repeat(8))]];
        assert_eq!(cut(wide, 39, 0), cut_names, "addresses are cut last");
    }
}
