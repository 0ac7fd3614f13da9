//! `plan`: what is shown, what the fingerprint covers.

mod base;
mod limits;

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
