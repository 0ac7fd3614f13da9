//! Taking over what exists: a portal's database, a live shaper file, a table, LibreQoS.
//!
//! 1. [`recognise`] tells what kind of source a file is.
//! 2. [`sql`], [`shaper`], [`csv`] and [`libreqos`] read it; [`gather`] looks at every value. What
//!    comes out is [`Found`]: who is served with what, and what cannot be taken over, by row.
//! 3. [`adopt`] holds it against the data that is there: what is new, what differs, what goes;
//!    [`blocks`] proposes the address blocks that domains lack.
//! 4. `files` writes that into a draft, and [`proposal`] checks it, with the same rules and limits as
//!    everywhere. Nothing is written before.

pub mod adopt;
pub mod blocks;
mod cells;
mod columns;
pub mod csv;
mod effect;
mod files;
mod found;
pub mod gather;
pub mod left_out;
pub mod libreqos;
pub mod proposal;
pub mod recognise;
pub mod report;
mod shadow;
pub mod shaper;
pub mod sql;
mod twice;

pub use found::{
    DumpTable, Found, FoundPlan, FoundSubscriber, Origin, PlanKey, RefusedRow, SourceKind, SubscriberDetails, Unusable,
};

use crate::model::DomainName;

/// How a source is to be read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Its kind, if it is not to be told from the file.
    pub kind: Option<SourceKind>,
    /// Which column is what, for CSV.
    pub map: Vec<csv::ColumnMapping>,
    /// The domain of rows that name none.
    pub domain: Option<DomainName>,
    /// The database, where a dump has several.
    pub database: Option<String>,
}

/// Reads a source of any kind.
///
/// # Errors
/// If nothing of it is any use.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Result<Found, Unusable> {
    recognise::readable(bytes)?;
    let kind = match options.kind {
        Some(kind) => kind,
        None => recognise::recognise(bytes)?,
    };
    let found = match kind {
        SourceKind::Mysqldump => sql::read(bytes, options.database.as_deref())?,
        SourceKind::Shaper => shaper::read(bytes),
        SourceKind::Csv => csv::read(bytes, &options.map, options.domain.as_ref())?,
        SourceKind::Libreqos => libreqos::read(bytes, options.domain.as_ref())?,
    };
    // Never meant as the word that nobody is served.
    if found.subscribers.is_empty() && found.refusals.is_empty() {
        return Err(Unusable::new(format!("as {}, it holds no subscribers", found.kind.description())));
    }
    Ok(found)
}
