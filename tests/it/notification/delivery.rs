//! Receivers that are down, slow or wrong, and an environment that is.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::{Receiver, SECRET, TOKEN, run_in};
use crate::publish::Site;
use crate::servers::answers::plain;
use crate::support::Run;

/// Longer than a command waits for a receiver, with time for a slow machine.
const AT_MOST: Duration = Duration::from_secs(30);

fn failing(prepare: impl FnOnce(&mut std::process::Command)) -> (Site, Run, Duration) {
    let site = Site::new(1, "reload: ['false']\n");
    let began = Instant::now();
    let run = run_in(site.repo.path(), &["publish"], prepare);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.contains("hre-1: FAILED"), "{run:?}");
    (site, run, began.elapsed())
}

#[test]
fn a_receiver_that_fails_is_tried_again_with_the_same_id() {
    let receiver = Receiver::answering(|number, _| plain(if number < 2 { 500 } else { 204 }, ""));
    let (_site, run, _) = failing(|command| receiver.environment(command));
    let ids: Vec<_> = receiver.bodies().iter().map(|body| body["id"].clone()).collect();
    assert_eq!((ids.len(), &ids[0], &ids[1]), (3, &ids[1], &ids[2]));
    assert!(!run.stderr.contains("notify:"), "{run:?}");
}

#[test]
fn a_receiver_that_is_down_is_tried_again() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1200));
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let began = Instant::now();
        while began.elapsed() < AT_MOST {
            if listener.accept().is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    });
    let url = format!("http://127.0.0.1:{port}/hooks/{TOKEN}");
    failing(|command| {
        command.env("SHAPELINE_NOTIFY_URL", url).env("SHAPELINE_NOTIFY_FORMAT", "slack");
    });
    assert!(later.join().unwrap());
}

#[test]
fn a_receiver_that_says_no_is_not_tried_again_and_later_runs_try() {
    let receiver = Receiver::answering(|number, request| {
        // It repeats what it was sent.
        plain(if number == 0 { 403 } else { 200 }, &format!("no such hook: {}", request.path))
    });
    let (site, run, took) = failing(|command| receiver.environment(command));
    assert_eq!(receiver.requests().len(), 1);
    assert!(run.stderr.contains("notify: not delivered: Shapeline: publish failed, target hre-1"), "{run:?}");
    assert!(run.stderr.contains("127.0.0.1 answered 403 Forbidden"), "{run:?}");
    assert!(took < AT_MOST);
    run_in(site.repo.path(), &["publish"], |command| receiver.environment(command));
    let bodies = receiver.bodies();
    assert_eq!((bodies.len(), &bodies[0]["id"], &bodies[0]["time"]), (2, &bodies[1]["id"], &bodies[1]["time"]));
    run_in(site.repo.path(), &["publish"], |command| receiver.environment(command));
    assert_eq!(receiver.requests().len(), 2, "it has it now");
}

#[test]
fn a_receiver_that_never_answers_costs_seconds_and_changes_nothing() {
    let receiver = Receiver::answering(|_, _| None);
    let (_site, run, took) = failing(|command| receiver.environment(command));
    assert!(took < AT_MOST, "{took:?}");
    assert!(run.stderr.contains("notify: "), "{run:?}");
}

#[test]
fn programs_that_the_data_names_do_not_get_the_secrets() {
    let script = "echo url=$SHAPELINE_NOTIFY_URL secret=$SHAPELINE_NOTIFY_SECRET$SHAPELINE_OPENID_SECRET$SHAPELINE_GITHUB_SECRET end; exit 1";
    let site = Site::new(1, &format!("check: ['sh', '-c', '{script}']\n"));
    let receiver = Receiver::start();
    let run = run_in(site.repo.path(), &["publish"], |command| {
        receiver.environment(command);
        command.env("SHAPELINE_OPENID_SECRET", "secret").env("SHAPELINE_GITHUB_SECRET", "secret");
    });
    assert!(run.code == 1 && run.stdout.contains("exit 1: url= secret= end"), "{run:?}");
    assert_eq!(receiver.kinds(), ["publish-refused hre-1"]);
}

#[test]
fn a_redirection_is_not_followed() {
    let other = Receiver::start();
    let to = other.url.clone();
    let receiver =
        Receiver::answering(move |_, _| Some((307, vec![("Location".to_owned(), to.clone())], String::new())));
    failing(|command| receiver.environment(command));
    assert_eq!((receiver.requests().len(), other.requests().len()), (1, 0));
}

#[test]
fn a_wrong_environment_is_an_error_before_anything_is_done() {
    let site = Site::new(1, "");
    let url = format!("https://hooks.ispcustomer.co.zw/{TOKEN}");
    for (variables, why) in [
        (&[("URL", url.as_str())][..], "SHAPELINE_NOTIFY_SECRET is not"),
        (&[("SECRET", SECRET)], "SHAPELINE_NOTIFY_URL is not"),
        (&[("URL", &url), ("FORMAT", "irc")], "must be one of json, slack, mattermost, teams"),
        (&[("URL", TOKEN), ("FORMAT", "slack")], "SHAPELINE_NOTIFY_URL is no URL"),
    ] {
        for args in [&["publish"][..], &["drift"], &["rollback"], &["sync", "--once"], &["serve", "--only", "lookup"]] {
            let run = run_in(site.repo.path(), args, |command| {
                command.envs(variables.iter().map(|(name, value)| (format!("SHAPELINE_NOTIFY_{name}"), value)));
                command.env("SHAPELINE_STATE", site.repo.path().join(".git/state.sqlite"));
            });
            let other = args[0] == "sync" && run.stderr.contains("remote");
            assert!(run.code == 2 && (other || run.stderr.contains(why)), "{args:?}: {run:?}");
        }
    }
    assert!(!site.live_path().exists());
    let empty = |command: &mut std::process::Command| {
        command.envs(["URL", "SECRET", "FORMAT"].map(|name| (format!("SHAPELINE_NOTIFY_{name}"), "")));
    };
    assert_eq!(run_in(site.repo.path(), &["publish"], empty).code, 0, "a workflow without its secrets");
}

#[test]
fn a_test_says_what_the_receiver_answered() {
    let folder = tempfile::tempdir().unwrap();
    let test = |prepare: &dyn Fn(&mut std::process::Command)| {
        run_in(folder.path(), &["test-notification"], |command| prepare(command))
    };
    let receiver = Receiver::start();
    let run = test(&|command| receiver.environment(command));
    assert_eq!((run.code, run.stdout.as_str()), (0, "127.0.0.1 answered 200 OK: ok\n"));
    assert_eq!(receiver.kinds(), ["test -"]);
    let refusing = Receiver::answering(|_, request| plain(500, &request.path));
    let run = test(&|command| refusing.environment(command));
    assert!(run.code == 2 && run.stderr.contains("answered 500 Internal Server Error"), "{run:?}");
    assert_eq!(refusing.requests().len(), 1, "one try");
    let run = test(&|_| ());
    assert!(run.code == 2 && run.stderr.contains("SHAPELINE_NOTIFY_URL is not set"), "{run:?}");
}
