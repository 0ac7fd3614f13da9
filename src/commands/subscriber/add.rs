//! `subscriber add`.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::change::{self, Told};
use super::names::{self, address};
use super::prompt::{ask, can_ask};
use crate::cli::AddArgs;
use crate::commands::{Outcome, load_unaltered};
use crate::edit::{Refusal, UnreadAddresses, domains_of, next_free, who};
use crate::inventory::Index;
use crate::inventory::KnownDomain;
use crate::model::{Address, Domain, Subscriber};
use crate::repo::Repo;
use crate::text::quote::harmless;
use crate::text::quote::quoted;

pub(super) fn run(root: &Path, args: &AddArgs) -> Result<Outcome> {
    // Asked before the edit begins: nobody waits for whoever thinks about an answer.
    let args = &if can_ask() { answered(root, args)? } else { args.clone() };
    change::run(root, &args.edit, |repo, changes| {
        let subscriber = subscriber(repo, args)?;
        let key = harmless(&subscriber.key(), 100);
        let ip = who::addresses(&subscriber);
        let told = Told {
            verb: "Add",
            done: "Added",
            what: format!(
                "{ip} to {} with {}",
                harmless(subscriber.domain.as_str(), 100),
                harmless(subscriber.plan.as_str(), 100)
            ),
            each: Vec::new(),
            // Of two that take the same free address, both branches have the same name.
            subject: if args.next_free.is_some() { ip.clone() } else { change::subject(&subscriber) },
            already: format!("{key} is there as you say"),
        };
        if repo.subscribers.iter().any(|record| record.value == subscriber) {
            return Ok(told);
        }
        not_held(repo, &subscriber)?;
        changes.add(&subscriber)?;
        Ok(told)
    })
}

/// The arguments with what was missing asked for.
fn answered(root: &Path, args: &AddArgs) -> Result<AddArgs> {
    let mut args = args.clone();
    if args.plan.is_some() && (!args.addresses.is_empty() || args.next_free.is_some()) && args.domain.is_some() {
        return Ok(args);
    }
    let repo = load_unaltered(&change::tree(root, &args.edit)?)?;
    let index = Index::new(&repo);
    let told = match told_by(&args)? {
        Some(address) => domains_of(&index, &address),
        None => index.domains().iter().map(KnownDomain::name).collect(),
    };
    let domain = match (&args.domain, told.as_slice()) {
        (Some(name), _) => name.clone(),
        (None, [one]) => (*one).to_owned(),
        (None, _) => {
            let mut all: Vec<String> = index.domain_names().map(ToOwned::to_owned).collect();
            all.sort_unstable();
            ask("domain", &all, None)?
        }
    };
    let domain = names::domain(&repo, &domain)?;
    args.domain = Some(domain.name.to_string());
    if args.addresses.is_empty() && args.next_free.is_none() {
        let free = next_free(&repo, domain, None).map(|free| free.to_string());
        args.addresses.push(ask("address", &[], free.as_deref())?);
    }
    if args.plan.is_none() {
        args.plan = Some(ask("plan", &names::offered(&repo, domain), None)?);
    }
    Ok(args)
}

/// The first address, or the block, that stands on the command line.
fn told_by(args: &AddArgs) -> Result<Option<Address>, Refusal> {
    let block = args.next_free.iter().filter(|block| !block.is_empty());
    args.addresses.iter().chain(block).next().map(|text| address(text)).transpose()
}

/// An address that somebody has is refused with what was probably meant.
fn not_held(repo: &Repo, subscriber: &Subscriber) -> Result<(), Refusal> {
    for ip in subscriber.ip.as_slice() {
        let holds = |held: &Address| held.net() == ip.net();
        let Some(holder) = repo.subscribers.iter().find(|record| record.value.ip.as_slice().iter().any(holds)) else {
            continue;
        };
        let (ip, key, plan) = (ip.to_string(), holder.value.key(), holder.value.plan.as_str());
        return Err(Refusal(format!(
            "{} is there already, as {} with {}; `shapeline subscriber set {ip} plan=PLAN` gives it another plan",
            quoted(&ip),
            quoted(&key),
            quoted(plan)
        )));
    }
    let unread = UnreadAddresses::of(repo);
    let doubtful = subscriber.ip.as_slice().iter().find_map(|ip| Some((ip, unread.holder(ip)?)));
    match doubtful {
        Some((ip, path)) => Err(Refusal(format!(
            "{} stands in {}, of which not all can be read: mend that first, `shapeline check` tells how",
            quoted(&ip.to_string()),
            quoted(path)
        ))),
        None => Ok(()),
    }
}

