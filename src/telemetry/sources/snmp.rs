//! `snmp`: the interfaces of a router by its IF-MIB (RFC 2863). Their counters have 64 bits; SNMP is of version 2c or 3.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use async_snmp::{Auth, Client, Error, Oid, ResponseShapePolicy, Retry, UdpClient, UsmConfig, Value, WalkOptions, oid};
use futures_util::StreamExt as _;
use serde_json::json;

use super::counters::{Rates, Reading, rates};
use super::{Desk, Round, clean};
use crate::telemetry::message::Message;
use crate::telemetry::sample::{Kind, Sample, now};
use crate::telemetry::settings::{SnmpAccess, SnmpSettings, SourceSettings, secret};
use crate::telemetry::store::batch::Batch;
use crate::telemetry::store::series::{Form, Series, SeriesFacts};
use crate::text::quote::harmless;

/// Interfaces of one device; the largest concentrators have some ten thousand.
const MAX_INTERFACES: usize = 100_000;

/// How long a round may take.
const MAX_ROUND: Duration = Duration::from_secs(600);

/// Interfaces in one request: its answer fits into a packet.
const PER_REQUEST: usize = 5;

/// The columns that are read of each interface at the same moment.
const COUNTERS: [fn() -> Oid; 7] = [
    || oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6),  // ifHCInOctets
    || oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10), // ifHCOutOctets
    || oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 14),     // ifInErrors
    || oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 20),     // ifOutErrors
    || oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 13),     // ifInDiscards
    || oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 19),     // ifOutDiscards
    || oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 19), // ifCounterDiscontinuityTime
];

/// A router.
pub(crate) struct Snmp {
    name: String,
    settings: SnmpSettings,
    auth: Auth,
    timeout: Duration,
    reverse: bool,
    started: Instant,
    /// Made at the first round, and again after a failure: the address of a name may have changed.
    client: Option<UdpClient>,
    /// The last reading of each interface, by its name.
    last: HashMap<String, Reading>,
}

/// An interface: its name, its number until the device starts anew, and its facts.
struct Interface {
    index: u32,
    up: bool,
    facts: SeriesFacts,
}

impl Snmp {
    pub(super) fn new(settings: &SourceSettings, snmp: &SnmpSettings, timeout: Duration) -> Result<Snmp> {
        Ok(Snmp {
            name: settings.name.clone(),
            settings: snmp.clone(),
            auth: auth(&snmp.access)?,
            timeout,
            reverse: settings.reverse,
            started: Instant::now(),
            client: None,
            last: HashMap::new(),
        })
    }

    pub(super) async fn round(&mut self, desk: &Desk) -> Result<Round> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.connect().await?,
        };
        let round = tokio::time::timeout(MAX_ROUND, self.ask(&client, desk)).await;
        let round = round.with_context(|| format!("it takes longer than {} s", MAX_ROUND.as_secs()))??;
        self.client = Some(client);
        Ok(round)
    }

    async fn connect(&self) -> Result<UdpClient> {
        // Each request is repeated once.
        let retry = Retry::fixed(1, Duration::ZERO).context("cannot prepare SNMP")?;
        Client::builder(self.settings.address.as_str(), self.auth.clone())
            .construction_timeout(self.timeout)
            .request_timeout(self.timeout / 2)
            .retry(retry)
            .max_oids_per_request(1 + PER_REQUEST * COUNTERS.len())
            .response_shape_policy(ResponseShapePolicy::Strict)
            .connect()
            .await
            .map_err(failed)
    }

    async fn ask(&mut self, client: &UdpClient, desk: &Desk) -> Result<Round> {
        let mut round = Round::default();
        let interfaces = interfaces(client, &self.name, &mut round.refused).await?;
        let listed: Vec<SeriesFacts> = interfaces.iter().map(|interface| interface.facts.clone()).collect();
        let series = desk.store.list_series(&self.name, &listed, now(), desk.messages).await?;
        let mut batch = Batch { source: self.name.clone(), ..Batch::default() };
        let mut readings = HashMap::with_capacity(interfaces.len());
        let indexes: Vec<u32> = interfaces.iter().map(|interface| interface.index).collect();
        let requests: Vec<Vec<u32>> = indexes.chunks(PER_REQUEST).map(<[u32]>::to_vec).collect();
        let (client, started) = (client.clone(), self.started);
        // Answers come in the order of the requests.
        let mut answers = futures_util::stream::iter(requests)
            .map(move |indexes| read(client.clone(), indexes, started))
            .buffered(self.settings.parallel);
        let mut known = interfaces.iter().zip(&series);
        while let Some(answer) = answers.next().await {
            let at = now();
            for (reading, (interface, series)) in answer?.into_iter().zip(known.by_ref()) {
                let name = &interface.facts.name;
                let found = self.last.get(name).map_or_else(Rates::default, |before| rates(before, &reading));
                round.refused += found.refused;
                add(&mut batch, (self.reverse, desk.messages), (interface, series), at, &found);
                readings.insert(name.clone(), reading);
            }
        }
        if !readings.is_empty() && readings.values().all(|reading| reading.counters[0].is_none()) {
            round.trouble = Some("it has no counters of 64 bits (ifXTable)".to_owned());
        }
        desk.write(batch).await?;
        self.last = readings;
        Ok(round)
    }
}

