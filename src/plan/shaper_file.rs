//! Parses a shaper file, such as the live one.

use std::collections::HashMap;

use super::Served;
use crate::model::{Address, Plan};
use crate::render::{ServedAddress, Table};
use crate::text::count::counted;
use crate::text::quote::quoted;

/// A line that is not in the format of the shaper file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadLine {
    /// The line number, from 1.
    pub(crate) line: usize,
    /// The line, cut when long.
    pub(crate) text: String,
}

/// The lines that are not in the format of the shaper file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadLines {
    pub(crate) count: usize,
    /// The first of them: a file of bad lines must not fill the memory.
    pub(crate) lines: Vec<BadLine>,
}

/// How many of them are kept.
const MAX_BAD_LINES: usize = 1000;

impl BadLines {
    fn add(&mut self, line: &str, number: u32) {
        self.count += 1;
        if self.lines.len() < MAX_BAD_LINES {
            self.lines.push(BadLine { line: number as usize, text: line.chars().take(80).collect() });
        }
    }

    /// Adds lines that are sorted by number.
    fn merge<'l>(&mut self, lines: impl ExactSizeIterator<Item = (&'l str, u32)>) {
        let mut both = std::mem::take(&mut self.lines);
        let count = self.count + lines.len();
        lines.take(MAX_BAD_LINES).for_each(|(line, number)| self.add(line, number));
        both.append(&mut self.lines);
        both.sort_by_key(|bad| bad.line);
        both.truncate(MAX_BAD_LINES);
        *self = BadLines { count, lines: both };
    }

    /// What makes it doubtful who was served by `file`, as messages call it; nothing if every line was understood.
    pub fn doubt(&self, file: &str) -> Option<String> {
        let first = self.lines.first()?;
        Some(format!(
            "{} of {file} could not be understood, so who is served is not fully known; the first is line {}: {}",
            counted(self.count, "line", "lines"),
            first.line,
            quoted(&first.text)
        ))
    }
}

/// A shaper file, of which each line is parsed again whenever it is needed.
#[derive(Debug)]
pub(super) struct ShaperFile<'a> {
    text: &'a str,
    table: &'a Table,
    plans: HashMap<&'a str, &'a Plan>,
    /// The lines that serve an address, sorted by it.
    lines: Vec<ServingLine>,
}

/// Where a line begins, and its number. The sizes fit [`crate::store::MAX_BYTES`].
#[derive(Clone, Copy, Debug)]
struct ServingLine {
    at: u32,
    number: u32,
    /// The row of the table that gives the same line.
    row: Option<ServedAddress>,
}

impl<'a> ShaperFile<'a> {
    /// Parses a file, and returns the lines that could not be. Lines that are also in `rendered`, the shaper file
    /// of `table` or nothing, are not looked into. What lies beyond 4 GiB counts as not parsed.
    pub(super) fn parse(text: &'a str, table: &'a Table, rendered: &str) -> (Self, BadLines) {
        let plans = table.repo().plans.iter().rev().map(|plan| (plan.value.shaper_attribute(), &plan.value)).collect();
        let mut file = Self { text, table, plans, lines: Vec::new() };
        let bad = file.find_lines(rendered);
        (file, bad)
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    fn find_lines(&mut self, rendered: &str) -> BadLines {
        let (table, mut bad) = (self.table, BadLines::default());
        let key_of = |row: ServedAddress| table.address(row).sort_key();
        let mut rows = rendered.split_inclusive('\n').zip(table.rows().iter().copied()).peekable();
        // The address of the line before, or the row that has it.
        let (mut last, mut last_row, mut sorted) = (None, None, true);
        let mut at = 0;
        for (line, number) in self.text.split_inclusive('\n').zip(1..) {
            let start = u32::try_from(at);
            at += line.len();
            if let (Ok(at), Some((_, row))) = (start, rows.next_if(|(like, _)| *like == line)) {
                last_row = Some(row);
                self.lines.push(ServingLine { at, number, row: last_row });
                continue;
            }
            let line = first_line(line);
            let (Ok(at), Some((address, ..))) = (start, parse_line(line)) else {
                bad.add(line, number);
                continue;
            };
            let key = address.sort_key();
            sorted &= last_row.take().map(key_of).or(last) < Some(key);
            last = Some(key);
            while rows.next_if(|(_, row)| key_of(*row) <= key).is_some() {}
            self.lines.push(ServingLine { at, number, row: None });
        }
        if !sorted {
            self.sort(&mut bad);
        }
        bad
    }

    /// Sorts the lines, and leaves out those of an address that an earlier line has.
    fn sort(&mut self, bad: &mut BadLines) {
        let mut lines = std::mem::take(&mut self.lines);
        let key = |line: &ServingLine| self.parsed(*line).map(|(address, ..)| address.sort_key());
        lines.sort_by_cached_key(key);
        let mut twice = Vec::new();
        lines.dedup_by(|line, first| {
            let same = key(line) == key(first);
            if same {
                twice.push(*line);
            }
            same
        });
        twice.sort_unstable_by_key(|line| line.number);
        bad.merge(twice.iter().map(|line| (self.line(*line), line.number)));
        self.lines = lines;
    }

    fn line(&self, line: ServingLine) -> &'a str {
        first_line(&self.text[line.at as usize..])
    }

    fn parsed(&self, line: ServingLine) -> Option<(Address, &'a str, &'a str)> {
        parse_line(self.line(line))
    }

