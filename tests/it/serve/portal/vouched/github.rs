//! GitHub, which has no ID tokens: a server that behaves as documented.

use super::{TestProvider, account, begin, come_back, parameter, portal_command, serve};
use crate::serve::portal::{Browser, state, with_each};
use crate::serve::{Answer, Server, data};

fn sign_in(browser: &Browser<'_>, login: &str) -> Answer {
    come_back(browser, "github", |url| format!("{login}.{}", parameter(url, "code_challenge")))
}

#[test]
fn teams_organizations_and_logins_give_roles() {
    let Some(provider) = TestProvider::start("github") else { return };
    with_each(|repo, state| {
        let server = serve(repo, state, &provider.settings(""));
        let url = begin(&Browser::new(&server), "github", "");
        assert!(url.starts_with(&format!("{}/login/oauth/authorize?", provider.url())), "{url}");
        assert_eq!(parameter(&url, "scope"), "read:org");
        for (login, role, parts) in [
            ("leader", "operator", ["github:leader", "3+leader@users.noreply.127.0.0.1"]),
            ("member", "editor", ["github:member", "member@ispcustomer.co.zw"]),
            ("octo", "viewer", ["github:Octo", "Octo Cat"]),
        ] {
            let browser = Browser::new(&server);
            assert_eq!(sign_in(&browser, login).status, 303, "{}", server.journal());
            let page = account(&browser);
            assert!(page.contains(role) && parts.iter().all(|part| page.contains(part)), "{login}: {page}");
        }
        for (login, status, why) in [
            ("stranger", 403, "No role is set for you here"),
            // An invitation is no membership.
            ("invited", 403, "No role is set for you here"),
            ("hidden", 502, "approve this OAuth app"),
            ("unknown", 403, "The code passed is incorrect or expired."),
        ] {
            let browser = Browser::new(&server);
            let refused = sign_in(&browser, login);
            assert!(refused.status == status && refused.body.contains(why), "{login}: {refused:?}");
            assert_eq!(browser.get("/account").status, 303);
        }
        // The code of another browser's sign-in.
        let foreign = parameter(&begin(&Browser::new(&server), "github", ""), "code_challenge");
        assert_eq!(come_back(&Browser::new(&server), "github", |_| format!("leader.{foreign}")).status, 403);
        assert!(!server.journal().contains("gho_") && !server.journal().contains("the secret of"));
    });
}

#[test]
fn a_wrong_secret_is_said_and_a_missing_one_refused() {
    let Some(provider) = TestProvider::start("github") else { return };
    let repo = data();
    let command = |secret: &str| {
        let mut command = portal_command(&repo, &state(&repo), &provider.settings(""));
        command.env("SHAPELINE_GITHUB_SECRET", secret);
        command
    };
    let server = Server::spawn(command("another secret"));
    let refused = sign_in(&Browser::new(&server), "leader");
    assert!(refused.status == 403 && refused.body.contains("client_secret passed are incorrect"), "{refused:?}");
    let out = command("").output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && said.contains("SHAPELINE_GITHUB_SECRET is not set"), "{said}");
}
