//! `schema`: the JSON Schemas that editors use, written into the data repository.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::Outcome;
use crate::cli::SchemaArgs;
use crate::disk::open;
use crate::disk::write::write_atomic;
use crate::schema::{FOLDER, schema_files};

pub(super) fn run(root: &Path, args: &SchemaArgs) -> Result<Outcome> {
    let folder = root.join(FOLDER);
    let stale = stale(&folder, schema_files())?;
    let mut out = crate::console::out();
    if args.check {
        for name in stale.keys() {
            writeln!(out, "{FOLDER}/{name} is not current; `shapeline schema` writes it")?;
        }
    } else {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        for (name, text) in &stale {
            write_atomic(&folder.join(name), text.as_bytes())?;
            writeln!(out, "{FOLDER}/{name}")?;
        }
    }
    out.flush()?;
    Ok(if args.check && !stale.is_empty() { Outcome::Refused } else { Outcome::Fine })
}

/// The largest schema that is compared.
const MOST_BYTES: u64 = 16 << 20;

/// The files that are not there, or hold something else.
fn stale(folder: &Path, mut files: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    for name in files.keys().cloned().collect::<Vec<_>>() {
        let path = folder.join(&name);
        let bytes = open::read(&path, MOST_BYTES).with_context(|| format!("cannot read {}", path.display()))?;
        if bytes.is_some_and(|bytes| files.get(&name).is_some_and(|text| text.as_bytes() == bytes)) {
            files.remove(&name);
        }
    }
    Ok(files)
}
