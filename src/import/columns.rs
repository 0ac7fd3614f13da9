//! A table in CSV with a header: which column is what, and its rows.

use csv::ByteRecord;

use super::found::{Origin, Unusable};
use super::gather::Gather;
use crate::finding::{nearest, quoted};

/// The columns of a table.
pub struct Columns {
    /// As they stand in the header.
    pub names: Vec<String>,
    /// In lower case, with letters and digits alone.
    plain: Vec<String>,
}

/// A table that is being read.
pub struct Rows<'b> {
    /// Its columns.
    pub columns: Columns,
    reader: csv::Reader<&'b [u8]>,
    bytes: &'b [u8],
}

/// What two spellings of one column have in common.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

impl Columns {
    /// The place of the first column that is called like one of `names`, which are plain.
    pub fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.plain.iter().position(|plain| plain == name))
    }

    /// The column that somebody names: by its header, or by its number from 1.
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

impl<'b> Rows<'b> {
    /// Opens a table: finds out what stands between its fields, and reads the header. Lines that
    /// start with `comment` are passed over.
    ///
    /// # Errors
    /// If there is no header.
    pub fn open(bytes: &'b [u8], comment: Option<u8>) -> Result<Self, Unusable> {
        let delimiter = delimiter(bytes);
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(delimiter).flexible(true).comment(comment).trim(csv::Trim::All);
        let mut reader = builder.from_reader(bytes);
        let header = reader.byte_headers().map_err(|error| Unusable::new(format!("the header: {error}")))?;
        let mut names = Vec::with_capacity(header.len());
        for field in header {
            let name = std::str::from_utf8(field).map_err(|_| Unusable::new(NOT_UTF8))?;
            names.push(name.to_owned());
        }
        if names.iter().all(String::is_empty) {
            return Err(Unusable::new("the file has no header: its first line names the columns"));
        }
        let plain = names.iter().map(|name| plain(name)).collect();
        Ok(Self { columns: Columns { names, plain }, reader, bytes })
    }

    /// Reads every row, each with where it starts. Rows that cannot be read are refused.
    ///
    /// # Errors
    /// If a quotation mark is never closed: nobody knows what the rest is.
    pub fn each(
        mut self,
        gather: &mut Gather,
        mut take: impl FnMut(&mut Gather, Origin, &Row<'_>),
    ) -> Result<(), Unusable> {
        let mut record = ByteRecord::new();
        let mut last = (1, 0);
        loop {
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) if self.left_open(last.1) => {
                    let line = last.0;
                    return Err(Unusable::new(format!(
                        "a quotation mark in the row that starts on line {line} is never closed, so that the rest \
                         cannot be told apart"
                    )));
                }
                Ok(false) => return Ok(()),
                Err(error) => return Err(Unusable::new(format!("the file cannot be read as CSV: {error}"))),
            }
            last = record.position().map_or(last, |at| (at.line() as usize, at.byte() as usize));
            let origin = Origin::line(last.0);
            if record.iter().all(<[u8]>::is_empty) {
                continue;
            }
            match row(&record, self.columns.names.len()) {
                Ok(row) => take(gather, origin, &row),
                Err(reason) => {
                    gather.refuse(origin, &String::from_utf8_lossy(record.get(0).unwrap_or_default()), vec![reason])
                }
            }
        }
    }

    /// Whether the last row, which starts at this byte, goes on to the end of the file only because of
    /// a stray quotation mark.
    fn left_open(&self, start: usize) -> bool {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let marks = rest.iter().filter(|byte| **byte == b'"').count();
        let opened = rest.starts_with(b"\"")
            || rest.windows(2).any(|two| matches!(two[0], b',' | b';' | b'\t' | b' ') && two[1] == b'"');
        marks % 2 == 1 && opened
    }
}

const NOT_UTF8: &str = "the file is not UTF-8: save it as UTF-8";

/// What stands between the fields: whichever of the usual signs stands most often in the header.
fn delimiter(bytes: &[u8]) -> u8 {
    let header = bytes
        .split(|byte| *byte == b'\n')
        .find(|line| !line.starts_with(b"#") && !line.iter().all(u8::is_ascii_whitespace))
        .unwrap_or_default();
    let count = |sign: u8| header.iter().filter(|byte| **byte == sign).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|sign| count(*sign)).unwrap_or(b',')
}

/// One row, as text.
pub struct Row<'r> {
    fields: Vec<&'r str>,
}

impl<'r> Row<'r> {
    /// The field in a column; empty where there is none.
    pub fn get(&self, column: Option<usize>) -> &'r str {
        column.and_then(|at| self.fields.get(at)).copied().unwrap_or_default()
    }
}

fn row(record: &ByteRecord, columns: usize) -> Result<Row<'_>, String> {
    // Columns at the end that have no name are those of a spreadsheet that is wider than its data.
    let extra = record.iter().skip(columns).any(|field| !field.is_empty());
    if record.len() < columns && record.len() + 1 != columns || extra {
        return Err(format!("the row has {} fields and the header {columns}", record.len()));
    }
    let fields =
        record.iter().map(std::str::from_utf8).collect::<Result<_, _>>().map_err(|_| "the row is not UTF-8")?;
    Ok(Row { fields })
}
