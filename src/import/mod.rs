//! Import of existing data: a portal's database, a live shaper file, a table, LibreQoS.
//!
//! 1. [`recognise`] detects the kind of source.
//!    A sheet of a [`workbook`] is turned into CSV first.
//! 2. [`sql`], [`shaper`], [`csv`] and [`libreqos`] read it, and [`gather`] validates every value. The
//!    result is [`Found`]: the subscribers with their plans, and the refused rows.
//! 3. [`adopt`] compares it with the data: what is new, what differs, what is removed; [`blocks`]
//!    proposes the address blocks that domains lack.
//! 4. `files` writes the result into a draft, and [`proposal`] checks it with the usual rules and
//!    limits. The work tree is not touched before.

pub mod adopt;
mod blocks;
mod cells;
mod columns;
pub(crate) mod csv;
mod days;
mod effect;
mod files;
mod found;
mod gather;
#[cfg(all(unix, feature = "serve"))]
pub(crate) mod gathered;
pub(crate) mod left_out;
mod libreqos;
pub mod proposal;
mod recognise;
mod removals;
mod shadow;
mod shaper;
mod sql;
mod twice;
mod unusable;
mod workbook;

pub use csv::RateUnit;
pub use found::{DumpTable, Found, PlanKey, RateOrder, RefusedRow, RowReason, RowRemedy, SourceKind};
pub use sql::TableColumns;
pub use unusable::Unusable;

use crate::model::DomainName;

/// How to read a source.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Its kind; detected if not given.
    pub kind: Option<SourceKind>,
    /// Which column is what, for CSV.
    pub map: Vec<csv::ColumnMapping>,
    /// The unit of rates that are bare numbers, for CSV; it counts more than the header.
    pub unit: Option<RateUnit>,
    /// The domain of rows that name none.
    pub domain: Option<DomainName>,
    /// The database, where a dump has several.
    pub database: Option<String>,
    /// The order of columns, where a dump does not say it.
    pub columns: Vec<TableColumns>,
    /// The sheet, where a workbook has several.
    pub sheet: Option<String>,
}

/// Reads a source of any kind.
///
/// # Errors
/// If the source as a whole cannot be used.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Result<Found, Unusable> {
    let table = workbook::table(bytes, options.sheet.as_deref())?;
    let bytes = table.as_deref().unwrap_or(bytes);
    recognise::readable(bytes)?;
    let kind = match options.kind {
        Some(kind) => kind,
        None => recognise::recognise(bytes)?,
    };
    let mut found = match kind {
        SourceKind::Mysqldump => sql::read(bytes, options.database.as_deref(), &options.columns)?,
        SourceKind::Shaper => shaper::read(bytes),
        SourceKind::Csv => csv::read(bytes, &options.map, options.unit, options.domain.as_ref())?,
        SourceKind::Libreqos => libreqos::read(bytes, options.domain.as_ref())?,
    };
    found.is_sheet = table.is_some();
    // An empty source must not remove every subscriber.
    if found.subscribers.is_empty() && found.refusals.is_empty() {
        return Err(Unusable::new(format!("as {}, it holds no subscribers", found.description())));
    }
    Ok(found)
}
