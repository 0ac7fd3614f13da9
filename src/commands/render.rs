//! `render`: the shaper file, or another output, from the data.

use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Outcome, refuse};
use crate::cli::RenderArgs;
use crate::disk::write::write_atomic;
use crate::render;

pub(super) fn run(root: &Path, args: &RenderArgs) -> Result<Outcome> {
    let repo = super::until_the_end(super::load(root, &args.data)?);
    let Some(table) = super::checked_table(&repo, super::today(&args.data))? else {
        return Ok(Outcome::Refused);
    };
    let wanted = match (&args.output, &args.out_dir) {
        (None, Some(_)) => render::outputs(&repo.settings).into_values().collect(),
        (name, _) => vec![render::output(&repo.settings, name.as_deref())?],
    };
    let mut artifacts = Vec::with_capacity(wanted.len());
    for output in wanted {
        match render::render(&table, &output) {
            Ok(text) => artifacts.push((output, text)),
            Err(finding) => return refuse(&repo, vec![*finding]),
        }
    }
    // Nothing is written before everything is rendered.
    for (output, text) in artifacts {
        match &args.out_dir {
            Some(dir) => {
                std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
                write_atomic(&dir.join(&output.file), text.into_text().as_bytes())?;
            }
            None => {
                let mut out = std::io::stdout().lock();
                text.pieces().try_for_each(|piece| out.write_all(piece.as_bytes()))?;
                out.flush()?;
            }
        }
    }
    Ok(Outcome::Fine)
}
