//! Escapes text from the data for each output format.
//!
//! Build servers read what a step prints, in whatever format. GitHub's runner runs a line that starts
//! with `::` as a command, and, for compatibility, `##[command]` anywhere in a line. No format here
//! starts a line with text from the data; the second form is escaped in all of them.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::text::characters::{RUNNER_COMMAND, is_steering};

/// Text on one line; characters that could control a terminal or a build server are written as `\n` or
/// `\u{1b}`.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_steering) && !text.contains(RUNNER_COMMAND) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_steering(c) {
            out.extend(c.escape_default());
        } else if ends_runner_command(c, &out) {
            out.push_str("\\u{5b}");
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A piece of a source line, character for character, so that underlines stay in place: characters that
/// could control a terminal become `�`. Tabs stay.
pub(super) fn source(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = (is_steering(c) && c != '\t') || ends_runner_command(c, &out);
        out.push(if hidden { '\u{fffd}' } else { c });
    }
    out
}

fn ends_runner_command(c: char, before: &str) -> bool {
    c == '[' && before.ends_with("##")
}

/// The message of a workflow command, as the Actions toolkit escapes it.
pub(super) fn workflow_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command, as the Actions toolkit escapes it.
pub(super) fn workflow_property(text: &str) -> String {
    workflow_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// XML text or an attribute in double quotes. What XML 1.0 cannot hold is written as `\u{1b}`;
/// line ends and tabs in an attribute would be read as spaces were they not written as numbers.
pub(super) fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            '\u{fffe}' | '\u{ffff}' => out.extend(c.escape_default()),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// A path as a relative URI reference.
pub(super) fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Text of a SARIF message: in plain text too, brackets make links and braces are placeholders
/// (SARIF 2.1.0, 3.11.5 and 3.11.6).
pub(super) fn sarif(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '[' | ']' | '\\' => out.extend(['\\', c]),
            '{' | '}' => out.extend([c, c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str =
        "a\n::error::x\r%0A ##[add-mask]b \u{1b}[31m \u{9b}31m \u{202e}]]><script>\"'&,:\u{0}\u{ffff}";

    #[test]
    fn plain_text_is_one_line_that_steers_nothing() {
        let out = plain(HOSTILE);
        assert!(!out.contains(is_steering) && !out.contains("##["), "{out}");
        assert_eq!(plain("10.10.10.25 ist schon vergeben"), "10.10.10.25 ist schon vergeben");
    }

    #[test]
    fn source_keeps_its_length() {
        assert_eq!(source(HOSTILE).chars().count(), HOSTILE.chars().count());
        assert_eq!(source("a\t\u{1b}##[x"), "a\t\u{fffd}##\u{fffd}x");
    }

    #[test]
    fn workflow_commands_are_escaped_as_the_toolkit_does() {
        assert_eq!(workflow_data("100%\r\n::error::,"), "100%25%0D%0A::error::,");
        assert_eq!(workflow_property("a,b:c%0A\n"), "a%2Cb%3Ac%250A%0A");
    }

    #[test]
    fn xml_holds_nothing_that_ends_or_breaks_it() {
        assert_eq!(
            xml("<a b=\"c\">&]]>\n\u{1b}\u{ffff}é"),
            "&lt;a b=&quot;c&quot;&gt;&amp;]]&gt;&#10;\\u{1b}\\u{ffff}é"
        );
    }

    #[test]
    fn uris_keep_slashes_only() {
        assert_eq!(uri("a b/é:c#?%.yaml"), "a%20b/%C3%A9%3Ac%23%3F%25.yaml");
    }

    #[test]
    fn sarif_messages_hold_no_links_and_no_placeholders() {
        assert_eq!(sarif("[x](http://e) {0} \\"), "\\[x\\](http://e) {{0}} \\\\");
    }
}
