//! The title and the body of a pull request. What people wrote in the portal is shown as it is, and commands nothing:
//! it mentions no team, closes no issue, and has no markup.

use crate::text::quote::harmless;

/// The longest title, in characters.
const TITLE: usize = 120;

/// The longest body, in characters: below the smallest limit of any forge.
const BODY: usize = 20_000;

/// The longest line of a body, in characters.
const LINE: usize = 600;

/// The title and the body of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PullText {
    pub(crate) title: String,
    pub(crate) body: String,
}

impl PullText {
    /// For a commit with this message, by this person.
    pub(crate) fn new(title: &str, message: &str, author: &str) -> PullText {
        let mut lines: Vec<String> = message.trim_end().lines().map(|line| neutral(line, LINE)).collect();
        lines.push(neutral(&format!("Proposed in the portal by {author}"), LINE));
        let (mut text, mut shown) = (String::new(), 0);
        for line in &lines {
            if text.chars().count() + line.chars().count() > BODY {
                break;
            }
            text += line;
            text.push('\n');
            shown += 1;
        }
        if shown < lines.len() {
            text += &format!("… and {} more lines: see the commit\n", lines.len() - shown);
        }
        // In a fenced block no forge looks for markup; no line of it has a backquote.
        PullText { title: neutral(title, TITLE), body: format!("```text\n{text}```\n") }
    }
}

/// A line in which nothing has a meaning to a forge, even one that reads code blocks. Characters that begin a mention,
/// a reference, a quick action or a tag are replaced by others that look the same to people; an address such as
/// `10.20.0.5@tier2.example` is no mention and stays.
pub(crate) fn neutral(line: &str, longest: usize) -> String {
    let line = harmless(line, longest);
    let mut out = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        out.push(match c {
            '@' if !before.is_alphanumeric() => '＠',
            '#' if next.is_alphanumeric() => '＃',
            '!' if next.is_alphanumeric() => '！',
            '&' if next.is_alphanumeric() || next == '#' => '＆',
            '$' if next.is_alphanumeric() => '＄',
            '%' if next.is_alphanumeric() || next == '"' => '％',
            '~' => '∼',
            // GH-1 and PROJ-1 are issues.
            '-' if before.is_ascii_uppercase() && next.is_ascii_digit() => '\u{2011}',
            // The URL of an issue.
            ':' if next == '/' => '：',
            // At the start of a line it is GitLab's quick action.
            '/' if out.trim().is_empty() => '∕',
            '<' => '‹',
            '>' => '›',
            // Of a link, and of the title of a draft.
            '[' => '［',
            ']' => '］',
            other => other,
        });
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_commands_nothing() {
        for (written, shown) in [
            ("@noc and (@tier2/team)", "＠noc and (＠tier2/team)"),
            ("Add 10.20.0.5@tier2.example with 30_MEG", "Add 10.20.0.5@tier2.example with 30_MEG"),
            ("fixes #1, closes isp/data#2, GH-3", "fixes ＃1, closes isp/data＃2, GH\u{2011}3"),
            ("  /merge", "  ∕merge"),
            ("https://git.ispcustomer.co.zw/a/issues/1", "https：//git.ispcustomer.co.zw/a/issues/1"),
            ("<img src=x> [x](y) ```", "‹img src=x› ［x］(y) '''"),
            ("see !1 ~label %2 $3 &4 &#64;noc", "see ！1 ∼label ％2 ＄3 ＆4 ＆＃64;noc"),
            ("Tom & Jerry, 50%, a - b", "Tom & Jerry, 50%, a - b"),
        ] {
            assert_eq!(neutral(written, 600), shown);
        }
    }

    #[test]
    fn the_body_is_one_block_and_bounded() {
        let message = format!("Change 2\n\n```\n@noc\n/close\u{2028}x\n{}", "- Add x\n".repeat(10_000));
        let text = PullText::new(&"t".repeat(500), &message, "Desk @ops");
        assert!(text.title.chars().count() <= TITLE + 1, "{}", text.title);
        assert!(text.body.chars().count() < BODY + 100);
        assert_eq!(text.body.matches("```").count(), 2, "the fence is ours");
        assert!(text.body.ends_with("more lines: see the commit\n```\n"), "{}", &text.body[text.body.len() - 80..]);
        assert!(!text.body.contains('@') && !text.body.contains("\n/"));
        let short = PullText::new("Add x", "Add x\n\nTicket 4711\n", "Desk");
        assert_eq!(short.body, "```text\nAdd x\n\nTicket 4711\nProposed in the portal by Desk\n```\n");
    }
}
