//! The section `telemetry` of the server settings.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Result, bail};
use async_snmp::{AuthProtocol, PrivProtocol};
use reqwest::Url;

use super::bus::settings::BusSection;
use crate::database::location::has_password;
use crate::fields::Fields;
use crate::sync::interval::Interval;
use crate::text::quote::quoted;

/// The longest window that is asked for at once.
const MAX_WINDOW: Age = Age(48 * 3600);

/// For how long a sample is the present one, in milliseconds: at least, and if nothing is known of its source.
const MIN_PATIENCE: i64 = 30_000;
const PATIENCE: i64 = 300_000;

/// The settings of telemetry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TelemetrySettings {
    /// Where the samples are: a file or a URL.
    pub(crate) store: Option<String>,
    pub(crate) retention: Retention,
    pub(crate) sources: Vec<SourceSettings>,
    /// Names of interfaces and devices, and the key or id of the subscriber behind each.
    pub(crate) names: BTreeMap<String, String>,
    /// The file to which messages are appended.
    pub(crate) file: Option<PathBuf>,
    /// The broker.
    pub(crate) bus: Option<BusSection>,
    /// Collecting pauses while more messages wait in the outbox than `high`, until fewer than `low` do.
    pub(crate) outbox: Marks,
    /// Where the collector answers with metrics for Prometheus.
    pub(crate) metrics: Option<SocketAddr>,
}

/// How long each level is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) raw: Age,
    pub(crate) minutes: Age,
    pub(crate) hours: Age,
}

/// Numbers of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) high: u64,
    pub(crate) low: u64,
}

/// A source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceSettings {
    pub(crate) name: String,
    pub(crate) interval: Interval,
    /// The limit of one request.
    pub(crate) timeout: Interval,
    /// Whether the interfaces are seen from the other side: `in` goes to the subscriber.
    pub(crate) reverse: bool,
    pub(crate) kind: KindSettings,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum KindSettings {
    Netbeam(NetbeamSettings),
    Devices(HttpSettings),
    Snmp(SnmpSettings),
    Simulate(SimulateSettings),
}

/// An HTTP API.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HttpSettings {
    /// The base of the API.
    pub(crate) url: Url,
    /// The environment variable with a bearer token.
    pub(crate) token: Option<String>,
    /// How many bit/s one unit of its rates is.
    pub(crate) unit: f64,
}

/// An API in the shape of Netbeam's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NetbeamSettings {
    pub(crate) http: HttpSettings,
    /// Requests at a time.
    pub(crate) parallel: usize,
    /// The longest time that one request covers, and where a new series begins.
    pub(crate) window: Age,
    /// How long the source needs until its points are complete.
    pub(crate) delay: Age,
}

/// A device with an IF-MIB.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SnmpSettings {
    /// A host, with a port if it is not 161.
    pub(crate) address: String,
    /// Requests at a time.
    pub(crate) parallel: usize,
    pub(crate) access: SnmpAccess,
}

/// How to be let in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SnmpAccess {
    /// Version 2c: the environment variable with the community.
    Community { variable: String },
    /// Version 3.
    User { user: String, auth: Key<AuthProtocol>, privacy: Option<Key<PrivProtocol>> },
}

/// A password: the environment variable with it, and what is computed with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key<P> {
    pub(crate) protocol: P,
    pub(crate) variable: String,
}

/// A pretend network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SimulateSettings {
    pub(crate) seed: u64,
    /// The share of subscribers that exceed their plans, from 0 to 1.
    pub(crate) exceed: f64,
    /// How much is made up for after a pause.
    pub(crate) window: Age,
}

/// A length of time, written `90s`, `2h` or `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Age(u64);

impl Age {
    pub(crate) fn milliseconds(self) -> i64 {
        i64::try_from(self.0.saturating_mul(1000)).unwrap_or(i64::MAX)
    }
}

