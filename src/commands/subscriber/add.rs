//! `subscriber add`.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::change::{self, Confirmation};
use crate::cli::AddArgs;
use crate::commands::prompt::{self, Choice, can_ask};
use crate::commands::{Outcome, load_unaltered};
use crate::edit::{self, Missing, NewSubscriber, NotAdded};
use crate::inventory::{Index, KnownDomain};
use crate::model::{Domain, Plan};
use crate::query::{self, Refusal, domains_of, next_free};
use crate::repo::Repo;
use crate::text::count::counted;
use crate::text::quote::{listed, quoted};

pub(super) fn run(root: &Path, args: &AddArgs) -> Result<Outcome> {
    let wanted = wanted(args);
    if is_complete(&wanted) || !can_ask() {
        return add(root, args, &wanted, Confirmation::None);
    }
    // Asked before the edit begins: the lock is not held while a person thinks.
    let repo = load_unaltered(&change::tree(root, &args.edit)?)?;
    let (wanted, confirmation) = answered(&repo, wanted)?;
    add(root, args, &wanted, confirmation)
}

fn add(root: &Path, args: &AddArgs, wanted: &NewSubscriber, confirmation: Confirmation) -> Result<Outcome> {
    change::run(root, &args.edit, confirmation, |repo, changes| {
        edit::add(repo, wanted, changes).map_err(|error| match error.downcast::<NotAdded>() {
            Ok(why) => worded(&why),
            Err(error) => error,
        })
    })
}

/// Why nothing is added, with the options that help. Without what is missing, the command line is incomplete;
/// else the request is refused.
fn worded(why: &NotAdded) -> anyhow::Error {
    let refused = |message: String| Refusal(message).into();
    match why {
        NotAdded::Missing(missing) => anyhow!("{}", named(missing)),
        NotAdded::BadLabel(_) => anyhow!("{why}"),
        NotAdded::BadValue(..) => refused(format!("--{why}")),
        NotAdded::InNoBlock(..) | NotAdded::InSeveralBlocks(..) => {
            refused(format!("{why}; name the domain: --domain DOMAIN"))
        }
        NotAdded::Held { address, .. } => {
            refused(format!("{why}; `shapeline subscriber set {address} plan=PLAN` gives it another plan"))
        }
        NotAdded::Unread { .. } => refused(format!("{why}; `shapeline check` shows the places")),
        NotAdded::NoneFree { .. } => refused(why.to_string()),
    }
}

/// What to name, with its options. An address tells the domain.
fn named(missing: &[Missing]) -> String {
    let no_domain = missing.contains(&Missing::Domain);
    let parts = missing.iter().filter_map(|one| match one {
        Missing::Address if no_domain => Some("name the address, or --next-free with --domain DOMAIN"),
        Missing::Address => Some("name the address, or --next-free"),
        Missing::Domain if missing.contains(&Missing::Address) => None,
        Missing::Domain => Some("name the domain: --domain DOMAIN"),
        Missing::Plan => Some("name the plan: --plan PLAN"),
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn wanted(args: &AddArgs) -> NewSubscriber {
    let AddArgs { addresses, next_free, length, domain, plan, id, name, starts, ends, labels, edit: _ } = args.clone();
    NewSubscriber { addresses, next_free, length, domain, plan, id, name, starts, ends, labels }
}

fn has_address(wanted: &NewSubscriber) -> bool {
    !wanted.addresses.is_empty() || wanted.next_free.is_some()
}

/// Whether nothing has to be asked. A domain that is missing may follow from the address.
fn is_complete(wanted: &NewSubscriber) -> bool {
    wanted.plan.is_some() && has_address(wanted) && wanted.domain.is_some()
}

/// The subscriber, with what was missing asked for; to be confirmed if anything was.
fn answered(repo: &Repo, mut wanted: NewSubscriber) -> Result<(NewSubscriber, Confirmation)> {
    let mut confirmation = Confirmation::None;
    let domain = match known_domain(repo, &wanted)? {
        Some(domain) => domain,
        None => {
            confirmation = Confirmation::OnTerminal;
            query::domain(repo, &ask_domain(repo)?)?
        }
    };
    wanted.domain = Some(domain.name.to_string());
    if !has_address(&wanted) {
        confirmation = Confirmation::OnTerminal;
        let free = next_free(repo, domain, None, None).map(|free| free.to_string());
        let check = |text: &str| can_be_given(repo, domain, text);
        wanted.addresses.push(prompt::text("Address", free.as_deref(), check)?);
    }
    if wanted.plan.is_none() {
        confirmation = Confirmation::OnTerminal;
        wanted.plan = Some(ask_plan(repo, domain)?);
    }
    Ok((wanted, confirmation))
}

/// The domain that is named or follows from the address; the only one there is.
fn known_domain<'r>(repo: &'r Repo, wanted: &NewSubscriber) -> Result<Option<&'r Domain>> {
    if let Some(name) = &wanted.domain {
        return Ok(Some(query::domain(repo, name)?));
    }
    let index = Index::new(repo);
    let known = match wanted.first_address()? {
        Some(address) => domains_of(&index, &address),
        None => index.domains().iter().map(KnownDomain::name).collect(),
    };
    match known.as_slice() {
        [one] => Ok(Some(query::domain(repo, one)?)),
        _ => Ok(None),
    }
}

/// Asks for a domain.
fn ask_domain(repo: &Repo) -> Result<String> {
    let index = Index::new(repo);
    let mut domains: Vec<&Domain> = index.domains().iter().map(|known| &known.record.value).collect();
    domains.sort_by_key(|domain| domain.name.as_str());
    let choice = |domain: &&Domain| {
        let blocks: Vec<String> = domain.prefixes.iter().take(3).map(ToString::to_string).collect();
        let more = domain.prefixes.len() - blocks.len();
        let more =
            if more > 0 { format!(" and {}", counted(more, "more block", "more blocks")) } else { String::new() };
        Choice { name: domain.name.to_string(), about: format!("{}{more}", blocks.join(", ")) }
    };
    if domains.is_empty() {
        return Err(Refusal("there is no domain to add a subscriber to: add a file in `domains`".to_owned()).into());
    }
    prompt::choose("Domain", domains.iter().map(choice).collect())
}

/// Asks for a plan that the domain may sell.
fn ask_plan(repo: &Repo, domain: &Domain) -> Result<String> {
    let choice =
        |plan: &&Plan| Choice { name: plan.name.to_string(), about: format!("{} up, {} down", plan.up, plan.down) };
    let offered: Vec<Choice> = query::offered(repo, domain).iter().map(choice).collect();
    if offered.is_empty() {
        let name = quoted(domain.name.as_str());
        return Err(Refusal(format!("no plan is offered to {name}: see `plans` and the domain's field `plans`")).into());
    }
    prompt::choose("Plan", offered)
}

/// Refuses an address that a subscriber of the domain cannot get.
fn can_be_given(repo: &Repo, domain: &Domain, text: &str) -> Result<(), Refusal> {
    let address = query::address(text)?;
    let index = Index::new(repo);
    if !domains_of(&index, &address).contains(&domain.name.as_str()) {
        let blocks = listed(domain.prefixes.iter().map(ToString::to_string));
        let (address, name) = (quoted(&address.to_string()), quoted(domain.name.as_str()));
        return Err(Refusal(format!("{address} is in no block of {name}: {blocks}")));
    }
    edit::not_held(repo, &[address]).map_err(|why| Refusal(why.to_string()))
}
