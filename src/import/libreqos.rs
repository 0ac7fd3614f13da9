//! ShapedDevices.csv of LibreQoS: a row for each device, with rates in Mbps.
//!
//! A circuit of several devices is one subscriber, because its rate counts once.

use std::collections::HashMap;

use super::cells::{rate, several};
use super::columns::{Columns, CsvRow, CsvRows};
use super::found::{Found, MAX_REASONS, Origin, PlanKey, RowReason, SourceKind};
use super::gather::{Gather, RawPlan, RawSubscriber};
use super::unusable::Unusable;
use crate::model::{DomainName, Rate, Text};
use crate::text::count::counted;
use crate::text::quote::quoted;

/// The columns that are read. Others, such as the parent node, are ignored.
struct DeviceColumns {
    circuit: Option<usize>,
    name: Option<usize>,
    ipv4: Option<usize>,
    ipv6: Option<usize>,
    down_min: Option<usize>,
    up_min: Option<usize>,
    down: Option<usize>,
    up: Option<usize>,
}

impl DeviceColumns {
    fn new(columns: &Columns) -> Result<Self, Unusable> {
        let layout = Self {
            circuit: columns.find(&["circuitid"])?,
            name: columns.find(&["circuitname"])?,
            ipv4: columns.find(&["ipv4"])?,
            ipv6: columns.find(&["ipv6"])?,
            down_min: columns.find(&["downloadminmbps", "downloadmin"])?,
            up_min: columns.find(&["uploadminmbps", "uploadmin"])?,
            down: columns.find(&["downloadmaxmbps", "downloadmax"])?,
            up: columns.find(&["uploadmaxmbps", "uploadmax"])?,
        };
        for (column, name) in [
            (layout.circuit, "Circuit ID"),
            (layout.ipv4.or(layout.ipv6), "IPv4"),
            (layout.down, "Download Max Mbps"),
            (layout.up, "Upload Max Mbps"),
        ] {
            if column.is_none() {
                return Err(Unusable::new(format!(
                    "the header has no column {}, as LibreQoS has it: {}",
                    quoted(name),
                    columns.listed()
                )));
            }
        }
        Ok(layout)
    }

    fn columns(&self) -> [Option<usize>; 8] {
        [self.circuit, self.name, self.ipv4, self.ipv6, self.down_min, self.up_min, self.down, self.up]
    }
}

/// Several rows of one circuit.
struct Circuit {
    origin: Origin,
    id: String,
    name: String,
    addresses: Vec<String>,
    rates: Option<(Rate, Rate)>,
    min: (String, String),
    reasons: Vec<String>,
}

/// Reads a file whose subscribers all belong to `domain`.
///
/// # Errors
/// If it is no such file, or there is no domain.
pub fn read(bytes: &[u8], domain: Option<&DomainName>) -> Result<Found, Unusable> {
    if domain.is_none() {
        return Err(Unusable::NoDomains);
    }
    let rows = CsvRows::open(bytes, Some(b'#'), |columns| DeviceColumns::new(columns).is_ok())?;
    let layout = DeviceColumns::new(&rows.columns)?;
    let mut gather = Gather::new(SourceKind::Libreqos, domain);
    let mut circuits: Vec<Circuit> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    rows.each(&mut gather, &layout.columns(), |_, origin, row| {
        let device = device(origin, row, &layout);
        match by_id.get(&device.id).filter(|_| !device.id.is_empty()) {
            Some(&at) => circuits[at].join(device),
            None => {
                by_id.insert(device.id.clone(), circuits.len());
                circuits.push(device);
            }
        }
    })?;
    let mut minimums: HashMap<(Rate, Rate), Minimum> = HashMap::new();
    for circuit in &circuits {
        take(&mut gather, circuit);
        if let Some(rates) = circuit.rates {
            let minimum = minimums.entry(rates).or_insert_with(|| Minimum::Same(circuit.min.clone()));
            minimum.meet(&circuit.min);
        }
    }
    keep_minimums(gather.found(), &minimums);
    Ok(gather.finish())
}

