//! A token for one domain sees nothing of another one: by no address, no parameter, no count, no error.
//!
//! The addresses are those of the OpenAPI document, which is made from the table that the router is made
//! from. One without a case here fails the test.

use super::tokens::{add, serve};
use super::{Answer, Server};
use crate::support::Repo;

/// The tenant's token is for `tier2.example`. Everything of the other one has one of these in it.
const FOREIGN: &[&str] = &["ispcustomer", "acme", "ACME", "10.10.10", "fibre", "GOLD", "0815"];

fn data() -> Repo {
    let repo = Repo::new();
    std::fs::remove_file(repo.path().join("plans/30_MEG_UP_30_MEG_DOWN.yaml")).unwrap();
    repo.write("plans/GOLD.yaml", "name: GOLD\nup: 100 Mbps\ndown: 100 Mbps\n");
    repo.write(
        "domains/tier2.example.yaml",
        "name: tier2.example\nprefixes: [10.20.0.0/28]\nplans: [50_MEG_UP_50_MEG_DOWN]\n",
    );
    repo.write(
        "subscribers/a.yaml",
        "- {ip: 10.10.10.25, domain: ispcustomer.co.zw, plan: GOLD, id: acme-hq, name: ACME head office}\n\
         - {ip: 10.10.10.64/29, domain: ispcustomer.co.zw, plan: 50_MEG_UP_50_MEG_DOWN, id: fibre, labels: {ticket: '0815'}}\n\
         - {ip: 10.20.0.2, domain: tier2.example, plan: 50_MEG_UP_50_MEG_DOWN, id: own}\n",
    );
    repo.commit("first");
    repo
}

/// What the tenant asks on an address: what it may see, and pairs of something of the other one and
/// something that does not exist, which must be answered alike.
struct Case {
    path: &'static str,
    own: &'static [&'static str],
    pairs: &'static [[&'static str; 2]],
}

const CASES: &[Case] = &[
    Case {
        path: "/lookup",
        own: &["/lookup", "/?user_id=own", "/lookup?user_id=own"],
        pairs: &[
            ["/lookup?user_id=acme-hq", "/lookup?user_id=nothing"],
            ["/?user_id=fibre", "/?user_id=nobody"],
            ["/lookup?user_id=10.10.10.25@ispcustomer.co.zw", "/lookup?user_id=10.10.99.25@elsewhere.co.zw"],
        ],
    },
    Case {
        path: "/v1/subscribers",
        own: &[
            "/v1/subscribers",
            "/v1/subscribers?domain=tier2.example",
            "/v1/subscribers?q=own",
            "/v1/subscribers?status=active",
        ],
        pairs: &[
            ["/v1/subscribers?domain=ispcustomer.co.zw", "/v1/subscribers?domain=elsewhere.co.zw"],
            ["/v1/subscribers?plan=GOLD", "/v1/subscribers?plan=TIN"],
            ["/v1/subscribers?q=acme", "/v1/subscribers?q=nobody"],
            ["/v1/subscribers?q=0815", "/v1/subscribers?q=4711"],
            ["/v1/subscribers?q=10.10.10.25", "/v1/subscribers?q=10.99.99.25"],
            ["/v1/subscribers?q=10.0.0.0/8", "/v1/subscribers?q=10.20.0.0/28"],
            ["/v1/subscribers?page=2", "/v1/subscribers?page=2"],
        ],
    },
    Case {
        path: "/v1/subscribers/{id}",
        own: &["/v1/subscribers/own", "/v1/subscribers/10.20.0.2@tier2.example"],
        pairs: &[
            ["/v1/subscribers/acme-hq", "/v1/subscribers/nothing"],
            ["/v1/subscribers/10.10.10.25@ispcustomer.co.zw", "/v1/subscribers/10.10.99.25@elsewhere.co.zw"],
        ],
    },
    Case {
        path: "/v1/addresses/{ip}",
        own: &["/v1/addresses/10.20.0.2"],
        pairs: &[
            ["/v1/addresses/10.10.10.25", "/v1/addresses/10.10.99.25"],
            ["/v1/addresses/10.10.10.66", "/v1/addresses/10.10.99.66"],
        ],
    },
    Case { path: "/v1/plans", own: &["/v1/plans"], pairs: &[] },
    Case { path: "/v1/domains", own: &["/v1/domains"], pairs: &[] },
    Case {
        path: "/v1/free",
        own: &["/v1/free?domain=tier2.example"],
        pairs: &[["/v1/free?domain=ispcustomer.co.zw", "/v1/free?domain=elsewhere.co.zw"]],
    },
    Case { path: "/v1/openapi.json", own: &[], pairs: &[] },
    Case { path: "/healthz", own: &["/healthz"], pairs: &[] },
    Case { path: "/readyz", own: &["/readyz"], pairs: &[] },
    Case { path: "/metrics", own: &[], pairs: &[] },
    Case { path: "/hooks/git", own: &[], pairs: &[] },
    // Operators' alone.
    Case { path: "/log", own: &[], pairs: &[] },
    Case { path: "/stat", own: &[], pairs: &[] },
    Case { path: "/backup", own: &[], pairs: &[] },
];

