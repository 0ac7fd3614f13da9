//! The data with a rate for every plan, so that the rest of it can be checked and compared.
//!
//! An import may write a plan without rates, to be filled in by hand. Until then no subscriber of that
//! plan can be rendered, and every check would report each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use crate::repo::{Repo, data_kind};
use crate::schema::FileKind;
use crate::tree::{Content, EntryKind, Tree};
use crate::yaml::{self, NodeKind};

/// Data with a rate for every plan.
pub struct Shadow {
    /// The data.
    pub repo: Repo,
    /// The plans whose rate is made up.
    pub incomplete: BTreeSet<String>,
}

/// Reads `tree`, with a made-up rate for each plan that lacks one.
///
/// # Errors
/// If something could not be read at all.
pub fn load(tree: &Tree) -> Result<Shadow> {
    let mut changed = BTreeMap::new();
    let mut incomplete = BTreeSet::new();
    let reader = tree.reader()?;
    for entry in tree.list()? {
        if entry.kind != EntryKind::File || data_kind(&entry.path) != Some(FileKind::Plan) {
            continue;
        }
        let Content::Bytes(bytes) = reader.read(&entry)? else { continue };
        if let Some((name, text)) = std::str::from_utf8(&bytes).ok().and_then(completed) {
            changed.insert(entry.path.clone(), Some(text.into_bytes()));
            incomplete.insert(name);
        }
    }
    let tree = match changed.is_empty() {
        true => tree.clone(),
        false => Tree::Draft { base: Box::new(tree.clone()), changed: Arc::new(changed) },
    };
    Ok(Shadow { repo: Repo::load(&tree)?, incomplete })
}

/// A plan's name, and its text with the rates that it lacks; nothing if it lacks none.
fn completed(text: &str) -> Option<(String, String)> {
    let reading = yaml::read(text);
    let root = reading.document.as_ref().filter(|_| reading.problems.is_empty())?.root(text)?;
    let name = root.get("name").filter(|_| root.kind() == NodeKind::Mapping)?.text().to_owned();
    let lacking: String = ["up", "down"]
        .iter()
        .filter(|field| root.get(field).is_none())
        .map(|field| format!("{field}: 1 bit/s\n"))
        .collect();
    if lacking.is_empty() {
        return None;
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    Some((name, format!("{text}{end}{lacking}")))
}
