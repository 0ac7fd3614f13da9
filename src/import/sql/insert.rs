//! One INSERT: its table, its columns, and its rows as slices, which [`super::values`] parses later. So
//! no statement, however long, becomes one syntax tree.

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::scan::{Statement, newlines, quoted_len};
use super::values::parse;

/// How many words and signs one value may have. A dump has a literal, perhaps with a sign or the name
/// of a character set in front.
const MAX_WORDS: usize = 8;

/// How many values a row may have, and columns a table: the parser takes hundreds of bytes for each
/// value, and the tables that are read have two to five.
pub const MAX_VALUES: usize = 256;

/// How much of a statement may be parsed to find its columns, in bytes.
pub const MAX_HEAD: usize = 256 << 10;

/// A name, perhaps with that of the database in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableName {
    /// The database.
    pub database: Option<String>,
    /// The table.
    pub table: String,
}

/// A statement of interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// `INSERT`, `REPLACE`.
    Insert(TableName),
    /// `CREATE TABLE`.
    Create(TableName),
    /// `USE`.
    Use(String),
}

/// The first words of a statement, as far as they are of interest.
pub fn what(statement: &Statement<'_>) -> Option<Of> {
    let mut rest = Words { bytes: statement.bytes };
    let first = rest.word()?.to_ascii_uppercase();
    match first.as_str() {
        "USE" => rest.name().map(Of::Use),
        "CREATE" => {
            let table = rest.word()?.eq_ignore_ascii_case("table");
            rest.over(&["IF", "NOT", "EXISTS"]);
            rest.table().filter(|_| table).map(Of::Create)
        }
        "INSERT" | "REPLACE" => {
            rest.over(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"]);
            rest.table().map(Of::Insert)
        }
        _ => None,
    }
}

/// Reads words and names from the start of a statement.
struct Words<'b> {
    bytes: &'b [u8],
}

impl Words<'_> {
    fn bare(&mut self) -> String {
        self.bytes = self.bytes.trim_ascii_start();
        let end = self.bytes.iter().position(|byte| !is_word(byte)).unwrap_or(self.bytes.len());
        let (word, rest) = self.bytes.split_at(end);
        self.bytes = rest;
        String::from_utf8_lossy(word).into_owned()
    }

    fn word(&mut self) -> Option<String> {
        let word = self.bare();
        (!word.is_empty()).then_some(word)
    }

    /// Over any of these words.
    fn over(&mut self, words: &[&str]) {
        loop {
            let before = self.bytes;
            let word = self.bare();
            if word.is_empty() || !words.iter().any(|known| known.eq_ignore_ascii_case(&word)) {
                self.bytes = before;
                return;
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        self.bytes = self.bytes.trim_ascii_start();
        let quote = *self.bytes.first()?;
        if !matches!(quote, b'`' | b'"') {
            return self.word();
        }
        let length = quoted_len(self.bytes)?;
        let (name, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        let quote = char::from(quote);
        let name = String::from_utf8_lossy(&name[1..length - 1]).into_owned();
        Some(name.replace(&format!("{quote}{quote}"), &quote.to_string()))
    }

    fn table(&mut self) -> Option<TableName> {
        let first = self.name()?;
        self.bytes = self.bytes.trim_ascii_start();
        let Some(rest) = self.bytes.strip_prefix(b".") else {
            return Some(TableName { database: None, table: first });
        };
        self.bytes = rest;
        Some(TableName { database: Some(first), table: self.name()? })
    }
}

/// One row, not yet parsed.
#[derive(Clone, Copy, Debug)]
pub struct RawRow<'b> {
    /// The line on which it starts.
    pub line: usize,
    /// With its brackets.
    pub bytes: &'b [u8],
    /// Whether it can be given to the parser: a flat list of literals.
    pub flat: bool,
}

/// The rows of an INSERT.
pub struct Rows<'b> {
    /// The columns that it names, in lower case; empty if it names none.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<RawRow<'b>>,
    /// The line on which something stands that is no row.
    pub stray: Option<usize>,
}

/// Splits an INSERT into its rows.
///
/// # Errors
/// If it has another form than `INSERT INTO table (columns) VALUES rows`.
pub fn rows<'b>(statement: &Statement<'b>) -> Result<Rows<'b>, String> {
    let bytes = statement.bytes;
    let values = values_at(bytes).ok_or("an INSERT without VALUES")?;
    let columns = columns(&bytes[..values])?;
    let mut rows = Rows { columns, rows: Vec::new(), stray: None };
    let mut at = values;
    let mut line = statement.line + newlines(&bytes[..at]);
    loop {
        let gap = bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        line += newlines(&bytes[at..at + gap]);
        at += gap;
        match bytes.get(at) {
            None => return Ok(rows),
            Some(b'(') => {
                let (length, flat) = row_len(&bytes[at..]);
                let row = &bytes[at..at + length];
                rows.rows.push(RawRow { line, bytes: row, flat });
                line += newlines(row);
                at += length;
            }
            Some(_) => {
                rows.stray = Some(line);
                return Ok(rows);
            }
        }
    }
}

