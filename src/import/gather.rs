//! Rows of any source → [`Found`]: every value is validated, and every problem of a row is reported.

use std::collections::{BTreeMap, HashMap};

use super::days::day;
use super::found::{
    Doubted, Found, FoundPlan, FoundSubscriber, Origin, PlanKey, RefusedRow, RowReason, RowRemedy, SourceKind,
    SubscriberDetails,
};
use super::twice;
use crate::inventory::reserved::reserved_address;
use crate::model::misspelling::Misspelt;
use crate::model::{Address, Addresses, Attribute, Date, DomainName, Name, Rate, SubscriberId, SubscriberStatus, Text};
use crate::text::count::counted;
use crate::text::quote::quoted;

/// One row, as the source has it. A missing value is an empty text.
#[derive(Clone, Debug, Default)]
pub struct RawSubscriber<'a> {
    /// The addresses.
    pub addresses: Vec<&'a str>,
    /// The domain, perhaps with an `@` in front.
    pub domain: &'a str,
    /// The plan.
    pub plan: RawPlan<'a>,
    /// The id.
    pub id: &'a str,
    /// The name.
    pub name: &'a str,
    /// `active` or `suspended`.
    pub status: &'a str,
    /// The first day of service.
    pub starts: &'a str,
    /// The first day without service.
    pub ends: &'a str,
}

/// How a row names its plan.
#[derive(Clone, Debug, Default)]
pub enum RawPlan<'a> {
    /// Not at all.
    #[default]
    None,
    /// By its shaper attribute.
    Attribute(&'a str),
    /// By name, with the row's other data on the plan.
    Name {
        /// The name.
        name: &'a str,
        /// The shaper attribute.
        attribute: &'a str,
        /// The upload rate.
        up: Option<Rate>,
        /// The download rate.
        down: Option<Rate>,
    },
    /// By its rates alone.
    Rates(Rate, Rate),
}

/// Collects the content of a source.
pub struct Gather {
    found: Found,
    plans: HashMap<PlanKey, u32>,
    fallback_domain: Option<String>,
    /// How many rows had their domain in capitals, and how many addresses a `/32` or `/128`.
    respelt: (usize, usize),
}

impl Gather {
    /// Starts on a source of this kind; rows without a domain get `domain`.
    pub fn new(kind: SourceKind, domain: Option<&DomainName>) -> Self {
        let found = Found {
            kind,
            is_sheet: false,
            plans: Vec::new(),
            rate_order: None,
            domains: BTreeMap::new(),
            subscribers: Vec::new(),
            refusals: Vec::new(),
            doubted: Doubted::default(),
            notes: Vec::new(),
        };
        Self { found, plans: HashMap::new(), fallback_domain: domain.map(ToString::to_string), respelt: (0, 0) }
    }

    /// Records a row that cannot be imported.
    pub fn refuse(&mut self, origin: Origin, subject: &str, reasons: impl IntoIterator<Item: Into<RowReason>>) {
        self.found.refusals.push(RefusedRow::new(origin, subject, reasons));
    }

    /// Adds a sentence for the operator.
    pub fn note(&mut self, sentence: String) {
        self.found.notes.push(sentence);
    }

    /// Records what a refused row names: existing subscribers with it stay as they are.
    pub fn doubt(&mut self, addresses: &[&str], id: &str) {
        let addresses: Vec<Address> = addresses.iter().filter_map(|text| text.parse().ok()).collect();
        self.found.doubted.add(&addresses, id);
    }

    /// Takes a row, or refuses it. `reasons` are the problems found so far.
    pub fn subscriber(&mut self, origin: Origin, raw: &RawSubscriber<'_>, mut reasons: Vec<RowReason>) {
        let ip = addresses(&raw.addresses, &mut reasons);
        let domain = self.domain_name(raw.domain, &mut reasons);
        let plan = plan_key(&raw.plan, &mut reasons);
        let more = more(raw, &mut reasons);
        if let (Some(ip), Some(domain), Some(key), true) = (ip, domain, plan, reasons.is_empty()) {
            match self.plan(origin, key, &raw.plan) {
                Ok(plan) => {
                    self.found.plans[plan as usize].subscribers += 1;
                    self.respelt.0 += usize::from(raw.domain.bytes().any(|byte| byte.is_ascii_uppercase()));
                    self.respelt.1 += raw.addresses.iter().filter(|text| is_host_prefix(text)).count();
                    self.found.domains.entry(domain.clone()).or_insert(origin);
                    self.found.subscribers.push(FoundSubscriber { origin, ip, domain, plan, more });
                    return;
                }
                Err(reason) => reasons.push(reason.into()),
            }
        }
        self.doubt(&raw.addresses, raw.id);
        let addresses = raw.addresses.iter().take(16).copied().collect::<Vec<_>>().join(", ");
        let subject = [addresses.as_str(), raw.id].into_iter().find(|text| !text.is_empty()).map(str::to_owned);
        self.refuse(origin, subject.as_deref().unwrap_or("(nothing)"), reasons);
    }

