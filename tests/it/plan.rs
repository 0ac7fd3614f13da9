//! `plan`: what is shown, what is guarded, what the fingerprint covers.

use crate::support::Repo;

fn five() -> Repo {
    let repo = Repo::new();
    for (ip, rate) in
        [("10.10.10.25", 30), ("10.10.10.26", 50), ("10.10.10.30", 50), ("11.11.11.12", 50), ("192.168.1.10", 30)]
    {
        repo.subscriber(ip, rate);
    }
    repo
}

fn plan(repo: &Repo, args: &[&str]) -> crate::support::Run {
    let mut all = vec!["plan", "--on", "2026-11-21"];
    all.extend(args);
    repo.run(&all)
}

fn json(repo: &Repo, args: &[&str]) -> serde_json::Value {
    let mut all = vec!["--format", "json"];
    all.extend(args);
    let run = plan(repo, &all);
    assert_eq!(run.code, 0, "{run:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_plan_change_shows_old_and_new_rates_and_the_domain_s_totals() {
    let repo = five();
    let commit = repo.commit("start");
    repo.subscriber("10.10.10.25", 50);
    repo.subscriber("10.10.10.31", 30);
    std::fs::remove_file(repo.path().join("subscribers/ispcustomer.co.zw/192.168.1.10.yaml")).unwrap();
    let run = plan(&repo, &[]);
    let fingerprint = run.stdout.lines().last().unwrap().to_owned();
    assert!(fingerprint.starts_with("Fingerprint: sha256:"), "{run:?}");
    insta::assert_snapshot!(run.stdout.replace(&fingerprint, "Fingerprint: …").replace(&commit[..12], "COMMIT"), @r"
    shaper on 2026-11-21, compared with main (COMMIT)

    ~ 10.10.10.25   ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN  30 Mbps → 50 Mbps
    + 10.10.10.31   ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN                          30 Mbps
    - 192.168.1.10  ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN                          30 Mbps

    Sold               subscribers  up                   down                 of
    ispcustomer.co.zw  5            210 Mbps → 230 Mbps  210 Mbps → 230 Mbps

    1 added, 1 changed, 1 removed; 5 addresses as before
    Safe: within the limits.
    Fingerprint: …
    ");
    assert_eq!(plan(&repo, &["--exit-code"]).code, 3);
}

#[test]
fn nothing_to_do_is_said_so() {
    let repo = five();
    repo.commit("start");
    let run = plan(&repo, &["--exit-code"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("Nothing would change: 5 addresses stay as they are."), "{run:?}");
}

#[test]
fn the_default_base_is_the_merge_base_with_the_default_branch() {
    let repo = five();
    let base = repo.commit("start");
    repo.git(&["checkout", "-q", "-b", "change"]);
    repo.subscriber("10.10.10.31", 30);
    repo.commit("add one");
    repo.git(&["checkout", "-q", "main"]);
    repo.subscriber("10.10.10.99", 30);
    repo.commit("meanwhile");
    repo.git(&["checkout", "-q", "change"]);
    let plan = json(&repo, &[]);
    assert_eq!(plan["base"]["commit"], base.as_str());
    assert_eq!(plan["summary"]["added"], 1);
    assert_eq!(plan["summary"]["removed"], 0, "what came to main meanwhile is not our removal");
}

#[test]
fn reasons_for_leaving_are_distinguished() {
    let repo = five();
    repo.commit("start");
    let file = |ip: &str, more: &str| {
        let path = format!("subscribers/ispcustomer.co.zw/{ip}.yaml");
        let text = repo.read(&path);
        repo.write(&path, format!("{text}{more}"));
    };
    file("10.10.10.25", "status: suspended\n");
    file("10.10.10.26", "ends: 2026-11-01\n");
    file("10.10.10.30", "starts: 2027-01-01\n");
    let run = plan(&repo, &[]);
    for (ip, why) in [("10.10.10.25", "(suspended)"), ("10.10.10.26", "(ended)"), ("10.10.10.30", "(not started)")] {
        let line = run.stdout.lines().find(|line| line.starts_with(&format!("- {ip}"))).unwrap();
        assert!(line.ends_with(why), "{line}");
    }
}

#[test]
fn a_plan_that_is_given_other_rates_changes_everybody_who_has_it() {
    let repo = five();
    repo.commit("start");
    repo.write("plans/30_MEG_UP_30_MEG_DOWN.yaml", "name: 30_MEG_UP_30_MEG_DOWN\nup: 3 Mbps\ndown: 30 Mbps\n");
    repo.write("shapeline.yaml", "rules: {plan-name-mismatch: 'off'}\n");
    let plan = json(&repo, &[]);
    assert_eq!(plan["summary"]["changed"], 2);
    assert_eq!(plan["summary"]["bytes_differ"], false);
}

fn many(count: u32) -> Repo {
    let repo = Repo::new();
    for host in 1..=count {
        repo.subscriber(&format!("10.10.10.{host}"), 30);
    }
    repo.commit("start");
    repo
}

fn change_and_remove(repo: &Repo, changed: u32, removed: u32) -> serde_json::Value {
    for host in 1..=changed {
        repo.subscriber(&format!("10.10.10.{host}"), 50);
    }
    for host in changed + 1..=changed + removed {
        std::fs::remove_file(repo.path().join(format!("subscribers/ispcustomer.co.zw/10.10.10.{host}.yaml"))).unwrap();
    }
    json(repo, &[])
}

#[test]
fn thirty_percent_of_ten_is_safe_and_one_more_is_not() {
    assert_eq!(change_and_remove(&many(10), 3, 3)["safe"], true);
    let plan = change_and_remove(&many(10), 4, 0);
    assert_eq!(plan["safe"], false);
    assert_eq!(plan["reasons"][0], "4 of 10 served addresses would be changed (40%), more than 30%");
    assert_eq!(change_and_remove(&many(10), 0, 4)["safe"], false);
    assert_eq!(change_and_remove(&many(9), 4, 4)["safe"], true, "below ten the percentage does not count");
    assert_eq!(change_and_remove(&many(3), 0, 3)["safe"], false, "an empty file is never safe");
}

#[test]
fn limits_are_settable_as_counts_and_by_domain() {
    let repo = many(10);
    repo.write("shapeline.yaml", "safety: {max_changed: 100%, domains: {ispcustomer.co.zw: {max_changed: 1}}}\n");
    let plan = change_and_remove(&repo, 2, 0);
    assert_eq!(plan["reasons"][0], "2 of 10 served addresses of ispcustomer.co.zw would be changed (20%), more than 1");
}

#[test]
fn a_domain_counts_from_as_many_subscribers_as_all_do_unless_it_says_otherwise() {
    let repo = many(5);
    let settings = |all: &str, own: &str| {
        let domain = format!("ispcustomer.co.zw: {{max_changed: 20%{own}}}");
        repo.write("shapeline.yaml", format!("safety: {{max_changed: 100%{all}, domains: {{{domain}}}}}\n"));
        (1..=2).for_each(|host| repo.subscriber(&format!("10.10.10.{host}"), 30));
        repo.commit("limits");
        change_and_remove(&repo, 2, 0)["safe"] == true
    };
    assert!(settings("", ""), "five are few");
    assert!(!settings(", min_subscribers: 5", ""));
    assert!(settings(", min_subscribers: 5", ", min_subscribers: 6"));
}

#[test]
fn a_percentage_of_one_domain_counts_its_own_subscribers() {
    let settings = "safety: {max_removed: 100%, domains: {ispcustomer.co.zw: {max_removed: 20%}}}\n";
    for (removed, safe) in [(2, true), (3, false)] {
        let repo = many(10);
        repo.write("shapeline.yaml", settings);
        repo.commit("limits");
        let plan = change_and_remove(&repo, 0, removed);
        assert_eq!(plan["safe"], safe, "{plan}");
    }
    let repo = many(10);
    // Another domain's subscribers do not dilute it.
    repo.write("domains/other.example.yaml", "name: other.example\nprefixes: [10.20.0.0/24]\n");
    for host in 1..=90 {
        let plan = "30_MEG_UP_30_MEG_DOWN";
        let record = format!("ip: 10.20.0.{host}\ndomain: other.example\nplan: {plan}\n");
        repo.write(&format!("subscribers/other.example/10.20.0.{host}.yaml"), record);
    }
    repo.write("shapeline.yaml", settings);
    repo.commit("another");
    let plan = change_and_remove(&repo, 0, 3);
    let reason = "3 of 10 served addresses of ispcustomer.co.zw would be removed (30%), more than 20%";
    assert_eq!((&plan["safe"], &plan["reasons"][0]), (&false.into(), &reason.into()));
}

#[test]
fn an_address_that_moves_is_a_change_of_the_domain_that_loses_it() {
    let repo = many(3);
    let settings = |domain: &str| format!("safety: {{domains: {{{domain}: {{max_changed: 0}}}}}}\n");
    let block = |domain: &str, prefixes: &str| {
        repo.write(&format!("domains/{domain}.yaml"), format!("name: {domain}\nprefixes: [{prefixes}]\n"));
    };
    let record = |domain: &str| format!("ip: 11.11.11.1\ndomain: {domain}\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    block("other.example", "10.20.0.0/24");
    repo.write("subscribers/moves.yaml", record("ispcustomer.co.zw"));
    repo.commit("before");
    block("ispcustomer.co.zw", "10.10.10.0/24");
    block("other.example", "10.20.0.0/24, 11.11.11.0/24");
    repo.write("subscribers/moves.yaml", record("other.example"));
    let reason = "1 of 4 served addresses of ispcustomer.co.zw would be changed (25%), more than 0";
    for (domain, expected) in [("ispcustomer.co.zw", Some(reason)), ("other.example", None)] {
        repo.write("shapeline.yaml", settings(domain));
        let plan = json(&repo, &[]);
        assert_eq!(plan["summary"]["changed"], 1, "{plan}");
        assert_eq!(plan["reasons"][0].as_str(), expected);
    }
}

#[test]
fn the_only_subscriber_is_not_removed_without_a_word() {
    let plan = change_and_remove(&many(1), 0, 1);
    assert_eq!(plan["safe"], false);
    assert_eq!(plan["reasons"][0], "no address would be left: all 1 are removed");
}

#[test]
fn the_fingerprint_covers_the_bytes_before_and_after() {
    let repo = five();
    repo.commit("start");
    let of = |repo: &Repo| json(repo, &[])["fingerprint"].as_str().unwrap().to_owned();
    let nothing = of(&repo);
    repo.subscriber("10.10.10.31", 30);
    let one = of(&repo);
    assert_ne!(nothing, one);
    assert_eq!(one, of(&repo), "the same plan has the same fingerprint");
    repo.subscriber("10.10.10.32", 30);
    let two = of(&repo);
    assert_ne!(one, two);
    repo.commit("both");
    std::fs::remove_file(repo.path().join("subscribers/ispcustomer.co.zw/10.10.10.32.yaml")).unwrap();
    assert_ne!(one, of(&repo), "the same file from another start is another plan");
    // The definition, repeated: what `publish` compares must never change.
    let text = repo.run(&["render", "--on", "2026-11-21"]).stdout;
    let live = repo.write("live.txt", "");
    let plan = json(&repo, &["--against", live.to_str().unwrap()]);
    assert_eq!(plan["fingerprint"], shapeline::plan::fingerprint("shaper", b"", text.as_bytes()));
}

#[test]
fn against_a_live_file_odd_lines_are_counted_not_skipped() {
    let repo = five();
    let live = "10.10.10.25 10.10.10.25@ispcustomer.co.zw :=set_attribute 30_MEG_UP_30_MEG_DOWN\n\
                10.10.10.25 10.10.10.25@ispcustomer.co.zw :=set_attribute 50_MEG_UP_50_MEG_DOWN\n\
                \x2010.10.10.26 10.10.10.26@ispcustomer.co.zw :=set_attribute 50_MEG_UP_50_MEG_DOWN\n\
                10.10.10.30 10.10.10.30@ispcustomer.co.zw :=set_attribute GOLD\u{1b}[31m\n\
                10.10.10.31 10.10.10.32@ispcustomer.co.zw :=set_attribute 30_MEG_UP_30_MEG_DOWN\n\
                41.221.144.5dd x\n";
    let run = repo.run_with_input(&["plan", "--on", "2026-11-21", "--against", "-"], live);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.contains(
            "4 lines of the file could not be understood, so who is served is not fully known; the first is line 2"
        ),
        "{run:?}"
    );
    assert!(run.stdout.contains("NOT SAFE"), "what is not known may be removed unseen: {run:?}");
    assert!(run.stdout.contains("rate not known → 50 Mbps"), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
}

#[test]
fn a_subscriber_with_two_addresses_is_sold_its_plan_once() {
    let repo = Repo::new();
    repo.write(
        "domains/ispcustomer.co.zw.yaml",
        "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, '2001:db8::/32']\n",
    );
    repo.commit("start");
    repo.write(
        "subscribers/a.yaml",
        "ip: [10.10.10.25, '2001:db8::25']\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    );
    let plan = json(&repo, &[]);
    assert_eq!(plan["summary"]["added"], 2);
    assert_eq!(plan["domains"][0]["after"]["subscribers"], 1);
    assert_eq!(plan["domains"][0]["after"]["up_bps"], "30000000");
}

#[test]
fn markdown_cannot_be_broken_by_a_name() {
    let repo = five();
    repo.commit("start");
    repo.write(
        "subscribers/a.yaml",
        "ip: 10.10.10.31\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\nname: '`|</details> @alice <img src=x>'\n",
    );
    let run = plan(&repo, &["--format", "markdown"]);
    let row = run.stdout.lines().find(|line| line.contains("10.10.10.31")).unwrap();
    assert_eq!(row.matches('|').count(), 6, "{row}");
    let note = row.rsplit("| `").next().unwrap();
    assert_eq!(note, "'¦</details> @alice <img src=x>` |", "all of it within one code span");
}

#[test]
fn a_long_plan_is_cut_with_a_count_and_fits_a_comment() {
    let repo = Repo::new();
    repo.write("domains/ispcustomer.co.zw.yaml", "name: ispcustomer.co.zw\nprefixes: [10.0.0.0/8]\n");
    repo.commit("start");
    let name = "x".repeat(200);
    let all: String = (0..3000)
        .map(|n| {
            format!(
                "- ip: 10.1.{}.{}\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n  name: {name}\n",
                n / 250,
                n % 250 + 1
            )
        })
        .collect();
    repo.write("subscribers/a.yaml", all);
    let run = plan(&repo, &["--format", "markdown"]);
    assert!(run.stdout.len() < 65_536, "{}", run.stdout.len());
    assert!(run.stdout.contains("… and 2,800 more added"), "{}", &run.stdout[run.stdout.len() - 600..]);
    assert!(run.stdout.contains("**3,000 added"), "the summary counts all");
}

#[test]
fn without_history_the_error_says_what_to_do() {
    let repo = five();
    let run = plan(&repo, &[]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("not in a git repository") || run.stderr.contains("--against"), "{run:?}");
    repo.commit("start");
    let run = plan(&repo, &["--base", "nosuch"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("there is no commit `nosuch`"), "{run:?}");
}

#[test]
fn a_change_that_raises_the_limits_is_judged_by_the_old_ones_too() {
    let repo = many(10);
    repo.write("shapeline.yaml", "safety: {max_changed: 100%, max_removed: 100%}\n");
    let plan = change_and_remove(&repo, 0, 5);
    assert_eq!(plan["reasons"][0], "5 of 10 served addresses would be removed (50%), more than 30%");
}

#[test]
fn a_base_that_cannot_be_read_is_never_safe_to_replace() {
    let repo = Repo::new();
    repo.write("subscribers/all.yaml", "- ip: 10.10.10.1\n  domain: [\n");
    repo.commit("broken");
    repo.write("subscribers/all.yaml", "ip: 10.10.10.1\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    let plan = json(&repo, &[]);
    assert_eq!(plan["safe"], false);
    assert!(plan["reasons"][0].as_str().unwrap().contains("could not be read in 1 place:"), "{plan}");
}

#[test]
fn an_own_template_s_output_is_guarded_by_its_lines() {
    let repo = Repo::new();
    for host in 1..=20 {
        repo.subscriber(&format!("10.10.10.{host}"), 30);
    }
    repo.write("shapeline.yaml", "outputs: {shaper: {template: templates/s.j2}}\n");
    let template = |first: u32| {
        format!(
            "{{% for line in lines %}}\n{{% if loop.index >= {first} %}}\n{{{{ line.address }}}}\n{{% endif %}}\n{{% endfor %}}\n"
        )
    };
    repo.write("templates/s.j2", template(0));
    repo.commit("start");
    repo.write("templates/s.j2", template(10));
    assert_eq!(json(&repo, &[])["safe"], true, "9 of 20 lines are within both limits together");
    repo.write("templates/s.j2", template(15));
    let plan = json(&repo, &[]);
    assert_eq!(plan["reasons"][0], "14 of 20 lines of the output would be changed or removed (70%), more than 60%");
    repo.write(
        "shapeline.yaml",
        "outputs: {shaper: {template: templates/s.j2}}\nsafety: {max_changed: 100%, max_removed: 100%}\n",
    );
    assert_eq!(json(&repo, &[])["reasons"], plan["reasons"], "a change that raises the limits is not judged by them");
    // Counts are added, too: a changed line counts as one that is gone.
    repo.write(
        "shapeline.yaml",
        "outputs: {shaper: {template: templates/s.j2}}\nsafety: {max_changed: 8, max_removed: 6}\n",
    );
    repo.write("templates/s.j2", template(0));
    repo.commit("counts");
    repo.write("templates/s.j2", template(15));
    assert_eq!(json(&repo, &[])["safe"], true, "14 are within both limits together");
    repo.write("templates/s.j2", template(16));
    let plan = json(&repo, &[]);
    assert_eq!(plan["reasons"][0], "15 of 20 lines of the output would be changed or removed (75%), more than 14");
    repo.write("templates/s.j2", "");
    assert_eq!(json(&repo, &[])["reasons"][0], "the output would be empty");
}

#[test]
fn what_is_sold_has_a_total_if_there_are_several_domains() {
    let repo = five();
    repo.write("domains/b.ispcustomer.co.zw.yaml", "name: b.ispcustomer.co.zw\nprefixes: [10.20.0.0/24]\n");
    let record = "ip: 10.20.0.1\ndomain: b.ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n";
    repo.write("subscribers/b.yaml", record);
    repo.commit("start");
    repo.subscriber("10.10.10.31", 50);
    let text = plan(&repo, &[]).stdout;
    let rows: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("Sold")).take(3).collect();
    let expected = [
        "Sold               subscribers  up                   down                 of",
        "ispcustomer.co.zw  5 → 6        210 Mbps → 260 Mbps  210 Mbps → 260 Mbps",
        "all domains        6 → 7        240 Mbps → 290 Mbps  240 Mbps → 290 Mbps",
    ];
    assert_eq!(rows, expected);
    let markdown = plan(&repo, &["--format", "markdown"]).stdout;
    let rows: Vec<&str> = markdown.lines().filter(|line| line.contains("Mbps → ")).collect();
    let expected = [
        "| `ispcustomer.co.zw` | 5 → 6 | 210 Mbps → 260 Mbps | 210 Mbps → 260 Mbps |  |",
        "| all domains | 6 → 7 | 240 Mbps → 290 Mbps | 240 Mbps → 290 Mbps |  |",
    ];
    assert_eq!(rows, expected);
}
