//! Tokens: made, used, revoked; with SQLite and with PostgreSQL.

use super::{Server, command, data, wait};
use crate::servers::postgres::Postgres;
use crate::support::{Repo, Run};

/// Runs a test with each kind of state.
fn with_each(test: impl Fn(&Repo, &str)) {
    let repo = data();
    test(&repo, repo.path().join(".git/state.sqlite").to_str().unwrap());
    test(&data(), &Postgres::start().url());
}

pub fn token(repo: &Repo, state: &str, args: &[&str]) -> Run {
    let args: Vec<&str> = ["token"].iter().chain(args).copied().chain(["--state", state]).collect();
    repo.run(&args)
}

/// The secret of a new token.
pub fn add(repo: &Repo, state: &str, name: &str, scope: &[&str]) -> String {
    let args: Vec<&str> = ["add", name].iter().chain(scope).copied().collect();
    let run = token(repo, state, &args);
    assert_eq!(run.code, 0, "{run:?}");
    format!("Authorization: Bearer {}", run.stdout.trim())
}

pub fn serve(repo: &Repo, state: &str) -> Server {
    Server::spawn(command(repo, &["--state", state]))
}

#[test]
fn a_token_opens_what_was_closed_until_it_is_revoked() {
    with_each(|repo, state| {
        let server = serve(repo, state);
        assert_eq!(server.get("/lookup").status, 200, "open, while there is no token");
        let crm = add(repo, state, "crm", &["--all-domains"]);
        wait(|| (server.get("/lookup").status == 401).then_some(()), || server.journal());
        let refused = server.get("/v1/domains");
        assert!(refused.problem(401).contains("Authorization: Bearer"), "{refused:?}");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"shapeline\""));
        assert_eq!(server.get_with("/v1/domains", &[&crm]).status, 200);
        let (unknown, missing) = ("the token is unknown or was revoked", "this needs a token: send");
        for (other, why) in [
            ("Authorization: Bearer slt_00", unknown),
            (&crm.replace("slt_", ""), unknown),
            ("Authorization: Basic eDp5", missing),
            ("Authorization: Bearer", missing),
        ] {
            let refused = server.get_with("/v1/domains", &[other]).problem(401);
            assert!(refused.starts_with(why), "{other}: {refused}");
        }
        assert!(server.get_with("/v1/domains", &[&crm, &crm]).problem(401).contains("several `Authorization` headers"));
        assert_eq!(server.get("/healthz").status, 200);
        server.get("/metrics").problem(401);
        assert_eq!(token(repo, state, &["revoke", "crm"]).code, 0);
        wait(|| (server.get_with("/lookup", &[&crm]).status == 401).then_some(()), || server.journal());
        assert_eq!(server.get_with("/lookup", &[&crm]).problem(401), unknown);
        assert_eq!(server.get("/lookup").status, 401, "it does not open again");
    });
}

#[test]
fn tokens_are_listed_without_their_secrets() {
    with_each(|repo, state| {
        let crm = add(repo, state, "crm", &["--all-domains"]);
        add(repo, state, "desk", &["--domain", "tier2.example", "--domain", "ispcustomer.co.zw"]);
        let again = token(repo, state, &["add", "crm", "--all-domains"]);
        assert!(again.code == 1 && again.stderr.contains("there is a token `crm` already"), "{again:?}");
        let server = serve(repo, state);
        assert_eq!(server.get_with("/lookup", &[&crm]).status, 200);
        wait(|| server.log().contains(" crm GET /lookup 200 ").then_some(()), || server.log());
        let used = || {
            let list: serde_json::Value =
                serde_json::from_str(&token(repo, state, &["list", "--format", "json"]).stdout).unwrap();
            list["tokens"][0]["last_used"].is_string().then_some(list)
        };
        let list = wait(used, || token(repo, state, &["list"]).stdout);
        assert_eq!((&list["version"], &list["tokens"][0]["name"]), (&1.into(), &"crm".into()));
        assert_eq!(list["tokens"][0]["domains"], serde_json::Value::Null);
        assert_eq!(list["tokens"][1]["domains"], serde_json::json!(["ispcustomer.co.zw", "tier2.example"]));
        assert_eq!(list["tokens"][1]["last_used"], serde_json::Value::Null);
        token(repo, state, &["revoke", "crm"]);
        let text = token(repo, state, &["list"]);
        assert!(text.stdout.contains("all domains") && text.stdout.contains("revoked 20"), "{text:?}");
        assert!(text.stderr.starts_with("2 tokens in "), "{text:?}");
        add(repo, state, "crm", &["--all-domains"]);
        let secret = crm.split(' ').next_back().unwrap();
        assert!(!text.stdout.contains(secret) && secret.len() == 4 + 64);
        if let Ok(bytes) = std::fs::read(state) {
            assert!(!String::from_utf8_lossy(&bytes).contains(&secret[4..]), "the secret is not stored");
        }
    });
}

