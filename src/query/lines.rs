//! The lines of one subscriber.

use std::sync::Arc;

use anyhow::Result;

use crate::inventory::Context;
use crate::model::{Date, Subscriber};
use crate::render::{self, Table};
use crate::repo::{Record, Repo};

/// A record's lines in the shaper file, as they are rendered; none if that output has a template of its
/// own, or if it cannot be rendered.
///
/// # Errors
/// If the settings define no such output.
pub fn shaper_lines(repo: &Arc<Repo>, record: &Record<Subscriber>, today: Date) -> Result<Vec<String>> {
    let output = render::output(&repo.settings, None)?;
    if !output.is_shaper_format() {
        return Ok(Vec::new());
    }
    let table = Arc::new(Table::new(repo, &Context::new(repo, today, None)));
    let mine: Vec<usize> = table
        .rows()
        .iter()
        .enumerate()
        .filter(|(_, row)| std::ptr::eq(table.subscriber(**row), record))
        .map(|(at, _)| at)
        .collect();
    // A line of the output for each row of the table, in the same order.
    let Ok(text) = render::render(&table, &output).map(render::Rendered::into_text) else { return Ok(Vec::new()) };
    let all: Vec<&str> = text.lines().collect();
    Ok(mine.into_iter().filter_map(|at| all.get(at)).map(|line| (*line).to_owned()).collect())
}
