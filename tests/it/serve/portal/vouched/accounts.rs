//! The accounts of people whom a provider vouches for.

use super::{TestProvider, Visitor, account, begin, come_back, parameter, serve};
use crate::serve::portal::drafts::branches;
use crate::serve::portal::{Browser, PASSWORD, add_user, state, with_each};
use crate::serve::{Answer, Server};

fn sign_in(browser: &Browser<'_>, scenario: &str) -> Answer {
    come_back(browser, "openid", |url| format!("{scenario}.{}", parameter(url, "nonce")))
}

fn signed_in<'s>(server: &'s Server, scenario: &str) -> Browser<'s> {
    let browser = Browser::new(server);
    let answer = sign_in(&browser, scenario);
    assert_eq!(answer.status, 303, "{answer:?}");
    browser
}

#[test]
fn no_name_and_no_address_leads_to_a_local_account() {
    let Some(provider) = TestProvider::start("forged") else { return };
    with_each(|repo, state| {
        add_user(repo, state, &["noc", "--role", "viewer", "--domain", "tier2.example"]);
        let local = provider.settings("");
        let server = serve(repo, state, &local);
        // Who calls themselves `noc` at the provider, with an address that is not checked.
        let browser = signed_in(&server, "hostile");
        let page = account(&browser);
        assert!(page.contains("openid:noc") && !page.contains("noc@ispcustomer.co.zw"), "{page}");
        assert!(!page.contains("<img src=x") && !page.contains('\u{202e}'), "{page}");
        let noc = Browser::signed_in(&server, "noc");
        assert!(account(&noc).contains("viewer"), "untouched");
        // A provider's account has no password, here or there.
        for name in ["openid:noc", "openid%3Anoc"] {
            assert_eq!(Browser::new(&server).sign_in(name, "").status, 403);
            assert_eq!(Browser::new(&server).sign_in(name, PASSWORD).status, 403);
        }
        assert_eq!(browser.post("/account", &[("old", ""), ("password", PASSWORD)]).status, 403);
        let list = repo.run(&["user", "list", "--state", state]);
        assert!(list.stdout.contains("local") && list.stdout.contains("openid http://127"), "{list:?}");
        let json = repo.run(&["user", "list", "--state", state, "--format", "json"]).stdout;
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let users = json["users"].as_array().unwrap();
        assert_eq!(users.iter().filter(|user| user["provider"].is_null()).count(), 1, "{json}");
        let run = repo.run_with_input(&["user", "passwd", "openid:noc", "--state", state], &format!("{PASSWORD}\n"));
        assert!(run.code == 1 && run.stderr.contains("has no password here"), "{run:?}");
    });
}

#[test]
fn who_is_removed_comes_back_only_when_restored() {
    let Some(provider) = TestProvider::start("forged") else { return };
    with_each(|repo, state| {
        let server = serve(repo, state, &provider.settings(""));
        let browser = signed_in(&server, "good");
        let again = signed_in(&server, "good");
        assert_eq!(repo.run(&["user", "remove", "openid:person", "--state", state]).code, 0);
        assert_eq!((browser.get("/account").status, again.get("/account").status), (303, 303));
        let refused = sign_in(&Browser::new(&server), "good");
        assert!(refused.status == 403 && refused.body.contains("was removed"), "{refused:?}");
        assert_eq!(repo.run(&["user", "restore", "openid:person", "--state", state]).code, 0);
        signed_in(&server, "good");
        let run = repo.run(&["user", "restore", "openid:person", "--state", state]);
        assert!(run.code == 1 && run.stderr.contains("no account `openid:person`"), "{run:?}");
    });
}