impl FromStr for Age {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Age, ()> {
        let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
        let (digits, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, *unit))).ok_or(())?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 = digits.parse().ok().filter(|_| plain).ok_or(())?;
        // Up to a hundred years.
        count.checked_mul(unit).filter(|seconds| *seconds <= 36_525 * 86_400).map(Age).ok_or(())
    }
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { raw: Age(2 * 3600), minutes: Age(7 * 86_400), hours: Age(400 * 86_400) }
    }
}

impl Default for Marks {
    fn default() -> Marks {
        Marks { high: 50_000, low: 30_000 }
    }
}

impl Default for SimulateSettings {
    fn default() -> SimulateSettings {
        SimulateSettings { seed: 1, exceed: 0.0, window: Age(3600) }
    }
}

impl SourceSettings {
    /// For how long a sample is the present one, in milliseconds: three rounds, and what the source needs until its
    /// points are complete.
    fn patience(&self) -> i64 {
        let delay = match &self.kind {
            KindSettings::Netbeam(netbeam) => netbeam.delay.milliseconds(),
            _ => 0,
        };
        (self.interval.seconds() as i64).saturating_mul(3000).saturating_add(delay).max(MIN_PATIENCE)
    }

    /// The environment variables with its secrets.
    pub(crate) fn variables(&self) -> Vec<&str> {
        let variables = match &self.kind {
            KindSettings::Netbeam(netbeam) => [netbeam.http.token.as_ref(), None],
            KindSettings::Devices(http) => [http.token.as_ref(), None],
            KindSettings::Snmp(snmp) => match &snmp.access {
                SnmpAccess::Community { variable } => [Some(variable), None],
                SnmpAccess::User { auth, privacy, .. } => {
                    [Some(&auth.variable), privacy.as_ref().map(|privacy| &privacy.variable)]
                }
            },
            KindSettings::Simulate(_) => [None, None],
        };
        variables.into_iter().flatten().map(String::as_str).collect()
    }
}

impl TelemetrySettings {
    /// For how long a sample of a source is the present one, in milliseconds, also of one that is not in these settings.
    pub(crate) fn patience(&self, source: &str) -> i64 {
        self.sources.iter().find(|one| one.name == source).map_or(PATIENCE, SourceSettings::patience)
    }

    /// The longest of them.
    pub(crate) fn longest_patience(&self) -> i64 {
        self.sources.iter().map(SourceSettings::patience).fold(PATIENCE, i64::max)
    }

    /// Reads the section.
    pub(crate) fn read(fields: &mut Fields<'_>) -> TelemetrySettings {
        let store = fields.text("store", 4000);
        if store.as_deref().is_some_and(has_password) {
            fields.wrong("store", "has a password: put the URL into SHAPELINE_SAMPLES");
        }
        let sources = fields.sections("sources", source);
        let mut names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            fields.wrong("sources", "has two of the same name");
        }
        TelemetrySettings {
            store,
            retention: fields.section("retention", retention).unwrap_or_default(),
            sources,
            names: fields.pairs("names", 250),
            file: fields.text("file", 4000).map(PathBuf::from),
            bus: fields.section("bus", BusSection::read),
            outbox: fields.section("outbox", marks).unwrap_or_default(),
            metrics: fields.parsed("metrics", "an address with a port, such as 127.0.0.1:9119"),
        }
    }
}

fn age(fields: &mut Fields<'_>, name: &'static str, or: Age) -> Age {
    fields.parsed(name, "a time such as 90s, 30m, 2h or 7d").unwrap_or(or)
}

fn retention(fields: &mut Fields<'_>) -> Retention {
    let default = Retention::default();
    let raw = age(fields, "raw", default.raw);
    let minutes = age(fields, "minutes", default.minutes);
    let hours = age(fields, "hours", default.hours);
    // What is deleted must have been rolled up, also what comes late.
    if raw < Age(600) {
        fields.wrong("raw", "is less than 10m");
    }
    if minutes < raw || minutes < Age(7200) {
        fields.wrong("minutes", "is less than `raw` or 2h");
    }
    if hours < minutes {
        fields.wrong("hours", "is less than `minutes`");
    }
    Retention { raw, minutes, hours }
}

