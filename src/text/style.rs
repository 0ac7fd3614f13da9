//! Colours for people. Texts are made without them; what prints to a terminal adds them, through a stream that
//! strips them wherever else the output goes: see `console`.

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Something that is new.
    Added,
    /// Something that goes.
    Removed,
    /// Something that becomes otherwise; a warning.
    Changed,
    /// As it should be.
    Good,
    /// Refused, failed, unsafe.
    Bad,
    /// A heading.
    Heading,
}

impl Style {
    /// `text` in this style.
    #[must_use]
    pub fn paint(self, text: &str) -> String {
        let code = match self {
            Style::Added | Style::Good => "32",
            Style::Removed => "31",
            Style::Changed => "33",
            Style::Bad => "1;31",
            Style::Heading => "1",
        };
        if text.is_empty() { String::new() } else { format!("\u{1b}[{code}m{text}\u{1b}[0m") }
    }
}

/// How a line of a plan begins, and what that says of the line; the first that fits.
const LINES: [(&str, Style); 8] = [
    ("+ ", Style::Added),
    ("- ", Style::Removed),
    ("~ ", Style::Changed),
    ("NOT SAFE", Style::Bad),
    ("Safe:", Style::Good),
    ("Later", Style::Heading),
    ("Sold  ", Style::Heading),
    ("note: ", Style::Changed),
];

/// A plan, or a part of one, with its colours. The texts in it are escaped already.
pub(crate) fn plan(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| {
            let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
            let style = LINES.iter().find(|(begin, _)| body.starts_with(begin)).map(|(_, style)| style);
            style.map_or_else(|| line.to_owned(), |style| format!("{}{end}", style.paint(body)))
        })
        .collect()
}

/// A line with the first of `words` in it in that word's style.
pub(crate) fn word(line: &str, words: &[(&str, Style)]) -> String {
    let found =
        words.iter().filter_map(|(word, style)| Some((line.find(word)?, word, style))).min_by_key(|(at, ..)| *at);
    match found {
        Some((at, word, style)) => format!("{}{}{}", &line[..at], style.paint(word), &line[at + word.len()..]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_plan_have_the_colour_of_their_sign() {
        let coloured = plan("+ a\n-- b\n\n~ c\nSafe: d\n  + e");
        assert_eq!(
            coloured,
            "\u{1b}[32m+ a\u{1b}[0m\n-- b\n\n\u{1b}[33m~ c\u{1b}[0m\n\u{1b}[32mSafe: d\u{1b}[0m\n  + e"
        );
    }

    #[test]
    fn the_first_word_counts() {
        let words = [("ERROR", Style::Bad), ("SUCCESS", Style::Good)];
        assert_eq!(word("a SUCCESS b ERROR", &words), "a \u{1b}[32mSUCCESS\u{1b}[0m b ERROR");
        assert_eq!(word("a", &words), "a");
    }
}