/// Where the rows begin: behind VALUES.
fn values_at(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' | b'`' => at += quoted_len(&bytes[at..])?,
            b'v' | b'V' => {
                let word = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                let free = at == 0 || !(bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
                let is = |name: &[u8]| bytes[at..at + word].eq_ignore_ascii_case(name);
                if free && (is(b"values") || is(b"value")) {
                    return Some(at + word);
                }
                at += word.max(1);
            }
            _ => at += 1,
        }
    }
    None
}

/// The length of the row that starts here, and whether it is a flat list of literals.
fn row_len(bytes: &[u8]) -> (usize, bool) {
    let (mut at, mut depth, mut words, mut values, mut flat) = (0, 0_usize, 0, 1, true);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' | b'`' => {
                words += 1;
                let Some(length) = quoted_len(&bytes[at..]) else { return (bytes.len(), false) };
                at += length;
            }
            b'(' => {
                flat &= depth == 0;
                depth += 1;
                at += 1;
            }
            b')' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return (at, flat && words <= MAX_WORDS);
                }
            }
            b',' => {
                values += 1;
                flat &= words <= MAX_WORDS && values <= MAX_VALUES;
                words = 0;
                at += 1;
            }
            byte if byte.is_ascii_whitespace() => at += 1,
            _ => {
                words += 1;
                at += bytes[at..].iter().take_while(|byte| is_word(byte) || **byte == b'.').count().max(1);
            }
        }
    }
    (bytes.len(), false)
}

/// The columns that the part before VALUES names, in lower case.
fn columns(head: &[u8]) -> Result<Vec<String>, String> {
    let head = std::str::from_utf8(head).map_err(|_| "the INSERT is not UTF-8")?;
    if head.len() > MAX_HEAD || !is_plain_head(head.as_bytes()) {
        return Err("an INSERT of a form that is not known".to_owned());
    }
    let insert = parse(&format!("{head} (NULL)"))?;
    let name = |column: &sqlparser::ast::ObjectName| column.0.last().map(ToString::to_string).unwrap_or_default();
    let plain = |name: String| name.trim_matches(['`', '"', '\'']).to_ascii_lowercase();
    Ok(insert.columns.iter().map(name).map(plain).collect())
}

/// Whether this is `INSERT INTO table (columns) VALUES` as far as its signs tell: a query in its place
/// could nest without end.
fn is_plain_head(head: &[u8]) -> bool {
    let (mut at, mut words, mut names, mut brackets) = (0, 0, 1, 0);
    while let Some(byte) = head.get(at) {
        at += match byte {
            b'`' | b'"' => {
                words += 1;
                quoted_len(&head[at..]).unwrap_or(head.len())
            }
            b',' => {
                names += 1;
                words = 0;
                1
            }
            b'(' => {
                brackets += 1;
                1
            }
            b')' | b'.' => 1,
            byte if byte.is_ascii_whitespace() => 1,
            byte if is_word(byte) => {
                words += 1;
                head[at..].iter().take_while(|byte| is_word(byte)).count()
            }
            _ => return false,
        };
        if words > MAX_WORDS || names > MAX_VALUES || brackets > 1 {
            return false;
        }
    }
    true
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || *byte >= 0x80
}

/// The columns of a CREATE TABLE, in lower case, in order.
pub fn created_columns(statement: &Statement<'_>) -> Vec<String> {
    let text = String::from_utf8_lossy(statement.bytes);
    let dialect = MySqlDialect {};
    let Ok(tokens) = Tokenizer::new(&dialect, &text).tokenize() else { return Vec::new() };
    let mut columns = Vec::new();
    let (mut depth, mut first) = (0_usize, false);
    for token in tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))) {
        match token {
            Token::LParen => {
                depth += 1;
                first = depth == 1;
                continue;
            }
            Token::RParen => {
                depth = depth.saturating_sub(1);
                // What follows, such as partitions, is no column.
                if depth == 0 {
                    break;
                }
            }
            Token::Comma if depth == 1 => {
                first = true;
                continue;
            }
            Token::Word(word) if first && depth == 1 && (word.quote_style.is_some() || !is_key(&word.value)) => {
                columns.push(word.value.to_ascii_lowercase());
            }
            Token::DoubleQuotedString(name) if first && depth == 1 => columns.push(name.to_ascii_lowercase()),
            _ => {}
        }
        first = false;
    }
    columns
}

/// Words with which an entry of a CREATE TABLE starts that is no column.
fn is_key(word: &str) -> bool {
    let words =
        ["PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK", "PERIOD"];
    words.iter().any(|key| key.eq_ignore_ascii_case(word))
}
