//! Lists of flat records, as nearly every large file is one: read straight into their types, and only where
//! they differ from a list that was read before.

use memchr::memmem;
use serde::de::DeserializeOwned;

use super::Record;
use crate::model::Subscriber;
use crate::source::FileId;
use crate::yaml::{self, MAX_NODES};

/// The records of a list in which nothing is wrong.
pub(super) struct FlatList<T> {
    pub(super) records: Vec<Record<T>>,
    /// How many nodes its tree would have.
    pub(super) nodes: usize,
}

/// A list that was read, with its text.
pub(super) struct KnownList<'a> {
    pub(super) text: &'a str,
    pub(super) records: &'a [Record<Subscriber>],
    pub(super) nodes: usize,
}

/// Reads a list of flat records; `None` if the text is none, or something is wrong in it. Without a tree of the
/// whole: a million records would pass through memory once more.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Option<FlatList<T>> {
    // A usual record has 86 bytes.
    let mut records = Vec::with_capacity(text.len() / 80);
    let nodes = yaml::each_flat_record(text, |node| {
        let index = records.len() as u32;
        records.push(Record::new(yaml::de::from_node(node).ok()?, FileId::default(), Some(index)));
        Some(())
    })?;
    Some(FlatList { records, nodes })
}

impl KnownList<'_> {
    /// Reads a similar list: of the records between the first and the last difference the text, and copies of
    /// the others. `None` where [`read`] must decide.
    ///
    /// Only a record begins with a dash in the first column of a flat list, and none depends on another.
    pub(super) fn read_similar(&self, text: &str) -> Option<FlatList<Subscriber>> {
        let (old, new) = (self.text.as_bytes(), text.as_bytes());
        let start = memmem::rfind(&new[..common_start(old, new)], RECORD).map_or(0, |at| at + 1);
        if ![old, new].iter().all(|bytes| bytes[start..].starts_with(&RECORD[1..])) {
            return None;
        }
        let alike = common_end(&old[start..], &new[start..]);
        let after = memmem::find(&new[new.len() - alike..], RECORD).map_or(0, |at| alike - at - 1);
        let middle = match text.get(start..new.len() - after)? {
            "" => FlatList { records: Vec::new(), nodes: 0 },
            middle => read(middle)?,
        };
        let nodes = self.nodes + middle.nodes;
        let before = self.records.get(..count(&old[..start]))?;
        let after = self.records.get(self.records.len().checked_sub(count(&old[old.len() - after..]))?..)?;
        let values = before.iter().chain(&middle.records).chain(after).map(|record| record.value.clone());
        let records = (0..).zip(values).map(|(index, value)| Record::new(value, FileId::default(), Some(index)));
        (nodes <= MAX_NODES).then(|| FlatList { records: records.collect(), nodes })
    }
}

/// Where a line ends and a record begins.
const RECORD: &[u8] = b"\n- ";

/// How many records begin in a part of a list that begins with a line.
fn count(part: &[u8]) -> usize {
    usize::from(part.starts_with(&RECORD[1..])) + memmem::find_iter(part, RECORD).count()
}

/// Bytes that are compared at once.
const BLOCK: usize = 4096;

fn common_start(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(BLOCK).zip(b.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

fn common_end(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(BLOCK).zip(b.rchunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    let (a, b) = (&a[..a.len() - blocks], &b[..b.len() - blocks]);
    blocks + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines of a list, most of them right.
    fn lines() -> impl Strategy<Value = Vec<String>> {
        let line = (0..24_u8, 0..4_u8).prop_map(|(kind, number)| match kind {
            0..=13 => format!("- ip: 10.0.0.{number}\n  domain: a.example\n  plan: P{number}\n"),
            14..=17 => format!("- ip: [10.0.0.{number}, '2001:db8::{number}']\n  domain: a.example\n  plan: P\n"),
            18 => "# - a comment\n".to_owned(),
            19 => "\n".to_owned(),
            20 => format!("  name: customer {number}\n"),
            21 => "---\n".to_owned(),
            22 => "- \n".to_owned(),
            _ => "  labels: {a: b}\n".to_owned(),
        });
        prop::collection::vec(line, 0..10)
    }

    /// One text, and another that has most of its lines.
    fn texts() -> impl Strategy<Value = (String, String)> {
        let edits = prop::collection::vec((any::<prop::sample::Index>(), lines(), 0..3_usize), 0..3);
        (lines(), edits, any::<bool>()).prop_map(|(old, edits, cut)| {
            let mut new = old.clone();
            for (at, lines, removed) in edits {
                let at = at.index(new.len() + 1);
                let end = (at + removed).min(new.len());
                new.splice(at..end, lines.into_iter().take(2));
            }
            let mut new = new.concat();
            if cut {
                new.pop();
            }
            (old.concat(), new)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 4096, ..ProptestConfig::default() })]

        #[test]
        fn a_similar_list_is_read_as_any((old, new) in texts()) {
            let Some(known) = read::<Subscriber>(&old) else { return Ok(()) };
            let known = KnownList { text: &old, records: &known.records, nodes: known.nodes };
            let shown = |list: FlatList<Subscriber>| format!("{:?}", list.records);
            if let Some(similar) = known.read_similar(&new) {
                prop_assert_eq!(Some(shown(similar)), read(&new).map(shown), "{}\n{}", old, new);
            }
        }
    }

    #[test]
    fn of_one_changed_record_only_that_is_read() {
        let text = |plan: &str| {
            let record = |number: usize| {
                let plan = if number == 20 { plan } else { "GOLD" };
                format!("- ip: 10.0.0.{number}\n  domain: a.example\n  plan: {plan}\n")
            };
            (1..40).map(record).collect::<String>()
        };
        let old = text("GOLD");
        let known = read::<Subscriber>(&old).unwrap();
        let known = KnownList { text: &old, records: &known.records, nodes: known.nodes };
        let similar = known.read_similar(&text("SILVER")).unwrap();
        let (record, whole) = (1 + 1 + 2 * 3, known.nodes);
        assert_eq!((similar.records.len(), similar.nodes), (39, whole + record));
        assert_eq!(similar.records[19].value.plan.as_str(), "SILVER");
    }
}
