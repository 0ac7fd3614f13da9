//! The bytes of a dump → its statements: split outside of quotes and comments, nothing understood.
//!
//! A dump may hold gigabytes of tables that are of no interest: they are stepped over here, and never
//! reach the parser.

/// A statement, without the delimiter at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'b> {
    /// The line on which it starts, from 1.
    pub line: usize,
    /// Its bytes, from its first word on.
    pub bytes: &'b [u8],
}

/// What was seen on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How many dumps begin: several may be in one file.
    pub begun: usize,
    /// How many of them say that they are complete.
    pub completed: usize,
    /// Where the file ends in the middle of something: the line on which that starts.
    pub cut_off: Option<usize>,
    /// The connection's character set has letters of two bytes of which the second may be a quote
    /// or a backslash: quotes cannot be recognised.
    pub ambiguous_quotes: bool,
}

/// Steps through a dump.
pub struct Scanner<'b> {
    bytes: &'b [u8],
    at: usize,
    line: usize,
    delimiter: &'b [u8],
    /// What was seen so far.
    pub seen: Seen,
}

impl<'b> Scanner<'b> {
    /// At the start of `bytes`.
    pub fn new(bytes: &'b [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        Self { bytes, at: 0, line: 1, delimiter: b";", seen: Seen::default() }
    }

    fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn go(&mut self, count: usize) {
        let end = (self.at + count).min(self.bytes.len());
        self.line += newlines(&self.bytes[self.at..end]);
        self.at = end;
    }

    /// Goes on to behind the next line break.
    fn line_end(&mut self) -> &'b [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        self.go(end);
        &rest[..end]
    }

    /// Goes on behind a comment; how long it was, if it was one that is carried out.
    fn comment(&mut self) -> Option<&'b [u8]> {
        let (rest, line) = (self.rest(), self.line);
        let Some(end) = find(rest, b"*/") else {
            self.seen.cut_off.get_or_insert(line);
            self.go(rest.len());
            return None;
        };
        self.go(end + 2);
        // `/*!40101 … */` is for MySQL from 4.1.1 on, `/*M!100100 … */` for MariaDB alone.
        (rest.starts_with(b"/*!") || rest.starts_with(b"/*M!")).then(|| &rest[..end])
    }

    /// Over white space, comments and changes of the delimiter. What MySQL carries out of comments is
    /// of no interest: no dump inserts rows in one.
    fn skip_to_statement(&mut self) {
        loop {
            let rest = self.rest();
            if rest.first().is_some_and(u8::is_ascii_whitespace) {
                self.go(1);
            } else if is_line_comment(rest) {
                let comment = self.line_end();
                let is = |start: &str| comment.starts_with(start.as_bytes());
                self.seen.begun += usize::from(is("-- MySQL dump ") || is("-- MariaDB dump "));
                self.seen.completed += usize::from(is("-- Dump completed"));
            } else if rest.starts_with(b"mysqldump: ") || rest.starts_with(b"mariadb-dump: ") {
                // What the program says of passwords, where its errors went into the dump too.
                self.line_end();
            } else if rest.starts_with(b"/*") {
                if let Some(carried_out) = self.comment() {
                    self.seen.ambiguous_quotes |= untellable(carried_out);
                }
            } else if rest.len() > 10 && rest[..10].eq_ignore_ascii_case(b"delimiter ") {
                let line = self.line_end();
                self.delimiter = line[10..].trim_ascii();
            } else if !self.delimiter.is_empty() && rest.starts_with(self.delimiter) {
                self.go(self.delimiter.len());
            } else {
                return;
            }
        }
    }

    /// Over one quoted text or name, of which the first byte is the quote.
    fn quoted(&mut self) {
        let (rest, line) = (self.rest(), self.line);
        match quoted_len(rest) {
            Some(length) => self.go(length),
            None => {
                self.seen.cut_off.get_or_insert(line);
                self.go(rest.len());
            }
        }
    }
}

impl<'b> Iterator for Scanner<'b> {
    type Item = Statement<'b>;

