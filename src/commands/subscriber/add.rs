//! `subscriber add`.

use std::path::Path;

use anyhow::Result;

use super::change;
use super::prompt::{ask, can_ask};
use crate::cli::AddArgs;
use crate::commands::{Outcome, load_unaltered};
use crate::edit::{self, NewSubscriber};
use crate::inventory::{Index, KnownDomain};
use crate::query::{self, domains_of, next_free};

pub(super) fn run(root: &Path, args: &AddArgs) -> Result<Outcome> {
    // Asked before the edit begins: the lock is not held while a person thinks.
    let wanted = if can_ask() { answered(root, args)? } else { wanted(args) };
    change::run(root, &args.edit, |repo, changes| edit::add(repo, &wanted, changes))
}

fn wanted(args: &AddArgs) -> NewSubscriber {
    let AddArgs { addresses, next_free, domain, plan, id, name, starts, ends, labels, edit: _ } = args.clone();
    NewSubscriber { addresses, next_free, domain, plan, id, name, starts, ends, labels }
}

/// The arguments with what was missing asked for.
fn answered(root: &Path, args: &AddArgs) -> Result<NewSubscriber> {
    let mut wanted = wanted(args);
    if wanted.plan.is_some() && (!wanted.addresses.is_empty() || wanted.next_free.is_some()) && wanted.domain.is_some()
    {
        return Ok(wanted);
    }
    let repo = load_unaltered(&change::tree(root, &args.edit)?)?;
    let index = Index::new(&repo);
    let known = match wanted.first_address()? {
        Some(address) => domains_of(&index, &address),
        None => index.domains().iter().map(KnownDomain::name).collect(),
    };
    let domain = match (&wanted.domain, known.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [one]) => (*one).to_owned(),
        (None, _) => {
            let mut all: Vec<String> = index.domain_names().map(ToOwned::to_owned).collect();
            all.sort_unstable();
            ask("domain", &all, None)?
        }
    };
    let domain = query::domain(&repo, &domain)?;
    wanted.domain = Some(domain.name.to_string());
    if wanted.addresses.is_empty() && wanted.next_free.is_none() {
        let free = next_free(&repo, domain, None).map(|free| free.to_string());
        wanted.addresses.push(ask("address", &[], free.as_deref())?);
    }
    if wanted.plan.is_none() {
        wanted.plan = Some(ask("plan", &query::offered(&repo, domain), None)?);
    }
    Ok(wanted)
}