    /// Takes a plan that the source lists apart from subscribers.
    pub fn listed_plan(&mut self, origin: Origin, attribute: &str) {
        let raw = RawPlan::Attribute(attribute);
        let mut reasons = Vec::new();
        if let Some(key) = plan_key(&raw, &mut reasons) {
            let _ = self.plan(origin, key, &raw);
        }
    }

    /// Takes a domain that the source lists apart from subscribers, if its name is valid.
    pub fn listed_domain(&mut self, origin: Origin, name: &str) {
        if let Some(name) = self.domain_name(name, &mut Vec::new()) {
            self.found.domains.entry(name).or_insert(origin);
        }
    }

    /// The index of a plan, which is new or agrees with the one already known.
    fn plan(&mut self, origin: Origin, key: PlanKey, raw: &RawPlan<'_>) -> Result<u32, String> {
        let (attribute, up, down) = match raw {
            RawPlan::Name { attribute, up, down, .. } => ((!attribute.is_empty()).then_some(*attribute), *up, *down),
            RawPlan::Rates(up, down) => (None, Some(*up), Some(*down)),
            _ => (None, None, None),
        };
        let Some(&number) = self.plans.get(&key) else {
            let number = self.found.plans.len() as u32;
            self.plans.insert(key.clone(), number);
            let attribute = attribute.map(str::to_owned);
            let plan = FoundPlan { key, attribute, up, down, description: None, origin, subscribers: 0 };
            self.found.plans.push(plan);
            return Ok(number);
        };
        let known = &self.found.plans[number as usize];
        let differs = |what: &str, here: String, there: String| {
            let name = quoted(&known.key.to_string());
            Err(format!("the plan {name} has another {what} here than on {}: {here}, {there}", known.origin))
        };
        let shown = |rate: Option<Rate>| rate.map_or_else(|| "none".to_owned(), |rate| rate.to_string());
        if known.up != up {
            return differs("upload rate", shown(up), shown(known.up));
        }
        if known.down != down {
            return differs("download rate", shown(down), shown(known.down));
        }
        if known.attribute.as_deref() != attribute {
            let there = known.attribute.as_deref().unwrap_or("none");
            return differs("attribute", quoted(attribute.unwrap_or("none")), quoted(there));
        }
        Ok(number)
    }

    fn domain_name(&self, text: &str, reasons: &mut Vec<RowReason>) -> Option<Name> {
        let text = text.trim();
        let text = text.strip_prefix('@').unwrap_or(text);
        let lower = match (text, &self.fallback_domain) {
            ("", Some(domain)) => domain.clone(),
            // The reader of the dump has reported the number that leads nowhere.
            ("", None) if self.found.kind == SourceKind::Mysqldump => return None,
            ("", None) => {
                reasons.push(RowReason { remedy: Some(RowRemedy::Domain), ..RowReason::from("there is no domain") });
                return None;
            }
            // DNS knows no case, and the data has one spelling.
            (text, _) => text.to_ascii_lowercase(),
        };
        if !DomainName::is_valid(&lower) {
            reasons.push(format!("{} is not a domain name such as ispcustomer.co.zw", quoted(text)).into());
            return None;
        }
        Some(Name::new(&lower))
    }

    /// Everything, without the rows that contradict or repeat another.
    pub fn finish(mut self) -> Found {
        twice::refuse(&mut self.found);
        if self.respelt.0 > 0 {
            let rows = counted(self.respelt.0, "row", "rows");
            self.note(format!("domains are written in small letters; in {rows} they had capitals"));
        }
        if self.respelt.1 > 0 {
            let addresses = counted(self.respelt.1, "address is", "addresses are");
            self.note(format!("{addresses} written without `/32` or `/128`, which means the same"));
        }
        self.found.refusals.sort();
        self.found
    }

    /// What is collected so far.
    pub fn found(&mut self) -> &mut Found {
        &mut self.found
    }
}

fn is_host_prefix(text: &str) -> bool {
    text.ends_with(if text.contains(':') { "/128" } else { "/32" })
}

