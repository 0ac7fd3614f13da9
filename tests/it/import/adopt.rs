//! Importing over existing data: differences are updated, nothing is duplicated, the limits apply.

use super::{DOMAIN, OTHER_PLAN, PLAN, empty, files, import, imported, line, rendered};
use crate::support::Repo;

/// `count` subscribers of `domain`, from 10.NET.0.1 on.
fn many(net: u8, count: u32, domain: &str) -> String {
    (1..=count).map(|host| line(&format!("10.{net}.{}.{}", host / 200, host % 200 + 1), domain, PLAN)).collect()
}

#[test]
fn importing_twice_changes_nothing() {
    let repo = empty();
    let text = many(1, 300, DOMAIN) + &many(2, 300, "other.example");
    imported(&repo, &text, &[]);
    let before = files(&repo);
    let again = imported(&repo, &text, &[]);
    assert!(again.stdout.starts_with("Nothing to do: 600 subscribers as the source has them.\n"), "{}", again.stdout);
    assert_eq!(files(&repo), before);
}

#[test]
fn what_differs_is_updated_and_all_else_stays() {
    let repo = Repo::new();
    repo.write("shapeline.yaml", "");
    repo.write(
        "subscribers/ispcustomer.co.zw/list.yaml",
        "# The list.\n- ip: 10.10.10.25 # head office\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n  \
         name: ACME\n  labels: {ticket: '1'}\n\n- {ip: 10.10.10.26, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN}\n\n\
         - ip: 10.10.10.27\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n",
    );
    let text = line("10.10.10.25", DOMAIN, OTHER_PLAN)
        + &line("10.10.10.26", DOMAIN, PLAN)
        + &line("10.10.10.30", DOMAIN, PLAN);
    let run = imported(&repo, &text, &[]);
    assert!(run.stdout.contains("Subscribers: 1 added, 1 changed, 1 removed, 1 as before."), "{}", run.stdout);
    assert_eq!(
        repo.read("subscribers/ispcustomer.co.zw/list.yaml"),
        "# The list.\n- ip: 10.10.10.25 # head office\n  domain: ispcustomer.co.zw\n  plan: 50_MEG_UP_50_MEG_DOWN\n  \
         name: ACME\n  labels: {ticket: '1'}\n\n- {ip: 10.10.10.26, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN}\n\n\
         - ip: 10.10.10.30\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n"
    );
    assert_eq!(rendered(&repo), text);
}

#[test]
fn files_of_their_own_get_neighbours() {
    let repo = Repo::new();
    repo.write("shapeline.yaml", "");
    repo.subscriber("10.10.10.25", 30);
    let text = line("10.10.10.25", DOMAIN, PLAN) + &line("10.10.10.64/29", DOMAIN, PLAN);
    imported(&repo, &text, &[]);
    let new = "ip: 10.10.10.64/29\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n";
    let added = files(&repo).into_iter().find(|(path, _)| path.contains("10.10.10.64"));
    assert!(
        added.as_ref().is_some_and(|(path, text)| path.starts_with("subscribers/ispcustomer.co.zw/") && text == new),
        "{added:?}"
    );
    assert_eq!(rendered(&repo), text);
}

/// A shaper file has a line for each address of a subscriber.
#[test]
fn several_addresses_stay_one_subscriber() {
    let repo = Repo::new();
    repo.write("shapeline.yaml", "");
    let text = "ip: [10.10.10.26, 10.10.10.25]\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n";
    repo.write("subscribers/a.yaml", text);
    let both = line("10.10.10.25", DOMAIN, PLAN) + &line("10.10.10.26", DOMAIN, PLAN);
    imported(&repo, &both, &[]);
    assert_eq!(repo.read("subscribers/a.yaml"), text);
    let split = line("10.10.10.25", DOMAIN, PLAN) + &line("10.10.10.26", DOMAIN, OTHER_PLAN);
    imported(&repo, &split, &[]);
    assert_eq!(rendered(&repo), split);
    assert!(repo.read("subscribers/a.yaml").starts_with("ip: 10.10.10.25\n"), "{}", repo.read("subscribers/a.yaml"));
}

