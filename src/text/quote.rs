//! Values from the data in messages.

use super::characters::is_steering;
use super::redact::without_password;

/// A value from the data for a message: in backquotes, truncated when long, with escapes for everything
/// that could control a terminal or start a new line, and without passwords of URLs.
pub(crate) fn quoted(value: &str) -> String {
    format!("`{}`", harmless(&without_password(value), 60))
}

/// The same without backquotes, truncated after `longest` characters. Passwords stay.
pub fn harmless(value: &str, longest: usize) -> String {
    let mut out = String::with_capacity(value.len().min(longest));
    for (count, c) in value.chars().enumerate() {
        if count == longest {
            out.push('…');
            break;
        }
        if c == '`' {
            out.push('\'');
        } else if c == '[' && out.ends_with("##") {
            // GitHub's runner executes `##[command]` anywhere in a line.
            out.push_str("\\u{5b}");
        } else if is_steering(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The first few names, quoted, and how many more there are.
pub(crate) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>) -> String {
    const SHOWN: usize = 5;
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(SHOWN).map(|name| quoted(name.as_ref())).collect();
    // The length is not counted by iterating: as many findings may each show a list of ten thousand.
    let more = match names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}

/// The first digits of the id of a commit, as people quote it.
pub(crate) fn short_id(id: &str) -> &str {
    id.char_indices().nth(12).map_or(id, |(end, _)| &id[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_quoted_value_controls_a_terminal() {
        assert_eq!(quoted("a\n::error::b\u{1b}[31m\u{202e}`"), "`a\\n::error::b\\u{1b}[31m\\u{202e}'`");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), 63);
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(listed(["a", "b"]), "`a`, `b`");
        assert_eq!(listed(["a", "b", "c", "d", "e", "f", "g"]), "`a`, `b`, `c`, `d`, `e` and 2 more");
    }
}