    fn next(&mut self) -> Option<Statement<'b>> {
        self.skip_to_statement();
        let (start, line) = (self.at, self.line);
        if self.rest().is_empty() {
            return None;
        }
        loop {
            let rest = self.rest();
            match rest.first() {
                None => {
                    // The last one has no delimiter: it was not written to its end.
                    self.seen.cut_off.get_or_insert(line);
                    break;
                }
                Some(b'\'' | b'"' | b'`') => self.quoted(),
                Some(b'/') if rest.starts_with(b"/*") => drop(self.comment()),
                Some(b'-' | b'#') if is_line_comment(rest) => drop(self.line_end()),
                Some(_) if !self.delimiter.is_empty() && rest.starts_with(self.delimiter) => {
                    let bytes = &self.bytes[start..self.at];
                    self.go(self.delimiter.len());
                    return Some(Statement { line, bytes });
                }
                Some(_) => {
                    // As far as nothing of the above can start.
                    let first = self.delimiter.first().copied().unwrap_or(b';');
                    let stop = |byte: &u8| matches!(byte, b'\'' | b'"' | b'`' | b'/' | b'-' | b'#') || *byte == first;
                    self.go(1 + rest[1..].iter().position(stop).unwrap_or(rest.len() - 1));
                }
            }
        }
        Some(Statement { line, bytes: &self.bytes[start..self.at] })
    }
}

/// How many line breaks there are.
pub fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// How long a quoted text or name is, both quotes included; `None` if it does not end.
pub fn quoted_len(bytes: &[u8]) -> Option<usize> {
    let quote = *bytes.first()?;
    let mut at = 1;
    loop {
        let rest = bytes.get(at..)?;
        at += rest.iter().position(|byte| *byte == quote || *byte == b'\\')?;
        if bytes[at] == b'\\' && quote != b'`' {
            at += 2;
        } else if bytes[at] == b'\\' {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
}

/// `#`, or `--` and white space.
pub fn is_line_comment(bytes: &[u8]) -> bool {
    match bytes {
        [b'#', ..] | [b'-', b'-'] => true,
        [b'-', b'-', next, ..] => next.is_ascii_whitespace(),
        _ => false,
    }
}

/// Where `wanted` is first.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Whether a comment sets such a character set: Big5, Shift JIS and their like.
fn untellable(comment: &[u8]) -> bool {
    let text = String::from_utf8_lossy(comment).to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| word == "names")
        && words.next().is_some_and(|set| ["big5", "cp932", "gb18030", "gbk", "sjis"].contains(&set))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<(usize, String)> {
        let scanner = Scanner::new(text.as_bytes());
        scanner.map(|one| (one.line, String::from_utf8_lossy(one.bytes).into_owned())).collect()
    }

    #[test]
    fn a_delimiter_within_quotes_or_comments_ends_nothing() {
        let text = "-- a; b\n/* ; */ INSERT INTO `a;b` VALUES ('x;y\\';z',\";\") /* ; */;\n# ;\nUSE b;";
        let expected = "INSERT INTO `a;b` VALUES ('x;y\\';z',\";\") /* ; */";
        assert_eq!(statements(text), [(2, expected.to_owned()), (4, "USE b".to_owned())]);
    }

    #[test]
    fn bodies_of_triggers_are_one_statement() {
        let text = "DELIMITER ;;\nCREATE TRIGGER t BEGIN INSERT INTO a VALUES (1); END ;;\nDELIMITER ;\nUSE b;\n";
        assert_eq!(statements(text).len(), 2);
    }

    #[test]
    fn comments_that_are_carried_out_are_stepped_over() {
        let text =
            "/*M!999999\\- enable the sandbox mode */ \nINSERT INTO a VALUES (1);\n/*!40101 SET NAMES utf8mb4 */;\n";
        assert_eq!(statements(text), [(2, "INSERT INTO a VALUES (1)".to_owned())]);
    }

    #[test]
    fn a_cut_off_file_is_seen() {
        for text in ["INSERT INTO a VALUES (1)", "INSERT INTO a VALUES ('x", "/* a", "USE a; INSERT"] {
            let mut scanner = Scanner::new(text.as_bytes());
            while scanner.next().is_some() {}
            assert_eq!(scanner.seen.cut_off, Some(1), "{text}");
        }
    }
}
