//! What an import would change is listed by subscriber before it is done.

use super::{DOMAIN, OTHER_PLAN, PLAN, empty, import, imported, line, rendered};
use crate::support::Repo;

fn many(count: u32) -> String {
    (1..=count).map(|host| line(&format!("10.1.0.{host}"), DOMAIN, PLAN)).collect()
}

const PATH: &str = "subscribers/ispcustomer.co.zw.yaml";

/// Twelve subscribers, of whom two are suspended by hand.
fn with_suspended(settings: &str) -> Repo {
    let repo = empty();
    imported(&repo, &many(12), &[]);
    let mut text = repo.read(PATH);
    for ip in ["10.1.0.3", "10.1.0.4"] {
        let record = format!("- ip: {ip}\n  domain: {DOMAIN}\n  plan: {PLAN}\n");
        assert!(text.contains(&record), "{text}");
        text = text.replace(&record, &format!("{record}  name: N {ip}\n  status: suspended # unpaid\n"));
    }
    repo.write(PATH, text);
    repo.write("shapeline.yaml", settings);
    repo
}

#[test]
fn who_would_be_resumed_is_named() {
    let repo = with_suspended("suspended: omit\n");
    let expected = "Note: 2 subscribers that are suspended in the data are resumed, because the source has them, unless \
                --keep-suspended is given: 10.1.0.3 of `ispcustomer.co.zw` (`N 10.1.0.3`), 10.1.0.4 of \
                `ispcustomer.co.zw` (`N 10.1.0.4`).\n";
    let dry = imported(&repo, &many(12), &["--dry-run"]);
    assert!(dry.stdout.contains(expected), "{}", dry.stdout);
    let json = imported(&repo, &many(12), &["--dry-run", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        json["subscribers"]["resumed"][1],
        serde_json::json!({"ip": "10.1.0.4", "domain": DOMAIN, "id": null, "name": "N 10.1.0.4"})
    );
    let run = imported(&repo, &many(12), &[]);
    assert!(run.stdout.contains(expected), "{}", run.stdout);
    assert!(!repo.read(PATH).contains("suspended"));
}

#[test]
fn who_is_suspended_can_stay_so() {
    for settings in ["suspended: omit\n", "suspended: 50_MEG_UP_50_MEG_DOWN\n"] {
        let repo = with_suspended(settings);
        repo.write(&format!("plans/{OTHER_PLAN}.yaml"), format!("name: {OTHER_PLAN}\nup: 50 Mbps\ndown: 50 Mbps\n"));
        let before = repo.read(PATH);
        let run = imported(&repo, &many(12), &["--keep-suspended"]);
        assert!(run.stdout.starts_with("Nothing to do: 12 subscribers as the source has them.\n"), "{}", run.stdout);
        assert!(
            run.stdout.contains(
                "Note: 2 subscribers that are suspended in the data stay suspended, though the source has them: \
                 10.1.0.3 of"
            ),
            "{}",
            run.stdout
        );
        assert_eq!(repo.read(PATH), before);
        // Even where the source has a word for it; what else it says holds.
        let csv = format!("ip,plan,domain,status,id\n10.1.0.3,{PLAN},{DOMAIN},active,a\n");
        let run = import(&repo, &csv, &["--keep-suspended", "--dry-run", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(json["subscribers"]["kept_suspended"][0]["ip"], "10.1.0.3");
        assert_eq!(json["subscribers"]["resumed"], serde_json::json!([]));
    }
}

#[test]
fn who_would_change_is_listed() {
    let repo = empty();
    imported(&repo, &many(30), &[]);
    let before = rendered(&repo);
    let text = many(29).replace(&line("10.1.0.2", DOMAIN, PLAN), &line("10.1.0.2", DOMAIN, OTHER_PLAN))
        + &line("10.1.0.40", DOMAIN, PLAN);
    let run = imported(&repo, &text, &["--dry-run"]);
    let expected = "\n~ 10.1.0.2   ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN  30 Mbps → 50 Mbps\n\
                - 10.1.0.30  ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN                          30 Mbps\n\
                + 10.1.0.40  ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN                          30 Mbps\n\n";
    assert!(run.stdout.contains(expected), "{}", run.stdout);
    assert_eq!(rendered(&repo), before);
    let json = imported(&repo, &text, &["--dry-run", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["network"]["changes"][1]["action"], "remove");
    assert_eq!(json["network"]["changes"][1]["address"], "10.1.0.30");
    assert_eq!(json["network"]["changes"][1]["before"]["plan"], PLAN);
    // A refusal by the limits names all of them.
    let run = import(&repo, &many(15), &[]);
    assert_eq!(run.code, 1);
    assert_eq!(run.stdout.lines().filter(|line| line.starts_with("- 10.1.0.")).count(), 15, "{}", run.stdout);
    // Of very many new ones, some are listed.
    let new: String = (1..=50).map(|host| line(&format!("10.1.1.{host}"), DOMAIN, PLAN)).collect();
    let run = imported(&repo, &(many(30) + &new), &["--dry-run"]);
    assert_eq!(run.stdout.lines().filter(|line| line.starts_with("+ 10.1.1.")).count(), 20, "{}", run.stdout);
    assert!(run.stdout.contains("\n+ and 30 more\n\n"), "{}", run.stdout);
    // Once it is done, `history` shows it.
    let run = imported(&repo, &text, &[]);
    assert!(!run.stdout.contains("~ 10.1.0.2"), "{}", run.stdout);
}
