//! Parses a shaper file, such as the live one.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Before, Served, Side};
use crate::model::{Address, Plan, Rate};
use crate::render::{Output, Table};
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
const MAX_BAD_LINES: usize = 1000;

/// Parses a shaper file. Attributes are looked up among the plans of `table`, and addresses among its
/// subscribers, so that a subscriber with two addresses is not counted twice.
///
/// Returns the served addresses, sorted, and every line that could not be parsed. If an address occurs
/// twice, the later line is one of those.
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
            if bad.lines.len() < MAX_BAD_LINES {
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

/// The side of a shaper file that `path` names.
///
/// # Errors
/// If the output has another format, or the file is not text.
pub(crate) fn side_of_file<'a>(
    live: &'a [u8],
    path: &Path,
    output: &Output,
    table: &Table,
) -> Result<(Side<'a>, Before)> {
    if !output.is_shaper_format() {
        bail!("the output {} has a template of its own: only the shaper file's format can be read", output.name);
    }
    let text =
        std::str::from_utf8(live).with_context(|| format!("{} is not UTF-8: is it a shaper file?", path.display()))?;
    let (served, bad) = parse(text, table);
    let known = Before { doubts: bad.doubt("the file").into_iter().collect(), ..Before::default() };
    Ok((Side { served, bytes: live }, known))
}
