//! `simulate`: a pretend network over HTTP.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;

use super::{Outcome, checked_table, load, today};
use crate::cli::SimulateArgs;
use crate::telemetry::pretend::serve;
use crate::telemetry::simulation::Simulation;
use crate::telemetry::subscribers::declared;

pub(super) fn run(root: &Path, args: &SimulateArgs) -> Result<Outcome> {
    let repo = Arc::new(load(root, &args.data)?);
    let Some(table) = checked_table(&repo, today(&args.data))? else { return Ok(Outcome::Refused) };
    let simulation = Simulation { seed: args.seed.into(), exceed: args.exceed.0 };
    serve(args.listen, simulation.network(&declared(&table)))?;
    Ok(Outcome::Fine)
}