#[test]
fn an_id_is_who_it_is_whatever_the_address() {
    let repo = empty();
    let csv = |rows: &str| format!("id,ip,plan\n{rows}");
    imported(&repo, &csv("a,10.0.0.1,10M\nb,10.0.0.2,10M\n"), &["--domain", DOMAIN]);
    let run = imported(&repo, &csv("a,10.0.0.2,10M\nb,10.0.0.1,20M\n"), &["--domain", DOMAIN]);
    assert!(run.stdout.contains("0 added, 2 changed, 0 removed"), "{}", run.stdout);
    let text = repo.read("subscribers/ispcustomer.co.zw.yaml");
    assert_eq!(
        text,
        "- ip: 10.0.0.2\n  domain: ispcustomer.co.zw\n  plan: 10M\n  id: a\n\
         - ip: 10.0.0.1\n  domain: ispcustomer.co.zw\n  plan: 20M\n  id: b\n"
    );
    // What an earlier import without ids made gets one.
    let repo = empty();
    imported(&repo, &line("10.0.0.1", DOMAIN, "10M"), &[]);
    let run = imported(&repo, &csv("a,10.0.0.1,10M\n"), &["--domain", DOMAIN]);
    assert!(run.stdout.contains("0 added, 1 changed, 0 removed"), "{}", run.stdout);
}

#[test]
fn a_subscriber_moves_to_another_domain() {
    let repo = empty();
    let text =
        line("10.0.0.1", DOMAIN, PLAN) + &line("10.0.0.2", DOMAIN, PLAN) + &line("10.1.0.1", "other.example", PLAN);
    imported(&repo, &text, &[]);
    let moved = text.replace("10.0.0.2@ispcustomer.co.zw", "10.0.0.2@other.example");
    let run = import(&repo, &moved, &[]);
    assert_eq!(run.code, 1);
    assert!(
        run.stderr.contains("it is in the block `10.0.0.0/24`, which belongs to `ispcustomer.co.zw`"),
        "{}",
        run.stderr
    );
    repo.write("domains/ispcustomer.co.zw.yaml", "name: ispcustomer.co.zw\nprefixes: [10.0.0.0/31]\n");
    let check = repo.run(&["check"]);
    assert_eq!(check.code, 1, "10.0.0.2 is outside now");
    let run = imported(&repo, &moved, &[]);
    assert!(run.stdout.contains("`other.example` gets the blocks "), "{}", run.stdout);
    assert_eq!(rendered(&repo), moved);
    assert_eq!(repo.run(&["check"]).code, 0);
}

