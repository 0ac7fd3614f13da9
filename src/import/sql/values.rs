//! One row → its values. A dump writes literals only: texts, numbers, NULL, and binary values as
//! hexadecimal digits.

use super::insert::{MAX_VALUES, RawRow};
use super::scan::quoted_len;
use crate::text::quote::quoted;

/// The values of a row, each `None` for NULL, or why it cannot be read: it may be of a column that
/// nobody asks for.
pub type Values = Vec<Result<Option<String>, String>>;

/// Parses a row.
///
/// # Errors
/// If it is no list of values.
pub fn values(row: &RawRow<'_>) -> Result<Values, String> {
    let list = row.bytes.strip_prefix(b"(").and_then(|bytes| bytes.strip_suffix(b")")).filter(|_| row.flat);
    let Some(mut rest) = list else {
        return Err(format!("the row is no list of plain values, at most {MAX_VALUES}"));
    };
    let mut values = Vec::new();
    if rest.trim_ascii().is_empty() {
        return Ok(values);
    }
    loop {
        let length = value_len(rest);
        let (value, after) = rest.split_at(length);
        if value.trim_ascii().is_empty() {
            return Err("a value is missing in the row".to_owned());
        }
        values.push(literal(value.trim_ascii()));
        match after.strip_prefix(b",") {
            Some(next) => rest = next,
            None => return Ok(values),
        }
    }
}

