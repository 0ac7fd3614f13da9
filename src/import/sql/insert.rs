//! One INSERT: its table, its columns, and its rows as slices, which [`super::values`] parses later. So
//! no statement, however long, becomes one syntax tree.

use super::scan::{Statement, find, is_line_comment, newlines, quoted_len};

/// How many values a row may have, and columns an INSERT: the tables that are read have two to five.
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

/// What may stand between INSERT and the name of the table.
const INTO: [&str; 5] = ["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"];

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
            rest.over(&INTO);
            rest.table().map(Of::Insert)
        }
        _ => None,
    }
}

/// The words and names of a statement, without texts, numbers and signs; a part of a very long one.
pub fn words(statement: &Statement<'_>) -> Vec<String> {
    let mut rest = Words { bytes: &statement.bytes[..statement.bytes.len().min(MAX_HEAD)] };
    let mut words = Vec::new();
    loop {
        rest.over_blanks();
        match rest.bytes.first() {
            None => return words,
            Some(&quote @ (b'\'' | b'`' | b'"')) => match rest.name_or_text() {
                Some(name) if quote != b'\'' => words.push(name),
                Some(_) => {}
                // The statement is cut: what follows is within the quotes.
                None => return words,
            },
            Some(byte) if is_word(byte) => words.push(rest.bare()),
            Some(_) => rest.bytes = &rest.bytes[1..],
        }
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
        match self.bytes.first()? {
            b'`' | b'"' => self.name_or_text(),
            _ => self.word(),
        }
    }

    /// What is in the quotes that come next; `None` if they do not end.
    fn name_or_text(&mut self) -> Option<String> {
        let quote = *self.bytes.first()?;
        let length = quoted_len(self.bytes)?;
        let (name, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        let quote = char::from(quote);
        let name = String::from_utf8_lossy(&name[1..length - 1]).into_owned();
        Some(name.replace(&format!("{quote}{quote}"), &quote.to_string()))
    }

    /// Over this sign, if it comes next.
    fn sign(&mut self, sign: u8) -> bool {
        self.bytes = self.bytes.trim_ascii_start();
        let rest = self.bytes.strip_prefix(&[sign]);
        self.bytes = rest.unwrap_or(self.bytes);
        rest.is_some()
    }

    fn table(&mut self) -> Option<TableName> {
        let first = self.name()?;
        if !self.sign(b'.') {
            return Some(TableName { database: None, table: first });
        }
        Some(TableName { database: Some(first), table: self.name()? })
    }

    /// Over white space and comments. What MySQL carries out of comments is read as if it stood
    /// outside: only the marks around it are stepped over.
    fn over_blanks(&mut self) {
        loop {
            self.bytes = self.bytes.trim_ascii_start();
            let length = match self.bytes {
                [b'/', b'*', b'!', rest @ ..] => 3 + rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
                [b'/', b'*', rest @ ..] => find(rest, b"*/").map_or(self.bytes.len(), |at| at + 4),
                [b'*', b'/', ..] => 2,
                bytes if is_line_comment(bytes) => find(bytes, b"\n").unwrap_or(bytes.len()),
                _ => return,
            };
            self.bytes = &self.bytes[length..];
        }
    }
}

/// One row, not yet parsed.
#[derive(Clone, Copy, Debug)]
pub struct RawRow<'b> {
    /// The line on which it starts.
    pub line: usize,
    /// With its brackets.
    pub bytes: &'b [u8],
    /// Whether it is a list within one pair of brackets, of at most [`MAX_VALUES`].
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

/// The length of the row that starts here, and whether it is flat.
fn row_len(bytes: &[u8]) -> (usize, bool) {
    let (mut at, mut depth, mut values, mut flat) = (0, 0_usize, 1, true);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' | b'`' => {
                let Some(length) = quoted_len(&bytes[at..]) else { return (bytes.len(), false) };
                at += length;
                continue;
            }
            b'(' => {
                flat &= depth == 0;
                depth += 1;
            }
            b')' if depth == 1 => return (at + 1, flat && values <= MAX_VALUES),
            b')' => depth -= 1,
            b',' => values += 1,
            _ => {}
        }
        at += 1;
    }
    (bytes.len(), false)
}

/// The columns that the part up to VALUES names, in lower case.
fn columns(head: &[u8]) -> Result<Vec<String>, String> {
    std::str::from_utf8(head).map_err(|_| "the INSERT is not UTF-8")?;
    named_columns(head).ok_or_else(|| "an INSERT of a form that is not known".to_owned())
}

fn named_columns(head: &[u8]) -> Option<Vec<String>> {
    let mut rest = Words { bytes: head };
    rest.word()?;
    rest.over(&INTO);
    rest.table()?;
    let mut columns = Vec::new();
    if rest.sign(b'(') && !rest.sign(b')') {
        loop {
            columns.push(rest.table()?.table.to_ascii_lowercase());
            if rest.sign(b')') {
                break;
            }
            if !rest.sign(b',') || columns.len() == MAX_VALUES {
                return None;
            }
        }
    }
    let last = rest.word()?.to_ascii_uppercase();
    (matches!(last.as_str(), "VALUES" | "VALUE") && rest.bytes.is_empty()).then_some(columns)
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || *byte >= 0x80
}

/// The columns of a CREATE TABLE, in lower case, in order; none if a quote in it does not end.
pub fn created_columns(statement: &Statement<'_>) -> Vec<String> {
    let mut rest = Words { bytes: statement.bytes };
    let mut columns = Vec::new();
    // Whether what comes next begins an entry of the table.
    let (mut depth, mut first) = (0_usize, false);
    loop {
        rest.over_blanks();
        let Some(&byte) = rest.bytes.first() else { return columns };
        let starts = std::mem::take(&mut first);
        match byte {
            b'`' | b'"' | b'\'' => match rest.name_or_text() {
                Some(name) if starts && byte != b'\'' => columns.push(name.to_ascii_lowercase()),
                Some(_) => {}
                None => return Vec::new(),
            },
            byte if is_word(&byte) => {
                let word = rest.bare();
                if starts && !is_key(&word) {
                    columns.push(word.to_ascii_lowercase());
                }
            }
            _ => {
                rest.bytes = &rest.bytes[1..];
                match byte {
                    b'(' => depth += 1,
                    // What follows, such as partitions, is no column.
                    b')' if depth <= 1 => return columns,
                    b')' => depth -= 1,
                    _ => {}
                }
                first = depth == 1 && matches!(byte, b'(' | b',');
            }
        }
    }
}

/// Words with which an entry of a CREATE TABLE starts that is no column.
fn is_key(word: &str) -> bool {
    let words =
        ["PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK", "PERIOD"];
    words.iter().any(|key| key.eq_ignore_ascii_case(word))
}
