//! What to do about the reasons of `import`, in the words of the command line.

use anyhow::{Error, anyhow};

use crate::import::adopt::UnknownPlan;
use crate::import::left_out::{BadPlace, NoPlace};
use crate::import::{RefusedRow, RowReason, RowRemedy, Unusable};
use crate::text::quote::quoted;

/// A refused row, on one line.
pub fn row(row: &RefusedRow) -> String {
    format!("{}: {}: {}", row.origin, row.subject, reasons(row))
}

/// The reasons of a row, on one line.
pub(super) fn reasons(row: &RefusedRow) -> String {
    row.reasons.iter().map(reason).collect::<Vec<_>>().join("; ")
}

/// A reason why a row is refused.
pub(super) fn reason(reason: &RowReason) -> String {
    let what_to_do = match reason.remedy {
        None => "",
        Some(RowRemedy::Domain) => "; `--domain NAME` gives one to rows without",
        Some(RowRemedy::Unit) => ": put it into the header, such as `Upload (Mbps)`, or pass --unit Mbps",
    };
    format!("{}{what_to_do}", reason.text)
}

/// Why a source is refused as a whole.
pub(super) fn unusable(why: &Unusable) -> String {
    match why {
        Unusable::Source(_) => why.to_string(),
        Unusable::UnknownKind => format!("{why}: name it with --from mysqldump, shaper, csv or libreqos"),
        Unusable::NoDomains => format!("{why}: name the one of these subscribers with --domain NAME"),
        Unusable::SeveralDatabases(names) => format!("{why}: name one with --database, of {}", listed(names)),
        Unusable::SeveralSheets(names) => format!("{why}: name one with --sheet, of {}", listed(names)),
        Unusable::NoColumnOrder(table) => format!(
            "{why}, as one made with --no-create-info: make it without that option, or say the order with --columns \
             {}=COLUMN,COLUMN,…",
            table.name()
        ),
        Unusable::MappedTwice(field) => format!("--map names two columns for {field}"),
        Unusable::NoColumn { field, .. } => format!("{why}; name the column with --map {field}=COLUMN"),
        Unusable::TwoColumns { field, numbers: [first, second], .. } => {
            format!("{why}; say which one with --map {field}={first} or --map {field}={second}")
        }
    }
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// Why the report of skipped rows cannot be written.
pub(super) fn no_report(error: Error) -> Error {
    match error.downcast_ref::<NoPlace>().map(|no_place| no_place.why) {
        None => error,
        Some(BadPlace::NoFolder) => anyhow!("{error}; name one with --report"),
        Some(BadPlace::Source | BadPlace::Data) => anyhow!("{error}; name another file with --report"),
        Some(BadPlace::Other) => anyhow!("{error}; move it away, or name another file with --report"),
    }
}

/// Why given rates cannot be used.
pub(super) fn unknown_plan(UnknownPlan { name, meant }: &UnknownPlan) -> String {
    let hint = meant.as_ref().map_or_else(String::new, |near| format!("; did you mean {}?", quoted(near)));
    format!("--rate names {}, which is no plan of the source{hint}", quoted(name))
}
