//! Where the samples are: for `collect` and `conform` alike.

use std::path::Path;

use anyhow::{Result, bail};

use super::state;
use crate::cli::StateArgs;
use crate::database::location::StateLocation;
use crate::telemetry::settings::TelemetrySettings;
use crate::web::serve::settings;

/// The variable that names the place.
const VARIABLE: &str = "SHAPELINE_SAMPLES";

/// The settings of telemetry, and the place of the samples. `data` is the data repository.
pub(super) fn settings_and_place(
    data: Option<&Path>,
    args: &StateArgs,
) -> Result<(Option<TelemetrySettings>, StateLocation)> {
    let settings = settings(args.settings.as_deref())?;
    let named = match std::env::var(VARIABLE) {
        Ok(named) => Some(named).filter(|named| !named.is_empty()),
        Err(std::env::VarError::NotPresent) => None,
        Err(std::env::VarError::NotUnicode(_)) => bail!("{VARIABLE} is not UTF-8"),
    };
    let telemetry = settings.telemetry;
    let named = named.or_else(|| telemetry.as_ref()?.store.clone());
    let place = match named {
        Some(named) => StateLocation::named(&named)?,
        // Apart from the accounts: samples take gigabytes.
        None => match StateLocation::choose(args.state.as_deref(), settings.state.as_deref())? {
            StateLocation::Sqlite(path) => StateLocation::Sqlite(path.with_file_name("samples.sqlite")),
            postgres @ StateLocation::Postgres(_) => postgres,
        },
    };
    let hint = format!("with {VARIABLE}, or `telemetry.store` in the file of --settings");
    state::outside(data, &place, "the samples", &hint)?;
    Ok((telemetry, place))
}
