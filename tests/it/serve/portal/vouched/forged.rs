//! ID tokens that prove nothing, by a provider that signs what it is asked to.

use super::{TestProvider, Visitor, account, come_back, parameter, serve};
use crate::serve::portal::{Browser, state, with_each};
use crate::serve::{Answer, data, wait};

fn answer(browser: &Browser<'_>, scenario: &str) -> Answer {
    come_back(browser, "openid", |url| format!("{scenario}.{}", parameter(url, "nonce")))
}

#[test]
fn what_is_no_proof_is_refused() {
    let Some(provider) = TestProvider::start("forged") else { return };
    with_each(|repo, state| {
        let server = serve(repo, state, &provider.settings(""));
        let browser = Browser::new(&server);
        let good = answer(&browser, "good");
        assert_eq!((good.status, good.header("location")), (303, Some("/subscribers?q=a")), "{good:?}");
        assert!(account(&browser).contains("openid:person"));
        for (scenario, why) in [
            ("expired", "Expired"),
            ("audience", "Invalid audiences"),
            ("audiences", "Invalid audiences"),
            ("party", "for another program"),
            ("issuer", "Invalid issuer"),
            ("nonce", "Invalid nonce"),
            ("unbound", "Invalid nonce"),
            ("access", "another access token"),
            ("key", "Signature verification failed"),
            ("unknown", "No matching key"),
            ("none", "ignature"),
            ("hmac", "ignature"),
            ("missing", "no ID token"),
            ("subject", "who this is"),
            ("userinfo", "two different things"),
            ("error", "it gives no token"),
            ("redirect", "307"),
            ("huge", "more than 1048576 bytes"),
        ] {
            let browser = Browser::new(&server);
            let refused = answer(&browser, scenario);
            assert!([403, 502].contains(&refused.status) && refused.body.contains(why), "{scenario}: {refused:?}");
            assert!(!refused.body.contains("<script>alert") && !refused.body.contains('\u{202e}'), "{refused:?}");
            assert!(refused.body.len() < 4000, "{scenario}: {refused:?}");
            assert_eq!(browser.get("/account").status, 303, "{scenario}");
        }
        let all = || (server.journal().matches("sign-in refused").count() == 18).then_some(());
        wait(all, || server.journal());
        let said = server.journal();
        assert!(!said.contains("a secret: of"), "{said}");
    });
}

#[test]
fn keys_are_read_again_when_one_is_unknown_and_not_more_often_than_that() {
    let Some(provider) = TestProvider::start("forged") else { return };
    let repo = data();
    let server = serve(&repo, &state(&repo), &provider.settings(""));
    let asked = || Visitor::new(&provider).send("GET", "/asked", "").json()["asked"].as_u64().unwrap();
    assert_eq!((answer(&Browser::new(&server), "good").status, asked()), (303, 1));
    assert_eq!((answer(&Browser::new(&server), "rotated").status, asked()), (303, 2));
    for _ in 0..5 {
        assert_eq!(answer(&Browser::new(&server), "unknown").status, 403);
    }
    assert_eq!(asked(), 2, "who sends unknown keys has the provider asked once a minute");
    assert_eq!(answer(&Browser::new(&server), "rotated").status, 303);
}

#[test]
fn a_provider_that_hangs_is_given_up() {
    let Some(provider) = TestProvider::start("forged") else { return };
    let repo = data();
    let server = serve(&repo, &state(&repo), &provider.settings(""));
    let refused = answer(&Browser::new(&server), "hang");
    assert!(refused.status == 502 && refused.body.contains("cannot be asked at the moment"), "{refused:?}");
}

#[test]
fn only_so_many_sign_ins_wait() {
    let Some(provider) = TestProvider::start("forged") else { return };
    with_each(|repo, state| {
        let server = serve(repo, state, &provider.settings(""));
        let browser = Browser::new(&server);
        let token = super::super::token(&browser.page("/sign-in"));
        let statuses: Vec<u16> = (0..52).map(|_| browser.post_with("/sign-in/openid", &token, &[]).status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 50, "{statuses:?}");
        assert_eq!(statuses[50..], [429, 429]);
        // Answers that belong to none have an end, too, in the records as well.
        let strays: Vec<u16> = (0..40).map(|_| browser.get("/sign-in/openid?code=a&state=b").status).collect();
        assert_eq!((strays[0], strays[39]), (403, 429), "{strays:?}");
        assert!(server.journal().matches("not begun in this browser").count() < 35);
    });
}

#[test]
fn a_form_of_another_site_begins_nothing() {
    let Some(provider) = TestProvider::start("forged") else { return };
    let repo = data();
    let server = serve(&repo, &state(&repo), &provider.settings(""));
    let browser = Browser::new(&server);
    browser.get("/sign-in");
    assert_eq!(browser.post_with("/sign-in/openid", "0", &[]).status, 403);
    let refused = answer_with_error(&browser);
    assert!(refused.status == 403 && refused.body.contains("“&lt;i&gt;no&lt;/i&gt;”"), "{refused:?}");
}

fn answer_with_error(browser: &Browser<'_>) -> Answer {
    let state = parameter(&super::begin(browser, "openid", ""), "state");
    browser.get(&format!("/sign-in/openid?error=access_denied&error_description=%3Ci%3Eno%3C/i%3E&state={state}"))
}
