//! `subscriber add`.

use std::path::Path;

use anyhow::{Result, bail};

use super::change::{self, Told};
use super::names::{self, address};
use super::prompt::{ask, can_ask};
use crate::cli::AddArgs;
use crate::commands::Outcome;
use crate::edit::{Refusal, domains_of, next_free, who};
use crate::finding::{harmless, quoted};
use crate::model::{Address, Domain, Subscriber};
use crate::repo::Repo;
use crate::rules::Index;

pub(super) fn run(root: &Path, args: &AddArgs) -> Result<Outcome> {
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
            subject: change::subject(&subscriber),
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
    Ok(())
}

fn subscriber(repo: &Repo, args: &AddArgs) -> Result<Subscriber> {
    let mut addresses: Vec<Address> = args.addresses.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
    let block = args.next_free.as_deref().filter(|block| !block.is_empty()).map(address).transpose()?;
    let domain = domain(repo, args, addresses.first().or(block.as_ref()))?;
    if addresses.is_empty() {
        addresses.push(one_address(repo, args, domain, block.as_ref())?);
    }
    let plan = match &args.plan {
        Some(plan) => names::plan(repo, plan)?.name.to_string(),
        None if can_ask() => {
            let plan = ask("plan", &names::offered(repo, domain), None)?;
            names::plan(repo, &plan)?.name.to_string()
        }
        None => bail!("name the plan: --plan PLAN"),
    };
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
        None => index.domains().iter().map(crate::rules::KnownDomain::name).collect(),
    };
    if let ([one], true) = (told.as_slice(), address.is_some() || args.next_free.is_some() || can_ask()) {
        return Ok(names::domain(repo, one)?);
    }
    if can_ask() {
        let mut all: Vec<String> = index.domain_names().map(ToOwned::to_owned).collect();
        all.sort_unstable();
        return Ok(names::domain(repo, &ask("domain", &all, None)?)?);
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

/// The next free address; or whatever somebody answers who is asked, that one by default.
fn one_address(repo: &Repo, args: &AddArgs, domain: &Domain, block: Option<&Address>) -> Result<Address> {
    let free = next_free(repo, domain, block);
    if args.next_free.is_some() {
        let within = block.map_or_else(
            || format!("the blocks of {}", quoted(domain.name.as_str())),
            |block| {
                format!("{} as far as it is a block of {}", quoted(&block.to_string()), quoted(domain.name.as_str()))
            },
        );
        return free.ok_or_else(|| Refusal(format!("no address is free in {within}")).into());
    }
    if can_ask() {
        let free = free.map(|free| free.to_string());
        return Ok(address(&ask("address", &[], free.as_deref())?)?);
    }
    bail!("name the address, or --next-free")
}