/// An answer without what was asked for in it, and without what is different each time.
fn plain(answer: &Answer, asked: &str) -> (u16, String, Option<String>) {
    let value = asked.rsplit(['/', '=']).next().unwrap();
    let body = answer.body.replace(value, "VALUE").replace(asked, "ASKED");
    (answer.status, body, answer.header("content-type").map(ToOwned::to_owned))
}

#[test]
fn a_tenant_sees_nothing_of_another() {
    let repo = data();
    let state = repo.path().join(".git/state.sqlite");
    let state = state.to_str().unwrap();
    let tenant = add(&repo, state, "tenant", &["--domain", "tier2.example"]);
    // Of all domains, and no operator.
    let operator = add(&repo, state, "operator", &["--all-domains"]);
    let server = serve(&repo, state);
    let document = server.get("/v1/openapi.json").json();
    for path in document["paths"].as_object().unwrap().keys() {
        let case = CASES.iter().find(|case| case.path == path);
        let case = case.unwrap_or_else(|| panic!("{path} has no test of who sees what: add one to CASES"));
        check(&server, case, &tenant);
    }
    assert_eq!(server.get_with("/v1/subscribers", &[&tenant]).json()["total"], 1);
    assert_eq!(server.get_with("/v1/subscribers", &[&operator]).json()["total"], 3);
    let plans = server.get_with("/v1/plans", &[&tenant]).json();
    assert_eq!((plans["plans"].as_array().unwrap().len(), &plans["plans"][0]["subscribers"]), (1, &1.into()));
    server.get_with("/metrics", &[&tenant]).problem(403);
    assert_eq!(server.get_with("/metrics", &[&operator]).status, 200);
    for path in ["/log", "/stat"] {
        server.get(path).problem(401);
    }
    for token in [&tenant, &operator] {
        ["/log", "/stat"].iter().for_each(|path| drop(server.get_with(path, &[token]).problem(403)));
        server.send("POST", "/backup", &[token], "{\"path\": \"/etc/hostname\"}").problem(403);
    }
    let tags =
        [&tenant, &operator].map(|token| server.get_with("/v1/domains", &[token]).header("etag").map(str::to_owned));
    assert_ne!(tags[0], tags[1]);
    // Without a token there is nothing at all.
    for case in CASES.iter().filter(|case| case.path.starts_with("/v1/") || case.path == "/lookup") {
        case.own.iter().chain(case.pairs.iter().flatten()).for_each(|path| drop(server.get(path).problem(401)));
    }
}

fn check(server: &Server, case: &Case, tenant: &str) {
    for path in case.own {
        let answer = server.get_with(path, &[tenant]);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        FOREIGN.iter().for_each(|foreign| assert!(!answer.body.contains(foreign), "{path}: {}", answer.body));
    }
    for [foreign, unknown] in case.pairs {
        let [a, b] = [foreign, unknown].map(|path| plain(&server.get_with(path, &[tenant]), path));
        assert_eq!(a, b, "{foreign} is not answered as {unknown}");
        let with_tag = server.get_with(foreign, &[tenant, "If-None-Match: *"]);
        assert_ne!(with_tag.status, 304);
    }
}
