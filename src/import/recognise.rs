//! The kind of a source, detected from its first lines.

use super::found::SourceKind;
use super::unusable::Unusable;

/// How many bytes are examined.
const LOOKED_AT: usize = 64 * 1024;

/// How many lines may stand above a table.
const TITLE_LINES: usize = 10;

/// How many lines are examined.
const LINES: usize = 200;

/// Detects the kind of a source.
///
/// # Errors
/// If it is like none of them, or cannot be read.
pub fn recognise(bytes: &[u8]) -> Result<SourceKind, Unusable> {
    readable(bytes)?;
    let head = &bytes[..bytes.len().min(LOOKED_AT)];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = String::from_utf8_lossy(head);
    let lines: Vec<&str> = text.lines().take(LINES).map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.iter().any(|line| is_sql(line)) {
        return Ok(SourceKind::Mysqldump);
    }
    let line = lines.iter().find(|line| !line.starts_with('#'));
    let Some(line) = line else {
        return Err(Unusable::new("there is nothing in it"));
    };
    let plain: String = line.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if plain.contains("circuitid") && plain.contains("ipv4") {
        return Ok(SourceKind::Libreqos);
    }
    if lines.iter().any(|line| is_shaper(line)) {
        return Ok(SourceKind::Shaper);
    }
    // A table may have a title above its header.
    let is_row = |line: &&str| line.contains([',', ';', '\t', '|']);
    if lines.iter().take(TITLE_LINES).any(is_row) && !line.starts_with(['<', '{', '[']) {
        return Ok(SourceKind::Csv);
    }
    Err(Unusable::UnknownKind)
}

/// Refuses a source that is compressed, XML, empty or in an encoding other than UTF-8.
///
/// # Errors
/// With what to do.
pub fn readable(bytes: &[u8]) -> Result<(), Unusable> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Unusable::new("it is UTF-16: save it as UTF-8"));
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Err(Unusable::new(
            "it is a file of an old Excel, or encrypted: open it there, and save it as .xlsx without a password, or as \
             CSV UTF-8",
        ));
    }
    if bytes.starts_with(b"\x1f\x8b") || bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\x28\xb5\x2f\xfd") {
        return Err(Unusable::new("it is compressed: unpack it first, such as with `zcat FILE | shapeline import -`"));
    }
    if bytes.starts_with(b"<?xml") {
        return Err(Unusable::new("it is XML, which is not read: make a dump without --xml"));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Unusable::new("there is nothing in it"));
    }
    Ok(())
}

fn is_sql(line: &str) -> bool {
    let upper: String = line.chars().take(20).collect::<String>().to_ascii_uppercase();
    ["-- ", "/*!", "/*M!", "INSERT ", "REPLACE INTO ", "CREATE TABLE ", "DROP TABLE ", "LOCK TABLES "]
        .iter()
        .any(|start| upper.starts_with(start))
}

fn is_shaper(line: &str) -> bool {
    let mut fields = line.split_whitespace();
    let user = fields.nth(1);
    let word = fields.next();
    user.is_some_and(|user| user.contains('@')) && word.is_some_and(|word| word.starts_with(":="))
}
