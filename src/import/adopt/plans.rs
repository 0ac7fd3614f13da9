//! The plans of a source: which of them are there, which are new, which lack a rate.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;

use super::RateHints;
use super::current::CurrentData;
use crate::import::cells::rate;
use crate::import::found::{Found, FoundPlan, PlanKey, RateOrder};
use crate::model::{Attribute, Plan, PlanName, PlanStatus, Rate, RatesInName, Text};
use crate::text::quote::quoted;
use crate::text::suggest::Suggestions;

/// `NAME=UP/DOWN`: the rates of a plan, given by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenRates {
    /// The plan, as the source or the data calls it.
    pub plan: String,
    /// The upload rate.
    pub up: Rate,
    /// The download rate.
    pub down: Rate,
}

impl FromStr for GivenRates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // An attribute may contain `=`, such as `"Plan"=GOLD`.
        let parts = text.rsplit_once('=').and_then(|(plan, rates)| Some((plan, rates.split_once('/')?)));
        let Some((plan, (up, down))) = parts else {
            return Err(format!("{} is not NAME=UP/DOWN, such as GOLD=30Mbps/50Mbps", quoted(text)));
        };
        Ok(Self { plan: plan.to_owned(), up: rate(up.trim())?, down: rate(down.trim())? })
    }
}

/// A plan to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlan {
    /// Its name.
    pub name: PlanName,
    /// The shaper attribute, if it is not the name.
    pub attribute: Option<Attribute>,
    /// Its upload rate, if known.
    pub up: Option<Rate>,
    /// Its download rate, if known.
    pub down: Option<Rate>,
    /// For people.
    pub description: Option<Text>,
}

/// A plan that lacks a rate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingRates {
    /// The plan.
    pub name: String,
    /// Whether the upload rate is missing.
    pub up: bool,
    /// Whether the download rate is missing.
    pub down: bool,
    /// How many subscribers of the source have it.
    pub subscribers: usize,
}

/// A plan that is given rates, and that the source does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPlan {
    /// Its name, as it was given.
    pub name: String,
    /// The plan of the source that was probably meant.
    pub meant: Option<String>,
}

/// The changes of the plans.
#[derive(Clone, Debug, Default)]
pub struct PlanWork {
    /// The name of each plan of the source; `None` for one that is skipped, which has no subscribers.
    pub names: Vec<Option<PlanName>>,
    /// Plans to add.
    pub new: Vec<NewPlan>,
    /// Rates to set: the plan's index in the data, upload, download.
    pub set: Vec<(usize, Option<Rate>, Option<Rate>)>,
    /// Plans that lack a rate.
    pub missing: Vec<MissingRates>,
    /// Plans of the source that have neither subscribers nor rates: they are skipped.
    pub left_out: Vec<String>,
    /// Those of the missing ones that have two rates in their names.
    pub two_in_name: Vec<String>,
    /// The given rates whose plan is none of the source's.
    pub unknown: Vec<UnknownPlan>,
}

impl PlanWork {
    pub(super) fn new(found: &Found, present: &CurrentData<'_>, hints: RateHints<'_>) -> Self {
        let given = hints.given;
        let order = hints.order.or(found.rate_order);
        let mut work = Self::default();
        let mut naming = Naming::new(present);
        let mut used = HashSet::new();
        for plan in &found.plans {
            let name = match naming.present(plan) {
                Some(at) => Some(work.existing(plan, at, present, given, &mut used)),
                None => work.made(plan, &mut naming, (given, order), &mut used),
            };
            work.names.push(name);
        }
        work.missing.sort();
        let known: Vec<String> = found.plans.iter().map(|plan| plan.key.to_string()).collect();
        let mut suggestions = Suggestions::new(known.iter().map(String::as_str));
        for rates in given.iter().filter(|rates| !used.contains(&rates.plan)) {
            let meant = suggestions.find(&rates.plan).map(ToOwned::to_owned);
            work.unknown.push(UnknownPlan { name: rates.plan.clone(), meant });
        }
        work
    }

    /// A plan that the data has.
    fn existing(
        &mut self,
        plan: &FoundPlan,
        at: usize,
        present: &CurrentData<'_>,
        given: &[GivenRates],
        used: &mut HashSet<String>,
    ) -> PlanName {
        let known = &present.repo.plans[at].value;
        let incomplete = present.incomplete.contains(known.name.as_str());
        let (up, down) = known_rates(plan, known.name.as_str(), given, used);
        let set = |new: Option<Rate>, old: Rate| new.filter(|new| incomplete || *new != old);
        let (set_up, set_down) = (set(up, known.up), set(down, known.down));
        if set_up.is_some() || set_down.is_some() {
            self.set.push((at, set_up, set_down));
        }
        if incomplete {
            self.lack(known.name.as_str(), up, down, plan.subscribers);
        }
        known.name.clone()
    }

