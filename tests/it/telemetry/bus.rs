//! Messages to a real RabbitMQ, which is killed, full, blocked or refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;
use sqlx::Row as _;

use super::events::with_target;
use super::{Place, Running, ran};
use crate::servers::postgres::Postgres;
use crate::servers::rabbitmq::{Delivered, Rabbit};
use crate::support::wait;

const SOURCES: &str = "  sources:\n  - {name: pretend, kind: simulate, interval: 1s}\n";

/// `collect` into this broker.
fn collect(place: &Place, port: u16, exchange: &str, args: &[&str]) -> Command {
    let settings = place.settings(SOURCES);
    let mut command = place.command(&["collect", "--settings", settings.to_str().unwrap()]);
    command.args(args).env("RMQ_HOST", "127.0.0.1").env("RMQ_PORT", port.to_string()).env("RMQ_EXCHANGE", exchange);
    command
}

fn all_sent(place: &Place) {
    wait(|| (place.number("SELECT COUNT(*) FROM outbox") == Some(0)).then_some(()), || "not all is sent".to_owned());
}

/// The journal of a collector, and how it ended.
fn journal(mut command: Command, meanwhile: impl FnOnce()) -> (Option<i32>, String) {
    let mut child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let stderr = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(stderr).unwrap());
    meanwhile();
    let code = Running(child).end();
    (code, reader.join().unwrap())
}

/// That each sample was sent, each message once apart from repetitions, and in order.
fn accounted_for(place: &Place, messages: &[Delivered]) {
    let mut first: BTreeMap<&str, &Delivered> = BTreeMap::new();
    let mut order: BTreeMap<&str, i64> = BTreeMap::new();
    for message in messages {
        assert!(message.persistent && message.content_type == "application/json", "{message:?}");
        match first.get(message.id.as_str()) {
            Some(known) => assert_eq!((&known.body, known.sequence), (&message.body, message.sequence)),
            None => {
                let last = order.insert(&message.key, message.sequence).unwrap_or(i64::MIN);
                assert!(last < message.sequence, "out of order: {message:?} after {last}");
                first.insert(&message.id, message);
            }
        }
    }
    let number = |value: &Value| value.as_f64().unwrap();
    let traffic = first.values().filter(|message| message.key == "traffic").map(|message| &message.body);
    let sent: Vec<_> = traffic
        .map(|body| {
            (body["name"].as_str().unwrap().to_owned(), body["timestamp"].as_i64().unwrap(), number(&body["in"]))
        })
        .map(|(name, at, into)| ((name, at), into))
        .collect();
    let rows = place.rows("SELECT name, at, up FROM samples JOIN series ON id = series");
    let stored: BTreeMap<(String, i64), f64> = rows.iter().map(|row| ((row.get(0), row.get(1)), row.get(2))).collect();
    assert_eq!(sent.len(), stored.len(), "messages and samples");
    assert_eq!(sent.into_iter().collect::<BTreeMap<_, _>>(), stored);
    // No second without a sample of each, from the first to the last.
    let names: BTreeSet<&String> = stored.keys().map(|(name, _)| name).collect();
    let moments = || stored.keys().map(|(_, at)| *at);
    let seconds = (moments().max().unwrap() - moments().min().unwrap()) / 1000 + 1;
    assert_eq!(stored.len() as i64, names.len() as i64 * seconds, "gaps");
}

#[test]
fn a_broker_and_a_collector_that_are_killed_lose_nothing() {
    let (place, mut rabbit) = (Place::sqlite(), Rabbit::start());
    rabbit.queue("q", "isp", true, None);
    let port = rabbit.port();
    // The tables are there.
    assert_eq!(ran(&mut collect(&place, port, "isp", &["--once"])).0, Some(0));
    let (code, stderr) = journal(collect(&place, port, "isp", &[]), || {
        all_sent(&place);
        rabbit.kill();
        let depth = || place.number("SELECT COUNT(*) FROM outbox").filter(|depth| *depth > 2);
        wait(depth, || "nothing waits for the broker".to_owned());
        rabbit.open();
        all_sent(&place);
    });
    assert_eq!(code, Some(0), "{stderr}");
    let lines = |what: &str| stderr.lines().filter(|line| line.contains(what)).count();
    assert_eq!((lines("Connection refused"), lines("rabbitmq: back to normal")), (1, 1), "{stderr}");
    for time in 0..20 {
        let running = Running::start(&mut collect(&place, port, "isp", &[]));
        std::thread::sleep(std::time::Duration::from_millis(time * 97 % 500));
        drop(running);
    }
    let last = Running::start(&mut collect(&place, port, "isp", &[]));
    all_sent(&place);
    assert_eq!(last.end(), Some(0));
    let (code, _, stderr) = ran(&mut collect(&place, port, "isp", &["--once"]));
    assert!(code == Some(0) && stderr.starts_with("collect: ") && stderr.lines().count() == 1, "{stderr}");
    let messages = rabbit.take("q", usize::MAX);
    assert!(messages.iter().any(|message| message.key == "interface"));
    accounted_for(&place, &messages);
}