fn marks(fields: &mut Fields<'_>) -> Marks {
    let default = Marks::default();
    let high = fields.number("high", 1, 1_000_000_000).unwrap_or(default.high);
    let low = fields.number("low", 0, 1_000_000_000).unwrap_or(default.low.min(high));
    if low > high {
        fields.wrong("low", "is more than `high`");
    }
    Marks { high, low }
}

fn source(fields: &mut Fields<'_>) -> Option<SourceSettings> {
    let name = fields.text("name", 64);
    let kind = fields.text("kind", 64);
    fields.require("name");
    fields.require("kind");
    let interval = fields.parsed("interval", "a time from 1s to 24h, such as 60s");
    // A pretend network waits for nothing, and devices say themselves which way is up.
    let is = |kinds: &[&str]| kind.as_deref().is_some_and(|kind| kinds.contains(&kind));
    let waits = is(&["netbeam", "devices", "snmp"]);
    let timeout = if waits { fields.parsed("timeout", "a time from 1s to 24h, such as 10s") } else { None };
    let reverse = is(&["netbeam", "snmp"]) && fields.switch("reverse").unwrap_or(false);
    let kind = match kind.as_deref() {
        Some("netbeam") => netbeam(fields).map(KindSettings::Netbeam),
        Some("devices") => http(fields).map(KindSettings::Devices),
        Some("snmp") => snmp(fields).map(KindSettings::Snmp),
        Some("simulate") => Some(KindSettings::Simulate(simulate(fields))),
        Some(other) => {
            let what = format!("is {}, not one of netbeam, devices, snmp, simulate", quoted(other));
            fields.wrong("kind", &what);
            fields.ignore_rest();
            None
        }
        None => {
            fields.ignore_rest();
            None
        }
    };
    let or = |text: &str| text.parse::<Interval>().ok();
    Some(SourceSettings {
        name: name?,
        interval: interval.or_else(|| or("60s"))?,
        timeout: timeout.or_else(|| or("10s"))?,
        reverse,
        kind: kind?,
    })
}

fn http(fields: &mut Fields<'_>) -> Option<HttpSettings> {
    fields.require("url");
    let token = variable(fields, "token", "NETBEAM_TOKEN");
    let unit = match fields.text("unit", 10).as_deref() {
        None | Some("bps") => 1.0,
        Some("kbps") => 1e3,
        Some("Mbps") => 1e6,
        Some(_) => {
            fields.wrong("unit", "is not one of bps, kbps, Mbps");
            1.0
        }
    };
    let url = fields.text("url", 500)?.parse::<Url>().ok().filter(is_base);
    let Some(url) = url else {
        fields.wrong("url", "is not the base of an API, such as https://netbeam.ispcustomer.co.zw/api");
        return None;
    };
    let here = ["127.0.0.1", "[::1]", "localhost"].contains(&url.host_str().unwrap_or_default());
    if token.is_some() && url.scheme() == "http" && !here {
        fields.wrong("token", "would cross the network unencrypted: use https");
    }
    Some(HttpSettings { url, token, unit })
}

/// The name of an environment variable.
fn variable(fields: &mut Fields<'_>, name: &'static str, example: &str) -> Option<String> {
    let variable = fields.text(name, 250);
    if variable.as_deref().is_some_and(|variable| !is_variable(variable)) {
        fields.wrong(name, &format!("is not the name of an environment variable, such as {example}"));
    }
    variable
}

fn is_variable(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(fits)
}

