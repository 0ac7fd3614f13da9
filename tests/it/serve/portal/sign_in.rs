//! Accounts: the first one, signing in and out, guessing passwords.

use super::{Browser, PASSWORD, add_user, command, hidden, link, portal, state, with_each};
use crate::serve::{Server, data, wait};
use crate::support::Repo;

fn serve(repo: &Repo, state: &str) -> Server {
    Server::spawn(command(repo, &["--state", state]))
}

#[test]
fn the_link_makes_the_first_account_once() {
    with_each(|repo, state| {
        let server = serve(repo, state);
        let link = link(&server);
        let browser = Browser::new(&server);
        let key = hidden(&browser.page(&link), "key");
        let fields = |name| {
            [
                ("key", key.clone()),
                ("name", String::from(name)),
                ("full_name", "Network Desk".into()),
                ("email", "noc@tier2.example".into()),
                ("password", PASSWORD.into()),
            ]
        };
        let send = |fields: &[(&str, String)]| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.post_from(&link, "/setup", &fields)
        };
        for (at, bad) in [(1, "a b"), (1, ""), (2, "A <b>"), (3, "nobody"), (4, "short")] {
            let mut fields = fields("noc");
            fields[at].1 = bad.to_owned();
            let refused = send(&fields);
            assert!(refused.status == 400 && refused.body.contains("role=\"alert\""), "{bad}: {refused:?}");
        }
        let made = send(&fields("noc"));
        assert_eq!((made.status, made.header("location")), (303, Some("/")), "{made:?}");
        assert!(browser.page("/subscribers").contains("You have 3 subscribers"));
        assert_eq!(Browser::new(&server).get(&link).status, 404, "used up");
        drop(server);
        let server = serve(repo, state);
        assert_eq!(Browser::signed_in(&server, "noc").get("/draft").status, 200);
        assert!(!server.journal().contains("/setup?"), "{}", server.journal());
    });
}

#[test]
fn a_wrong_name_and_a_wrong_password_are_answered_alike() {
    let repo = data();
    let server = portal(&repo);
    let [unknown, wrong] = [("nobody", PASSWORD), ("desk", "wrong horse battery")].map(|(name, password)| {
        let browser = Browser::new(&server);
        let answer = browser.sign_in(name, password);
        let token = hidden(&answer.body, "token");
        (answer.status, answer.body.replace(name, "NAME").replace(&token, "TOKEN"))
    });
    assert_eq!(unknown, wrong);
    assert!(unknown.0 == 403 && unknown.1.contains("The name or the password is wrong."), "{unknown:?}");
}

#[test]
fn who_guesses_has_to_wait_and_others_do_not() {
    with_each(|repo, state| {
        add_user(repo, state, &["desk", "--domain", "tier2.example"]);
        add_user(repo, state, &["noc", "--role", "operator"]);
        let server = serve(repo, state);
        let guess = || Browser::new(&server).sign_in("desk", "wrong horse battery").status;
        let statuses: Vec<u16> = (0..8).map(|_| guess()).collect();
        assert_eq!(statuses, [403, 403, 403, 403, 403, 403, 429, 429]);
        let right = Browser::new(&server).sign_in("desk", PASSWORD);
        assert!(right.status == 429 && right.body.contains("Try again in 1 minute"), "{right:?}");
        Browser::signed_in(&server, "noc");
        assert!(server.journal().contains("audit: 'desk' from 127.0.0.1: sign-in refused"), "{}", server.journal());
        // Another replica knows of it.
        assert_eq!(Browser::new(&serve(repo, state)).sign_in("desk", PASSWORD).status, 429);
    });
}

#[test]
fn guesses_at_the_same_time_are_no_way_round() {
    let repo = data();
    let server = portal(&repo);
    let browser = Browser::new(&server);
    let token = hidden(&browser.page("/sign-in"), "token");
    let cookie = browser.cookie.borrow().clone();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let guess = || {
            let own = Browser { server: &server, cookie: cookie.clone().into() };
            let token = token.clone();
            scope.spawn(move || {
                own.post_with("/sign-in", &token, &[("name", "desk"), ("password", "wrong horse battery")]).status
            })
        };
        let all: Vec<_> = (0..30).map(|_| guess()).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 6, "{statuses:?}");
}

#[test]
fn a_session_is_new_after_signing_in_and_gone_after_signing_out() {
    let repo = data();
    let server = portal(&repo);
    let browser = Browser::new(&server);
    browser.get("/sign-in");
    let before = browser.cookie.borrow().clone();
    assert_eq!(browser.sign_in("desk", PASSWORD).status, 303);
    let after = browser.cookie.borrow().clone();
    assert_ne!(before, after, "what was put into the browser before is worth nothing");
    let with = |cookie: &str| server.get_with("/account", &[&format!("Cookie: {cookie}")]).status;
    assert_eq!((with(&before), with(&after)), (303, 200));
    assert_eq!(browser.post("/sign-out", &[]).header("location"), Some("/sign-in"));
    assert_eq!(with(&after), 303);
    assert!(browser.get("/account").header("location").unwrap().starts_with("/sign-in?next=%2Faccount"));
}

#[test]
fn another_password_and_a_removal_end_sessions() {
    let repo = data();
    let server = portal(&repo);
    let (mine, other) = (Browser::signed_in(&server, "desk"), Browser::signed_in(&server, "desk"));
    let change = |old: &str, new: &str| mine.post("/account", &[("old", old), ("password", new)]).status;
    assert_eq!(change("wrong", "another horse battery"), 403);
    assert_eq!(change(PASSWORD, "short"), 400);
    assert_eq!(change(PASSWORD, "another horse battery"), 303);
    assert_eq!((mine.get("/account").status, other.get("/account").status), (200, 303));
    let run = repo.run_with_input(&["user", "passwd", "desk", "--state", &state(&repo)], "a third horse battery\n");
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(mine.get("/account").status, 303);
    assert_eq!(Browser::new(&server).sign_in("desk", "a third horse battery").status, 303);
    let noc = Browser::signed_in(&server, "noc");
    assert_eq!(repo.run(&["user", "remove", "noc", "--state", &state(&repo)]).code, 0);
    assert_eq!((noc.get("/account").status, Browser::new(&server).sign_in("noc", PASSWORD).status), (303, 403));
}

#[test]
fn signing_in_leads_to_the_page_that_was_asked_for_and_nowhere_else() {
    let repo = data();
    let server = portal(&repo);
    for (next, to) in [
        ("/subscribers?q=a&page=2", "/subscribers?q=a&page=2"),
        ("//attacker.example", "/"),
        ("https://attacker.example", "/"),
        ("/\\attacker.example", "/"),
        ("/a\r\nSet-Cookie: a=b", "/"),
    ] {
        let browser = Browser::new(&server);
        let fields = [("name", "desk"), ("password", PASSWORD), ("next", next)];
        let answer = browser.post_from("/sign-in", "/sign-in", &fields);
        assert_eq!((answer.status, answer.header("location")), (303, Some(to)), "{next}");
    }
    wait(|| server.journal().contains("'desk' from 127.0.0.1: signed in").then_some(()), || server.journal());
}
