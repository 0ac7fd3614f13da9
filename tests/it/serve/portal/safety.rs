//! Attacks: forged forms, injected markup and headers, oversized bodies.

use super::tenancy::pages;
use super::{Browser, portal};
use crate::serve::data;

#[test]
fn a_form_that_is_not_ours_is_refused() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    let good = super::token(&desk.page("/requests"));
    let other = super::token(&Browser::signed_in(&server, "noc").page("/requests"));
    let forms: Vec<String> =
        pages().into_iter().filter_map(|page| page.strip_prefix("POST ").map(ToOwned::to_owned)).collect();
    assert!(forms.len() > 8, "{forms:?}");
    for path in &forms {
        for token in ["", "0", &other, &good.to_uppercase()] {
            assert_eq!(desk.post_with(path, token, &[]).status, 403, "{path} {token}");
        }
        let cookie = format!("Cookie: {}", desk.cookie.borrow());
        for site in ["cross-site", "same-site"] {
            let headers = [
                cookie.as_str(),
                "Content-Type: application/x-www-form-urlencoded",
                &format!("Sec-Fetch-Site: {site}"),
            ];
            let answer = server.send("POST", path, &headers, format!("token={good}"));
            assert_eq!(answer.status, 403, "{path} {site}");
        }
        assert_eq!(
            server
                .send("POST", path, &["Content-Type: application/x-www-form-urlencoded"], format!("token={good}"))
                .status,
            403
        );
    }
    assert_eq!(desk.get("/account").status, 200, "still signed in");
}

#[test]
fn nothing_that_is_written_becomes_markup_or_a_header() {
    let repo = data();
    repo.write(
        "subscribers/evil.yaml",
        "- {ip: 10.20.0.9, domain: tier2.example, plan: 30_MEG_UP_30_MEG_DOWN, name: '<script>alert(1)</script>\"''', labels: {note: '</pre><img src=x onerror=alert(1)>'}}\n",
    );
    repo.commit("evil");
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    desk.post("/act", &[("key", "10.20.0.9@tier2.example"), ("action", "suspend")]);
    let note = "<img src=x onerror=alert(1)>";
    for path in [
        "/subscribers",
        "/subscriber?key=10.20.0.9%40tier2.example",
        "/edit?key=10.20.0.9%40tier2.example",
        "/draft",
        "/subscribers?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/subscriber?key=%3Cscript%3E",
        "/request?id=%3Cscript%3E",
        "/sign-in?next=%22%3E%3Cscript%3E",
        "/%3Cscript%3E",
        "/add?domain=%22%3E%3Cscript%3E",
    ] {
        let answer = desk.get(path);
        assert!(!answer.body.contains("<script>") && !answer.body.contains("<img src=x"), "{path}: {answer:?}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    let request = desk.submit(note);
    assert!(!desk.page(&request).contains("<img src=x"));
    let version_before = repo.git(&["for-each-ref", "--format=%(refname)", "refs/heads/portal"]);
    desk.add("10.20.0.5", "tier2.example", "30_MEG_UP_30_MEG_DOWN");
    let version = super::hidden(&desk.page("/draft"), "version");
    for bad in ["a\nShapeline-Request: 0", "a\u{202e}b", &"x".repeat(501)] {
        assert_eq!(desk.post("/draft/submit", &[("version", &version), ("message", bad)]).status, 422, "{bad:?}");
    }
    assert_eq!(repo.git(&["for-each-ref", "--format=%(refname)", "refs/heads/portal"]), version_before);
    let log = Browser::new(&server).sign_in("a\naudit: forged", "x");
    assert_eq!(log.status, 403, "{log:?}");
    assert!(!server.journal().lines().any(|line| line.starts_with("audit: forged")), "{}", server.journal());
}

#[test]
fn an_oversized_form_is_refused_and_an_unknown_page_is_a_page() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    let large = "x".repeat(2 << 20);
    let answer = desk.post("/save", &[("name", &large[..400_000])]);
    assert_eq!(answer.status, 413, "{}", answer.head);
    let lost = desk.get("/nothing");
    assert!(lost.status == 404 && lost.body.contains("There is nothing at this address."), "{lost:?}");
    assert_eq!(server.get("/v1/plans").status, 200, "the API is beside it");
    assert_eq!(desk.send("DELETE", "/draft", "").status, 405);
    for path in ["/assets/../../Cargo.toml", "/assets/%2e%2e%2fCargo.toml", "/assets/portal.css"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}
