//! `rollback`: a version of the past, live again.

use std::path::Path;

use anyhow::Result;

use super::Outcome;
use super::targets::{notice, outcome, print, settings, whether_read_or_not, who};
use crate::cli::{RollbackArgs, TextOrJson};
use crate::publish::choice::find_target;
use crate::publish::rollback::{RollbackOptions, rollback};

pub(super) fn run(root: &Path, args: &RollbackArgs) -> Result<Outcome> {
    let settings = settings(root)?;
    let target = find_target(&settings, &args.target)?;
    let (who, patience) = who(&args.who);
    let options = RollbackOptions { who, patience, to: args.to, force: args.force };
    let reports = [rollback(target, &options, &mut notice(target))];
    whether_read_or_not(print(&reports, args.format == TextOrJson::Json))?;
    Ok(outcome(&reports))
}
