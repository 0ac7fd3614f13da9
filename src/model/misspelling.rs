//! Why a text is not the value that is expected, and what to write.

use std::fmt;

use crate::text::quote::quoted;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misspelling {
    /// A sentence without a full stop.
    pub(crate) message: String,
    /// The way out.
    pub(crate) remedy: Remedy,
}

/// What to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The one value that is meant beyond doubt.
    Write(String),
    /// A sentence without a full stop.
    Help(String),
}

impl Misspelling {
    /// One whose value is clear.
    pub(crate) fn of(message: impl Into<String>, meant: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: Remedy::Write(meant.into()) }
    }

    /// One whose value is for the writer to decide.
    pub(crate) fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: Remedy::Help(help.into()) }
    }

    /// The way out as a sentence.
    pub(crate) fn help(&self) -> String {
        match &self.remedy {
            Remedy::Write(meant) => format!("write {}", quoted(meant)),
            Remedy::Help(help) => help.clone(),
        }
    }
}

impl fmt::Display for Misspelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.help())
    }
}

/// A text that is not the value that is expected. The reason is worked out only where it is shown: a
/// million texts are tried as an address, or as a rate, and are something else.
#[derive(Clone, Debug)]
pub struct Misspelt {
    text: Box<str>,
    explain: fn(&str) -> Misspelling,
}

impl Misspelt {
    pub(crate) fn new(text: &str, explain: fn(&str) -> Misspelling) -> Self {
        Self { text: text.into(), explain }
    }

    /// What is wrong.
    pub(crate) fn misspelling(&self) -> Misspelling {
        (self.explain)(&self.text)
    }
}

impl fmt::Display for Misspelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.misspelling().fmt(f)
    }
}

impl std::error::Error for Misspelt {}

impl From<Misspelt> for String {
    fn from(misspelt: Misspelt) -> String {
        misspelt.to_string()
    }
}

/// The longest text whose mistake is searched for, in bytes: a value may have 64 KiB.
pub(super) const LONGEST: usize = 400;

/// What is wrong with a text of limited length and characters. `expected` is what it should be: a noun, a
/// colon, and what it consists of.
pub(crate) fn explain_text(text: &str, max: usize, valid: fn(&str) -> bool, expected: &str) -> Misspelling {
    let (noun, help) = match expected.split_once(": ") {
        Some((noun, rest)) => (noun, format!("{noun} has {rest}")),
        None => (expected.split([',']).next().unwrap_or(expected), format!("write {expected}")),
    };
    let noun = noun.split(" such as").next().unwrap_or(noun);
    if text.is_empty() {
        return Misspelling::with_help("an empty text is not allowed here", format!("write {expected}"));
    }
    let length = text.chars().count();
    if length > max {
        let message = format!("{} is too long: {length} characters, and at most {max} are allowed", quoted(text));
        return Misspelling::with_help(message, help);
    }
    let message = match culprits(text, valid) {
        Some(culprits) => format!("{} is not {noun}, because it {culprits}", quoted(text)),
        None => format!("{} is not {noun}", quoted(text)),
    };
    let joined = text.trim().replace(' ', "_");
    match valid(&joined) {
        true => Misspelling::of(message, joined),
        false => Misspelling::with_help(message, help),
    }
}

/// The characters without which a text would be valid, as the end of a sentence about it.
fn culprits(text: &str, valid: fn(&str) -> bool) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let first = text.chars().next()?;
    if valid(&format!("a{text}")) {
        return Some(format!("starts with {}", shown(first)));
    }
    let mut bad: Vec<char> = Vec::new();
    for c in text.chars() {
        if !bad.contains(&c) && !valid(&format!("a{c}a")) {
            bad.push(c);
        }
    }
    let rest: String = text.chars().filter(|c| !bad.contains(c)).collect();
    if bad.is_empty() || !(rest.is_empty() || valid(&rest) || valid(&format!("a{rest}"))) {
        return None;
    }
    let mut names: Vec<String> = bad.iter().copied().take(3).map(shown).collect();
    let last = if bad.len() > 3 { Some("others".to_owned()) } else { names.pop().filter(|_| bad.len() > 1) };
    Some(match last {
        Some(last) => format!("contains {} and {last}", names.join(", ")),
        None => format!("contains {}", shown(bad[0])),
    })
}

fn shown(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        '`' => "a backquote".to_owned(),
        c => quoted(&c.to_string()),
    }
}