#[test]
fn far_fewer_subscribers_are_refused() {
    let repo = empty();
    imported(&repo, &many(1, 100, DOMAIN), &[]);
    let before = files(&repo);
    let fewer = many(1, 60, DOMAIN);
    let run = import(&repo, &fewer, &["--skip-bad"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("40 of 100 served addresses would be removed (40%), more than 30%"), "{}", run.stderr);
    assert_eq!(files(&repo), before);
    let dry = import(&repo, &fewer, &["--dry-run", "--format", "json"]);
    assert_eq!(dry.code, 1);
    let json: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!((json["ending"].as_str(), json["network"]["removed"].as_u64()), (Some("limits"), Some(40)));
    let fingerprint = json["network"]["fingerprint"].as_str().unwrap();
    assert!(run.stderr.contains(&format!("--ack {fingerprint}\n")));
    let other = import(&repo, &many(1, 50, DOMAIN), &["--ack", fingerprint]);
    assert_eq!(other.code, 1);
    assert!(other.stderr.contains("is that of another change"), "{}", other.stderr);
    imported(&repo, &fewer, &["--ack", fingerprint]);
    assert_eq!(rendered(&repo).lines().count(), 60);
}

#[test]
fn who_is_not_spoken_of_stays() {
    let repo = empty();
    imported(&repo, &(many(1, 20, DOMAIN) + &many(2, 3, "other.example")), &[]);
    let path = "subscribers/ispcustomer.co.zw.yaml";
    // Not in a shaper file because of that, and therefore not gone.
    repo.write(
        path,
        repo.read(path)
            + "- ip: 10.1.0.150\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n  status: suspended\n",
    );
    let run = imported(&repo, &many(1, 19, DOMAIN), &[]);
    assert!(
        run.stdout.contains("the source does not name the domain `other.example`: 3 subscribers stay as before"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("not in the source, but kept because suspended or out of its term: 1 subscriber"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("0 added, 0 changed, 1 removed, 19 as before"), "{}", run.stdout);
    assert!(repo.read(path).contains("10.1.0.150"));
    let served = imported(&repo, &(many(1, 19, DOMAIN) + &line("10.1.0.150", DOMAIN, PLAN)), &[]);
    assert!(served.stdout.contains("0 added, 1 changed, 0 removed"), "{}", served.stdout);
    assert!(!repo.read(path).contains("suspended"));
}

/// A row that is refused says nothing about whom it names.
/// A block of two addresses has neither a network address nor one for all (RFC 3021).
#[test]
fn a_block_of_two_addresses_is_proposed_alone() {
    let repo = empty();
    let of = |last: u8, domain: &str| line(&format!("10.0.0.{last}"), domain, PLAN);
    let source: String = [of(0, DOMAIN), of(1, DOMAIN), of(2, "b.example"), of(3, "b.example")].concat();
    imported(&repo, &source, &[]);
    for (domain, block) in [(DOMAIN, "10.0.0.0/31"), ("b.example", "10.0.0.2/31")] {
        let text = repo.read(&format!("domains/{domain}.yaml"));
        assert_eq!((text.matches("10.0.0.").count(), text.contains(block)), (1, true), "{text}");
    }
}

#[test]
fn a_row_that_is_there_twice_with_its_id_is_one_subscriber() {
    let repo = empty();
    let row = format!("10.10.10.1,{DOMAIN},{PLAN},a\n");
    imported(&repo, &format!("ip,domain,plan,id\n{row}{row}"), &["--from", "csv"]);
    assert_eq!(rendered(&repo), line("10.10.10.1", DOMAIN, PLAN));
}

#[test]
fn who_is_named_by_a_refused_row_stays() {
    let repo = empty();
    imported(&repo, &many(1, 20, DOMAIN), &[]);
    // Whatever it is refused for.
    for bad in [
        line("10.1.0.5", DOMAIN, "\u{e9}"),
        line("10.1.0.5", "-bad-", PLAN),
        "10.1.0.5 10.1.0.5@ispcustomer.co.zw\n".to_owned(),
        "10.1.0.5 somebody :=set_attribute A\n".to_owned(),
    ] {
        let text = many(1, 20, DOMAIN).replace(&line("10.1.0.5", DOMAIN, PLAN), &bad);
        let run = imported(&repo, &text, &["--skip-bad"]);
        assert!(
            run.stdout.starts_with("Apart from the refused rows there is nothing to do: 19 subscribers are"),
            "{}",
            run.stdout
        );
        assert_eq!(rendered(&repo), many(1, 20, DOMAIN), "{bad}");
    }
    let text = many(1, 20, DOMAIN) + &line("10.1.0.5", DOMAIN, OTHER_PLAN);
    let run = imported(&repo, &text, &["--skip-bad"]);
    assert!(
        run.stdout.contains("1 subscriber stays as before, because the row that names them is refused"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("0 removed"), "{}", run.stdout);
    assert_eq!(rendered(&repo), many(1, 20, DOMAIN));
}

#[test]
fn plans_without_rates_are_written_without_numbers() {
    let repo = empty();
    let text = line("10.0.0.1", DOMAIN, "SILVER") + &line("10.0.0.2", DOMAIN, "HOME_20MBPS_DOWN");
    let run = imported(&repo, &text, &[]);
    assert!(
        run.stdout.contains(
            "To fill in: plans/SILVER.yaml: up and down (1 subscriber); or import again with --rate SILVER=UP/DOWN\n"
        ),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("To fill in: plans/HOME_20MBPS_DOWN.yaml: up (1 subscriber)"), "{}", run.stdout);
    assert_eq!(
        repo.read("plans/SILVER.yaml"),
        "# The source does not give the rates: add up and down, such as `up: 30 Mbps`.\nname: SILVER\n"
    );
    let check = repo.run(&["check"]);
    assert_eq!(check.code, 1);
    assert!(check.stdout.contains("plans/SILVER.yaml"), "{}", check.stdout);
    let again = imported(&repo, &text, &[]);
    assert!(again.stdout.starts_with("Nothing to do: 2 subscribers"), "{}", again.stdout);
    let given = ["--rate", "SILVER=10Mbps/20Mbps", "--rate", "HOME_20MBPS_DOWN=5M/20M"];
    imported(&repo, &text, &given);
    assert_eq!(repo.run(&["check"]).code, 0);
    assert_eq!(rendered(&repo), text);
    assert!(
        repo.read("plans/SILVER.yaml").contains("up: 10 Mbps\ndown: 20 Mbps\n"),
        "{}",
        repo.read("plans/SILVER.yaml")
    );
}

/// The rates of the data were set by a person; a name is only a hint.
#[test]
fn rates_of_the_data_stay() {
    let repo = empty();
    repo.write("plans/GOLD.yaml", "name: GOLD\nup: 1 Mbps\ndown: 2 Mbps\nattribute: 10M\n");
    imported(&repo, &line("10.0.0.1", DOMAIN, "10M"), &[]);
    assert_eq!(files(&repo).keys().filter(|path| path.starts_with("plans/")).count(), 1);
    assert!(repo.read("subscribers/ispcustomer.co.zw.yaml").contains("plan: GOLD\n"));
}

#[test]
fn plans_that_would_have_one_name_are_two() {
    let repo = empty();
    let text = line("10.0.0.1", DOMAIN, "\"Plan\"=10M") + &line("10.0.0.2", DOMAIN, "10M");
    imported(&repo, &text, &[]);
    assert_eq!(rendered(&repo), text);
    imported(&repo, &text, &[]);
    assert_eq!(files(&repo).keys().filter(|path| path.starts_with("plans/")).count(), 2);
}

/// Names for people may be alike once they are names of files.
#[test]
fn names_that_become_alike_stay_two_plans() {
    let repo = empty();
    let text = "ip,plan,up,down\n10.0.0.1,A/B,1M,1M\n10.0.0.2,A_B,2M,2M\n10.0.0.3,a b,3M,3M\n";
    imported(&repo, text, &["--domain", DOMAIN]);
    let before = files(&repo);
    assert_eq!(before.keys().filter(|path| path.starts_with("plans/")).count(), 3);
    let again = imported(&repo, text, &["--domain", DOMAIN]);
    assert!(again.stdout.starts_with("Nothing to do"), "{}", again.stdout);
    assert_eq!(files(&repo), before);
    // A description that only happens to be another plan's name is none of its name.
    repo.write("plans/GOLD.yaml", "name: GOLD\nup: 5 Mbps\ndown: 5 Mbps\ndescription: SILVER\n");
    repo.write("plans/SILVER.yaml", "name: SILVER\nup: 6 Mbps\ndown: 6 Mbps\ndescription: GOLD\n");
    imported(&repo, &(text.to_owned() + "10.0.0.4,SILVER,6M,6M\n"), &["--domain", DOMAIN]);
    assert!(
        repo.read("subscribers/ispcustomer.co.zw.yaml")
            .ends_with("ip: 10.0.0.4\n  domain: ispcustomer.co.zw\n  plan: SILVER\n")
    );
}

#[test]
fn unreadable_data_must_be_fixed_first() {
    let repo = empty();
    repo.write("subscribers/a.yaml", "ip: 10.0.0.1\n");
    let before = files(&repo);
    let run = import(&repo, &line("10.0.0.1", DOMAIN, PLAN), &["--skip-bad"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("subscribers/a.yaml") && run.stderr.contains("nothing is imported"), "{}", run.stderr);
    assert_eq!(files(&repo), before);
}

/// What the data refuses for no row's fault refuses the import.
#[test]
fn limits_of_a_domain_hold() {
    let repo = empty();
    repo.write(
        "domains/ispcustomer.co.zw.yaml",
        "name: ispcustomer.co.zw\nprefixes: [10.1.0.0/16]\nmax_subscribers: 3\n",
    );
    let run = import(&repo, &many(1, 4, DOMAIN), &["--skip-bad"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("error[too-many-subscribers]"), "{}", run.stderr);
    imported(&repo, &many(1, 3, DOMAIN), &[]);
}

#[test]
fn a_dry_run_writes_nothing() {
    let repo = empty();
    let run = imported(&repo, &many(1, 3, DOMAIN), &["--dry-run"]);
    assert!(run.stdout.contains("+  subscribers/ispcustomer.co.zw.yaml"), "{}", run.stdout);
    assert!(run.stdout.contains("Subscribers: 3 would be added"), "{}", run.stdout);
    assert!(files(&repo).is_empty());
    let json = imported(&repo, &many(1, 3, DOMAIN), &["--dry-run", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!((json["ending"].as_str(), json["subscribers"]["added"].as_u64()), (Some("dry-run"), Some(3)));
    assert_eq!(json["files"][0], serde_json::json!({"path": "domains/ispcustomer.co.zw.yaml", "action": "add"}));
}

#[test]
fn blocks_that_are_there_stay() {
    let repo = empty();
    let text = "# Ours.\nname: ispcustomer.co.zw\nprefixes: [10.0.0.0/25] # since 2019\nowners: [alice]\n";
    repo.write("domains/ispcustomer.co.zw.yaml", text);
    imported(
        &repo,
        &(line("10.0.0.1", DOMAIN, PLAN)
            + &line("10.0.0.200", DOMAIN, PLAN)
            + &line("10.9.0.1", "other.example", PLAN)),
        &[],
    );
    assert_eq!(
        repo.read("domains/ispcustomer.co.zw.yaml"),
        text.replace("[10.0.0.0/25]", "[10.0.0.0/25, 10.0.0.128/25]")
    );
    assert_eq!(repo.run(&["check"]).code, 0);
}

/// More than one file holds is split.
#[test]
fn very_many_are_split_by_number() {
    let repo = empty();
    let mut text = String::new();
    for host in 0..100_500_u32 {
        let ip = format!("10.{}.{}.{}", host / 62_500, host / 250 % 250, host % 250 + 1);
        text += &line(&ip, DOMAIN, PLAN);
    }
    imported(&repo, &text, &[]);
    let lists: Vec<String> = files(&repo).into_keys().filter(|path| path.starts_with("subscribers/")).collect();
    assert_eq!(lists, ["subscribers/ispcustomer.co.zw/001.yaml", "subscribers/ispcustomer.co.zw/002.yaml"]);
    assert_eq!(rendered(&repo), text);
    let again = imported(&repo, &(text + &line("10.200.0.1", DOMAIN, PLAN)), &[]);
    assert!(again.stdout.contains("1 added, 0 changed, 0 removed, 100500 as before"), "{}", again.stdout);
}

#[test]
fn a_small_domain_is_not_emptied_without_a_word() {
    let three: String = (1..=3).map(|n| line(&format!("10.0.0.{n}"), DOMAIN, "10M")).collect();
    let repo = empty();
    imported(&repo, &three, &[]);
    let one = line("10.0.0.9", DOMAIN, "10M");
    let run = import(&repo, &one, &[]);
    let said =
        "3 of 3 subscribers of `ispcustomer.co.zw` are not in the source and would be removed (100%), more than 30%";
    assert!(run.code == 1 && run.stderr.contains(said), "{}", run.stderr);
    assert_eq!(rendered(&repo), three);
    let added = imported(&repo, &one, &["--add-only"]);
    assert!(
        added.stdout.contains("not in the source, but kept because of --add-only: 3 subscribers"),
        "{}",
        added.stdout
    );
    assert_eq!(rendered(&repo), three.clone() + &one);
    let refused = import(&repo, &three, &["--format", "json"]);
    // One of four may go.
    assert_eq!((refused.code, rendered(&repo)), (0, three));
}