/// http or https, a host, and nothing behind the path. A login belongs into the variable.
fn is_base(url: &Url) -> bool {
    ["http", "https"].contains(&url.scheme())
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

fn netbeam(fields: &mut Fields<'_>) -> Option<NetbeamSettings> {
    let parallel = fields.number("parallel", 1, 64).unwrap_or(4) as usize;
    let window = age(fields, "window", MAX_WINDOW);
    if window > MAX_WINDOW || window < Age(60) {
        fields.wrong("window", "is not from 1m to 48h");
    }
    let delay = age(fields, "delay", Age(60));
    Some(NetbeamSettings { http: http(fields)?, parallel, window, delay })
}

fn snmp(fields: &mut Fields<'_>) -> Option<SnmpSettings> {
    fields.require("address");
    let address = fields.text("address", 250);
    if address.as_deref().is_some_and(|address| !is_host(address)) {
        fields.wrong("address", "is not a host, with a port if it is not 161, such as 10.0.0.1 or [2001:db8::1]:1161");
    }
    let parallel = fields.number("parallel", 1, 64).unwrap_or(4) as usize;
    let community = variable(fields, "community", "ROUTER_COMMUNITY");
    let user = fields.text("user", 32);
    let auth = key(fields, ("auth", "auth_protocol"), AuthProtocol::Sha256, "one of MD5, SHA, SHA-224 to SHA-512");
    let wanted = "one of DES, 3DES, AES-128, AES-192-Reeder, AES-256-Reeder, AES-192-Blumenthal, AES-256-Blumenthal";
    let privacy = key(fields, ("privacy", "privacy_protocol"), PrivProtocol::Aes128, wanted);
    let access = match (community, user, auth) {
        (Some(variable), None, None) if privacy.is_none() => SnmpAccess::Community { variable },
        (None, Some(user), Some(auth)) => SnmpAccess::User { user, auth, privacy },
        _ => {
            fields.mistake("snmp needs either `community`, or `user` and `auth`, and `privacy` to be encrypted");
            return None;
        }
    };
    Some(SnmpSettings { address: address?, parallel, access })
}

fn key<P: FromStr>(
    fields: &mut Fields<'_>,
    (name, protocol): (&'static str, &'static str),
    or: P,
    wanted: &str,
) -> Option<Key<P>> {
    let variable = variable(fields, name, "ROUTER_PASSWORD");
    let chosen = fields.parsed(protocol, wanted);
    if chosen.is_some() && variable.is_none() {
        fields.wrong(protocol, &format!("is there without `{name}`"));
    }
    Some(Key { protocol: chosen.unwrap_or(or), variable: variable? })
}

/// A name or an address, of IPv6 in brackets if a port follows.
fn is_host(address: &str) -> bool {
    if address.parse::<std::net::IpAddr>().is_ok() || address.parse::<std::net::SocketAddr>().is_ok() {
        return true;
    }
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "161"));
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    !host.is_empty() && host.chars().all(fits) && port.parse::<u16>().is_ok()
}

fn simulate(fields: &mut Fields<'_>) -> SimulateSettings {
    let default = SimulateSettings::default();
    let seed = fields.number("seed", 0, u64::from(u32::MAX)).unwrap_or(default.seed);
    let Share(exceed) = fields.parsed("exceed", "a percentage, such as 0.5%").unwrap_or(Share(default.exceed));
    let window = age(fields, "window", default.window);
    if window < Age(1) {
        fields.wrong("window", "is less than 1s");
    }
    SimulateSettings { seed, exceed, window }
}

/// A percentage as a part of 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(pub(crate) f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Share, String> {
        let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
        let share = number.filter(|number| (0.0..=100.0).contains(number)).map(|number| Share(number / 100.0));
        share.ok_or_else(|| format!("{} is not a percentage, such as 0.5%", quoted(text)))
    }
}

/// What a variable of the environment has.
///
/// # Errors
/// If it is not set or empty.
pub(crate) fn secret(variable: &str) -> Result<String> {
    match std::env::var(variable) {
        Ok(secret) if !secret.is_empty() => Ok(secret),
        _ => bail!("the environment variable {variable} is not set"),
    }
}