#[test]
fn rights_follow_the_settings_and_sessions_the_rights() {
    let Some(provider) = TestProvider::start("forged") else { return };
    with_each(|repo, state| {
        add_user(repo, state, &["noc", "--role", "operator"]);
        let settings = provider.settings("");
        let server = serve(repo, state, &settings);
        let (browser, noc) = (signed_in(&server, "good"), Browser::signed_in(&server, "noc"));
        assert!(account(&browser).contains("operator"));
        let [theirs, local] = &[browser, noc].map(|browser| browser.cookie.borrow().clone());
        drop(server);
        let less = settings.replace("value: noc, role: operator", "value: noc, role: viewer, domains: [tier2.example]");
        let server = serve(repo, state, &less);
        let page = account(&signed_in(&server, "good"));
        assert!(page.contains("viewer") && page.contains("tier2.example"), "{page}");
        let old = Browser { server: &server, cookie: theirs.clone().into() };
        assert!(account(&old).contains("viewer"), "in other sessions, too");
        drop(server);
        // No rule fits any more: the next sign-in ends all sessions.
        let server = serve(repo, state, &settings.replace("value: noc", "value: gone"));
        assert_eq!(sign_in(&Browser::new(&server), "good").status, 403);
        let old = Browser { server: &server, cookie: theirs.clone().into() };
        assert_eq!(old.get("/account").status, 303);
        drop(server);
        // Without local accounts there is no form for them, and no session of theirs.
        let server =
            serve(repo, state, &settings.replace("sign_in:\n", "sign_in:\n  local: false\n  contact: the NOC\n"));
        let browser = Browser::new(&server);
        let page = browser.page("/sign-in");
        assert!(page.contains("Sign in with Staff") && !page.contains("password"), "{page}");
        assert_eq!(browser.sign_in("noc", PASSWORD).status, 403);
        let old = Browser { server: &server, cookie: local.clone().into() };
        assert_eq!((old.get("/account").status, browser.get("/setup?key=0").status), (303, 404));
        signed_in(&server, "good");
        drop(server);
        // Nor of a provider that the settings do not name any more.
        let server = serve(repo, state, "access_log: false\n");
        assert_eq!(Browser { server: &server, cookie: theirs.clone().into() }.get("/account").status, 303);
        assert_eq!(Browser { server: &server, cookie: local.clone().into() }.get("/account").status, 200);
    });
}

#[test]
fn what_they_propose_is_a_commit_of_theirs() {
    let Some(provider) = TestProvider::start("forged") else { return };
    let repo = crate::serve::data();
    let server = serve(&repo, &state(&repo), &provider.settings(""));
    let browser = signed_in(&server, "good");
    browser.add("10.20.0.5", "tier2.example", "30_MEG_UP_30_MEG_DOWN");
    browser.submit("");
    let made = crate::serve::wait(|| branches(&repo).pop(), || server.journal());
    assert!(made.starts_with("portal/openid-person-"), "{made}");
    let author = repo.git(&["log", "-1", "--format=%an <%ae>", &made]);
    assert_eq!(author.trim(), "A Person <person@users.noreply.127.0.0.1>");
}

#[test]
fn two_of_a_name_have_two_accounts() {
    let Some(provider) = TestProvider::start("certified") else { return };
    with_each(|repo, state| {
        let server = serve(repo, state, &provider.settings(""));
        let pages = ["desk", "twin"].map(|login| {
            let browser = Browser::new(&server);
            let back = Visitor::new(&provider).sign_in(&begin(&browser, "openid", ""), login);
            assert_eq!(browser.get(&back).status, 303, "{}", server.journal());
            account(&browser)
        });
        assert!(pages[0].contains("<dd>openid:desk</dd>") && pages[1].contains("<dd>openid:desk-"), "{}", pages[1]);
        assert!(pages[1].contains("Another Desk") && pages[1].contains("editor"), "{}", pages[1]);
    });
}

#[test]
fn sign_ins_and_sessions_have_an_end() {
    let Some(provider) = TestProvider::start("forged") else { return };
    let repo = crate::serve::data();
    let file = state(&repo);
    add_user(&repo, &file, &["noc", "--role", "operator"]);
    let server = serve(&repo, &file, &provider.settings(""));
    let change = |sql: &str| {
        let script =
            "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1], timeout=20) as db: db.execute(sys.argv[2])";
        let run = std::process::Command::new("python3").args(["-c", script, &file, sql]).status();
        assert!(run.unwrap().success(), "{sql}");
    };
    let late = |seconds: u32| {
        let browser = Browser::new(&server);
        let url = begin(&browser, "openid", "");
        change(&format!("UPDATE pending_sign_ins SET began = began - {seconds}"));
        let (nonce, state) = (parameter(&url, "nonce"), parameter(&url, "state"));
        browser.get(&format!("/sign-in/openid?code=good.{nonce}&state={state}")).status
    };
    assert_eq!((late(540), late(660)), (303, 403));
    let (theirs, local) = (signed_in(&server, "good"), Browser::signed_in(&server, "noc"));
    change("UPDATE sessions SET began = began - 11 * 3600");
    assert_eq!((theirs.get("/account").status, local.get("/account").status), (200, 200));
    change("UPDATE sessions SET began = began - 2 * 3600");
    assert_eq!((theirs.get("/account").status, local.get("/account").status), (303, 200));
}
