//! The messages between parent and child, in postcard: both are the same program.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::model::{
    Address, Addresses, Attribute, Capacity, Contention, Date, Domain, DomainName, Labels, MaxSubscribers, Name, Plan,
    PlanName, PlanStatus, Rate, Subscriber, SubscriberId, SubscriberStatus, Text,
};
use crate::render::own::{RenderJob, TemplateFailure};
use crate::render::table::ServedAddress;
use crate::render::{Output, Table};
use crate::repo::{Record, Repo};
use crate::source::{FileId, SourceFile};

/// All but the subscribers, which follow one by one.
#[derive(Serialize, Deserialize)]
struct RequestHead<'a> {
    checking: bool,
    /// Names and templates.
    #[serde(borrow)]
    outputs: Vec<(&'a str, &'a str)>,
    /// Paths and texts.
    templates: Vec<(&'a str, &'a str)>,
    today: Date,
    plans: Vec<WirePlan>,
    domains: Vec<WireDomain>,
    rows: Cow<'a, [ServedAddress]>,
    subscribers: u32,
}

/// Name, rates up and down, whether it is offered, attribute, description.
type WirePlan = (PlanName, Rate, Rate, bool, Option<Attribute>, Option<Text>);

/// Name, prefixes, capacity, the most subscribers.
type WireDomain = (DomainName, Vec<Address>, Vec<Address>, Option<(Rate, Rate, u32)>, Option<u32>);

/// What a template sees of a subscriber.
#[derive(Serialize, Deserialize)]
struct WireSubscriber<'a> {
    addresses: Vec<(IpAddr, u8)>,
    domain: Name,
    suspended: bool,
    starts: Option<Date>,
    ends: Option<Date>,
    id: Option<Cow<'a, SubscriberId>>,
    name: Option<Cow<'a, Text>>,
    labels: Option<Cow<'a, Labels>>,
}

/// A part of an answer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AnswerFrame<'a> {
    /// More of the text of the output at work.
    Text(&'a [u8]),
    /// The output is finished.
    Done,
    /// The output, or a template that was compiled, failed.
    Failed(TemplateFailure),
}

/// The longest part of an answer.
const LONGEST_FRAME: usize = 1 << 20;

/// The request for `job`.
pub(super) fn request(table: &Table, job: &RenderJob) -> Result<Vec<u8>> {
    let repo = table.repo();
    let head = RequestHead {
        checking: job.checking,
        outputs: job.outputs.iter().map(|output| (output.name.as_str(), output.template.as_str())).collect(),
        templates: repo.templates.iter().map(|(path, file)| (path.as_str(), repo.sources.file(*file).text())).collect(),
        today: table.today(),
        plans: repo.plans.iter().map(|plan| plan_out(&plan.value)).collect(),
        domains: repo.domains.iter().map(|domain| domain_out(&domain.value)).collect(),
        rows: Cow::Borrowed(table.rows()),
        subscribers: u32::try_from(repo.subscribers.len())?,
    };
    let mut bytes = postcard::to_extend(&head, Vec::new())?;
    for subscriber in &repo.subscribers {
        bytes = postcard::to_extend(&subscriber_out(&subscriber.value), bytes)?;
    }
    Ok(bytes)
}

/// The job and the data of a request.
pub(super) fn read_request(bytes: &[u8]) -> Result<(Arc<Table>, RenderJob)> {
    let (head, mut rest) = postcard::take_from_bytes::<RequestHead<'_>>(bytes)?;
    let mut repo = Repo::default();
    for (path, text) in head.templates {
        let file = repo.sources.add(SourceFile::new(path, text));
        repo.templates.insert(path.to_owned(), file);
    }
    repo.plans = head.plans.into_iter().map(|plan| record(plan_in(plan))).collect();
    repo.domains = head.domains.into_iter().map(|domain| record(domain_in(domain))).collect();
    for _ in 0..head.subscribers {
        let (subscriber, after) = postcard::take_from_bytes(rest)?;
        repo.subscribers.push(record(subscriber_in(subscriber)?));
        rest = after;
    }
    let table =
        Table::from_rows(Arc::new(repo), head.rows.into_owned(), head.today).context("a row without a record")?;
    // The file is not written here.
    let output = |(name, template): (&str, &str)| Output {
        name: name.to_owned(),
        template: template.to_owned(),
        file: String::new(),
    };
    let outputs = head.outputs.into_iter().map(output).collect();
    Ok((Arc::new(table), RenderJob { outputs, checking: head.checking }))
}

