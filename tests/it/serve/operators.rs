//! What operators do: copies, and the log of what was done.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::tokens::{add, token};
use super::{Server, command, data};
use crate::support::Repo;

/// A served repository with a target, a folder to copy from and one for the copies.
struct Desk {
    repo: Repo,
    srv: tempfile::TempDir,
    server: Server,
    operator: String,
    other: String,
}

impl Desk {
    fn new() -> Desk {
        let (repo, srv) = (data(), tempfile::tempdir().unwrap());
        for name in ["shaper/conf", "backups", "secret"] {
            std::fs::create_dir_all(srv.path().join(name)).unwrap();
        }
        std::fs::write(srv.path().join("shaper/conf/burst"), "10%\n").unwrap();
        std::fs::write(srv.path().join("secret/key"), "secret\n").unwrap();
        let at = srv.path().display();
        repo.write("shapeline.yaml", format!("targets:\n- {{name: hre-1, url: 'file://{at}/live.txt'}}\n"));
        repo.commit("a target");
        let settings = repo.write(
            ".git/server.yaml",
            format!("backup:\n  roots: ['{at}/shaper', '{at}']\n  to: 'file://{at}/backups'\n  keep: 2\nlimits: {{rate: 0}}\n"),
        );
        let state = repo.path().join(".git/state.sqlite");
        let (state, settings) = (state.to_str().unwrap(), settings.to_str().unwrap());
        let operator = add(&repo, state, "noc", &["--operator"]);
        let other = add(&repo, state, "crm", &["--all-domains"]);
        let server = Server::spawn(command(&repo, &["--state", state, "--settings", settings]));
        Desk { repo, srv, server, operator, other }
    }

    fn path(&self, name: &str) -> String {
        self.srv.path().join(name).display().to_string()
    }

    fn post(&self, body: &str) -> super::Answer {
        self.server.send("POST", "/backup", &[&self.operator], body)
    }

    fn copy(&self, path: &str) -> super::Answer {
        self.post(&json!({"path": path}).to_string())
    }
}

#[test]
fn an_operator_copies_what_is_below_a_root() {
    let desk = Desk::new();
    let answer = desk.copy(&desk.path("shaper/conf"));
    assert_eq!(answer.status, 201, "{answer:?}");
    let copy = answer.json();
    assert_eq!((&copy["version"], &copy["path"]), (&json!(1), &json!(desk.path("shaper/conf"))));
    let tar = std::fs::read(desk.srv.path().join(format!("backups/copies/{}.tar", copy["id"].as_str().unwrap())));
    assert!(String::from_utf8_lossy(&tar.unwrap()).contains("10%\n"));
    for (path, status) in [
        (desk.path("shaper/nothing"), 404),
        (desk.path("shaper/conf/burst/below"), 404),
        ("/etc/hostname".to_owned(), 403),
        (desk.path("shaper/../secret/key"), 400),
        (desk.path("shaper/./conf"), 400),
        (desk.path("shaper\0conf"), 400),
        ("shaper/conf".to_owned(), 400),
        (String::new(), 400),
        ("/".to_owned(), 400),
        // It would hold all copies before it.
        (desk.path("backups"), 422),
    ] {
        desk.copy(&path).problem(status);
    }
    for body in
        ["", "{}", "[]", "{\"path\": 1}", "{\"path\": \"/a\", \"into\": \"/b\"}", "path=/a", "{\"path\": \"/a\""]
    {
        desk.post(body).problem(400);
    }
    desk.post(&" ".repeat(40_000)).problem(413);
    desk.server.send("POST", "/backup?path=/srv", &[&desk.operator], "{\"path\": \"/srv\"}").problem(400);
    desk.server.get_with("/backup", &[&desk.operator]).problem(405);
}

#[test]
fn no_link_leads_out_of_a_root() {
    let desk = Desk::new();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, desk.srv.path().join(name)).unwrap();
    link(&desk.path("secret"), "shaper/out");
    link("/etc", "shaper/conf/etc");
    link("conf", "shaper/inside");
    for path in ["shaper/out/key", "shaper/conf/etc/hostname", "shaper/inside/burst"] {
        desk.copy(&desk.path(path)).problem(403);
    }
    let copy = desk.copy(&desk.path("shaper/out"));
    assert_eq!(copy.status, 201, "{copy:?}");
    assert!(copy.json()["notes"][0].as_str().unwrap().contains("is a link"), "{copy:?}");
    let tar = std::fs::read(
        Path::new(&desk.path("backups/copies")).join(format!("{}.tar", copy.json()["id"].as_str().unwrap())),
    );
    assert!(!String::from_utf8_lossy(&tar.unwrap()).contains("secret\n"), "the link alone is copied");
}