fn subscriber(repo: &Repo, args: &AddArgs) -> Result<Subscriber> {
    let mut addresses: Vec<Address> = args.addresses.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
    let told = told_by(args)?;
    let domain = domain(repo, args, told.as_ref())?;
    if addresses.is_empty() {
        if args.next_free.is_none() {
            bail!("name the address, or --next-free");
        }
        addresses.push(free_address(repo, domain, told.as_ref())?);
    }
    let plan = args.plan.as_ref().context("name the plan: --plan PLAN")?;
    let plan = names::plan(repo, plan)?.name.to_string();
    let mut json = serde_json::json!({"ip": addresses.iter().map(ToString::to_string).collect::<Vec<_>>()});
    if let [one] = addresses.as_slice() {
        json = serde_json::json!({"ip": one.to_string()});
    }
    let dates = [("starts", args.starts), ("ends", args.ends)];
    let dates = dates.into_iter().filter_map(|(field, date)| Some((field, date?.to_string())));
    let texts = [("id", args.id.clone()), ("name", args.name.clone())];
    let texts = texts.into_iter().filter_map(|(field, text)| Some((field, text?)));
    for (field, text) in [("domain", domain.name.to_string()), ("plan", plan)].into_iter().chain(texts).chain(dates) {
        json[field] = text.into();
    }
    for label in &args.labels {
        let Some((name, value)) = label.split_once('=') else {
            bail!("{} is no label: write NAME=VALUE, such as ticket=4711", quoted(label));
        };
        json["labels"][name] = value.into();
    }
    check(&args.id, "--id")?;
    serde_json::from_value(json).map_err(|error| Refusal(error.to_string()).into())
}

/// An id that cannot be one is told with what it is for.
fn check(id: &Option<String>, option: &str) -> Result<(), Refusal> {
    let parsed = id.as_ref().map(|id| id.parse::<crate::model::SubscriberId>());
    parsed.transpose().map(drop).map_err(|why| Refusal(format!("{option}: {why}")))
}

/// The domain that is named, or the one that the address tells.
fn domain<'r>(repo: &'r Repo, args: &AddArgs, address: Option<&Address>) -> Result<&'r Domain> {
    if let Some(name) = &args.domain {
        return Ok(names::domain(repo, name)?);
    }
    let index = Index::new(repo);
    let told = match address {
        Some(address) => domains_of(&index, address),
        None => index.domains().iter().map(KnownDomain::name).collect(),
    };
    if let ([one], true) = (told.as_slice(), address.is_some() || args.next_free.is_some()) {
        return Ok(names::domain(repo, one)?);
    }
    let names: Vec<String> = told.iter().map(|name| quoted(name)).collect();
    match address {
        Some(address) if told.is_empty() => {
            let address = quoted(&address.to_string());
            Err(Refusal(format!("no domain has a block that holds {address}; name the domain: --domain DOMAIN")).into())
        }
        Some(address) => {
            let address = quoted(&address.to_string());
            let names = names.join(" and ");
            Err(Refusal(format!("{address} lies in blocks of {names}; name the domain: --domain DOMAIN")).into())
        }
        None => bail!("name the domain: --domain DOMAIN"),
    }
}

/// The next free address of a domain, or of a block of it.
fn free_address(repo: &Repo, domain: &Domain, block: Option<&Address>) -> Result<Address, Refusal> {
    let name = quoted(domain.name.as_str());
    let within = match block {
        None => format!("the blocks of {name}"),
        Some(block) => format!("{} as far as it is a block of {name}", quoted(&block.to_string())),
    };
    next_free(repo, domain, block).ok_or_else(|| Refusal(format!("no address is free in {within}")))
}