/// Adds what was between two readings of an interface.
fn add(
    batch: &mut Batch,
    (reverse, messages): (bool, bool),
    (interface, series): (&Interface, &Series),
    at: i64,
    found: &Rates,
) {
    for (kind, rates) in Kind::ALL.into_iter().zip(found.rates) {
        let Some([into, out]) = rates else { continue };
        let (up, down) = if reverse { (out, into) } else { (into, out) };
        batch.samples.push(Sample { series: series.id, kind, at, up, down, active: Some(interface.up) });
        if messages {
            batch.messages.push(Message::traffic(&batch.source, &interface.facts.name, kind, at, (into, out)));
        }
    }
}

fn auth(access: &SnmpAccess) -> Result<Auth> {
    match access {
        SnmpAccess::Community { variable } => Ok(Auth::v2c(secret(variable)?)),
        SnmpAccess::User { user, auth, privacy } => {
            let config = UsmConfig::new(user.clone());
            let (protocol, password) = (auth.protocol, secret(&auth.variable)?);
            let config = match privacy {
                Some(privacy) => config.auth_priv(protocol, password, privacy.protocol, secret(&privacy.variable)?),
                None => config.auth(protocol, password),
            };
            let config = config.map_err(|_| anyhow::anyhow!("a password of SNMP has at least 8 characters"))?;
            Ok(config.into())
        }
    }
}

/// The interfaces of the device that have a name, each once. Named with the source: two routers have an `eth0`.
async fn interfaces(client: &UdpClient, source: &str, refused: &mut u64) -> Result<Vec<Interface>> {
    let (names, aliases, states) = tokio::try_join!(
        column(client, oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)),
        column(client, oid!(1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 18)),
        column(client, oid!(1, 3, 6, 1, 2, 1, 2, 2, 1, 8)),
    )?;
    if names.is_empty() {
        bail!("it lists no interfaces: it has no ifXTable, or its view does not show it");
    }
    let text = |value: &Value| value.as_bytes().map(|bytes| clean(&String::from_utf8_lossy(bytes)));
    let aliases: HashMap<u32, Value> = aliases.into_iter().collect();
    let states: HashMap<u32, Value> = states.into_iter().collect();
    let mut seen = std::collections::HashSet::new();
    let mut interfaces = Vec::with_capacity(names.len());
    for (index, name) in names {
        // As it is stored: what is cut may be another one's, too.
        let named = text(&name).filter(|name| !name.is_empty()).map(|name| clean(&format!("{source}::{name}")));
        let Some(name) = named.filter(|name| seen.insert(name.clone())) else {
            *refused += 1;
            continue;
        };
        // ifOperStatus: 1 is up.
        let up = states.get(&index).and_then(Value::as_i32) == Some(1);
        let facts = SeriesFacts {
            name,
            form: Form::Interface,
            address: None,
            description: aliases.get(&index).and_then(text).filter(|alias| !alias.is_empty()),
            facts: Some(json!({"state": if up { "up" } else { "down" }}).to_string()),
        };
        interfaces.push(Interface { index, up, facts });
    }
    Ok(interfaces)
}

/// A column of a table: the values by their indexes.
async fn column(client: &UdpClient, base: Oid) -> Result<Vec<(u32, Value)>> {
    let options = WalkOptions { result_limit: Some(MAX_INTERFACES), ..WalkOptions::default() };
    let rows = client.walk_with(base.clone(), options).map_err(failed)?.collect().await.map_err(failed)?;
    let row = |bind: async_snmp::VarBind| match bind.oid.strip_prefix(&base)?.arcs() {
        [index] => Some((*index, bind.value)),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

/// The counters of some interfaces, of one moment.
async fn read(client: UdpClient, indexes: Vec<u32>, started: Instant) -> Result<Vec<Reading>> {
    let mut oids = vec![oid!(1, 3, 6, 1, 2, 1, 1, 3, 0)];
    oids.extend(indexes.iter().flat_map(|index| COUNTERS.map(|column| column().child(*index))));
    let answer = client.get_many(&oids).await.map_err(failed)?;
    let at = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
    // As many as were asked for, in their order: any other answer is refused.
    let mut values = answer.varbinds.iter().map(|bind| &bind.value);
    let Some(Value::TimeTicks(uptime)) = values.next() else { bail!("it does not say how long it has been up") };
    let values: Vec<&Value> = values.collect();
    let reading = |values: &[&Value]| {
        let pair = |kind: usize| {
            let side = |side: usize| values.get(kind * 2 + side)?.as_u64();
            Some([side(0)?, side(1)?])
        };
        let discontinuity = match values.last() {
            Some(Value::TimeTicks(ticks)) => *ticks,
            _ => 0,
        };
        Reading { at, uptime: *uptime, discontinuity, counters: [0, 1, 2].map(pair) }
    };
    Ok(values.chunks(COUNTERS.len()).map(reading).collect())
}

/// Says what to do where the device says nothing.
fn failed(error: Box<Error>) -> anyhow::Error {
    let why = harmless(&error.to_string(), 250);
    match error.exchange_source() {
        Error::Timeout { .. } => anyhow::Error::msg(
            "no answer: is the address right, may this host ask, and is the community, or the user with its passwords, right?",
        ),
        // The library prints the whole answer with the number of the request: a new reason each time.
        Error::ResponseShape { .. } => anyhow::Error::msg("its answer is not what was asked for"),
        _ => anyhow::Error::msg(why),
    }
}