fn device(origin: Origin, row: &CsvRow<'_>, layout: &DeviceColumns) -> Circuit {
    let mut reasons = Vec::new();
    let up = mbps("upload", row.get(layout.up), &mut reasons);
    let down = mbps("download", row.get(layout.down), &mut reasons);
    let addresses = [row.get(layout.ipv4), row.get(layout.ipv6)];
    if row.get(layout.circuit).is_empty() {
        reasons.push("there is no circuit ID".to_owned());
    }
    Circuit {
        origin,
        id: row.get(layout.circuit).to_owned(),
        name: row.get(layout.name).to_owned(),
        addresses: addresses.into_iter().flat_map(several).map(str::to_owned).collect(),
        rates: up.zip(down),
        min: (row.get(layout.up_min).to_owned(), row.get(layout.down_min).to_owned()),
        reasons,
    }
}

impl Circuit {
    fn join(&mut self, device: Circuit) {
        let Circuit { origin, name, addresses, rates, reasons, .. } = device;
        if rates != self.rates && rates.is_some() && self.rates.is_some() {
            let shown = |rates: Option<(Rate, Rate)>| {
                rates.map_or_else(String::new, |(up, down)| format!("{up} up, {down} down"))
            };
            self.reasons.push(format!(
                "{origin} gives the circuit other rates: {}, and not {}",
                shown(rates),
                shown(self.rates)
            ));
        }
        if name != self.name {
            self.reasons.push(format!("{origin} gives the circuit another name: {}", quoted(&name)));
        }
        self.reasons.extend(reasons.into_iter().map(|reason| format!("{origin}: {reason}")));
        self.reasons.truncate(MAX_REASONS);
        self.addresses.extend(addresses);
    }
}

fn take(gather: &mut Gather, circuit: &Circuit) {
    let raw = RawSubscriber {
        addresses: circuit.addresses.iter().map(String::as_str).collect(),
        plan: circuit.rates.map_or(RawPlan::None, |(up, down)| RawPlan::Rates(up, down)),
        id: &circuit.id,
        name: &circuit.name,
        ..RawSubscriber::default()
    };
    gather.subscriber(circuit.origin, &raw, circuit.reasons.iter().cloned().map(RowReason::from).collect());
}

/// A number of Mbps; newer versions take decimals.
fn mbps(which: &str, text: &str, reasons: &mut Vec<String>) -> Option<Rate> {
    let plain = text.strip_suffix(".0").unwrap_or(text);
    match rate(&format!("{plain} Mbps")) {
        Ok(rate) => return Some(rate),
        // A comma may separate thousands or decimals.
        Err(why) if text.contains(',') => reasons.push(format!("the {which} rate: {why}")),
        Err(_) => reasons.push(format!("the {which} rate {} is not a number of Mbps above 0", quoted(text))),
    }
    None
}

/// The guaranteed rates of the circuits with one plan.
enum Minimum {
    Same((String, String)),
    Different,
}

impl Minimum {
    fn meet(&mut self, other: &(String, String)) {
        if matches!(self, Minimum::Same(same) if same != other) {
            *self = Minimum::Different;
        }
    }
}

/// Shapeline has no guaranteed rates: those of LibreQoS go to the plan's description if all circuits
/// of the plan agree.
fn keep_minimums(found: &mut Found, minimums: &HashMap<(Rate, Rate), Minimum>) {
    let mut lost = 0;
    for plan in &mut found.plans {
        let PlanKey::Rates(up, down) = plan.key else { continue };
        match minimums.get(&(up, down)) {
            Some(Minimum::Same((up, down))) if !up.is_empty() && !down.is_empty() => {
                let text = format!("LibreQoS guarantees {up} Mbps up, {down} Mbps down");
                plan.description = text.parse::<Text>().ok();
            }
            Some(Minimum::Different) => lost += 1,
            _ => {}
        }
    }
    if lost > 0 {
        let plans = counted(lost, "plan", "plans");
        found.notes.push(format!(
            "minimum rates are not taken over where circuits with the same maximum rates have different ones: {plans}"
        ));
    }
}
