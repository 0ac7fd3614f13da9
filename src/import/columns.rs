//! A table in CSV with a header: which column is what, and its rows.

use csv::ByteRecord;

use super::found::Origin;
use super::gather::Gather;
use super::unusable::Unusable;
use crate::text::quote::quoted;
use crate::text::suggest::nearest;

/// The columns of a table.
pub struct Columns {
    /// As written in the header.
    pub names: Vec<String>,
    /// In lower case, with letters and digits alone.
    plain: Vec<String>,
}

/// A table that is being read.
pub struct CsvRows<'b> {
    /// Its columns.
    pub columns: Columns,
    reader: csv::Reader<&'b [u8]>,
    bytes: &'b [u8],
    comment: Option<u8>,
    /// How many lines are above the header, and skipped.
    above: usize,
}

/// Counts lines with any line break. The CSV reader knows `\n` alone, and counts the one of `\r\n` to
/// the next record.
struct LineCounter<'b> {
    bytes: &'b [u8],
    comment: Option<u8>,
    /// The byte up to which lines are counted.
    at: usize,
    line: usize,
}

impl LineCounter<'_> {
    /// The line and the first byte of the next record at or after `from`, past empty lines and
    /// comments.
    fn start(&mut self, from: usize) -> (usize, usize) {
        let rest = |at: usize| self.bytes.get(at..).unwrap_or_default();
        let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let mut start = from;
        while let Some(first) = rest(start).first() {
            start += match first {
                first if ends(first) => 1,
                first if Some(*first) == self.comment => rest(start).iter().take_while(|byte| !ends(byte)).count(),
                _ => break,
            };
        }
        let passed = self.bytes.get(self.at..start).unwrap_or_default();
        let twice = passed.windows(2).filter(|two| two == b"\r\n").count();
        self.line += passed.iter().filter(|byte| ends(byte)).count() - twice;
        self.at = self.at.max(start);
        (self.line, start)
    }
}

/// The name without case and signs, by which spellings of one column are matched.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

impl Columns {
    /// The indices of the columns with one of `names`, which are plain.
    pub fn all<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
        (0..self.plain.len()).filter(|&at| names.contains(&self.plain[at].as_str()))
    }

    /// The index of the column with one of `names`, which are plain.
    ///
    /// # Errors
    /// If there are two: the data of one would be lost.
    pub fn find(&self, names: &[&str]) -> Result<Option<usize>, Unusable> {
        let mut all = self.all(names);
        match (all.next(), all.next()) {
            (Some(one), Some(other)) => Err(Unusable::new(format!(
                "the header has two columns for the same field: {} and {}; remove one of them",
                self.describe(one),
                self.describe(other)
            ))),
            (one, _) => Ok(one),
        }
    }

    /// A column's name and number.
    pub fn describe(&self, at: usize) -> String {
        format!("{} (column {})", self.names.get(at).map_or_else(String::new, |name| quoted(name)), at + 1)
    }

    /// The index of the column with this name in the header, or this number from 1.
    ///
    /// # Errors
    /// If there is no such column, or there are two.
    pub fn named(&self, name: &str) -> Result<usize, Unusable> {
        let exact: Vec<usize> =
            (0..self.names.len()).filter(|&at| self.names[at].eq_ignore_ascii_case(name.trim())).collect();
        match exact.as_slice() {
            [one] => return Ok(*one),
            [_, _, ..] => {
                return Err(Unusable::new(format!("two columns are called {}: name one by its number", quoted(name))));
            }
            [] => {}
        }
        if let Some(at) = name.parse::<usize>().ok().filter(|at| (1..=self.names.len()).contains(at)) {
            return Ok(at - 1);
        }
        let hint = match nearest(name, self.names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None => format!("there are {}", self.listed()),
        };
        Err(Unusable::new(format!("there is no column {}; {hint}", quoted(name))))
    }

    /// All of them, for messages.
    pub fn listed(&self) -> String {
        let shown: Vec<String> = self.names.iter().take(20).map(|name| quoted(name)).collect();
        let more = if self.names.len() > 20 { ", …" } else { "" };
        format!("{}{more}", shown.join(", "))
    }
}

impl<'b> CsvRows<'b> {
    /// Opens a table: detects the delimiter and reads the header. Lines that start with `comment` are
    /// skipped.
    ///
    /// # Errors
    /// If there is no header.
    pub fn open(bytes: &'b [u8], comment: Option<u8>, is_header: impl Fn(&Columns) -> bool) -> Result<Self, Unusable> {
        // The CSV reader ends a comment at `\n` alone, so rows would be lost in it.
        if comment.is_some_and(|sign| has_comment(bytes, sign)) && has_bare_cr(bytes) {
            return Err(Unusable::new(
                "there are comments, and lines that end with CR alone: save the file with usual line ends",
            ));
        }
        let first = Self::at(bytes, 0, comment)?;
        if is_header(&first.columns) {
            return Ok(first);
        }
        // Above the header may be a title, or the line by which Excel knows the delimiter.
        let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let below = starts.take(TITLE_LINES).filter_map(|start| Self::at(bytes, start, comment).ok());
        Ok(below.into_iter().find(|rows| is_header(&rows.columns)).unwrap_or(first))
    }

