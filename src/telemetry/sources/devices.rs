//! `devices`: an HTTP API that lists devices with their current rates.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, Entry, MAX_SERIES, NO_LIST, Round, clean, is_measure};
use crate::telemetry::http::HttpSource;
use crate::telemetry::message::Message;
use crate::telemetry::sample::{Kind, Sample};
use crate::telemetry::settings::{HttpSettings, SourceSettings};
use crate::telemetry::store::batch::Batch;
use crate::telemetry::store::series::{Form, SeriesFacts};
use crate::telemetry::subscribers::mac;

/// The longest list, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// Samples in a transaction.
const MAX_BATCH: usize = 20_000;

/// An API with devices.
pub(crate) struct Devices {
    name: String,
    http: HttpSource,
    unit: f64,
}

/// Known by its MAC address. What it says of its use may be anything: it is listed all the same.
#[derive(Deserialize)]
struct Device {
    mac_address: String,
    #[serde(default)]
    upload_speed: Value,
    #[serde(default)]
    download_speed: Value,
    #[serde(default)]
    active_connection: Value,
    #[serde(default)]
    device_type: Option<String>,
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    ip_address: Option<String>,
    #[serde(default)]
    operating_system: Option<String>,
    #[serde(default)]
    host_name: Option<String>,
}

impl Devices {
    pub(super) fn new(settings: &SourceSettings, api: &HttpSettings, timeout: Duration) -> Result<Devices> {
        Ok(Devices { name: settings.name.clone(), http: HttpSource::new(api, timeout)?, unit: api.unit })
    }

    pub(super) async fn round(&mut self, desk: &Desk, now: i64) -> Result<Round> {
        let entries: Option<Vec<Entry<Box<Device>>>> = self.http.get("devices/", &[], MAX_ANSWER).await?;
        let entries = entries.context(NO_LIST)?;
        let mut round = Round::default();
        let devices = sound(entries, &mut round);
        let listed: Vec<SeriesFacts> = devices.iter().map(|(mac, device)| facts(mac, device)).collect();
        let series = desk.store.list_series(&self.name, &listed, now, desk.messages).await?;
        for (devices, series) in devices.chunks(MAX_BATCH).zip(series.chunks(MAX_BATCH)) {
            let mut batch = Batch { source: self.name.clone(), ..Batch::default() };
            for ((mac, device), series) in devices.iter().zip(series) {
                let Some((up, down, active)) = device.measured(self.unit) else {
                    round.refused += 1;
                    continue;
                };
                let active = Some(active);
                batch.samples.push(Sample { series: series.id, kind: Kind::Traffic, at: now, up, down, active });
                if desk.messages {
                    batch.messages.push(Message::traffic(&self.name, mac, Kind::Traffic, now, (up, down)));
                }
            }
            desk.write(batch).await?;
        }
        Ok(round)
    }
}

impl Device {
    /// Its rates up and down, of which one unit is `unit` bit/s, and whether it has a connection; nothing if that cannot
    /// be a measurement.
    fn measured(&self, unit: f64) -> Option<(f64, f64, bool)> {
        let rate = |value: &Value| value.as_f64().map(|value| value * unit).filter(|value| is_measure(*value));
        Some((rate(&self.upload_speed)?, rate(&self.download_speed)?, self.active_connection.as_bool()?))
    }
}

/// The devices with a MAC address, each once.
fn sound(entries: Vec<Entry<Box<Device>>>, round: &mut Round) -> Vec<(String, Box<Device>)> {
    let mut seen = HashSet::new();
    let mut devices = Vec::new();
    for entry in entries {
        let Entry::Sound(device) = entry else {
            round.refused += 1;
            continue;
        };
        let fits = |mac: &String| devices.len() < MAX_SERIES && seen.insert(mac.clone());
        match mac(&device.mac_address).filter(fits) {
            Some(mac) => devices.push((mac, device)),
            None => round.refused += 1,
        }
    }
    devices
}

fn facts(mac: &str, device: &Device) -> SeriesFacts {
    let text = |text: &Option<String>| text.as_deref().map(clean);
    let id = match &device.id {
        Some(Value::String(id)) => Some(clean(id)),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    let facts = json!({
        "device_type": text(&device.device_type),
        "id": id,
        "operating_system": text(&device.operating_system),
    });
    SeriesFacts {
        name: mac.to_owned(),
        form: Form::Device,
        address: text(&device.ip_address),
        description: text(&device.host_name),
        facts: Some(facts.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_measurement_is_refused_and_counted() {
        let text = r#"[
            {"mac_address": "02-00-5E-00-53-01", "upload_speed": 1, "download_speed": 2.5, "active_connection": true,
             "id": 7, "host_name": "cpe\u001b[2J", "extra": []},
            {"mac_address": "02:00:5e:00:53:01", "upload_speed": 9, "download_speed": 9, "active_connection": true},
            {"mac_address": "02:00:5e:00:53:02", "upload_speed": -1, "download_speed": 2, "active_connection": true},
            {"mac_address": "02:00:5e:00:53:03", "upload_speed": 1e999, "download_speed": 2, "active_connection": true},
            {"mac_address": "02:00:5e:00:53:04", "upload_speed": 1e8, "download_speed": 2, "active_connection": true},
            {"mac_address": "router", "upload_speed": 1, "download_speed": 2, "active_connection": true},
            {"mac_address": 5}, null, [[]]
        ]"#;
        assert!(serde_json::from_str::<Vec<Entry<Box<Device>>>>(text).is_err(), "JSON has no such number");
        let entries = serde_json::from_str(&text.replace("1e999", "\"1\"")).unwrap();
        let mut round = Round::default();
        let devices = sound(entries, &mut round);
        // Whose value is refused is there all the same.
        assert_eq!((devices.len(), round.refused), (4, 5));
        let measured: Vec<_> = devices.iter().map(|(_, device)| device.measured(1e6)).collect();
        assert_eq!(measured, [Some((1e6, 2.5e6, true)), None, None, None]);
        let facts = facts(&devices[0].0, &devices[0].1);
        assert_eq!(facts.name, "02:00:5e:00:53:01");
        assert!(!facts.description.unwrap().contains('\u{1b}'));
    }
}
