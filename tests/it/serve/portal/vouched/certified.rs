//! The whole way, at a certified provider.

use super::{SITE, TestProvider, Visitor, account, begin, parameter, serve};
use crate::serve::portal::{Browser, PASSWORD, add_user, browser, state, with_each};
use crate::serve::{Server, data, wait};

/// Waits until the journal says it.
fn recorded(server: &Server, what: &str) {
    wait(|| server.journal().contains(what).then_some(()), || server.journal());
}

#[test]
fn people_sign_in_with_the_roles_that_their_claims_give() {
    let Some(provider) = TestProvider::start("certified") else { return };
    with_each(|repo, state| {
        let server = serve(repo, state, &provider.settings(""));
        let browser = Browser::new(&server);
        let page = browser.get("/sign-in?next=/draft");
        assert!(page.body.contains("Sign in with Staff") && page.body.contains("type=\"password\""), "{page:?}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("form-action 'self' {}", provider.url())), "{policy}");
        let url = begin(&browser, "openid", "/requests");
        assert_eq!(parameter(&url, "redirect_uri"), format!("{SITE}/sign-in/openid"));
        assert_eq!(
            (parameter(&url, "code_challenge_method"), parameter(&url, "response_type")),
            ("S256".into(), "code".into())
        );
        let before = browser.cookie.borrow().clone();
        let back = Visitor::new(&provider).sign_in(&url, "noc");
        let answer = browser.get(&back);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/requests")), "{answer:?}");
        assert_ne!(before, *browser.cookie.borrow());
        let page = account(&browser);
        for part in ["Network Desk", "openid:noc", "operator", "noc@ispcustomer.co.zw", &provider.url()] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("password"), "{page}");
        recorded(&server, "signed in as operator (openid http");
        // Used up, whoever has it.
        for again in [&browser, &Browser::new(&server)] {
            let refused = again.get(&back);
            assert!(refused.status == 403 && refused.body.contains("Sign in again."), "{refused:?}");
        }

        let desk = Browser::new(&server);
        let back = Visitor::new(&provider).sign_in(&begin(&desk, "openid", ""), "desk");
        assert_eq!(desk.get(&back).header("location"), Some("/"));
        let page = account(&desk);
        assert!(page.contains("editor") && page.contains("tier2.example"), "{page}");
        // The provider has not checked their address: neither the rule for it counts, nor is it the author's.
        assert!(!page.contains("desk@tier2.example") && page.contains("desk@users.noreply.127.0.0.1"), "{page}");
        assert!(!desk.page("/subscribers").contains("acme"));

        let visitor = Browser::new(&server);
        let back = Visitor::new(&provider).sign_in(&begin(&visitor, "openid", ""), "visitor");
        let refused = visitor.get(&back);
        assert!(refused.status == 403 && refused.body.contains("No role is set for you here"), "{refused:?}");
        assert!(refused.body.contains("“visitor”") && !refused.body.contains("<b>"), "{refused:?}");
        recorded(&server, "no role is set for “visitor”");
        assert_eq!(visitor.get("/account").status, 303);
    });
}

#[test]
fn a_public_client_needs_no_secret() {
    let Some(provider) = TestProvider::start("certified") else { return };
    let repo = data();
    let settings = provider.settings("").replace("client_id: portal", "client_id: public");
    let mut command = super::portal_command(&repo, &state(&repo), &settings);
    command.env_remove("SHAPELINE_OPENID_SECRET");
    let server = Server::spawn(command);
    let browser = Browser::new(&server);
    let back = Visitor::new(&provider).sign_in(&begin(&browser, "openid", ""), "noc");
    assert_eq!(browser.get(&back).status, 303, "{}", server.journal());
}

