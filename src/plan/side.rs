//! One of the two states that a plan compares: the data's, or a shaper file's.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::shaper_file::{BadLines, ShaperFile};
use super::{Before, Served};
use crate::render::{Output, Table};

/// One of the two states that are compared.
pub struct Side<'a> {
    /// The served addresses.
    pub served: ServedList<'a>,
    /// The output, byte for byte.
    pub bytes: &'a [u8],
}

/// The served addresses of one state, in order. They are made while they are gone through: all at once, a
/// million would take more memory than the data.
#[derive(Debug, Default)]
pub struct ServedList<'a> {
    source: ServedSource<'a>,
    /// Plans whose rates do not count.
    incomplete: Option<&'a BTreeSet<String>>,
}

#[derive(Debug, Default)]
enum ServedSource<'a> {
    #[default]
    Nothing,
    Table(&'a Table),
    File(ShaperFile<'a>),
}

impl<'a> ServedList<'a> {
    /// The same, with unknown rates for these plans.
    pub(crate) fn without_rates_of(self, plans: &'a BTreeSet<String>) -> Self {
        Self { incomplete: Some(plans), ..self }
    }

    /// The files of the other side of a plan whose addresses are served here as there. This list lacks them.
    pub(super) fn shared(&self) -> impl Fn(&Served<'_>) -> bool + use<'a> {
        let shared = match &self.source {
            ServedSource::Table(table) => Some(&table.repo().shared),
            ServedSource::Nothing | ServedSource::File(_) => None,
        };
        let shared = shared.filter(|shared| !shared.is_empty());
        move |served| shared.zip(served.file).is_some_and(|(shared, file)| shared.contains(&file))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.source {
            ServedSource::Nothing => 0,
            ServedSource::Table(table) => table.len(),
            ServedSource::File(file) => file.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, sorted by address.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Served<'a>> {
        let all: Box<dyn Iterator<Item = Served<'a>>> = match &self.source {
            ServedSource::Nothing => Box::new(std::iter::empty()),
            ServedSource::Table(table) => Box::new(table.rows().iter().map(|row| Served::of_row(table, *row))),
            ServedSource::File(file) => Box::new(file.served()),
        };
        all.map(|served| match self.incomplete {
            Some(plans) if plans.contains(served.plan) => Served { rates: None, ..served },
            _ => served,
        })
    }
}

/// All addresses that `table` serves.
pub fn served_by(table: &Table) -> ServedList<'_> {
    ServedList { source: ServedSource::Table(table), incomplete: None }
}

/// Parses a shaper file. Attributes are looked up among the plans of `table`, and addresses among its
/// subscribers, so that a subscriber with two addresses is not counted twice. `rendered`, the shaper file of
/// `table` or nothing, saves parsing the lines that it has, too.
///
/// Returns the served addresses, and every line that could not be parsed. If an address occurs twice, the
/// later line is one of those.
pub fn parse_shaper_file<'a>(text: &'a str, table: &'a Table, rendered: &str) -> (ServedList<'a>, BadLines) {
    let (file, bad) = ShaperFile::parse(text, table, rendered);
    (ServedList { source: ServedSource::File(file), incomplete: None }, bad)
}

/// The side of a shaper file that `path` names. `rendered` is what `table` gives.
///
/// # Errors
/// If the output has another format, or the file is not text.
pub(crate) fn side_of_file<'a>(
    live: &'a [u8],
    path: &Path,
    output: &Output,
    table: &'a Table,
    rendered: &str,
) -> Result<(Side<'a>, Before)> {
    if !output.is_shaper_format() {
        bail!("the output {} has a template of its own: only the shaper file's format can be read", output.name);
    }
    let text =
        std::str::from_utf8(live).with_context(|| format!("{} is not UTF-8: is it a shaper file?", path.display()))?;
    let (served, bad) = parse_shaper_file(text, table, rendered);
    let known = Before { doubts: bad.doubt("the file").into_iter().collect(), ..Before::default() };
    Ok((Side { served, bytes: live }, known))
}