#[test]
fn what_is_no_token_is_refused() {
    let repo = data();
    let state = repo.path().join("../no such folder/state.sqlite");
    let state = state.to_str().unwrap();
    for (args, why) in [
        (&["add", "", "--all-domains"][..], "is no name for a token"),
        (&["add", "a\u{1b}b", "--all-domains"], "is no name for a token"),
        (
            &["add", "a", "--domain", "tier3.example"],
            "there is no domain `tier3.example`; did you mean `tier2.example`?",
        ),
        (&["add", "a", "--domain", "No Domain"], "`No Domain` is no domain"),
    ] {
        let run = token(&repo, state, args);
        assert!(run.code == 1 && run.stderr.contains(why), "{run:?}");
    }
    assert_eq!(repo.run(&["token", "add", "a"]).code, 2, "which domains is always said");
    let run = token(&repo, "mysql://a:secret@b/c", &["list"]);
    assert!(run.code == 2 && !run.stderr.contains("secret"), "{run:?}");
    let run = token(&repo, "postgres://a:secret@127.0.0.1:1/c", &["list"]);
    assert!(run.code == 2 && run.stderr.contains("cannot use the state") && !run.stderr.contains("secret"), "{run:?}");
    let state = repo.path().join(".git/new.sqlite");
    let run = token(&repo, state.to_str().unwrap(), &["revoke", "gone"]);
    assert!(run.code == 1 && run.stderr.contains("there is no token `gone`"), "{run:?}");
    let state = repo.write(".git/text.sqlite", "this is no database\n".repeat(1000));
    let run = token(&repo, state.to_str().unwrap(), &["list"]);
    assert!(
        run.code == 2 && run.stderr.contains("it is not an SQLite database") && run.stderr.contains("text.sqlite"),
        "{run:?}"
    );
}

/// A web page whose name leads to this host, and a proxy on it, are not programs on this host.
#[test]
fn without_tokens_only_programs_on_this_host_are_served() {
    let repo = data();
    let server = Server::start(&repo, &[]);
    for header in [
        "Host: attacker.example",
        "Host: attacker.example:8080",
        "X-Forwarded-For: 198.51.100.1",
        "Forwarded: for=198.51.100.1",
        "Sec-Fetch-Site: cross-site",
        "Origin: https://attacker.example",
    ] {
        let headers: Vec<&str> = vec![header];
        assert!(server.get_with("/v1/domains", &headers).problem(401).contains("shapeline token add"), "{header}");
        assert_eq!(server.get_with("/healthz", &headers).status, 200);
    }
}

#[test]
fn a_token_goes_to_the_state_that_the_settings_name() {
    let repo = data();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("server.sqlite");
    let settings = folder.path().join("server.yaml");
    std::fs::write(&settings, format!("state: {}\n", state.display())).unwrap();
    let settings = settings.to_str().unwrap();
    let mut command = super::command(&repo, &["--settings", settings]);
    let server = Server::spawn({
        command.env_remove("SHAPELINE_STATE");
        command
    });
    let wanted = format!("state {}: it has no token: every program on this host may ask everything", state.display());
    wait(|| server.journal().contains(&wanted).then_some(()), || server.journal());
    let add = std::process::Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .current_dir(repo.path())
        .args(["token", "add", "crm", "--all-domains", "--settings", settings])
        .env_remove("SHAPELINE_STATE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&add.stderr).into_owned();
    assert!(
        add.status.success() && said.contains(&format!("for servers whose state is {}", state.display())),
        "{said}"
    );
    let closed = || Some(server.get("/lookup").status).filter(|status| *status == 401);
    super::wait(closed, || "it stays open".to_owned());
}

#[test]
fn behind_a_proxy_nothing_is_open() {
    let repo = data();
    let settings = repo.path().join(".git/server.yaml");
    std::fs::write(&settings, "trusted_proxies: [127.0.0.1]\n").unwrap();
    let server = Server::start(&repo, &["--settings", settings.to_str().unwrap()]);
    assert_eq!(server.get("/v1/plans").status, 401);
    let refused = || server.journal().contains("it has no token, so every request is refused").then_some(());
    wait(refused, || server.journal());
}
