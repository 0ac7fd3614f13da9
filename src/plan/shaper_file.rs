//! A shaper file read back: what is live, as far as it can be understood.

use std::collections::HashMap;

use super::Served;
use crate::model::{Address, Plan, Rate};
use crate::render::Table;
use crate::text::count::counted;
use crate::text::quote::quoted;

/// A line that is not of the shaper file's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    /// The line, cut when long.
    pub text: String,
}

/// The lines that are not of the shaper file's form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadLines {
    /// How many there are.
    pub count: usize,
    /// The first of them: a file of nothing else must not fill the memory.
    pub lines: Vec<BadLine>,
}

impl BadLines {
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

/// How many of them are kept.
const MOST_BAD: usize = 1000;

/// Reads a shaper file. Attributes are looked up among the plans of `table`, and addresses among
/// its subscribers, so that one with two addresses is not counted as two.
///
/// Gives who is served, by address, and every line that could not be understood; of an address
/// that stands there twice, the later line counts as one of those.
pub fn parse<'a>(text: &'a str, table: &Table) -> (Vec<Served<'a>>, BadLines) {
    let plans: HashMap<&str, &Plan> =
        table.repo().plans.iter().rev().map(|plan| (plan.value.shaper_attribute(), &plan.value)).collect();
    let subscribers: HashMap<(bool, u128, u8), u32> =
        table.rows().iter().map(|&row| (table.address(row).sort_key(), table.subscriber_number(row))).collect();
    let mut served: Vec<Served<'a>> = Vec::new();
    let mut bad = BadLines::default();
    let mut seen = std::collections::HashSet::new();
    for (line, number) in text.lines().zip(1..) {
        let parsed = parse_line(line).filter(|(address, ..)| seen.insert(address.sort_key()));
        let Some((address, domain, attribute)) = parsed else {
            bad.count += 1;
            if bad.lines.len() < MOST_BAD {
                bad.lines.push(BadLine { line: number, text: line.chars().take(80).collect() });
            }
            continue;
        };
        let plan = plans.get(attribute);
        let subscriber = subscribers.get(&address.sort_key()).copied();
        served.push(Served {
            address,
            domain: domain.into(),
            attribute: attribute.into(),
            plan: plan.map_or_else(|| attribute.into(), |plan| plan.name.to_string().into()),
            rates: plan.map(|plan| rates(plan)),
            name: None,
            subscriber,
        });
    }
    served.sort_by_cached_key(|served| served.address.sort_key());
    (served, bad)
}

fn rates(plan: &Plan) -> (Rate, Rate) {
    (plan.up, plan.down)
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
