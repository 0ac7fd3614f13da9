//! One version of a file: its records; and where a version differs from the one before, only the
//! records there.
//!
//! A list file of which one record changed must not be read whole each time. The texts have their
//! start and their end in common; what is between, widened to where records begin and end, is read by
//! itself. That is the same as reading the whole, because a list whose entries all start with `- ` at
//! the start of a line ([`FileVersion::borders`]) is read entry by entry: nothing in one entry bears on
//! how the next is read. Anchors and aliases, which would, are refused. Property tests hold it to that.

use serde::Deserialize;

use super::facts::Known;
use super::trees::common_prefix;
use crate::model::{Addresses, Date, Labels, Name, Plan, Subscriber, SubscriberId, SubscriberStatus, Text};
use crate::schema::FileKind;
use crate::yaml::de::from_node;
use crate::yaml::{self, MAX_NODES, Node, NodeKind};

/// The content of one version of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FileVersion {
    /// The records that could be read, in order.
    pub records: Vec<Known>,
    /// Why it could not be read completely.
    pub trouble: Option<String>,
    /// Whether it is a list whose parts can be read by themselves.
    pub borders: bool,
    /// How many nodes the tree has, for the limit on a whole file.
    nodes: usize,
}

/// Reads a version as a whole.
pub fn read(kind: FileKind, text: &str) -> FileVersion {
    let reading = yaml::read(text);
    let mut version =
        FileVersion { trouble: reading.problems.first().map(|first| first.message.clone()), ..FileVersion::default() };
    let Some(root) = reading.document.as_ref().and_then(|document| document.root(text)) else {
        return version;
    };
    let is_list = root.kind() == NodeKind::Sequence;
    let nodes: Vec<Node<'_>> = if is_list { root.items().collect() } else { vec![root] };
    for node in &nodes {
        let problem = reading.problems.iter().any(|problem| node.span().contains(problem.span));
        match record(kind, *node).filter(|_| !problem) {
            Some((known, whole)) => {
                version.records.push(known);
                if !whole {
                    let _ = version.trouble.get_or_insert_with(|| "a record has fields that are not known".to_owned());
                }
            }
            None => {
                let _ = version.trouble.get_or_insert_with(|| "a record cannot be read".to_owned());
            }
        }
    }
    version.borders = is_list && version.trouble.is_none() && has_borders(text, &nodes);
    version.nodes = count(root);
    version
}

/// A record, and whether all of its fields are known.
fn record(kind: FileKind, node: Node<'_>) -> Option<(Known, bool)> {
    match kind {
        FileKind::Plan => from_node::<Plan>(node).ok().map(|plan| (Known::from(&plan), true)),
        _ => match from_node::<Subscriber>(node) {
            Ok(subscriber) => Some((Known::from(&subscriber), true)),
            Err(_) => loose(node).map(|subscriber| (Known::from(&subscriber), false)),
        },
    }
}

/// A subscriber with fields unknown to this version of the program, without those fields.
fn loose(node: Node<'_>) -> Option<Subscriber> {
    fn field<'n, T: Deserialize<'n>>(node: Node<'n>, name: &str) -> Option<Option<T>> {
        node.get(name).map(|value| from_node(value).ok()).map_or(Some(None), |value| value.map(Some))
    }
    Some(Subscriber {
        ip: field::<Addresses>(node, "ip")??,
        domain: field::<Name>(node, "domain")??,
        plan: field::<Name>(node, "plan")??,
        id: field::<SubscriberId>(node, "id")?,
        name: field::<Text>(node, "name")?,
        status: field::<SubscriberStatus>(node, "status")?.unwrap_or_default(),
        starts: field::<Date>(node, "starts")?,
        ends: field::<Date>(node, "ends")?,
        labels: field::<Box<Labels>>(node, "labels")?,
    })
}

fn count(node: Node<'_>) -> usize {
    // Records contain lists and labels, and nothing deeper is accepted.
    1 + node.items().map(count).sum::<usize>()
        + node.entries().map(|(key, value)| count(key) + count(value)).sum::<usize>()
}

/// Where the lines begin that start with `- `.
fn starts(text: &[u8]) -> impl Iterator<Item = usize> {
    let after_breaks = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(after_breaks).filter(|&at| is_start(text, at))
}

fn is_start(text: &[u8], at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(b"- "))
}

