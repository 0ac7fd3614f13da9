//! The server settings: `--settings server.yaml`. What belongs to the data is in `shapeline.yaml`; secrets
//! are in the environment.

pub(crate) mod forge;
pub(crate) mod sign_in;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::server::limits::Limits;
use super::state::users::Role;
use crate::database::location::has_password;
use crate::fields::{self, Fields};
use crate::model::TargetUrl;
use crate::sync::interval::Interval;
#[cfg(feature = "telemetry")]
use crate::telemetry::settings::TelemetrySettings;
use forge::ForgeSettings;
use sign_in::SignInSettings;

/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The settings of a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ServerSettings {
    /// The address to listen on.
    pub(crate) listen: Option<SocketAddr>,
    /// The address that people use for the portal.
    pub(crate) url: Option<String>,
    /// The name of the replica.
    pub(crate) name: Option<String>,
    /// The branch to serve.
    pub(crate) branch: Option<String>,
    /// The remote to fetch it from.
    pub(crate) remote: Option<String>,
    /// The time from one look at the branch to the next.
    pub(crate) interval: Option<Interval>,
    /// Where the server keeps its own state.
    pub(crate) state: Option<String>,
    /// The certificate and its key.
    pub(crate) tls: Option<TlsFiles>,
    /// The proxies whose `X-Forwarded-For` counts.
    pub(crate) trusted_proxies: Vec<ipnet::IpNet>,
    /// Whether each request is logged.
    pub(crate) access_log: Option<bool>,
    /// What operators may copy, and where the copies are kept.
    pub(crate) backup: Option<BackupSettings>,
    /// Where pull requests are opened.
    pub(crate) forge: Option<ForgeSettings>,
    /// From which role on requests are merged without review.
    pub(crate) direct: Option<Role>,
    /// Whether also targets on other hosts are looked at, for when a change is live.
    pub(crate) watch_targets: bool,
    /// How people sign in to the portal.
    pub(crate) sign_in: SignInSettings,
    /// What one client can take of the server.
    pub(crate) limits: Limits,
    /// What is collected of the network.
    #[cfg(feature = "telemetry")]
    pub(crate) telemetry: Option<TelemetrySettings>,
}

/// What operators may copy over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BackupSettings {
    /// The folders below which something may be copied: absolute paths.
    pub(crate) roots: Vec<PathBuf>,
    /// The URL of the backup folder.
    pub(crate) to: String,
    /// How many copies of each path are kept.
    pub(crate) keep: Option<u32>,
}

/// The files of a certificate and of its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl ServerSettings {
    /// Reads the settings. Paths in them are relative to their file.
    ///
    /// # Errors
    /// Every mistake with its place.
    pub(crate) fn read(path: &Path) -> Result<ServerSettings> {
        let cannot = || format!("cannot read the server settings {}", path.display());
        let bytes = crate::disk::open::read(path, MAX_BYTES).with_context(cannot)?;
        let bytes = bytes.with_context(|| format!("{}: there is no such file", cannot()))?;
        let text = String::from_utf8(bytes).ok().with_context(|| format!("{}: it is not UTF-8", cannot()))?;
        let (settings, mistakes) = parse(&text);
        if let [_, ..] = mistakes.as_slice() {
            let count = crate::text::count::counted(mistakes.len(), "mistake", "mistakes");
            let lines: String = mistakes.iter().map(|mistake| format!("\n  {}:{mistake}", path.display())).collect();
            bail!("{} has {count}:{lines}", path.display());
        }
        Ok(settings.beside(path.parent().unwrap_or(Path::new(""))))
    }

    fn beside(mut self, folder: &Path) -> ServerSettings {
        if let Some(tls) = &mut self.tls {
            tls.certificate = folder.join(&tls.certificate);
            tls.key = folder.join(&tls.key);
        }
        self
    }
}