    /// A new plan; `None` if it has neither subscribers nor rates.
    fn made(
        &mut self,
        plan: &FoundPlan,
        naming: &mut Naming<'_>,
        (given, order): (&[GivenRates], Option<RateOrder>),
        used: &mut HashSet<String>,
    ) -> Option<PlanName> {
        let wanted = wanted_name(&plan.key);
        let (up, down) = known_rates(plan, &wanted, given, used);
        let in_name = RatesInName::by_name(&wanted);
        let (said_up, said_down) = match (in_name, order) {
            (Some(RatesInName::Directions { up, down }), _) => (up, down),
            (Some(RatesInName::One(rate)), _) => (Some(rate), Some(rate)),
            (Some(RatesInName::Two(up, down)), Some(RateOrder::UpDown))
            | (Some(RatesInName::Two(down, up)), Some(RateOrder::DownUp)) => (Some(up), Some(down)),
            (Some(RatesInName::Two(..)) | None, _) => (None, None),
        };
        let (up, down) = (up.or(said_up), down.or(said_down));
        if plan.subscribers == 0 && (up.is_none() || down.is_none()) {
            self.left_out.push(plan.key.to_string());
            return None;
        }
        let name = naming.free(&wanted)?;
        self.lack(name.as_str(), up, down, plan.subscribers);
        if matches!(in_name, Some(RatesInName::Two(..))) && (up.is_none() || down.is_none()) {
            self.two_in_name.push(name.to_string());
        }
        let attribute = match &plan.key {
            PlanKey::Attribute(attribute) => Some(attribute.as_str()),
            _ => plan.attribute.as_deref(),
        };
        let attribute = attribute.filter(|text| *text != name.as_str()).and_then(|text| text.parse().ok());
        let original = match &plan.key {
            PlanKey::Name(text) if text != name.as_str() => text.parse().ok(),
            _ => None,
        };
        let description = plan.description.clone().or(original);
        self.new.push(NewPlan { name: name.clone(), attribute, up, down, description });
        Some(name)
    }

    fn lack(&mut self, name: &str, up: Option<Rate>, down: Option<Rate>, subscribers: usize) {
        if up.is_none() || down.is_none() {
            self.missing.push(MissingRates {
                name: name.to_owned(),
                up: up.is_none(),
                down: down.is_none(),
                subscribers,
            });
        }
    }
}

/// The rates given by hand, or else in the source.
fn known_rates(
    plan: &FoundPlan,
    name: &str,
    given: &[GivenRates],
    used: &mut HashSet<String>,
) -> (Option<Rate>, Option<Rate>) {
    let key = plan.key.to_string();
    match given.iter().find(|rates| rates.plan == name || rates.plan == key) {
        Some(rates) => {
            used.insert(rates.plan.clone());
            (Some(rates.up), Some(rates.down))
        }
        None => (plan.up, plan.down),
    }
}

/// The plans of the data, by everything that a source may call them.
struct Naming<'r> {
    plans: Vec<&'r Plan>,
    by_attribute: HashMap<&'r str, usize>,
    by_name: HashMap<&'r str, usize>,
    by_description: HashMap<&'r str, usize>,
    offered_by_rates: HashMap<(Rate, Rate), Vec<usize>>,
    taken: BTreeSet<String>,
    /// The next number for each name that is wanted.
    numbers: HashMap<String, u32>,
}

impl<'r> Naming<'r> {
    fn new(present: &CurrentData<'r>) -> Self {
        let mut naming = Self {
            plans: present.repo.plans.iter().map(|plan| &plan.value).collect(),
            by_attribute: HashMap::new(),
            by_name: HashMap::new(),
            by_description: HashMap::new(),
            offered_by_rates: HashMap::new(),
            taken: BTreeSet::new(),
            numbers: HashMap::new(),
        };
        for (at, plan) in naming.plans.iter().enumerate() {
            naming.by_attribute.entry(plan.shaper_attribute()).or_insert(at);
            naming.by_name.entry(plan.name.as_str()).or_insert(at);
            if let Some(description) = &plan.description {
                let made = wanted_name(&PlanKey::Name(description.to_string()));
                if plan.name.as_str().starts_with(&made) {
                    naming.by_description.entry(description.as_str()).or_insert(at);
                }
            }
            if plan.status == PlanStatus::Offered && !present.incomplete.contains(plan.name.as_str()) {
                naming.offered_by_rates.entry((plan.up, plan.down)).or_default().push(at);
            }
            naming.taken.insert(plan.name.as_str().to_ascii_lowercase());
        }
        naming
    }