#[test]
fn a_sign_in_belongs_to_its_browser() {
    let Some(provider) = TestProvider::start("certified") else { return };
    with_each(|repo, state| {
        let server = serve(repo, state, &provider.settings(""));
        let (victim, attacker) = (Browser::new(&server), Browser::new(&server));
        victim.get("/sign-in");
        let back = Visitor::new(&provider).sign_in(&begin(&attacker, "openid", ""), "noc");
        // Login CSRF: the victim is led to the attacker's answer.
        assert_eq!(victim.get(&back).status, 403);
        assert_eq!(Browser::new(&server).get(&back).status, 403);
        assert_eq!(victim.get("/account").status, 303);
        // Another provider's answer.
        let mixed = back.replace("iss=http", "iss=https");
        let refused = attacker.get(&mixed);
        assert!(refused.status == 403 && refused.body.contains("comes from another provider"), "{refused:?}");
        let back = Visitor::new(&provider).sign_in(&begin(&attacker, "openid", ""), "noc");
        let (without, _) = back.split_once("&iss=").unwrap();
        assert!(attacker.get(without).body.contains("does not say which provider"));
        // A code that belongs to another sign-in: PKCE refuses it.
        let (first, second) = (begin(&attacker, "openid", ""), begin(&attacker, "openid", ""));
        let back = Visitor::new(&provider).sign_in(&first, "noc");
        let crossed = back.replace(&parameter(&first, "state"), &parameter(&second, "state"));
        let refused = attacker.get(&crossed);
        assert!(refused.status == 403 && refused.body.contains("it gives no token"), "{refused:?}");
        // A code that was redeemed.
        let back = Visitor::new(&provider).sign_in(&begin(&attacker, "openid", ""), "noc");
        assert_eq!(attacker.get(&back).status, 303);
        let thief = Browser::new(&server);
        let next = begin(&thief, "openid", "");
        let replayed = back.replace(&parameter(&back, "state"), &parameter(&next, "state"));
        assert_eq!(thief.get(&replayed).status, 403);
    });
}

#[test]
fn replicas_finish_what_others_began() {
    let Some(provider) = TestProvider::start("certified") else { return };
    with_each(|repo, state| {
        let (one, two) = (serve(repo, state, &provider.settings("")), serve(repo, state, &provider.settings("")));
        let browser = Browser::new(&one);
        let back = Visitor::new(&provider).sign_in(&begin(&browser, "openid", "/requests"), "noc");
        let other = Browser { server: &two, cookie: browser.cookie.borrow().clone().into() };
        assert_eq!(other.get(&back).header("location"), Some("/requests"));
        assert_eq!(browser.get(&back).status, 403, "used once, at all replicas");
        let there = Browser { server: &one, cookie: other.cookie.borrow().clone().into() };
        assert!(account(&there).contains("openid:noc"));
    });
}

#[test]
fn a_provider_that_is_down_stops_no_other_sign_in() {
    let Some(provider) = TestProvider::start("certified") else { return };
    let (settings, port) = (provider.settings(""), provider.port);
    drop(provider);
    let repo = data();
    add_user(&repo, &state(&repo), &["noc", "--role", "operator"]);
    let server = serve(&repo, &state(&repo), &settings);
    let browser = Browser::new(&server);
    let refused = browser.post_from("/sign-in", "/sign-in/openid", &[]);
    assert!(refused.status == 502 && refused.body.contains("Staff cannot be asked at the moment"), "{refused:?}");
    assert_eq!(browser.sign_in("noc", PASSWORD).status, 303);
    // Once it is there again, it is asked again.
    let provider = TestProvider::start_at("certified", port, SITE).unwrap();
    let browser = Browser::new(&server);
    let begun = || browser.post_from("/sign-in", "/sign-in/openid", &[]);
    let url = wait(|| Some(begun()).filter(|answer| answer.status == 303), || server.journal());
    let back = Visitor::new(&provider).sign_in(url.header("location").unwrap(), "noc");
    assert_eq!(browser.get(&back).status, 303);
}

#[test]
fn a_browser_goes_to_another_site_and_comes_back() {
    let Some(tools) = browser::tools() else { return };
    // The provider has to know the port before the portal listens on it.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    // Another site than the provider's 127.0.0.1: what is for one site alone does not get there.
    let site = format!("http://localhost:{port}");
    let Some(provider) = TestProvider::start_at("certified", 0, &site) else { return };
    let repo = data();
    let settings = provider.settings("").replace(SITE, &site);
    let path = repo.write(".git/server.yaml", settings);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_shapeline"));
    command.current_dir(repo.path()).args([
        "serve",
        "--listen",
        &format!("127.0.0.1:{port}"),
        "--state",
        &state(&repo),
    ]);
    command
        .arg("--settings")
        .arg(path)
        .env("SHAPELINE_OPENID_SECRET", "a secret: of & the + portal")
        .env("NO_COLOR", "1");
    let server = Server::spawn(command);
    browser::step_at(&tools, "vouched", &server, "localhost");
}
