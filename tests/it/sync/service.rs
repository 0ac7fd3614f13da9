//! Round after round, until a signal stops it.

use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Host, line, three};
use crate::support::{PATIENCE, wait};

/// A `sync` that keeps running.
struct Service<'h> {
    host: &'h Host,
    child: Child,
}

impl<'h> Service<'h> {
    fn start(host: &'h Host, more: &[&str]) -> Service<'h> {
        Service::spawn(host, host.sync(more))
    }

    fn spawn(host: &'h Host, mut command: Command) -> Service<'h> {
        let journal = std::fs::File::create(host.path("journal")).unwrap();
        Service { host, child: command.stderr(journal).spawn().unwrap() }
    }

    fn journal(&self) -> String {
        self.host.read("journal")
    }

    /// Waits until the status file is so.
    fn until(&self, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let text = || std::fs::read_to_string(self.host.path("status.json")).unwrap_or_default();
        wait(|| serde_json::from_str(&text()).ok().filter(&so), || format!("{what}: {}\n{}", text(), self.journal()))
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), signal).unwrap();
    }

    /// The exit code of a process after a signal, and how long it took to end.
    fn ended(&mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let status = wait(|| self.child.try_wait().unwrap(), || "it does not end".to_owned());
        (status.code(), began.elapsed())
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A number that the system keeps of a process; see proc_pid_status(5).
fn number(pid: u32, name: &str, radix: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    u64::from_str_radix(line.trim(), radix).unwrap()
}

fn synced(commit: &str) -> impl Fn(&Value) -> bool {
    move |status| status["state"] == "ok" && status["synced_commit"] == commit
}

#[test]
fn what_is_pushed_goes_live_and_a_quiet_round_says_nothing() {
    let host = Host::new("");
    let first = host.author.git(&["rev-parse", "HEAD"]);
    let service = Service::start(&host, &["--interval", "1s"]);
    let status = service.until("the first commit", synced(&first));
    assert_eq!((&status["interval"], &status["pause"], &status["failures"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(host.live(), three());
    host.author.subscriber("10.10.10.4", 50);
    let second = host.push("second");
    let status = service.until("the second commit", synced(&second));
    assert_eq!(host.live(), three() + &line(4, 50));
    assert_eq!(status["targets"][0]["version"], 2);

    host.write("srv/shaper.txt", &three());
    wait(|| (host.live() != three()).then_some(()), || "it is not put back".to_owned());
    wait(|| service.journal().contains("1 line removed; version 2 is live again").then_some(()), || service.journal());
    let seen = host.status()["last_attempt"].clone();
    let again = service.until("a quiet round", |status| status["last_attempt"] != seen);
    service.until("another quiet round", |status| status["last_attempt"] != again["last_attempt"]);
    assert_eq!(service.journal().lines().count(), 3, "{}", service.journal());
}

/// A signature is looked at when the commit or the file of signers is new.
#[test]
fn a_signature_is_looked_at_once() {
    let host = Host::new("");
    let key = host.ssh_key("good");
    host.write("signers", &format!("noc {key}\n"));
    let commit = host.push_signed(4, "good");
    host.script(
        "ssh-keygen",
        &format!("echo called >> {}; PATH=$OLD exec ssh-keygen \"$@\"", host.path("calls").display()),
    );
    let path = std::env::var("PATH").unwrap();
    let signers = host.path("signers");
    let more = ["--interval", "1s", "--require-signature", "--allowed-signers", signers.to_str().unwrap()];
    let mut sync = host.sync(&more);
    sync.env("OLD", &path).env("PATH", format!("{}:{path}", host.path("").display()));
    let service = Service::spawn(&host, sync);
    let status = service.until("the commit", synced(&commit));
    service.until("another round", |now| now["last_attempt"] != status["last_attempt"]);
    assert_eq!(host.read("calls").lines().count(), 2, "for whose key it is, and whether it is good");
    host.ssh_key("other");
    host.write("signers", &format!("noc {}", host.read("other.pub")));
    service.until("a refusal", |status| status["state"] == "refused");
    assert_eq!(host.live(), three() + &line(4, 30));
}

/// Once the first round is over the data cannot be read any more: a round that loads it, fails.
#[test]
fn a_round_in_which_nothing_changed_loads_no_data() {
    let host = Host::new("");
    let first = host.author.git(&["rev-parse", "HEAD"]);
    let service = Service::start(&host, &["--interval", "1s"]);
    let status = service.until("the first commit", synced(&first));
    let blob = host.author.git(&["rev-parse", "HEAD:shapeline.yaml"]);
    std::fs::remove_file(host.path(&format!("clone/.git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    let next = service.until("another round", |now| now["last_attempt"] != status["last_attempt"]);
    assert_eq!(next["state"], "ok", "{next}");
    // A rollback changes what is live, but not by hand: then everything is looked at again.
    host.write("srv/shaper.txt", "");
    service.until("a round that loads", |now| now["state"] == "failing");
    assert!(service.journal().contains("FAILED"), "{}", service.journal());
}

#[test]
fn a_refusal_is_reported_once_and_the_next_commit_goes_live() {
    let host = Host::new("");
    let service = Service::start(&host, &["--interval", "1s"]);
    service.until("the first commit", |status| status["state"] == "ok");
    host.author.write("subscribers/bad.yaml", "ip: x\n");
    let bad = host.push("bad");
    let status = service.until("a refusal", |status| status["state"] == "refused");
    assert_eq!((&status["remote_commit"], &status["pause"]), (&bad.into(), &1.into()), "the next commit may fix it");
    service.until("another round", |now| now["last_attempt"] != status["last_attempt"]);
    assert_eq!(service.journal().matches("REFUSED").count(), 1, "{}", service.journal());
    std::fs::remove_file(host.author.path().join("subscribers/bad.yaml")).unwrap();
    host.author.subscriber("10.10.10.4", 30);
    let good = host.push("good");
    service.until("the next commit", synced(&good));
    assert!(service.journal().contains("sync: back to normal\n"), "{}", service.journal());
    assert_eq!(host.log().len(), 3, "{:#?}", host.log());
}

#[test]
fn a_refusal_that_could_not_be_logged_is_logged_later() {
    let host = Host::new("");
    let service = Service::start(&host, &["--interval", "1s"]);
    service.until("the first commit", |status| status["state"] == "ok");
    std::fs::rename(host.path("srv"), host.path("gone")).unwrap();
    host.author.write("subscribers/bad.yaml", "ip: x\n");
    let bad = host.push("bad");
    service.until("a failure", |status| status["state"] == "failing" && status["remote_commit"] == bad);
    wait(|| service.journal().contains("the refusal could not be logged").then_some(()), || service.journal());
    std::fs::rename(host.path("gone"), host.path("srv")).unwrap();
    service.until("a refusal", |status| status["state"] == "refused");
    assert!(host.log().pop().unwrap().starts_with("PUBLISH ERROR data refused: "), "{:#?}", host.log());
}

#[test]
fn failures_are_further_and_further_apart() {
    let host = Host::new("");
    let service = Service::start(&host, &["--interval", "1s"]);
    service.until("the first commit", |status| status["state"] == "ok");
    std::fs::rename(host.path("server"), host.path("gone")).unwrap();
    for (failures, pause) in [(1, 2), (2, 4)] {
        let status = service.until("a failure", |status| status["failures"] == failures);
        assert_eq!((&status["state"], &status["pause"]), (&"failing".into(), &pause.into()));
        let seconds = |key: &str| {
            let moment: shapeline::records::moment::Moment = status[key].as_str().unwrap().parse().unwrap();
            moment
        };
        let ahead = seconds("next_attempt").seconds_since(seconds("last_attempt"));
        assert!(ahead >= pause, "{status}");
    }
    assert_eq!(service.journal().matches("FAILED").count(), 1, "{}", service.journal());
    std::fs::rename(host.path("gone"), host.path("server")).unwrap();
    let status = service.until("success", |status| status["state"] == "ok");
    assert_eq!((&status["failures"], &status["pause"], &status["error"]), (&0.into(), &1.into(), &Value::Null));
    assert!(service.journal().ends_with("sync: back to normal\n"), "{}", service.journal());
}

#[test]
fn a_signal_ends_it_while_it_sleeps() {
    for signal in [Signal::TERM, Signal::INT] {
        let host = Host::new("");
        let mut service = Service::start(&host, &["--interval", "24h"]);
        service.until("the first round", |status| status["state"] == "ok");
        service.signal(signal);
        let (code, took) = service.ended();
        assert_eq!(code, Some(0), "{}", service.journal());
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}

/// A check command that is under way when the signal comes: `begun` is there, then it waits for `go`.
fn slow_check() -> Host {
    let host = Host::new("");
    let wait = "touch begun; while ! [ -e go ]; do sleep 0.05; done";
    let check = host.script("check", &format!("cd {}; {wait}", host.path("").display()));
    host.settings(&format!("check: ['{}']\n", check.display()));
    host.push("with a check");
    host
}

#[test]
fn a_signal_lets_a_publish_come_to_its_end() {
    let host = slow_check();
    let mut service = Service::start(&host, &["--interval", "24h"]);
    wait(|| host.path("begun").exists().then_some(()), || service.journal());
    service.signal(Signal::TERM);
    // It got the signal, and has looked at the command several times since.
    let pid = service.child.id();
    let is_pending = || number(pid, "ShdPnd", 16) >> (Signal::TERM.as_raw() - 1) & 1 == 1;
    wait(|| (!is_pending()).then_some(()), || "the signal is not delivered".to_owned());
    let pauses = || number(pid, "voluntary_ctxt_switches", 10);
    let looked = pauses();
    let mut has_ended = || service.child.try_wait().unwrap().is_some();
    wait(|| (has_ended() || pauses() > looked + 10).then_some(()), || "it does not look".to_owned());
    assert!(!has_ended(), "it ended in the middle");
    host.write("go", "");
    let (code, took) = service.ended();
    assert_eq!(code, Some(0), "{}", service.journal());
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(host.live(), three());
    assert_eq!(host.log(), ["PUBLISH SUCCESS version 1"]);
    assert_eq!(host.status()["state"], "ok");
    let slot = std::fs::read_to_string(host.path("srv/.shaper.txt.shapeline/pending.json")).unwrap();
    assert!(slot.contains("\"pending\": null"), "{slot}");
}

#[test]
fn a_second_signal_ends_it_at_once_and_nothing_is_lost() {
    let host = slow_check();
    let mut service = Service::start(&host, &["--interval", "24h"]);
    wait(|| host.path("begun").exists().then_some(()), || service.journal());
    // Two that come at once may be one.
    let again = || {
        service.signal(Signal::TERM);
        service.child.try_wait().unwrap()
    };
    let status = wait(again, || "it does not end".to_owned());
    assert_eq!(status.code(), None, "by the signal, not by itself");
    assert!(!host.path("srv/shaper.txt").exists());
    host.write("go", "");
    host.once(0, &[]);
    assert_eq!(host.live(), three());
}

#[test]
fn a_signal_ends_a_fetch_with_all_that_it_started() {
    let host = Host::new("");
    host.git(&["-C", "clone", "remote", "set-url", "origin", "ssh://git@192.0.2.1/isp.git"]);
    let ssh = host.script("ssh", &format!("echo $$ > {}; sleep 1000", host.path("pid").display()));
    let mut sync = host.sync(&["--interval", "24h"]);
    sync.env("GIT_SSH_COMMAND", ssh);
    let mut service = Service::spawn(&host, sync);
    let read = || std::fs::read_to_string(host.path("pid")).ok().filter(|pid| pid.ends_with('\n'));
    let pid = wait(read, || service.journal());
    service.signal(Signal::TERM);
    assert_eq!(service.ended().0, Some(0), "{}", service.journal());
    let stat = format!("/proc/{}/stat", pid.trim());
    let gone = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
    wait(|| gone().then_some(()), || "ssh goes on".to_owned());
}

#[test]
fn a_signal_ends_the_wait_for_another_publisher() {
    let host = slow_check();
    let mut other = Service::start(&host, &["--interval", "24h"]);
    wait(|| host.path("begun").exists().then_some(()), || other.journal());
    for (arguments, code) in [(["--interval", "24h"].as_slice(), 0), (&["--once"], 2)] {
        let mut waiting = host.sync(arguments);
        let journal = std::fs::File::create(host.path("waiting")).unwrap();
        let mut waiting = waiting.stderr(journal).spawn().unwrap();
        wait(|| host.read("waiting").contains("hre-1: waiting for sync on").then_some(()), || host.read("waiting"));
        kill_process(Pid::from_raw(i32::try_from(waiting.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
        let status = wait(|| waiting.try_wait().unwrap(), || "it waits on".to_owned());
        assert_eq!(status.code(), Some(code), "{}", host.read("waiting"));
    }
    host.write("go", "");
    other.signal(Signal::TERM);
    assert_eq!(other.ended().0, Some(0), "{}", other.journal());
    assert_eq!(host.log(), ["PUBLISH SUCCESS version 1"]);
}

#[test]
fn the_service_manager_is_notified() {
    let host = Host::new("");
    let socket = UnixDatagram::bind(host.path("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = || {
        let mut bytes = [0; 1000];
        let count = socket.recv(&mut bytes).expect("it tells nothing");
        String::from_utf8(bytes[..count].to_vec()).unwrap()
    };
    let mut sync = host.sync(&["--interval", "24h"]);
    sync.env("NOTIFY_SOCKET", host.path("notify"));
    let mut service = Service::spawn(&host, sync);
    assert_eq!(hear(), "READY=1");
    assert_eq!(hear(), "WATCHDOG=1\nSTATUS=ok");
    service.signal(Signal::TERM);
    assert_eq!(hear(), "STOPPING=1");
    assert_eq!(service.ended().0, Some(0));
}

#[test]
fn everyone_may_read_the_status() {
    use std::os::unix::fs::PermissionsExt;
    let host = Host::new("");
    let binary = env!("CARGO_BIN_EXE_shapeline");
    let script =
        format!("umask 077; exec {binary} -C clone sync --once --status-file {}", host.path("status.json").display());
    let mut shell = Command::new("sh");
    let run = super::run({
        super::isolated(&mut shell, &host.path("")).args(["-c", &script]).current_dir(host.path(""));
        shell
    });
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(std::fs::metadata(host.path("status.json")).unwrap().permissions().mode() & 0o777, 0o644);
    let status = host.status();
    let keys: Vec<&String> = status.as_object().unwrap().keys().collect();
    let documented = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sync.md")).unwrap();
    let targets = status["targets"][0].as_object().unwrap().keys();
    for key in keys.into_iter().chain(targets) {
        assert!(documented.contains(&format!("| `{key}` |")), "docs/sync.md does not explain `{key}`");
    }
}

#[test]
fn a_pipe_in_the_place_of_the_status_is_not_waited_for() {
    let host = Host::new("");
    let status = host.path("status.json");
    assert!(Command::new("mkfifo").arg(&status).status().unwrap().success());
    let run = super::run(host.sync(&["--health"]));
    assert!(
        run.code == 2 && run.stderr.contains("status.json") && run.stderr.contains("not a regular file"),
        "{run:?}"
    );
    // A status that can never be written is said at the start.
    for args in [&["--once"][..], &["--interval", "24h"]] {
        let run = super::run(host.sync(args));
        assert!(run.code == 2 && run.stderr.contains("status.json"), "{run:?}");
    }
}