/// How many bytes there are up to the next comma outside of quotes.
fn value_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' | b'`' => at += quoted_len(&bytes[at..]).unwrap_or(bytes.len() - at),
            b',' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn literal(bytes: &[u8]) -> Result<Option<String>, String> {
    if let Some(text) = binary(bytes) {
        return text.map(Some);
    }
    match bytes {
        // `_binary 'text'`, `_utf8mb4 0x41`.
        [b'_', rest @ ..] => {
            let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let rest = rest[name..].trim_ascii_start();
            let text = binary(rest).or_else(|| text(rest)).unwrap_or_else(|| Err(no_literal(bytes)))?;
            Ok(Some(text))
        }
        [b'b' | b'B' | b'n' | b'N', b'\'', ..] => {
            Err(format!("a value of a kind that is not known: {}", quoted(&String::from_utf8_lossy(bytes))))
        }
        _ if bytes.eq_ignore_ascii_case(b"NULL") => Ok(None),
        _ if bytes.eq_ignore_ascii_case(b"TRUE") => Ok(Some("1".to_owned())),
        _ if bytes.eq_ignore_ascii_case(b"FALSE") => Ok(Some("0".to_owned())),
        _ => number(bytes).map(Ok).or_else(|| text(bytes)).unwrap_or_else(|| Err(no_literal(bytes))).map(Some),
    }
}

fn no_literal(bytes: &[u8]) -> String {
    format!("a value that is no literal: {}", quoted(&String::from_utf8_lossy(bytes)))
}

/// `-1.5e3`, as it is written.
fn number(bytes: &[u8]) -> Option<String> {
    let unsigned = bytes.strip_prefix(b"-").map_or(bytes, <[u8]>::trim_ascii_start);
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(unsigned);
    let mut rest = &unsigned[whole..];
    let mut fraction = 0;
    if let [b'.', after @ ..] = rest {
        fraction = digits(after);
        rest = &after[fraction..];
    }
    if let [b'e' | b'E', after @ ..] = rest {
        let after = after.strip_prefix(b"-").or_else(|| after.strip_prefix(b"+")).unwrap_or(after);
        let exponent = digits(after);
        rest = if exponent > 0 { &after[exponent..] } else { rest };
    }
    if !rest.is_empty() || whole + fraction == 0 {
        return None;
    }
    let sign = if unsigned.len() < bytes.len() { "-" } else { "" };
    Some(format!("{sign}{}", String::from_utf8_lossy(unsigned)))
}

/// One text in quotes, or several that MySQL joins; `None` if it is something else.
fn text(bytes: &[u8]) -> Option<Result<String, String>> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [quote @ (b'\'' | b'"'), ..] = rest {
        let (one, after) = rest.split_at(quoted_len(rest)?);
        unescape(&one[1..one.len() - 1], *quote, &mut text);
        rest = after.trim_ascii_start();
    }
    (rest.is_empty() && !bytes.is_empty()).then(|| String::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned()))
}

/// What a text between quotes says, by MySQL's table of escapes.
fn unescape(inner: &[u8], quote: u8, text: &mut Vec<u8>) {
    let mut bytes = inner.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'0') => text.push(0),
                Some(b'b') => text.push(8),
                Some(b'n') => text.push(b'\n'),
                Some(b'r') => text.push(b'\r'),
                Some(b't') => text.push(b'\t'),
                Some(b'Z') => text.push(0x1a),
                // For LIKE, which undoes them.
                Some(wildcard @ (b'%' | b'_')) => text.extend([b'\\', wildcard]),
                Some(other) => text.push(other),
                None => {}
            },
            // Doubled.
            byte if byte == quote => text.extend(bytes.next()),
            byte => text.push(byte),
        }
    }
}

/// Why a row cannot be used.
#[derive(Debug)]
pub struct BadCells {
    /// What is wrong.
    pub reasons: Vec<String>,
    /// The value of the first wanted column, if it can be read.
    pub first: Option<String>,
}

/// The values of the wanted columns.
///
/// # Errors
/// If one of them cannot be read.
pub fn cells<const N: usize>(
    values: &Values,
    places: [Option<usize>; N],
    names: [&str; N],
) -> Result<[Option<String>; N], BadCells> {
    let mut reasons = Vec::new();
    let mut number = 0;
    let cells = places.map(|place| {
        let name = names[number];
        number += 1;
        match place.and_then(|at| values.get(at)) {
            None => None,
            Some(Ok(value)) => value.clone(),
            Some(Err(reason)) => {
                reasons.push(format!("{name}: {reason}"));
                None
            }
        }
    });
    match reasons.is_empty() {
        true => Ok(cells),
        false => Err(BadCells { reasons, first: cells.into_iter().next().flatten() }),
    }
}

/// `0x6131`, as `--hex-blob` writes it, and `x'6131'`; `None` if it is something else.
fn binary(bytes: &[u8]) -> Option<Result<String, String>> {
    let digits = match bytes {
        [b'0', b'x', digits @ ..] if !digits.is_empty() => digits,
        [b'x' | b'X', b'\'', digits @ .., b'\''] => digits,
        _ => return None,
    };
    digits
        .iter()
        .all(u8::is_ascii_hexdigit)
        .then(|| unhex(digits).ok_or_else(|| "a binary value that is no text".to_owned()))
}

fn unhex(digits: &[u8]) -> Option<String> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
    String::from_utf8(bytes.filter(|_| digits.len().is_multiple_of(2))?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::insert::{created_columns, rows};
    use super::super::scan::Statement;
    use super::*;

    fn read(row: &str) -> Result<Values, String> {
        values(&RawRow { line: 1, bytes: row.as_bytes(), flat: true })
    }

    /// What each of these literals says, in a row of all of them.
    fn texts(literals: &[(&str, &str)]) {
        let row = literals.iter().map(|(literal, _)| *literal).collect::<Vec<_>>().join(" ,\n");
        let said: Vec<_> = read(&format!("( {row} )")).unwrap().into_iter().map(|one| one.unwrap().unwrap()).collect();
        assert_eq!(said, literals.iter().map(|(_, text)| *text).collect::<Vec<_>>());
    }

    #[test]
    fn texts_are_unescaped_as_mysql_does() {
        texts(&[
            ("''", ""),
            ("'a,b)'", "a,b)"),
            ("'it''s'", "it's"),
            (r"'it\'s'", "it's"),
            (r#""say ""hi"" \"x\"""#, r#"say "hi" "x""#),
            (r#"'"'"#, "\""),
            (r"'\0\b\n\r\t\Z\\\a\%\_ü\ü'", "\0\u{8}\n\r\t\u{1a}\\a\\%\\_üü"),
            ("'a' 'b'", "ab"),
            ("_binary 'a'", "a"),
            ("_utf8mb4'a'", "a"),
        ]);
    }

    #[test]
    fn numbers_stay_as_they_are_written() {
        let plain = ["0", "007", "1.50", ".5", "1.", "1e9", "1.5E-3", "-1", "18446744073709551616"];
        texts(&plain.map(|number| (number, number)));
        texts(&[("- 5", "-5"), ("TRUE", "1"), ("false", "0")]);
    }

    #[test]
    fn binary_values_are_text() {
        texts(&[("0x6131", "a1"), ("x'6131'", "a1"), ("X'C3bc'", "ü"), ("x''", ""), ("_binary 0x61", "a")]);
        let row = read("(0x6,0xff,0x00ff)").unwrap();
        assert!(row.iter().all(|value| value == &Err("a binary value that is no text".to_owned())), "{row:?}");
    }

    #[test]
    fn null_is_no_text() {
        assert_eq!(read("(NULL, null,'NULL')"), Ok(vec![Ok(None), Ok(None), Ok(Some("NULL".to_owned()))]));
        assert_eq!(read("( )"), Ok(vec![]));
    }

    /// Each by itself: the column may be one that is not wanted.
    #[test]
    fn what_is_no_literal_is_refused() {
        let others = [
            "a",
            "1a",
            "1e",
            ".",
            "-",
            "--1",
            "+1",
            "1+1",
            "1 2",
            "'a' b",
            "'a",
            "`a`",
            "_x",
            "_binary NULL",
            "0x",
            "0xg",
            "x'g'",
            "x'61",
            "b'101'",
            "n'a'",
            "-'a'",
            "-NULL",
            "?",
            "@a",
            "/* a */ 1",
            "1 -- a",
            "é",
            "\\N",
        ];
        for other in others {
            let row = read(&format!("({other})")).unwrap();
            assert!(row.len() == 1 && row[0].is_err(), "{other}: {row:?}");
        }
        for row in ["(,)", "(1,,2)", "(1,)", "(,1)"] {
            assert_eq!(read(row), Err("a value is missing in the row".to_owned()), "{row}");
        }
    }

    /// As `mysqldump` writes a text.
    fn escaped(text: &str) -> String {
        let escape = |c: char| match c {
            '\0' => r"\0".to_owned(),
            '\n' => r"\n".to_owned(),
            '\r' => r"\r".to_owned(),
            '\u{1a}' => r"\Z".to_owned(),
            '\\' | '\'' | '"' => format!("\\{c}"),
            c => c.to_string(),
        };
        format!("'{}'", text.chars().map(escape).collect::<String>())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_text_that_was_escaped_comes_back(texts in prop::collection::vec(r#"[\x00-\x1f\\'",a%_()ü]{0,12}"#, 1..6)) {
            let insert = format!("INSERT INTO t VALUES ({})", texts.iter().map(|text| escaped(text)).collect::<Vec<_>>().join(","));
            let rows = rows(&Statement { line: 1, bytes: insert.as_bytes() }).unwrap();
            prop_assert_eq!(rows.rows.len(), 1);
            let said: Vec<_> = values(&rows.rows[0]).unwrap().into_iter().map(|one| one.unwrap().unwrap()).collect();
            prop_assert_eq!(said, texts);
        }

        /// Whatever it is, and without a panic.
        #[test]
        fn bytes_are_values_or_are_refused(bytes in prop::collection::vec(prop::sample::select(b"'\"`\\,()xX0b1nN_-+.eE \n/*!#\xff".to_vec()), 0..48)) {
            let insert = [b"INSERT INTO t VALUES (", &bytes[..]].concat();
            for row in rows(&Statement { line: 1, bytes: &insert }).unwrap().rows {
                if let Ok(values) = values(&row) {
                    prop_assert!(values.len() <= MAX_VALUES);
                }
            }
            created_columns(&Statement { line: 1, bytes: &bytes });
            let _ = rows(&Statement { line: 1, bytes: &[b"INSERT INTO t ", &bytes[..], b" VALUES (1)"].concat() });
        }
    }
}
