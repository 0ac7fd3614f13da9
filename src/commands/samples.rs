//! Where the samples are: for `collect` and `conform` alike.

use std::path::Path;

use anyhow::{Result, bail};

use super::state;
use crate::cli::StateArgs;
use crate::database::location::StateLocation;
use crate::telemetry::bus::settings::BusSettings;
use crate::telemetry::sender::Sink;
use crate::telemetry::settings::TelemetrySettings;
use crate::web::serve::settings;

/// The variable that names the place.
const VARIABLE: &str = "SHAPELINE_SAMPLES";

/// The sinks that the settings and the environment name. `data` is the data repository, `store` has the samples.
///
/// # Errors
/// If the settings of the broker cannot be used, or the file is where it must not be.
pub(super) fn sinks(
    data: Option<&Path>,
    args: &StateArgs,
    settings: Option<&TelemetrySettings>,
    store: Option<&StateLocation>,
) -> Result<Vec<Sink>> {
    let folder = args.settings.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let file = settings.and_then(|settings| settings.file.as_ref()).map(|file| folder.join(file));
    if let Some(file) = &file {
        let place = StateLocation::Sqlite(file.clone());
        state::outside(data, &place, "`telemetry.file`", "in the file of --settings")?;
        if place.file() == store.and_then(StateLocation::file) {
            bail!("`telemetry.file` is {}, where the samples are: name another file", file.display());
        }
    }
    let file = file.map(Sink::File);
    let bus = BusSettings::resolve(settings.and_then(|settings| settings.bus.as_ref()), variable)?;
    Ok(file.into_iter().chain(bus.map(|bus| Sink::Bus(Box::new(bus)))).collect())
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{name} is not UTF-8"),
    }
}

/// The settings of telemetry, and the place of the samples. `data` is the data repository.
pub(super) fn settings_and_place(
    data: Option<&Path>,
    args: &StateArgs,
) -> Result<(Option<TelemetrySettings>, StateLocation)> {
    let settings = settings(args.settings.as_deref())?;
    let named = variable(VARIABLE)?;
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