/// Whether each entry, and nothing else, starts with `- ` at the start of a line.
fn has_borders(text: &str, entries: &[Node<'_>]) -> bool {
    let mut starts = starts(text.as_bytes()).peekable();
    entries.iter().all(|entry| {
        let Some(start) = starts.next() else { return false };
        let from = entry.span().start as usize;
        start < from && starts.peek().is_none_or(|next| from < *next)
    }) && starts.next().is_none()
}

/// The records that are only in one of two versions.
#[derive(Debug)]
pub struct Difference {
    /// Those of the old version.
    pub removed: Vec<Known>,
    /// Those of the new one.
    pub added: Vec<Known>,
    fewer: usize,
    more: usize,
}

/// The difference of two versions, of which the old one has borders; `None` if the new one has to be
/// read as a whole.
pub fn difference(kind: FileKind, old: &str, new: &str) -> Option<Difference> {
    let (from, old_to, new_to) = middle(old.as_bytes(), new.as_bytes());
    let (old_part, new_part) = (old.get(from..old_to)?, new.get(from..new_to)?);
    if new_part.is_empty() && new_to == new.len() {
        return None;
    }
    let (removed, added) = (part(kind, old_part)?, part(kind, new_part)?);
    // The part had a list of its own around it.
    let (fewer, more) = (removed.nodes.saturating_sub(1), added.nodes.saturating_sub(1));
    Some(Difference { removed: removed.records, added: added.records, fewer, more })
}

/// Where two texts begin to differ, and where each stops to: all at starts of entries, or at an end.
fn middle(old: &[u8], new: &[u8]) -> (usize, usize, usize) {
    let same = common_prefix(old, new);
    let mut from = same.saturating_sub(1);
    while from > 0 && !(old[from - 1] == b'\n' && from + 2 <= same && is_start(old, from)) {
        from -= 1;
    }
    let (left, right) = (&old[from..], &new[from..]);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let in_new = |to: usize| to + new.len() - old.len();
    let starts_line = |text: &[u8], at: usize| at == 0 || text[at - 1] == b'\n';
    let mut to = old.len() - end;
    while to < old.len() && !(is_start(old, to) && starts_line(old, to) && starts_line(new, in_new(to))) {
        to += 1;
    }
    (from, to, in_new(to))
}

/// Entries that were cut out of a list, if they are nothing but that.
fn part(kind: FileKind, text: &str) -> Option<FileVersion> {
    if text.is_empty() {
        return Some(FileVersion::default());
    }
    // A mark such as `...` or `---` would bear on what comes after.
    let fits = |line: &str| line.is_empty() || line.starts_with([' ', '#']) || line.starts_with("- ");
    if !text.split('\n').all(fits) {
        return None;
    }
    let version = read(kind, text);
    version.borders.then_some(version)
}

impl FileVersion {
    /// The shape of the version, for reading the next one.
    pub fn shape(&self) -> VersionShape {
        VersionShape { borders: self.borders, nodes: self.nodes }
    }
}

/// The parts of a version that reading the next one needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionShape {
    /// See [`FileVersion::borders`].
    pub borders: bool,
    nodes: usize,
}

impl VersionShape {
    /// The shape after a difference; `None` if the whole may be beyond a limit.
    pub fn after(self, difference: &Difference) -> Option<VersionShape> {
        let nodes = (self.nodes + difference.more).saturating_sub(difference.fewer);
        // Close to the limit the whole file is read.
        (nodes + 2 < MAX_NODES).then_some(VersionShape { nodes, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(host: u8, more: &str) -> String {
        format!("- ip: 10.0.0.{host}\n  domain: d.example\n  plan: P\n{more}")
    }

    /// Of each side the addresses that [`difference`] read.
    fn read_of(old: &str, new: &str) -> Option<(String, String)> {
        let difference = difference(FileKind::Subscriber, old, new)?;
        let shown = |known: &[Known]| {
            known.iter().map(|known| known.key.split(['s', '.', '@']).nth(4).unwrap_or_default().to_owned()).collect()
        };
        Some((shown(&difference.removed), shown(&difference.added)))
    }

    #[test]
    fn only_what_differs_is_read() {
        let all: Vec<String> = (1..=6).map(|host| entry(host, "")).collect();
        let text = all.concat();
        let some = |removed: &str, added: &str| Some((removed.to_owned(), added.to_owned()));
        assert_eq!(read_of(&text, &text.replace("10.0.0.3", "10.0.0.7")), some("3", "7"));
        assert_eq!(read_of(&text, &(text.clone() + &entry(8, ""))), some("6", "68"));
        let without = [&all[..2], &all[3..]].concat().concat();
        assert_eq!(read_of(&text, &without), some("3", ""));
        assert_eq!(read_of(&without, &text), some("", "3"));
        assert_eq!(read_of(&text, &all[1..].concat()), some("1", ""));
        assert_eq!(read_of(&text, &all[..5].concat()), some("56", "5"));
    }

    #[test]
    fn what_bears_on_more_than_itself_is_not_read_alone() {
        let text = entry(1, "") + &entry(2, "") + &entry(3, "");
        for odd in ["...\n", "---\n", "%TAG ! x\n", "\tx: y\n", "x: y\n", "  name: 'open\n", "  name: &a x\n", "-\n"] {
            let new = entry(1, "") + &entry(2, odd) + &entry(3, "");
            assert!(read_of(&text, &new).is_none(), "{odd}");
        }
        assert!(read_of(&text, "").is_none());
        assert!(read_of(&text, "# nobody\n").is_none());
    }
}
