//! `user`: the accounts on the command line.

use super::{PASSWORD, add_user, state};
use crate::serve::data;

#[test]
fn accounts_are_added_listed_and_removed() {
    let repo = data();
    let state = state(&repo);
    add_user(&repo, &state, &["desk", "--domain", "tier2.example"]);
    add_user(&repo, &state, &["reader", "--role", "viewer", "--all-domains"]);
    let list = repo.run(&["user", "list", "--state", &state]);
    assert!(
        list.stdout.contains("desk") && list.stdout.contains("editor") && list.stdout.contains("tier2.example"),
        "{list:?}"
    );
    let json = repo.run(&["user", "list", "--state", &state, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["version"], &json["users"][1]["role"], &json["users"][1]["domains"]),
        (&1.into(), &"viewer".into(), &serde_json::Value::Null)
    );
    assert!(!format!("{json}{}", list.stdout).contains("argon2"));
    assert_eq!(repo.run(&["user", "remove", "reader", "--state", &state]).code, 0);
    let again = repo.run(&["user", "remove", "reader", "--state", &state]);
    assert!(again.code == 1 && again.stderr.contains("there is no account `reader`"), "{again:?}");
}

#[test]
fn what_is_no_account_is_refused() {
    let repo = data();
    let state = state(&repo);
    let add = |args: &[&str], input: &str| {
        let args: Vec<&str> = ["user", "add"].iter().chain(args).chain(&["--state", &state]).copied().collect();
        let run = repo.run_with_input(&args, input);
        (run.code, run.stderr)
    };
    let person = ["--full-name", "Front Desk", "--email", "desk@tier2.example"];
    let good = format!("{PASSWORD}\n");
    for (args, input, why) in [
        (&["desk"][..], good.as_str(), "--domain"),
        (&["desk", "--domain", "elsewhere.example"], &good, "there is no domain"),
        (&["desk", "--role", "operator", "--domain", "tier2.example"], &good, "an operator has all domains"),
        (&["a b", "--all-domains"], &good, "letters, digits"),
        (&["desk", "--all-domains"], "short\n", "at least 12 characters"),
        (&["desk", "--all-domains"], "", "no password"),
    ] {
        let args: Vec<&str> = args.iter().chain(&person).copied().collect();
        let (code, said) = add(&args, input);
        assert!(code != 0 && said.contains(why), "{args:?}: {said}");
    }
    let (code, said) = add(&["desk", "--all-domains", "--full-name", "A <b>", "--email", "a@b"], &good);
    assert!(code == 1 && said.contains("author of commits"), "{said}");
    let (code, said) = add(&["desk", "--all-domains", "--full-name", "A", "--email", "a b@c"], &good);
    assert!(code == 1 && said.contains("NAME@HOST"), "{said}");
}