    /// A table whose header starts at this byte.
    fn at(bytes: &'b [u8], start: usize, comment: Option<u8>) -> Result<Self, Unusable> {
        let (bytes, above) = (&bytes[start..], &bytes[..start]);
        let delimiter = said_delimiter(above).unwrap_or_else(|| delimiter(bytes));
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(delimiter).flexible(true).comment(comment).trim(csv::Trim::All);
        let mut reader = builder.from_reader(bytes);
        let header = reader.byte_headers().map_err(|error| Unusable::new(format!("the header: {error}")))?;
        let mut names = Vec::with_capacity(header.len());
        for field in header {
            // An unused column may have any name.
            names.push(String::from_utf8_lossy(field).into_owned());
        }
        if names.iter().all(String::is_empty) {
            return Err(Unusable::new("the file has no header: its first line names the columns"));
        }
        let plain = names.iter().map(|name| plain(name)).collect();
        Ok(Self {
            columns: Columns { names, plain },
            reader,
            bytes,
            comment,
            above: above.iter().filter(|byte| **byte == b'\n').count(),
        })
    }

    /// Passes every row to `take` with the line where it starts. Rows that cannot be read are refused;
    /// columns other than `wanted` may hold any bytes.
    ///
    /// # Errors
    /// If a quotation mark is never closed, because the rows after it are then not known.
    pub fn each(
        mut self,
        gather: &mut Gather,
        wanted: &[Option<usize>],
        mut take: impl FnMut(&mut Gather, Origin, &CsvRow<'_>),
    ) -> Result<(), Unusable> {
        let mut record = ByteRecord::new();
        let mut lines = LineCounter { bytes: self.bytes, comment: self.comment, at: 0, line: 1 + self.above };
        let mut last = (1 + self.above, 0);
        if self.above > 0 {
            let header = lines.start(0).0;
            gather.note(format!("the header is on line {header}; what is above it is skipped"));
        }
        loop {
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) if self.left_open(last.1) => {
                    let line = last.0;
                    return Err(Unusable::new(format!(
                        "a quotation mark in the row that starts on line {line} is never closed, so the \
                         rows after it cannot be read"
                    )));
                }
                Ok(false) => return Ok(()),
                Err(error) => return Err(Unusable::new(format!("the file cannot be read as CSV: {error}"))),
            }
            last = record.position().map_or(last, |at| lines.start(at.byte() as usize));
            let origin = Origin::line(last.0);
            if record.iter().all(<[u8]>::is_empty) {
                continue;
            }
            match row(&record, &self.columns, wanted) {
                Ok(row) => take(gather, origin, &row),
                Err(reason) => {
                    gather.refuse(origin, &String::from_utf8_lossy(record.get(0).unwrap_or_default()), vec![reason])
                }
            }
        }
    }

    /// Whether the last row, which starts at this byte, extends to the end of the file because of a
    /// stray quotation mark.
    fn left_open(&self, start: usize) -> bool {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let marks = rest.iter().filter(|byte| **byte == b'"').count();
        let opened = rest.starts_with(b"\"")
            || rest.windows(2).any(|two| matches!(two[0], b',' | b';' | b'\t' | b' ') && two[1] == b'"');
        marks % 2 == 1 && opened
    }
}

fn has_comment(bytes: &[u8], sign: u8) -> bool {
    bytes.first() == Some(&sign) || bytes.windows(2).any(|two| matches!(two[0], b'\r' | b'\n') && two[1] == sign)
}

fn has_bare_cr(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|two| two[0] == b'\r' && two[1] != b'\n')
}

/// The delimiter that the lines above the header say, as Excel understands it: `sep=;`.
fn said_delimiter(above: &[u8]) -> Option<u8> {
    match above.strip_prefix(b"\xef\xbb\xbf").unwrap_or(above).get(..5)? {
        [b's', b'e', b'p', b'=', sign] if !sign.is_ascii_alphanumeric() => Some(*sign),
        _ => None,
    }
}

/// How many lines above the header are skipped at most.
const TITLE_LINES: usize = 10;

/// The delimiter: the one of the usual characters that is most frequent in the header.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .find(|line| !line.starts_with(b"#") && !line.iter().all(u8::is_ascii_whitespace))
        .unwrap_or_default();
    let count = |sign: u8| header.iter().filter(|byte| **byte == sign).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|sign| count(*sign)).unwrap_or(b',')
}

/// One row, as text.
pub struct CsvRow<'r> {
    fields: Vec<&'r str>,
}

impl<'r> CsvRow<'r> {
    /// The field in a column; empty where there is none.
    pub fn get(&self, column: Option<usize>) -> &'r str {
        column.and_then(|at| self.fields.get(at)).copied().unwrap_or_default()
    }
}

fn row<'r>(record: &'r ByteRecord, header: &Columns, wanted: &[Option<usize>]) -> Result<CsvRow<'r>, String> {
    let columns = header.names.len();
    // Unnamed empty columns at the end come from a spreadsheet that is wider than its data.
    let extra = record.iter().skip(columns).any(|field| !field.is_empty());
    if record.len() < columns && record.len() + 1 != columns || extra {
        return Err(format!("the row has {} fields and the header {columns}", record.len()));
    }
    let text = |(at, field): (usize, &'r [u8])| match std::str::from_utf8(field) {
        Ok(text) => Ok(text),
        Err(_) if wanted.contains(&Some(at)) => Err(format!(
            "{} is not UTF-8: save the file as `CSV UTF-8`, or convert what Excel saves by default with \
                 `iconv -f WINDOWS-1252 -t UTF-8`",
            header.describe(at)
        )),
        Err(_) => Ok(""),
    };
    Ok(CsvRow { fields: record.iter().enumerate().map(text).collect::<Result<_, _>>()? })
}
