//! Keys and values of a settings file: each is read once, and each mistake has its place.

#[cfg(feature = "telemetry")]
use std::collections::BTreeMap;
use std::str::FromStr;

use crate::source::{SourceFile, Span};
use crate::text::quote::quoted;
use crate::text::suggest::Suggestions;
use crate::yaml::{self, Node, NodeKind, ScalarType};

/// A mapping of the file.
pub(crate) struct Fields<'f> {
    node: Option<Node<'f>>,
    /// The keys that were asked for: there are no others.
    known: Vec<&'static str>,
    mistakes: &'f mut Vec<(Span, String)>,
}

/// Reads `text` by `fields`, which asks for every key that there is. What is wrong: `LINE:COLUMN: what`, in
/// the order of the text.
pub(crate) fn read(text: &str, fields: impl FnOnce(&mut Fields<'_>)) -> Vec<String> {
    let reading = yaml::read(text);
    let mut mistakes: Vec<(Span, String)> = reading
        .problems
        .iter()
        .map(|problem| (problem.span, format!("{}; {}", problem.message, problem.help)))
        .collect();
    // What follows from a mistake in the YAML would only confuse.
    if mistakes.is_empty() {
        let root = reading.document.as_ref().and_then(|document| document.root(text));
        match root {
            Some(root) if root.kind() != NodeKind::Mapping => {
                let what = "settings are keys with values, such as `listen: 127.0.0.1:8080`";
                mistakes.push((root.span(), what.to_owned()));
            }
            node => {
                let mut top = Fields { node, known: Vec::new(), mistakes: &mut mistakes };
                fields(&mut top);
                top.finish();
            }
        }
    }
    mistakes.sort();
    let file = SourceFile::new("", text);
    let placed = |(span, what): (Span, String)| {
        let at = file.position(span.start);
        format!("{}:{}: {what}", at.line, at.column)
    };
    mistakes.into_iter().map(placed).collect()
}

impl<'f> Fields<'f> {
    fn get(&mut self, name: &'static str) -> Option<Node<'f>> {
        self.known.push(name);
        self.node?.get(name)
    }

    /// Adds a mistake in the value of a key.
    pub(crate) fn wrong(&mut self, name: &'static str, what: &str) {
        if let Some(node) = self.node.and_then(|node| node.get(name)) {
            self.mistakes.push((node.span(), format!("{name} {what}")));
        }
    }

    /// Adds a mistake in the mapping itself.
    pub(crate) fn mistake(&mut self, what: &str) {
        if let Some(node) = self.node {
            self.mistakes.push((node.span(), what.to_owned()));
        }
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.node.is_some_and(|node| node.get(name).is_some())
    }

    fn not(&mut self, name: &'static str, node: Node<'_>, wanted: &str) {
        let is = if node.is_scalar() { format!("is {}, not", quoted(node.text())) } else { "is not".to_owned() };
        self.mistakes.push((node.span(), format!("{name} {is} {wanted}")));
    }

    /// A text of up to `longest` characters, without control characters.
    pub(crate) fn text(&mut self, name: &'static str, longest: usize) -> Option<String> {
        let node = self.get(name)?;
        let text = node.text();
        let fits = (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if node.is_scalar() && node.scalar_type() == ScalarType::Text && fits {
            return Some(text.to_owned());
        }
        self.mistakes.push((node.span(), format!("{name} is not a text of 1 to {longest} characters")));
        None
    }

    /// A value that is written as text.
    pub(crate) fn parsed<T: FromStr>(&mut self, name: &'static str, wanted: &str) -> Option<T> {
        let node = self.get(name)?;
        let value = node.is_scalar().then(|| node.text().parse().ok()).flatten();
        if value.is_none() {
            self.not(name, node, wanted);
        }
        value
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &'static str, from: u64, to: u64) -> Option<u64> {
        let node = self.get(name)?;
        let value = match (node.is_scalar(), node.scalar_type()) {
            (true, ScalarType::Integer(number)) => u64::try_from(number).ok(),
            _ => None,
        };
        let value = value.filter(|number| (from..=to).contains(number));
        if value.is_none() {
            self.not(name, node, &format!("a whole number from {from} to {to}"));
        }
        value
    }

    /// `true` or `false`.
    pub(crate) fn switch(&mut self, name: &'static str) -> Option<bool> {
        let node = self.get(name)?;
        match (node.is_scalar(), node.scalar_type()) {
            (true, ScalarType::Bool(value)) => Some(value),
            _ => {
                self.not(name, node, "true or false");
                None
            }
        }
    }

    /// A list of values.
    pub(crate) fn list<T>(&mut self, name: &'static str, wanted: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let Some(node) = self.get(name) else { return Vec::new() };
        if node.kind() != NodeKind::Sequence {
            self.mistakes.push((node.span(), format!("{name} is not a list")));
            return Vec::new();
        }
        let mut values = Vec::new();
        for item in node.items() {
            match item.is_scalar().then(|| read(item.text())).flatten() {
                Some(value) => values.push(value),
                None => {
                    let what = if item.is_scalar() { quoted(item.text()) } else { "this".to_owned() };
                    self.mistakes.push((item.span(), format!("{what} is not {wanted}")));
                }
            }
        }
        values
    }

    /// A list of mappings, of which there is one at least.
    pub(crate) fn sections<T>(
        &mut self,
        name: &'static str,
        mut read: impl FnMut(&mut Fields<'_>) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = self.get(name) else { return Vec::new() };
        if node.kind() != NodeKind::Sequence || node.items().next().is_none() {
            self.mistakes.push((node.span(), format!("{name} is not a list with entries")));
            return Vec::new();
        }
        let mut values = Vec::new();
        for item in node.items() {
            if item.kind() != NodeKind::Mapping {
                self.mistakes.push((item.span(), format!("an entry of {name} needs keys with values")));
                continue;
            }
            let mut below = Fields { node: Some(item), known: Vec::new(), mistakes: self.mistakes };
            values.extend(read(&mut below));
            below.finish();
        }
        values
    }

    /// Texts below a key, by keys that the user chooses.
    #[cfg(feature = "telemetry")]
    pub(crate) fn pairs(&mut self, name: &'static str, longest: usize) -> BTreeMap<String, String> {
        let Some(node) = self.get(name) else { return BTreeMap::new() };
        if node.kind() != NodeKind::Mapping {
            self.mistakes.push((node.span(), format!("{name} needs keys with values")));
            return BTreeMap::new();
        }
        let mut pairs = BTreeMap::new();
        for (key, value) in node.entries() {
            let fits =
                |text: &str| (1..=longest).contains(&text.chars().count()) && !text.chars().any(char::is_control);
            if fits(key.text()) && value.is_scalar() && fits(value.text()) {
                pairs.insert(key.text().to_owned(), value.text().to_owned());
            } else {
                let what = format!("an entry of {name} is two texts of 1 to {longest} characters");
                self.mistakes.push((value.span(), what));
            }
        }
        pairs
    }

    /// Keys below a key.
    pub(crate) fn section<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Fields<'_>) -> T) -> Option<T> {
        let node = self.get(name)?;
        if node.kind() != NodeKind::Mapping {
            self.mistakes.push((node.span(), format!("{name} needs keys with values")));
            return None;
        }
        let mut below = Fields { node: Some(node), known: Vec::new(), mistakes: self.mistakes };
        let value = read(&mut below);
        below.finish();
        Some(value)
    }

    /// Adds a mistake if a key is missing.
    pub(crate) fn require(&mut self, name: &'static str) {
        if let Some(node) = self.node.filter(|node| node.get(name).is_none()) {
            self.mistakes.push((node.span(), format!("{name} is missing")));
        }
    }

    /// Knows all keys that are left: which there are depends on one that is wrong.
    #[cfg(feature = "telemetry")]
    pub(crate) fn ignore_rest(&mut self) {
        self.node = None;
    }

    /// Reports the keys that nothing asked for.
    fn finish(self) {
        let mut suggestions = Suggestions::new(self.known.iter().copied());
        let entries = self.node.into_iter().flat_map(|node| node.entries());
        for (key, _) in entries.filter(|(key, _)| !self.known.contains(&key.text())) {
            let hint = suggestions.hint(key.text(), "setting");
            self.mistakes.push((key.span(), format!("there is no setting {}; {hint}", quoted(key.text()))));
        }
    }
}