/// The settings in a text, and what is wrong in it: `LINE:COLUMN: what`.
fn parse(text: &str) -> (ServerSettings, Vec<String>) {
    let mut settings = ServerSettings::default();
    let mistakes = fields::read(text, |top| {
        settings.listen = top.parsed("listen", "an address with a port, such as 127.0.0.1:8080");
        settings.url = top.text("url", 250);
        if settings.url.as_deref().is_some_and(|url| !is_site(url)) {
            top.wrong("url", "is not the address of a site, such as https://portal.ispcustomer.co.zw");
        }
        settings.name = top.text("name", 64);
        settings.branch = top.text("branch", 250);
        settings.remote = top.text("remote", 250);
        settings.interval = top.parsed("interval", "a time from 1s to 24h, such as 60s, 5m or 1h");
        settings.state = top.text("state", 4000);
        if settings.state.as_deref().is_some_and(has_password) {
            top.wrong("state", "has a password: put the URL into SHAPELINE_STATE");
        }
        settings.tls = top.section("tls", |tls| {
            let path = |path: Option<String>| path.map(PathBuf::from).unwrap_or_default();
            let files = TlsFiles { certificate: path(tls.text("certificate", 4000)), key: path(tls.text("key", 4000)) };
            tls.require("certificate");
            tls.require("key");
            files
        });
        let network = "an address or a network, such as 10.0.0.0/8";
        settings.trusted_proxies = top.list("trusted_proxies", network, |text| {
            text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from)).ok()
        });
        settings.access_log = top.switch("access_log");
        settings.watch_targets = top.switch("watch_targets").unwrap_or(false);
        settings.backup = top.section("backup", backup);
        settings.forge = top.section("forge", forge::forge);
        settings.direct = top.parsed("direct", "`operator` or `editor`");
        if settings.direct == Some(Role::Viewer) {
            top.wrong("direct", "is not `operator` or `editor`: viewers change nothing");
        }
        settings.sign_in = top.section("sign_in", SignInSettings::read).unwrap_or_default();
        if settings.sign_in.has_provider() && !top.has("url") {
            top.wrong("sign_in", "needs `url`, the address of the portal: providers send people back to it");
        }
        #[cfg(feature = "telemetry")]
        {
            settings.telemetry = top.section("telemetry", TelemetrySettings::read);
        }
        if let Some(limits) = top.section("limits", limits) {
            settings.limits = limits;
        }
    });
    (settings, mistakes)
}

/// Whether a text is a scheme and a host, without a path.
fn is_site(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    host.is_some_and(|host| !host.is_empty() && host.chars().all(plain))
}

fn backup(fields: &mut Fields<'_>) -> BackupSettings {
    let absolute = |text: &str| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    let roots = fields.list("roots", "an absolute path of a folder", absolute);
    let to: Option<TargetUrl> = fields.parsed("to", "the URL of a folder, such as file:///srv/backups");
    fields.require("roots");
    fields.require("to");
    let keep = fields.number("keep", 1, 100_000).and_then(|keep| u32::try_from(keep).ok());
    BackupSettings { roots, to: to.map(|to| to.as_str().to_owned()).unwrap_or_default(), keep }
}

