//! `init`: a fresh data repository.
use super::Outcome;
use crate::cli::InitArgs;
use anyhow::Result;
use std::path::Path;
pub(super) fn run(_base: Option<&Path>, _args: &InitArgs) -> Result<Outcome> {
    anyhow::bail!("not yet")
}