#[test]
fn a_full_queue_a_blocked_and_an_unbound_exchange() {
    let (place, rabbit) = (Place::sqlite(), Rabbit::start());
    // No queue yet: the messages are dropped by the broker, which is reported.
    let (code, _, stderr) = ran(&mut collect(&place, rabbit.port(), "isp", &["--once"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("no queue is bound to the routing key traffic"), "{stderr}");
    let before = place.number("SELECT COUNT(*) FROM samples").unwrap();
    // The exchange was declared, so a queue can be bound to it.
    rabbit.queue("small", "isp", false, Some(7));
    let mut messages = Vec::new();
    let (code, stderr) = journal(collect(&place, rabbit.port(), "isp", &[]), || {
        let wanted = || place.number("SELECT COUNT(*) FROM samples").filter(|count| *count > before + 40);
        wait(wanted, || "collecting stopped".to_owned());
    });
    assert_eq!(code, Some(0), "{stderr}");
    let full = stderr.lines().filter(|line| line.contains("a queue refuses messages")).count();
    assert_eq!(full, 1, "{stderr}");
    // Nobody collects any more: what waits goes out as room is made.
    let waits = |place: &Place| place.number("SELECT COUNT(*) FROM outbox") != Some(0);
    assert!(waits(&place), "{stderr}");
    let mut rounds = 0;
    let quiet = place.settings("  sources:\n  - {name: none, kind: devices, url: 'http://127.0.0.1:1'}\n");
    let sender = Running::start(
        place
            .command(&["collect", "--settings", quiet.to_str().unwrap()])
            .env("RMQ_HOST", "127.0.0.1")
            .env("RMQ_PORT", rabbit.port().to_string())
            .env("RMQ_EXCHANGE", "isp"),
    );
    while waits(&place) {
        messages.extend(rabbit.take("small", usize::MAX));
        rounds += 1;
        assert!(rounds < 10_000, "it does not go on");
    }
    assert_eq!(sender.end(), Some(0));
    messages.extend(rabbit.take("small", usize::MAX));
    let ids: BTreeSet<&str> = messages.iter().filter(|one| one.key == "traffic").map(|one| one.id.as_str()).collect();
    let samples = place.number("SELECT COUNT(*) FROM samples").unwrap();
    assert_eq!(ids.len() as i64, samples - before);
    // Short of memory: the broker reads nothing.
    rabbit.control(&["set_vm_memory_high_watermark", "0.00001"]);
    let mut once = collect(&place, rabbit.port(), "isp", &["--once"]);
    let (code, _, stderr) = ran(&mut once);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("it blocks all publishers: it is short of memory or disk space"), "{stderr}");
    rabbit.control(&["set_vm_memory_high_watermark", "0.4"]);
    // It would be full again.
    rabbit.control(&["delete_queue", "small"]);
    assert_eq!(ran(&mut once).0, Some(0));
}

#[test]
fn refusals_name_what_to_do_and_no_password() {
    let (place, rabbit) = (with_target(Place::sqlite()), Rabbit::start());
    let fails = |set: &[(&str, &str)], why: &str| {
        let mut command = collect(&place, rabbit.port(), "isp", &["--once"]);
        let (code, _, stderr) = ran(command.envs(set.iter().copied()));
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(why) && !stderr.contains("hunter22"), "{set:?}: {stderr}");
        // And how many samples there are now, if there was a round.
        assert!(stderr.lines().filter(|line| !line.starts_with("collect: ")).count() == 1, "{stderr}");
    };
    fails(&[("RMQ_PASS", "hunter22")], "the login of the user guest is refused: correct 'user' or RMQ_PASS");
    fails(&[("RMQ_VHOST", "nowhere")], "has no access to the virtual host nowhere");
    fails(
        &[("RMQ_HOST", "mq.ispcustomer.co.zw"), ("RMQ_USER", "noc")],
        "needs the password of the user noc: set RMQ_PASS",
    );
    rabbit.control(&["add_user", "noc", "hunter22"]);
    rabbit.control(&["set_permissions", "noc", "nothing", "nothing", "nothing"]);
    let noc = [("RMQ_USER", "noc"), ("RMQ_PASS", "hunter22")];
    fails(&noc, "the user noc needs the permission to write to the exchange isp");
    // One that takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    fails(&[("RMQ_PORT", &port)], "it does not answer within 10 s");
    // Nothing was lost by all of this.
    rabbit.queue("q", "isp", true, None);
    assert_eq!(ran(&mut collect(&place, rabbit.port(), "isp", &["--once"])).0, Some(0));
    accounted_for(&place, &rabbit.take("q", usize::MAX));
    // TLS, verified with the certificates of the system, or those of SSL_CERT_FILE.
    let (port, certificate) = rabbit.tls();
    let settings =
        place.settings(&format!("{SOURCES}  bus: {{host: 127.0.0.1, exchange: isp, tls: true, port: {port}}}\n"));
    let mut tls = place.command(&["collect", "--once", "--settings", settings.to_str().unwrap()]);
    // Within the second of the last round there is nothing to send.
    let failed = || Some(ran(&mut tls)).filter(|(code, ..)| *code == Some(2));
    let (_, _, stderr) = wait(failed, || "it does not fail".to_owned());
    assert!(stderr.contains("TLS fails: invalid peer certificate"), "{stderr}");
    let (code, _, stderr) = ran(tls.env("SSL_CERT_FILE", certificate));
    assert!(code == Some(0) && stderr.starts_with("collect: ") && stderr.lines().count() == 1, "{stderr}");
    assert!(!rabbit.take("q", usize::MAX).is_empty());
    // Events of subscribers, with the broker in the environment alone.
    let publish = || {
        let mut command = place.command(&["publish"]);
        command.env("RMQ_HOST", "127.0.0.1").env("RMQ_EXCHANGE", "isp").env("RMQ_PASS", "guest");
        command
    };
    let (code, _, stderr) = ran(publish().env("RMQ_PORT", "1"));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("Connection refused"), "{stderr}");
    let (code, _, stderr) = ran(publish().env("RMQ_PORT", rabbit.port().to_string()));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let events = rabbit.take("q", usize::MAX);
    assert_eq!(events.len(), 8);
    assert!(events.iter().all(|one| one.key == "subscriber.added" && one.body["new"]["up_bps"] == 30_000_000));
}

#[test]
fn a_database_that_is_killed_loses_nothing() {
    let mut postgres = Postgres::start();
    let (place, rabbit) = (Place::postgres(postgres.url()), Rabbit::start());
    rabbit.queue("q", "isp", true, None);
    // The tables are there.
    assert_eq!(ran(&mut collect(&place, rabbit.port(), "isp", &["--once"])).0, Some(0));
    let (code, stderr) = journal(collect(&place, rabbit.port(), "isp", &[]), || {
        let some = || place.number("SELECT COUNT(*) FROM samples").filter(|count| *count > 20);
        wait(some, || "nothing is collected".to_owned());
        for _ in 0..3 {
            postgres.kill();
            std::thread::sleep(std::time::Duration::from_millis(1500));
            postgres.open();
            let last = place.number("SELECT MAX(at) FROM samples").unwrap();
            let on = || place.number("SELECT MAX(at) FROM samples").filter(|at| *at > last + 2000);
            wait(on, || "it does not go on".to_owned());
        }
        all_sent(&place);
    });
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(ran(&mut collect(&place, rabbit.port(), "isp", &["--once"])).0, Some(0));
    accounted_for(&place, &rabbit.take("q", usize::MAX));
}
