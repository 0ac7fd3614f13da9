//! Who is notified: from the environment alone, since the URL of a chat's webhook is a secret.

use anyhow::{Result, bail};

use super::body::BodyFormat;
use super::post::Endpoint;
use crate::text::quote::quoted;

/// The variable with the URL of the webhook. Without it nothing is sent.
pub(crate) const URL: &str = "SHAPELINE_NOTIFY_URL";

/// The variable with the key of the signatures.
const SECRET: &str = "SHAPELINE_NOTIFY_SECRET";

/// The variable with the format of the bodies.
const FORMAT: &str = "SHAPELINE_NOTIFY_FORMAT";

/// The shortest secret, in bytes.
const MIN_SECRET: usize = 16;

/// A receiver of notifications. Without `Debug`, for the sake of its secrets.
pub(crate) struct Receiver {
    pub(super) endpoint: Endpoint,
    pub(super) secret: Option<String>,
    pub(super) format: BodyFormat,
}

impl Receiver {
    /// The receiver that the environment names; `None` if it names none.
    ///
    /// # Errors
    /// If a variable is malformed, or one is missing that another needs. The error has no value of a secret.
    pub(crate) fn from_environment() -> Result<Option<Receiver>> {
        Receiver::of(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{name} is not UTF-8: set it anew"),
        })
    }

    fn of(variable: impl Fn(&str) -> Result<Option<String>>) -> Result<Option<Receiver>> {
        let format = match variable(FORMAT)? {
            None => BodyFormat::Json,
            Some(name) => format(&name)?,
        };
        let secret = variable(SECRET)?;
        if let Some(secret) = &secret {
            check_secret(secret)?;
        }
        let Some(url) = variable(URL)? else {
            // Not the format: it may be written in a workflow that is run without secrets, too.
            if secret.is_some() {
                bail!("{SECRET} is set and {URL} is not: set both, or none");
            }
            return Ok(None);
        };
        if format == BodyFormat::Json && secret.is_none() {
            bail!(
                "{URL} is set and {SECRET} is not: the receiver needs it to know who sent a notification; \
                 `openssl rand -hex 32` makes one. For a chat set {FORMAT} to slack, mattermost or teams"
            );
        }
        let endpoint = Endpoint::parse(&url).map_err(|why| anyhow::anyhow!("{URL} {why}"))?;
        Ok(Some(Receiver { endpoint, secret, format }))
    }

    /// The host, for people: the rest of the URL is secret.
    pub(crate) fn host(&self) -> &str {
        self.endpoint.host()
    }
}

fn format(name: &str) -> Result<BodyFormat> {
    let known = BodyFormat::ALL.iter().find(|(known, _)| *known == name);
    let names = BodyFormat::ALL.map(|(name, _)| name).join(", ");
    match known {
        Some((_, format)) => Ok(*format),
        None => bail!("{FORMAT} is {}, and must be one of {names}", quoted(name)),
    }
}

fn check_secret(secret: &str) -> Result<()> {
    if secret.len() < MIN_SECRET {
        bail!("{SECRET} is shorter than {MIN_SECRET} bytes: `openssl rand -hex 32` makes a good one");
    }
    // A line end at the end is quickly pasted, and the receiver would have another secret.
    if secret.trim() != secret || secret.contains(char::is_control) {
        bail!("{SECRET} begins or ends with a blank, or has a control character: set it anew");
    }
    Ok(())
}

#[cfg(test)]
#[cfg(feature = "s3")]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn of(url: &str, secret: &str, format: &str) -> Result<Option<Receiver>> {
        Receiver::of(|name| {
            let value = [(URL, url), (SECRET, secret), (FORMAT, format)].into_iter().find(|(known, _)| *known == name);
            Ok(value.map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty()))
        })
    }

    fn refused(url: &str, secret: &str, format: &str) -> String {
        let error = of(url, secret, format).err().unwrap().to_string();
        assert!(!error.contains("T0KEN") && !error.contains(KEY), "{error}");
        error
    }

    #[test]
    fn the_environment_names_a_receiver_or_none() {
        assert!(of("", "", "").unwrap().is_none());
        assert!(of("", "", "slack").unwrap().is_none(), "a workflow without its secrets");
        let receiver = of("https://hooks.ispcustomer.co.zw/T0KEN\n", "", "slack").unwrap().unwrap();
        assert_eq!((receiver.host(), receiver.format), ("hooks.ispcustomer.co.zw", BodyFormat::Slack));
        let receiver = of("https://hooks.ispcustomer.co.zw:8443/T0KEN", KEY, "").unwrap().unwrap();
        assert!(receiver.format == BodyFormat::Json && receiver.secret.is_some());
        for local in ["http://127.0.0.1:80/a", "http://[::1]/a", "http://localhost:9/a"] {
            assert!(of(local, KEY, "json").unwrap().is_some(), "{local}");
        }
    }

    #[test]
    fn mistakes_are_errors_without_the_secrets() {
        assert!(refused("https://hooks.ispcustomer.co.zw/T0KEN", "", "").contains("SECRET is not"));
        assert!(refused("", KEY, "").contains("URL is not"));
        assert!(refused("", "short", "").contains("shorter than 16"));
        assert!(refused("https://a/T0KEN", &format!("{KEY}\n"), "").contains("set it anew"));
        assert!(refused("https://a/T0KEN", KEY, "Slack").contains("json, slack, mattermost, teams"));
        for url in [
            "hooks.ispcustomer.co.zw/T0KEN",
            "ftp://hooks.ispcustomer.co.zw/T0KEN",
            "https://user:T0KEN@hooks.ispcustomer.co.zw/",
            "http://hooks.ispcustomer.co.zw/T0KEN",
            "http://127.0.0.1.ispcustomer.co.zw/T0KEN",
        ] {
            assert!(refused(url, KEY, "json").starts_with(URL), "{url}");
        }
    }
}