fn record<T>(value: T) -> Record<T> {
    Record::new(value, FileId::default(), None)
}

fn plan_out(plan: &Plan) -> WirePlan {
    let offered = plan.status == PlanStatus::Offered;
    (plan.name.clone(), plan.up, plan.down, offered, plan.attribute.clone(), plan.description.clone())
}

fn plan_in((name, up, down, offered, attribute, description): WirePlan) -> Plan {
    let status = if offered { PlanStatus::Offered } else { PlanStatus::Retired };
    Plan { name, up, down, status, attribute, description }
}

fn domain_out(domain: &Domain) -> WireDomain {
    let capacity = domain.capacity.as_ref().map(|capacity| (capacity.up, capacity.down, capacity.contention.0));
    (
        domain.name.clone(),
        domain.prefixes.clone(),
        domain.reserved.clone(),
        capacity,
        domain.max_subscribers.map(|most| most.0),
    )
}

fn domain_in((name, prefixes, reserved, capacity, most): WireDomain) -> Domain {
    Domain {
        name,
        prefixes,
        reserved,
        plans: None,
        capacity: capacity.map(|(up, down, contention)| Capacity { up, down, contention: Contention(contention) }),
        max_subscribers: most.map(MaxSubscribers),
        owners: Vec::new(),
    }
}

fn subscriber_out(subscriber: &Subscriber) -> WireSubscriber<'_> {
    let address = |address: &Address| (address.net().addr(), address.net().prefix_len());
    WireSubscriber {
        addresses: subscriber.ip.as_slice().iter().map(address).collect(),
        domain: subscriber.domain.clone(),
        suspended: subscriber.status == SubscriberStatus::Suspended,
        starts: subscriber.starts,
        ends: subscriber.ends,
        id: subscriber.id.as_ref().map(Cow::Borrowed),
        name: subscriber.name.as_ref().map(Cow::Borrowed),
        labels: subscriber.labels.as_deref().map(Cow::Borrowed),
    }
}

fn subscriber_in(wire: WireSubscriber<'_>) -> Result<Subscriber> {
    let address = |(ip, length): &(IpAddr, u8)| IpNet::new(*ip, *length).map(Address::from);
    let ip = match wire.addresses.as_slice() {
        [one] => Addresses::One(address(one)?),
        many => Addresses::Many(many.iter().map(address).collect::<Result<_, _>>()?),
    };
    Ok(Subscriber {
        ip,
        domain: wire.domain,
        // A template sees the plan that the row has.
        plan: Name::new(""),
        id: wire.id.map(Cow::into_owned),
        name: wire.name.map(Cow::into_owned),
        status: if wire.suspended { SubscriberStatus::Suspended } else { SubscriberStatus::Active },
        starts: wire.starts,
        ends: wire.ends,
        labels: wire.labels.map(|labels| Box::new(labels.into_owned())),
    })
}

/// Writes one part of an answer.
pub(super) fn write_frame(mut out: impl Write, answer: &AnswerFrame<'_>) -> std::io::Result<()> {
    let mut bytes = postcard::to_extend(answer, vec![0; 4]).map_err(std::io::Error::other)?;
    let length = (bytes.len() - 4) as u32;
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    out.write_all(&bytes)
}

/// Reads one part of an answer into `frame`; `None` at the end of the input, even inside a part.
pub(super) fn read_frame<'f>(from: &mut impl Read, frame: &'f mut Vec<u8>) -> Result<Option<AnswerFrame<'f>>> {
    let mut length = [0; 4];
    if !read_whole(from, &mut length)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_FRAME {
        bail!("a part of {length} bytes");
    }
    frame.resize(length, 0);
    if !read_whole(from, frame)? {
        return Ok(None);
    }
    Ok(Some(postcard::from_bytes(frame)?))
}

fn read_whole(from: &mut impl Read, into: &mut [u8]) -> std::io::Result<bool> {
    match from.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