/// The addresses of a row; each in its one spelling.
fn addresses(texts: &[&str], reasons: &mut Vec<RowReason>) -> Option<Addresses> {
    if texts.len() > Addresses::MAX {
        reasons
            .push(format!("{} addresses are more than the {} of one subscriber", texts.len(), Addresses::MAX).into());
        return None;
    }
    let mut all: Vec<Address> = Vec::with_capacity(texts.len());
    for text in texts {
        match address(text) {
            Ok(address) if all.contains(&address) => {
                reasons.push(format!("the address {} is in the row twice", quoted(text)).into());
            }
            Ok(address) => all.push(address),
            Err(reason) => reasons.push(reason.into()),
        }
    }
    if all.len() < texts.len() {
        return None;
    }
    let mut all = all.into_iter();
    match (all.next(), all.len()) {
        (None, _) => {
            reasons.push("there is no address".into());
            None
        }
        (Some(one), 0) => Some(Addresses::One(one)),
        (Some(first), _) => Some(Addresses::Many(std::iter::once(first).chain(all).collect())),
    }
}

/// An address that a subscriber can have. `10.10.10.65/29` is refused, because it may be a host or a
/// network.
fn address(text: &str) -> Result<Address, String> {
    if text.is_empty() {
        return Err("there is no address".to_owned());
    }
    // The reason alone: what an address looks like need not be said for each of a thousand rows.
    let read: Address = text.parse().map_err(|wrong: Misspelt| wrong.misspelling().message)?;
    let address = Address::from(read.net());
    if let Some(found) = read.block_or_host() {
        return Err(found.to_string());
    }
    match reserved_address(&address) {
        Some(why) => Err(format!("{} {why}", quoted(&address.to_string()))),
        None => Ok(address),
    }
}

fn plan_key(raw: &RawPlan<'_>, reasons: &mut Vec<RowReason>) -> Option<PlanKey> {
    match raw {
        RawPlan::None => {
            // The reader has reported why the plan is not known.
            if reasons.is_empty() {
                reasons.push("there is no plan".into());
            }
            None
        }
        RawPlan::Rates(up, down) => Some(PlanKey::Rates(*up, *down)),
        RawPlan::Attribute("") | RawPlan::Name { name: "", .. } => {
            reasons.push("there is no plan".into());
            None
        }
        RawPlan::Attribute(text) => attribute(text, reasons).then(|| PlanKey::Attribute((*text).to_owned())),
        RawPlan::Name { name, attribute: text, .. } => {
            if let Err(reason) = name.parse::<Text>() {
                reasons.push(format!("the plan's name: {reason}").into());
                return None;
            }
            (text.is_empty() || attribute(text, reasons)).then(|| PlanKey::Name((*name).to_owned()))
        }
    }
}

fn attribute(text: &str, reasons: &mut Vec<RowReason>) -> bool {
    let valid = Attribute::is_valid(text);
    if !valid {
        let what = "an attribute is printable ASCII without spaces, at most 255 characters";
        reasons.push(format!("{} cannot be written to a shaper file: {what}", quoted(text)).into());
    }
    valid
}

fn more(raw: &RawSubscriber<'_>, reasons: &mut Vec<RowReason>) -> Option<Box<SubscriberDetails>> {
    fn parsed<T: std::str::FromStr<Err = Misspelt>>(text: &str, reasons: &mut Vec<RowReason>) -> Option<T> {
        if text.is_empty() {
            return None;
        }
        text.parse().map_err(|error: Misspelt| reasons.push(error.to_string().into())).ok()
    }
    let name = one_line(raw.name);
    let more = SubscriberDetails {
        id: parsed::<SubscriberId>(raw.id, reasons),
        name: parsed::<Text>(&name, reasons),
        status: status(raw.status, reasons),
        starts: date(raw.starts, reasons),
        ends: date(raw.ends, reasons),
    };
    (more != SubscriberDetails::default()).then(|| Box::new(more))
}

fn date(text: &str, reasons: &mut Vec<RowReason>) -> Option<Date> {
    if text.is_empty() {
        return None;
    }
    day(text).map_err(|error| reasons.push(error.into())).ok()
}

fn status(text: &str, reasons: &mut Vec<RowReason>) -> Option<SubscriberStatus> {
    match text.to_ascii_lowercase().as_str() {
        "" => None,
        "active" => Some(SubscriberStatus::Active),
        "suspended" => Some(SubscriberStatus::Suspended),
        _ => {
            reasons.push(format!("{} is not a status: those are `active` and `suspended`", quoted(text)).into());
            None
        }
    }
}

/// A text with every run of white space as one space: a subscriber's name is one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
