//! `snmp`, against Debian's snmpd.

use sqlx::Row as _;

use super::{Place, Running};
use crate::servers::snmpd::Snmpd;
use crate::support::wait;

/// The secrets of the collector, and wrong ones.
const SECRETS: [(&str, &str); 4] =
    [("COMMUNITY", "c0mmunity"), ("AUTH", "authentic8"), ("PRIVACY", "encrypted8"), ("WRONG", "another-one")];

fn v2c(port: u16, community: &str) -> String {
    format!(
        "  - {{name: r1, kind: snmp, address: '127.0.0.1:{port}', interval: 1s, timeout: 4s, community: {community}}}\n"
    )
}

fn v3(port: u16, auth: &str) -> String {
    format!(
        "  - {{name: r2, kind: snmp, address: '127.0.0.1:{port}', interval: 1s, timeout: 4s, user: collector, \
         auth: {auth}, privacy: PRIVACY, parallel: 1, reverse: true}}\n"
    )
}

/// The median of a column of the samples of a series: a busy machine disturbs some, not most.
fn median(place: &Place, column: &str, name: &str, kind: i64) -> f64 {
    let sql = format!(
        "SELECT {column} FROM samples JOIN series ON id = series WHERE name = '{name}' AND kind = {kind} ORDER BY 1"
    );
    let values: Vec<f64> = place.rows(&sql).iter().map(|row| row.get(0)).collect();
    values[values.len() / 2]
}

#[track_caller]
fn near(measured: f64, wanted: f64) {
    assert!((measured - wanted).abs() <= wanted * 0.2, "{measured} is not about {wanted}");
}

#[test]
fn interfaces_are_measured_over_wraps_and_restarts() {
    let place = Place::sqlite();
    let folder = place.folder.path();
    std::fs::write(folder.join("counters"), "").unwrap();
    let Some(router) = Snmpd::start(folder, 0) else { return };
    let port = router.port;
    let settings = format!("  sources:\n{}{}", v2c(port, "COMMUNITY"), v3(port, "AUTH"));
    let settings = place.settings(&settings);
    // Makes the store, and measures nothing: there is nothing to compare with.
    let once =
        super::ran(place.command(&["collect", "--once", "--settings", settings.to_str().unwrap()]).envs(SECRETS));
    assert_eq!((once.0, place.number("SELECT COUNT(*) FROM samples")), (Some(0), Some(0)), "{}", once.2);
    let mut command = place.command(&["collect", "--settings", settings.to_str().unwrap()]);
    let collector = Running::start(command.envs(SECRETS));
    let samples = |name: &str| {
        let sql = format!("SELECT COUNT(*) FROM samples JOIN series ON id = series WHERE name = '{name}' AND kind = 0");
        place.number(&sql).unwrap_or_default()
    };
    let enough = |count: i64| {
        let there = || (samples("r1::eth0") >= count && samples("r2::eth0") >= count).then_some(());
        wait(there, || format!("{} and {} of {count} samples", samples("r1::eth0"), samples("r2::eth0")));
    };
    enough(7);
    drop(router);
    std::fs::write(folder.join("counters"), "restarted").unwrap();
    let _router = Snmpd::start(folder, port).unwrap();
    enough(14);
    assert_eq!(collector.end(), Some(0));

    // in is from the subscriber; the second source is seen from the other side.
    near(median(&place, "up", "r1::eth0", 0), 1e6);
    near(median(&place, "down", "r1::eth0", 0), 2e6);
    near(median(&place, "up", "r2::eth0", 0), 2e6);
    near(median(&place, "up", "r1::eth0", 1), 10.0);
    assert_eq!(median(&place, "down", "r1::ppp7", 0), 0.0);
    // A wrap or a restart that was not noticed would be far beyond.
    assert_eq!(place.number("SELECT COUNT(*) FROM samples WHERE kind = 0 AND (up > 1e8 OR down > 1e8)"), Some(0));
    assert_eq!(place.number("SELECT COUNT(*) FROM samples WHERE kind > 0 AND (up > 1e4 OR down > 1e4)"), Some(0));
    let rows = place.rows("SELECT description, facts, status FROM series WHERE name = 'r1::eth0'");
    let row = rows.first().unwrap();
    let description: &str = row.get(0);
    assert!(description.starts_with("uplink ") && !description.contains('\u{1b}'), "{description}");
    assert_eq!((row.get::<&str, _>(1), row.get::<&str, _>(2)), (r#"{"state":"up"}"#, "active"));
    // One without a name, and one that is called as another, are refused.
    assert_eq!(place.number("SELECT COUNT(*) FROM series"), Some(4));
}

#[test]
fn who_is_not_let_in_is_told_what_to_look_at() {
    let place = Place::sqlite();
    let folder = place.folder.path();
    std::fs::write(folder.join("counters"), "").unwrap();
    let Some(router) = Snmpd::start(folder, 0) else { return };
    let once = |sources: &str| {
        let settings = place.settings(&format!("  sources:\n{sources}"));
        let mut command = place.command(&["collect", "--once", "--settings", settings.to_str().unwrap()]);
        let (code, _, stderr) = super::ran(command.envs(SECRETS));
        assert!(!SECRETS.iter().any(|(_, secret)| stderr.contains(secret)), "{stderr}");
        (code, stderr)
    };
    assert_eq!(once(&v2c(router.port, "COMMUNITY")).0, Some(0));
    let (code, stderr) = once(&v2c(router.port, "WRONG"));
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("r1: no answer: is the address right, may this host ask, and is the community"),
        "{stderr}"
    );
    let (code, stderr) = once(&v3(router.port, "WRONG"));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("r2: no answer: "), "{stderr}");
    let (code, stderr) = once(&v2c(router.port, "UNSET"));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("the environment variable UNSET is not set"), "{stderr}");
    let unset = v2c(router.port, "UNSET") + &v3(router.port, "UNSET_TOO");
    assert!(once(&unset).1.contains("the environment variables UNSET, UNSET_TOO are not set"));
}

#[test]
fn mistakes_in_the_settings_of_a_router_have_their_places() {
    let place = Place::sqlite();
    let refused = |source: &str| {
        let (code, _, stderr) = place.collect(&format!("  sources:\n  - {{name: r, kind: snmp, {source}}}\n"), &[]);
        assert_eq!(code, Some(2), "{stderr}");
        stderr
    };
    for (source, what) in [
        ("community: C", "3:5: address is missing"),
        ("address: 10.0.0.1", "needs either `community`, or `user` and `auth`"),
        ("address: 10.0.0.1, community: C, user: u, auth: A", "needs either `community`"),
        ("address: 10.0.0.1, community: public!", "community is not the name of an environment variable"),
        ("address: 'http://10.0.0.1', community: C", "address is not a host"),
        ("address: '10.0.0.1:99999', community: C", "address is not a host"),
        ("address: r1, user: u, auth: A, auth_protocol: rot13", "auth_protocol is `rot13`, not one of MD5"),
        ("address: r1, user: u, auth: A, privacy_protocol: AES", "privacy_protocol is there without `privacy`"),
    ] {
        let stderr = refused(source);
        assert!(stderr.contains(what), "{source}: {stderr}");
    }
}