    /// The index of the plan in the data that the source names.
    fn present(&self, plan: &FoundPlan) -> Option<usize> {
        match &plan.key {
            PlanKey::Attribute(attribute) => self.by_attribute.get(attribute.as_str()).copied(),
            // A name that is no valid plan name is kept as the description. A plan whose own name was
            // made from another description is not the one.
            PlanKey::Name(name) => {
                let by_name = self.by_name.get(name.as_str()).filter(|at| !self.is_named_after_another(**at, name));
                by_name.or_else(|| self.by_description.get(name.as_str())).copied()
            }
            PlanKey::Rates(up, down) => {
                let by_name = self.by_name.get(wanted_name(&plan.key).as_str()).copied();
                by_name.or_else(|| match self.offered_by_rates.get(&(*up, *down))?.as_slice() {
                    [one] => Some(*one),
                    _ => None,
                })
            }
        }
    }

    /// Whether the plan's name was made from its description, and that is not `name`.
    fn is_named_after_another(&self, at: usize, name: &str) -> bool {
        let plan = self.plans[at];
        let description = plan.description.as_ref().map(Text::as_str).filter(|text| *text != name);
        description.is_some_and(|text| wanted_name(&PlanKey::Name(text.to_owned())) == plan.name.as_str())
    }

    /// `wanted`, with a number if another plan has that name. Names that differ in case alone would be
    /// one file on some systems.
    fn free(&mut self, wanted: &str) -> Option<PlanName> {
        let numbered = |number: u32| if number == 1 { wanted.to_owned() } else { format!("{wanted}_{number}") };
        // Thousands of plans may want one name: each search continues from the last number.
        let from = self.numbers.entry(wanted.to_ascii_lowercase()).or_insert(1);
        let free = (*from..).map(|number| (number, numbered(number)));
        let (number, name) = free.into_iter().find(|(_, name)| !self.taken.contains(&name.to_ascii_lowercase()))?;
        *from = number + 1;
        self.taken.insert(name.to_ascii_lowercase());
        name.parse().ok()
    }
}

/// A valid name for a plan: the value of an attribute such as `"Plan"=GOLD_7.5MEG`, with `_` for every
/// character that a name may not contain.
fn wanted_name(key: &PlanKey) -> String {
    let text = match key {
        PlanKey::Attribute(text) => {
            let value = text.rsplit('=').next().unwrap_or(text).trim_matches('"');
            if value.contains(|c: char| c.is_ascii_alphanumeric()) { value } else { text }
        }
        PlanKey::Name(text) => text,
        PlanKey::Rates(up, down) => return format!("{}_UP_{}_DOWN", meg(*up), meg(*down)),
    };
    let valid = |c: char| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c } else { '_' };
    let name: String = text.chars().map(valid).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    // With room for a number behind.
    let name: String = name.chars().take(120).collect();
    if name.is_empty() { "plan".to_owned() } else { name }
}

/// `30 Mbps` as `30_MEG`, `2.5 Mbps` as `2.5_MEG`, exactly.
fn meg(rate: Rate) -> String {
    let (whole, rest) = (rate.bps() / 1_000_000, rate.bps() % 1_000_000);
    if rest == 0 {
        return format!("{whole}_MEG");
    }
    format!("{whole}.{}_MEG", format!("{rest:06}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_get_names_that_can_be_read() {
        let name = |text: &str| wanted_name(&PlanKey::Attribute(text.to_owned()));
        assert_eq!(name("30_MEG_UP_50_MEG_DOWN"), "30_MEG_UP_50_MEG_DOWN");
        assert_eq!(name("\"Plan\"=GOLD_7.5MEG"), "GOLD_7.5MEG");
        assert_eq!(name("Rate=\"30/30\""), "30_30");
        assert_eq!(name("="), "plan");
        let rates = |up: &str, down: &str| wanted_name(&PlanKey::Rates(up.parse().unwrap(), down.parse().unwrap()));
        assert_eq!(rates("30 Mbps", "1 Gbps"), "30_MEG_UP_1000_MEG_DOWN");
        assert_eq!(rates("2.5 Mbps", "64 kbps"), "2.5_MEG_UP_0.064_MEG_DOWN");
        assert!(PlanName::is_valid(&rates("2.5 Mbps", "1 bit/s")));
    }

    #[test]
    fn rates_are_given_in_any_clear_spelling() {
        let given: GivenRates = "\"Plan\"=GOLD=7.5M/60 Mbps".parse().unwrap();
        assert_eq!(
            (given.plan.as_str(), given.up.to_string(), given.down.to_string()),
            ("\"Plan\"=GOLD", "7.5 Mbps".into(), "60 Mbps".into())
        );
        for bad in ["GOLD", "GOLD=30", "GOLD=30/50", "GOLD=30MB/50MB"] {
            assert!(bad.parse::<GivenRates>().is_err(), "{bad}");
        }
    }
}
