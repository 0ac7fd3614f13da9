//! The broker: `telemetry.bus` of the server settings, and the variables `RMQ_*`, which count more.

use std::fmt;

use anyhow::{Result, bail};

use crate::fields::Fields;

/// The longest value that AMQP takes, in bytes, less what is added to a key.
const LONGEST: usize = 240;

/// The password of a broker. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password(pub(super) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What the settings file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BusSection {
    host: Option<String>,
    port: Option<u16>,
    vhost: Option<String>,
    user: Option<String>,
    exchange: Option<String>,
    interface_key: Option<String>,
    traffic_key: Option<String>,
    subscriber_key: Option<String>,
    tls: Option<bool>,
    plaintext: bool,
}

/// A broker, and where messages go in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BusSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    pub(crate) vhost: String,
    pub(crate) user: String,
    pub(crate) password: Password,
    pub(crate) exchange: String,
    /// The routing keys.
    pub(crate) interface_key: String,
    pub(crate) traffic_key: String,
    /// What a subscriber's keys begin with, before `.added`, `.changed` and `.removed`.
    pub(crate) subscriber_key: String,
}

impl BusSection {
    /// Reads the section.
    pub(crate) fn read(fields: &mut Fields<'_>) -> BusSection {
        BusSection {
            host: fields.text("host", LONGEST),
            port: fields.number("port", 1, 65_535).and_then(|port| u16::try_from(port).ok()),
            vhost: fields.text("vhost", LONGEST),
            user: fields.text("user", LONGEST),
            exchange: fields.text("exchange", LONGEST),
            interface_key: fields.text("interface_key", LONGEST),
            traffic_key: fields.text("traffic_key", LONGEST),
            subscriber_key: fields.text("subscriber_key", LONGEST),
            tls: fields.switch("tls"),
            plaintext: fields.switch("plaintext").unwrap_or(false),
        }
    }
}

impl BusSettings {
    /// The broker that the environment or the settings name; none if neither names a host. `variable` reads a
    /// variable that is set and not empty.
    ///
    /// # Errors
    /// If a value cannot be used, or the password would cross the network unencrypted.
    pub(crate) fn resolve(
        section: Option<&BusSection>,
        variable: impl Fn(&str) -> Result<Option<String>>,
    ) -> Result<Option<BusSettings>> {
        let none = BusSection::default();
        let section = section.unwrap_or(&none);
        let text = |name: &str, key: &str, setting: &Option<String>| {
            let value = variable(name)?.or_else(|| setting.clone());
            match value {
                Some(value) if value.len() > LONGEST || value.chars().any(char::is_control) => {
                    bail!("{name}, or `telemetry.bus.{key}`, is longer than {LONGEST} bytes or has a control character")
                }
                value => Ok(value),
            }
        };
        let Some(host) = text("RMQ_HOST", "host", &section.host)? else {
            return match none == *section {
                true => Ok(None),
                false => bail!("the bus has no host: write `host` under `telemetry.bus`, or set RMQ_HOST"),
            };
        };
        let here = is_loopback(&host);
        let tls = section.tls.unwrap_or(!here);
        if !tls && !here && !section.plaintext {
            bail!(
                "the password of RabbitMQ would cross the network to {host} unencrypted: remove `tls: false` under \
                 `telemetry.bus`, or add `plaintext: true` if that network is yours alone"
            );
        }
        let user = text("RMQ_USER", "user", &section.user)?.unwrap_or_else(|| "guest".to_owned());
        let password = match variable("RMQ_PASS")? {
            Some(password) => password,
            // The account of a fresh broker, which only its own host may use.
            None if user == "guest" => "guest".to_owned(),
            None => bail!("RabbitMQ needs the password of the user {user}: set RMQ_PASS"),
        };
        let port = section.port.unwrap_or(if tls { 5671 } else { 5672 });
        let or = |name: &str, key: &str, setting: &Option<String>, default: &str| {
            Ok::<_, anyhow::Error>(text(name, key, setting)?.unwrap_or_else(|| default.to_owned()))
        };
        Ok(Some(BusSettings {
            port: match variable("RMQ_PORT")? {
                Some(text) => text.parse().map_err(|_| anyhow::anyhow!("RMQ_PORT is not a port"))?,
                None => port,
            },
            tls,
            vhost: or("RMQ_VHOST", "vhost", &section.vhost, "/")?,
            user,
            password: Password(password),
            exchange: or("RMQ_EXCHANGE", "exchange", &section.exchange, "shapeline")?,
            interface_key: or("RMQ_INTERFACE_KEY", "interface_key", &section.interface_key, "interface")?,
            traffic_key: or("RMQ_TRAFFIC_KEY", "traffic_key", &section.traffic_key, "traffic")?,
            subscriber_key: or("RMQ_SUBSCRIBER_KEY", "subscriber_key", &section.subscriber_key, "subscriber")?,
            host,
        }))
    }
}

/// Whether a host is this one, by its name alone: what a resolver says may change.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn resolved(text: &str, variables: &[(&str, &str)]) -> Result<Option<BusSettings>> {
        let mut section = None;
        let mistakes = crate::fields::read(text, |fields| section = fields.section("bus", BusSection::read));
        assert_eq!(mistakes, Vec::<String>::new());
        let variable =
            |name: &str| Ok(variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).into()));
        BusSettings::resolve(section.as_ref(), variable)
    }

    #[test]
    fn a_host_in_the_environment_is_enough() {
        assert_eq!(resolved("", &[]).unwrap(), None);
        let bus = resolved("", &[("RMQ_HOST", "127.0.0.1")]).unwrap().unwrap();
        assert_eq!((bus.port, bus.tls, bus.vhost.as_str(), bus.user.as_str()), (5672, false, "/", "guest"));
        let keys = [&bus.exchange, &bus.interface_key, &bus.traffic_key, &bus.subscriber_key];
        assert_eq!(keys, ["shapeline", "interface", "traffic", "subscriber"]);
    }

    #[test]
    fn the_environment_counts_more_than_the_file() {
        let text = "bus: {host: mq.ispcustomer.co.zw, user: noc, exchange: one, vhost: isp, traffic_key: t}\n";
        let set = [("RMQ_PASS", "secret"), ("RMQ_EXCHANGE", "two"), ("RMQ_VHOST", "other"), ("RMQ_PORT", "5673")];
        let bus = resolved(text, &set).unwrap().unwrap();
        assert_eq!((bus.exchange.as_str(), bus.vhost.as_str(), bus.port), ("two", "other", 5673));
        assert!(bus.tls && bus.traffic_key == "t");
        assert!(!format!("{bus:?}").contains("secret"));
    }

    #[test]
    fn a_password_stays_off_the_network() {
        let refused = |text: &str, set: &[(&str, &str)]| resolved(text, set).unwrap_err().to_string();
        let pass = [("RMQ_PASS", "secret")];
        let why = refused("bus: {host: mq.ispcustomer.co.zw, user: noc, tls: false}\n", &pass);
        assert!(why.contains("unencrypted") && !why.contains("secret"), "{why}");
        let allowed = "bus: {host: mq.ispcustomer.co.zw, user: noc, tls: false, plaintext: true}\n";
        assert!(!resolved(allowed, &pass).unwrap().unwrap().tls);
        assert!(refused("bus: {host: 127.0.0.1, user: noc}\n", &[]).contains("set RMQ_PASS"));
        assert!(refused("bus: {user: noc}\n", &pass).contains("no host"));
        assert!(refused("", &[("RMQ_HOST", "::1"), ("RMQ_EXCHANGE", &"x".repeat(300))]).contains("exchange"));
    }
}