#[test]
fn only_operators_may() {
    let desk = Desk::new();
    let body = json!({"path": desk.path("shaper/conf")}).to_string();
    for path in ["/log", "/stat"] {
        desk.server.get(path).problem(401);
        desk.server.get_with(path, &[&desk.other]).problem(403);
        assert_eq!(desk.server.get_with(path, &[&desk.operator]).status, 200);
    }
    desk.server.send("POST", "/backup", &[], &body).problem(401);
    desk.server.send("POST", "/backup", &[&desk.other], &body).problem(403);
    assert_eq!(std::fs::read_dir(desk.path("backups")).unwrap().count(), 0);
    assert_eq!(desk.server.get_with("/v1/subscribers", &[&desk.operator]).json()["total"], 3);
    assert_eq!(desk.server.get_with("/metrics", &[&desk.operator]).status, 200);
    let state = desk.repo.path().join(".git/state.sqlite");
    let list = token(&desk.repo, state.to_str().unwrap(), &["list", "--format", "json"]).stdout;
    let list: Value = serde_json::from_str(&list).unwrap();
    let operators = list["tokens"].as_array().unwrap().iter().filter(|token| token["operator"] == true);
    assert_eq!(operators.map(|token| token["name"].clone()).collect::<Vec<_>>(), ["noc"]);
}

#[test]
fn without_a_token_this_host_reads_and_copies_nothing() {
    let repo = data();
    let settings = repo.write(".git/server.yaml", "backup: {roots: [/etc], to: 'file:///srv/none'}\n");
    let server = Server::start(&repo, &["--settings", settings.to_str().unwrap()]);
    assert_eq!(server.get("/stat").status, 200);
    assert_eq!(server.get("/log").json()["targets"], json!([]));
    let refused = server.send("POST", "/backup", &[], "{\"path\": \"/etc/hostname\"}").problem(401);
    assert!(refused.contains("--operator"), "{refused}");
    server.get_with("/log", &["X-Forwarded-For: 192.0.2.1"]).problem(401);
}

#[test]
fn the_log_is_that_of_the_command() {
    let desk = Desk::new();
    assert_eq!(desk.repo.run(&["publish", "--actor", "alice"]).code, 0);
    desk.copy(&desk.path("shaper/conf"));
    desk.copy(&desk.path("shaper/nothing"));
    let command: Value = serde_json::from_str(&desk.repo.run(&["log", "--format", "json"]).stdout).unwrap();
    let get = |path: &str| desk.server.get_with(path, &[&desk.operator]);
    let log = get("/log").json();
    assert_eq!((&log["version"], &log["targets"]), (&command["version"], &command["targets"]));
    assert_eq!(log["unread"], json!([]));
    let copied = &log["backup"]["entries"];
    assert_eq!((&copied[0]["actor"], &copied[0]["action"]), (&json!("noc"), &json!("BACKUP")));
    let stat = get("/stat").json();
    assert_eq!(stat["targets"][0]["actions"]["PUBLISH"]["successful"], 1);
    assert_eq!([&stat["attempted"], &stat["successful"], &stat["failed"]], [2, 2, 0]);
    let command: Value = serde_json::from_str(&desk.repo.run(&["stat", "--format", "json"]).stdout).unwrap();
    assert_eq!(stat["targets"], command["targets"]);
    let day = &copied[0]["time"].as_str().unwrap()[..10];
    assert_eq!(get(&format!("/log?startdate={day}")).json()["backup"]["entries"].as_array().unwrap().len(), 1);
    assert_eq!(get("/log?enddate=2026-01-01").json()["backup"]["entries"], json!([]));
    assert_eq!(get("/stat?startdate=2200-01-01&enddate=2200-01-02").json()["attempted"], 0);
    for path in ["/log", "/stat"] {
        for query in
            ["startdate=2026-11-22&enddate=2026-11-21", "startdate=soon", "enddate=", "enddate=2026-02-30", "from=x"]
        {
            get(&format!("{path}?{query}")).problem(400);
        }
    }
    std::fs::remove_dir_all(desk.path("backups")).unwrap();
    let log = get("/log").json();
    assert_eq!((&log["backup"], &log["unread"][0]["target"]), (&Value::Null, &json!("backup")));
}

#[test]
fn a_root_that_is_no_folder_is_an_error_at_the_start() {
    let repo = data();
    let settings = repo.write(".git/server.yaml", "backup: {roots: [/srv/none/here], to: 'file:///srv/backups'}\n");
    let out = command(&repo, &["--settings", settings.to_str().unwrap()]).output().unwrap();
    let why = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(2) && why.contains("cannot copy from /srv/none/here"), "{why}");
}

/// Thousands of requests, made from the document: valid ones, almost valid ones, and sequences of them.
#[test]
fn the_api_is_as_its_document_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fetched = Command::new("sh").arg(root.join("scripts/fetch-schemathesis")).status();
    if !fetched.is_ok_and(|status| status.success()) {
        return crate::support::left_out("schemathesis could not be installed: scripts/fetch-schemathesis must work");
    }
    let desk = Desk::new();
    let work = tempfile::tempdir().unwrap();
    let out = Command::new(root.join("target/tools/schemathesis/bin/schemathesis"))
        .current_dir(work.path())
        .args([
            "run",
            &format!("http://127.0.0.1:{}/v1/openapi.json", desk.server.port),
            "--no-color",
            "--warnings",
            "off",
        ])
        .args(["--header", &desk.operator, "--max-examples", "50", "--continue-on-failure"])
        .arg("--generation-deterministic")
        // A value that fits the document and names nothing is answered with 400, as other systems expect it.
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    let more = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.contains("✅  Stateful"), "{said}{more}{}", desk.server.journal());
}