fn limits(fields: &mut Fields<'_>) -> Limits {
    let default = Limits::default();
    let mut number = |name, from, to, or: usize| fields.number(name, from, to).map_or(or, |number| number as usize);
    let connections = number("connections", 1, 100_000, default.connections);
    let rate = number("rate", 0, 1_000_000, default.rate as usize) as u32;
    let burst = number("burst", 1, 1_000_000, default.burst as usize) as u32;
    let body = number("body", 1024, 1 << 30, default.body);
    let mut time = |name, or| {
        let interval: Option<Interval> = fields.parsed(name, "a time from 1s to 24h, such as 15s");
        interval.map_or(or, |interval| std::time::Duration::from_secs(interval.seconds()))
    };
    Limits {
        connections,
        rate,
        burst,
        body,
        head_time: time("head_time", default.head_time),
        request_time: time("request_time", default.request_time),
        drain_time: time("drain_time", default.drain_time),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "listen: '[::]:443'\nurl: https://portal.ispcustomer.co.zw\nname: lookup-1\nbranch: main\nremote: origin\ninterval: 30s\n\
                    state: /var/lib/shapeline/state.sqlite\n\
                    tls: {certificate: certificate.pem, key: key.pem}\ntrusted_proxies: [10.0.0.0/8, '::1']\n\
                    access_log: false\nbackup: {roots: [/srv/shaper], to: 'file:///srv/backups', keep: 5}\nsign_in: {openid: {issuer: 'https://id.ispcustomer.co.zw', client_id: a, label: Staff, roles: \
                    [{claim: groups, value: a, role: editor, domains: [a.example]}]}, github: {client_id: b, label: GitHub, \
                    roles: [{team: a/b, role: operator}]}}\nlimits: {connections: 10, rate: 0, burst: 5, body: 2048, head_time: 1s, \
                    request_time: 2s, drain_time: 1m}\n";
        let (settings, mistakes) = parse(text);
        assert_eq!(mistakes, [""; 0]);
        assert_eq!(settings.listen.unwrap().to_string(), "[::]:443");
        assert_eq!((settings.limits.rate, settings.limits.burst, settings.limits.drain_time.as_secs()), (0, 5, 60));
        let backup = settings.backup.clone().unwrap();
        assert_eq!((backup.roots, backup.keep), (vec![PathBuf::from("/srv/shaper")], Some(5)));
        let (openid, github) = (settings.sign_in.openid.clone().unwrap(), settings.sign_in.github.clone().unwrap());
        assert_eq!((openid.scopes, openid.roles.len()), (vec!["profile".to_owned(), "email".to_owned()], 1));
        assert_eq!((github.url.as_str(), github.roles.len(), settings.sign_in.local), ("https://github.com", 1, true));
        assert_eq!((settings.access_log, settings.trusted_proxies.len()), (Some(false), 2));
        assert_eq!(settings.clone().beside(Path::new("/etc")).tls.unwrap().key, Path::new("/etc/key.pem"));
        assert_eq!(parse("").0, ServerSettings::default());
        assert_eq!(parse("# nothing\n").1, [""; 0]);
    }

    #[test]
    fn the_example_of_the_documents_has_every_key() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/serve.md")).unwrap();
        let example = page.split("```yml\n").nth(1).unwrap().split("```").next().unwrap();
        let (settings, mistakes) = parse(example);
        assert_eq!(mistakes, [""; 0]);
        assert_eq!(settings.limits, Limits::default(), "the defaults are those that it shows");
        for key in [
            "listen",
            "url",
            "name",
            "branch",
            "remote",
            "interval",
            "state",
            "tls",
            "trusted_proxies",
            "access_log",
            "backup",
            "watch_targets",
            "forge",
            "direct",
            "sign_in",
        ] {
            assert!(example.contains(&format!("{key}:")), "{key}");
        }
    }

    #[cfg(feature = "telemetry")]
    #[test]
    fn the_example_of_telemetry_is_read() {
        use crate::telemetry::settings::{KindSettings, Marks, Retention};
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/telemetry.md")).unwrap();
        let example = page.split("```yml\n").nth(2).unwrap().split("```").next().unwrap();
        let (settings, mistakes) = parse(example);
        assert_eq!(mistakes, [""; 0]);
        let telemetry = settings.telemetry.unwrap();
        assert_eq!((telemetry.retention, telemetry.outbox), (Retention::default(), Marks::default()), "the defaults");
        assert_eq!((telemetry.names["cr1::xe-0/0/1"].as_str(), telemetry.sources.len()), ("acme-hq", 5));
        let bus = format!("{:?}", telemetry.bus.as_ref().unwrap());
        assert!(!bus.contains("_key: None") && bus.contains("\"mq.ispcustomer.co.zw\""), "{bus}");
        let KindSettings::Netbeam(netbeam) = &telemetry.sources[0].kind else { panic!("{telemetry:?}") };
        assert_eq!((netbeam.parallel, netbeam.window.milliseconds()), (4, 48 * 3_600_000));
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let text = "listne: 1\nlisten: 8080\ninterval: soon\nlimits: {rate: -1, connections: many, rats: 2}\n\
                    tls: {certificate: a}\ntrusted_proxies: [x, 10.0.0.0/8, {}]\naccess_log: yes\nname: [a]\n\
                    state: 'postgres://shapeline:secret@db.ispcustomer.co.zw/shapeline'\nbackup: {roots: [srv], to: /srv}\n";
        let wanted = [
            "1:1: there is no setting `listne`; did you mean `listen`?",
            "2:9: listen is `8080`, not an address with a port, such as 127.0.0.1:8080",
            "3:11: interval is `soon`, not a time from 1s to 24h, such as 60s, 5m or 1h",
            "4:16: rate is `-1`, not a whole number from 0 to 1000000",
            "4:33: connections is `many`, not a whole number from 1 to 100000",
            "4:39: there is no setting `rats`; did you mean `rate`?",
            "5:6: key is missing",
            "6:19: `x` is not an address or a network, such as 10.0.0.0/8",
            "6:34: this is not an address or a network, such as 10.0.0.0/8",
            "7:13: access_log is `yes`, not true or false",
            "8:7: name is not a text of 1 to 64 characters",
            "9:8: state has a password: put the URL into SHAPELINE_STATE",
            "10:18: `srv` is not an absolute path of a folder",
            "10:28: to is `/srv`, not the URL of a folder, such as file:///srv/backups",
        ];
        assert_eq!(parse(text).1, wanted);
    }

    #[test]
    fn what_is_no_mapping_or_read_in_two_ways_is_refused() {
        assert_eq!(parse("- a\n").1, ["1:1: settings are keys with values, such as `listen: 127.0.0.1:8080`"]);
        for text in ["name: a\nname: b\n", "name: *a\n", "name: 'a\n", "a: b: c\n"] {
            assert_eq!(parse(text).1.len(), 1, "{text}: {:?}", parse(text).1);
        }
    }
}
