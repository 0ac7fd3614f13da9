//! Standard output and standard error as build servers read them.
//!
//! GitHub's runner trims a line and runs it as a command if it starts with `::`; for compatibility it
//! also runs `##[command]` anywhere in a line. Names from live files, servers, dumps and commits appear
//! in lines of all kinds, so everything that commands print passes through here, even values that were
//! escaped before. JSON and valid lines of a shaper file pass unchanged.

use std::borrow::Cow;
use std::io::{self, StderrLock, StdoutLock, Write};

use anstream::AutoStream;

use crate::text::characters::RUNNER_COMMAND as INNER;

/// Standard output, for people; strips styles where they are not wanted.
pub fn out() -> GuardedLines<AutoStream<StdoutLock<'static>>> {
    GuardedLines::new(anstream::stdout().lock())
}

/// Standard output, for machines.
pub(crate) fn plain_out() -> GuardedLines<StdoutLock<'static>> {
    GuardedLines::new(io::stdout().lock())
}

/// Standard error.
pub fn err() -> GuardedLines<AutoStream<StderrLock<'static>>> {
    GuardedLines::new(anstream::stderr().lock())
}

/// Forwards whole lines, escaped so that none is a command for a build server.
pub struct GuardedLines<W: Write> {
    out: W,
    pending: Vec<u8>,
    /// The beginning of the first pending line has been forwarded.
    begun: bool,
}

impl<W: Write> GuardedLines<W> {
    fn new(out: W) -> Self {
        Self { out, pending: Vec::new(), begun: false }
    }

    fn forward(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let text = String::from_utf8_lossy(&pending);
        let first = if self.begun { text.find('\n').map_or(text.len(), |end| end + 1) } else { 0 };
        if let Some(last) = pending.last() {
            self.begun = *last != b'\n';
        }
        self.out.write_all(without_inner_commands(&text[..first]).as_bytes())?;
        self.out.write_all(without_commands(&text[first..]).as_bytes())
    }
}

impl<W: Write> Write for GuardedLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                self.pending.extend_from_slice(&bytes[..=end]);
                self.forward()?;
                self.pending.extend_from_slice(&bytes[end + 1..]);
            }
            None => self.pending.extend_from_slice(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.forward()?;
        self.out.flush()
    }
}

impl<W: Write> Drop for GuardedLines<W> {
    fn drop(&mut self) {
        // Whole lines were forwarded before, and their errors returned.
        let _ = self.flush();
    }
}

/// Escapes the lines of `text` that are commands for a build server.
pub(crate) fn without_commands(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains(INNER) {
        return Cow::Borrowed(text);
    }
    text.split_inclusive('\n').map(line_without_commands).collect::<String>().into()
}

fn line_without_commands(line: &str) -> String {
    let line = without_inner_commands(line);
    // A carriage return ends a line, too, for a terminal and for a log.
    line.split_inclusive('\r')
        .map(|line| {
            let at = beginning(line);
            match line[at..].strip_prefix("::") {
                // `:::` precedes a second place in a finding; no command has such a name.
                Some(rest) if rest.starts_with(": ") || rest.starts_with(":\u{1b}") => line.to_owned(),
                Some(rest) => format!("{}\\u{{3a}}:{rest}", &line[..at]),
                None => line.to_owned(),
            }
        })
        .collect()
}

fn without_inner_commands(line: &str) -> Cow<'_, str> {
    if line.contains(INNER) { line.replace(INNER, "##\\u{5b}").into() } else { Cow::Borrowed(line) }
}

/// Where a line begins for a runner: after spaces, invisible characters and styles.
fn beginning(line: &str) -> usize {
    let mut rest = line;
    loop {
        let before = rest.len();
        rest = rest.trim_start_matches(|c: char| {
            c != '\u{1b}' && (c.is_whitespace() || crate::text::characters::is_steering(c))
        });
        if let Some(style) = rest.strip_prefix("\u{1b}[") {
            rest = style.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
            rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
        } else if let Some(after) = rest.strip_prefix('\u{1b}') {
            rest = after;
        }
        if rest.len() == before {
            return line.len() - rest.len();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn printed(pieces: &[&str]) -> String {
        let mut bytes = Vec::new();
        let mut lines = GuardedLines::new(&mut bytes);
        pieces.iter().for_each(|piece| lines.write_all(piece.as_bytes()).unwrap());
        drop(lines);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_line_is_a_command() {
        for (text, shown) in [
            ("::error::x", "\\u{3a}:error::x"),
            ("  \t::error::x\n", "  \t\\u{3a}:error::x\n"),
            ("a\n\u{a0}\u{3000}\u{200b}::x\n", "a\n\u{a0}\u{3000}\u{200b}\\u{3a}:x\n"),
            ("\u{1b}[1m\u{1b}[31m ::x\u{1b}[0m\n", "\u{1b}[1m\u{1b}[31m \\u{3a}:x\u{1b}[0m\n"),
            ("a\r::x\n", "a\r\\u{3a}:x\n"),
            ("a ##[add-mask]b ###[", "a ##\\u{5b}add-mask]b ###\\u{5b}"),
            ("2001:db8::1 ::\n", "2001:db8::1 ::\n"),
            ("a::b\n\n:x\n", "a::b\n\n:x\n"),
        ] {
            assert_eq!(printed(&[text]), shown);
            assert_eq!(without_commands(text), shown);
            // Not even in pieces.
            let pieces: Vec<String> = text.chars().map(String::from).collect();
            assert_eq!(printed(&pieces.iter().map(String::as_str).collect::<Vec<_>>()), shown);
        }
    }

    #[test]
    fn a_line_that_is_forwarded_in_parts_has_one_beginning() {
        let mut bytes = Vec::new();
        let mut lines = GuardedLines::new(&mut bytes);
        write!(lines, "Who? ").unwrap();
        lines.flush().unwrap();
        writeln!(lines, "::1\n::2").unwrap();
        drop(lines);
        assert_eq!(String::from_utf8(bytes).unwrap(), "Who? ::1\n\\u{3a}:2\n");
    }
}