    /// The served addresses, in order.
    pub(super) fn served(&self) -> impl Iterator<Item = Served<'a>> {
        // Both are sorted: the table is gone through once.
        let mut rows = self.table.rows().iter().copied().peekable();
        self.lines.iter().filter_map(move |&line| {
            let table = self.table;
            if let Some(row) = line.row {
                return Some(Served { name: None, file: None, ..Served::of_row(table, row) });
            }
            let (address, domain, attribute) = self.parsed(line)?;
            let key = address.sort_key();
            while rows.next_if(|row| table.address(*row).sort_key() < key).is_some() {}
            let row = rows.peek().filter(|row| table.address(**row).sort_key() == key);
            let plan = self.plans.get(attribute);
            Some(Served {
                address,
                domain,
                attribute,
                plan: plan.map_or(attribute, |plan| plan.name.as_str()),
                rates: plan.map(|plan| (plan.up, plan.down)),
                name: None,
                subscriber: row.and_then(|row| Served::of_row(table, *row).subscriber),
                file: None,
            })
        })
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// `address address@domain :=set_attribute attribute`
fn parse_line(line: &str) -> Option<(Address, &str, &str)> {
    let mut fields = line.split(' ');
    let (ip, user, word, attribute) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let (user_ip, domain) = user.split_once('@')?;
    let address: Address = ip.parse().ok()?;
    let whole = fields.next().is_none() && word == ":=set_attribute" && user_ip == ip;
    let filled = !domain.is_empty() && !attribute.is_empty() && address.written().is_none();
    (whole && filled).then_some((address, domain, attribute))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::inventory::Context;
    use crate::repo::Repo;
    use crate::tree::Tree;

    /// Twelve subscribers, one of them with two addresses, and their shaper file.
    fn table() -> (Arc<Table>, String) {
        let mut subscribers = "- {ip: [10.0.0.14, '2001:db8::/64'], domain: a.example, plan: GOLD}\n".to_owned();
        for host in (1..12).rev() {
            let plan = ["GOLD", "SILVER"][host % 2];
            subscribers += &format!("- {{ip: 10.0.0.{host}, domain: a.example, plan: {plan}}}\n");
        }
        let plan = |name: &str| (format!("plans/{name}.yaml"), format!("name: {name}\nup: 1 Mbps\ndown: 2 Mbps\n"));
        let files = [plan("GOLD"), plan("SILVER"), ("subscribers/a.yaml".to_owned(), subscribers)];
        let files = files.into_iter().map(|(path, text)| (path, text.into_bytes()));
        let repo = Arc::new(Repo::load(&Tree::Memory(files.collect())).unwrap());
        let table = Arc::new(Table::new(&repo, &Context::new(&repo, "2026-11-21".parse().unwrap(), None)));
        let output = crate::render::output(&repo.settings, None).unwrap();
        let text = crate::render::render(&table, &output).unwrap().into_text();
        (table, text)
    }

    /// A change of a file: a line is removed, repeated elsewhere, replaced, or spoilt.
    fn edits() -> impl Strategy<Value = Vec<(usize, usize, u8)>> {
        prop::collection::vec((0_usize..14, 0_usize..14, 0_u8..5), 0..6)
    }

    fn edited(text: &str, edits: &[(usize, usize, u8)]) -> String {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(ToOwned::to_owned).collect();
        for &(from, to, how) in edits {
            let (from, to) = (from % lines.len(), to % lines.len());
            match how {
                0 if lines.len() > 1 => drop(lines.remove(from)),
                1 => lines.insert(to, lines[from].clone()),
                2 => lines[from] = lines[from].replace("GOLD", "BRONZE"),
                3 => lines[from] = lines[from].replace('\n', "\r\n"),
                _ => lines[from] = lines[from].replace('@', " "),
            }
        }
        lines.concat()
    }

    /// The same by the definition: the first line of each address, by address; the numbers of all others.
    fn by_definition(text: &str) -> (Vec<String>, Vec<usize>) {
        let (mut seen, mut lines, mut bad) = (HashSet::new(), Vec::new(), Vec::new());
        for (line, number) in text.lines().zip(1..) {
            match parse_line(line).filter(|(address, ..)| seen.insert(address.sort_key())) {
                Some(parsed) => lines.push((parsed.0.sort_key(), line.to_owned())),
                None => bad.push(number),
            }
        }
        lines.sort();
        (lines.into_iter().map(|(_, line)| line).collect(), bad)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_file_is_read_as_defined_with_and_without_what_is_rendered(edits in edits()) {
            let (table, rendered) = table();
            let text = edited(&rendered, &edits);
            let (lines, bad_numbers) = by_definition(&text);
            let mut before: Option<Vec<Served<'_>>> = None;
            for rendered in ["", &rendered] {
                let (file, bad) = ShaperFile::parse(&text, &table, rendered);
                let all: Vec<Served<'_>> = file.served().collect();
                let line = |served: &Served<'_>| {
                    format!("{0} {0}@{1} :=set_attribute {2}", served.address, served.domain, served.attribute)
                };
                prop_assert_eq!(all.iter().map(line).collect::<Vec<_>>(), lines.clone());
                prop_assert_eq!(file.len(), lines.len());
                let numbers: Vec<usize> = bad.lines.iter().map(|bad| bad.line).collect();
                prop_assert_eq!((bad.count, &numbers), (bad_numbers.len(), &bad_numbers));
                prop_assert!(before.is_none_or(|before| before == all));
                before = Some(all);
            }
        }
    }
}
