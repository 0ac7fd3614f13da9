//! Rates of a source: from its columns, from the names of plans, or asked for. None is made up.

use super::{DOMAIN, empty, import, imported};

/// The plan's file without its name, on one line; the import must have written it.
fn plan(source: &str, args: &[&str], name: &str) -> String {
    let repo = empty();
    imported(&repo, source, args);
    let text = std::fs::read_to_string(repo.path().join(format!("plans/{name}.yaml"))).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("up:") || line.starts_with("down:")).collect();
    lines.join(", ")
}

fn live(plan: &str) -> String {
    format!("10.0.0.1 10.0.0.1@{DOMAIN} :=set_attribute {plan}\n")
}

#[test]
fn a_name_with_several_readings_gives_no_rate() {
    for (name, file) in [
        ("7,5MEG", "7_5MEG"),
        ("7_5MEG", "7_5MEG"),
        ("UP10M/5M", "UP10M_5M"),
        ("2024M", "2024M"),
        ("12M_CONTRACT", "12M_CONTRACT"),
        ("10MBps", "10MBps"),
    ] {
        assert_eq!(plan(&live(name), &[], file), "", "{name}");
        assert_eq!(plan(&live(name), &["--rate", &format!("{name}=7.5M/9M")], file), "up: 7.5 Mbps, down: 9 Mbps");
    }
    assert_eq!(plan(&live("UP10M_DOWN5M"), &[], "UP10M_DOWN5M"), "up: 10 Mbps, down: 5 Mbps");
}

#[test]
fn two_rates_in_a_name_are_asked_for_once() {
    for name in ["10M/5M", "10M_5M", "10M-5M", "10M:5M", "10MEG_5MEG", "10Mbps/5Mbps"] {
        let file = name.replace(['/', ':'], "_");
        let repo = empty();
        let run = imported(&repo, &live(name), &[]);
        let note = format!(
            "Note: 1 plan has two rates in the name, such as `{file}`, and the source does not say which is up: import \
             again with --rates-in-names up/down or down/up.\n"
        );
        assert!(run.stdout.contains(&note), "{}", run.stdout);
        assert!(!run.stdout.contains("bit/s"), "{}", run.stdout);
        assert_eq!(plan(&live(name), &[], &file), "", "{name}");
        for (order, rates) in [("up/down", "up: 10 Mbps, down: 5 Mbps"), ("down/up", "up: 5 Mbps, down: 10 Mbps")] {
            assert_eq!(plan(&live(name), &["--rates-in-names", order], &file), rates, "{name}");
        }
    }
    // A header may say it, and the option counts more.
    let table = "ip,Plan (down/up)\n10.0.0.1,10M/5M\n";
    let domain = ["--domain", DOMAIN];
    assert_eq!(plan(table, &domain, "10M_5M"), "up: 5 Mbps, down: 10 Mbps");
    let both = ["--domain", DOMAIN, "--rates-in-names", "up/down"];
    assert_eq!(plan(table, &both, "10M_5M"), "up: 10 Mbps, down: 5 Mbps");
}

#[test]
fn a_plan_that_lacks_rates_may_sit_beside_any_rule() {
    // The rates that the check assumes meanwhile break no rule about the plan, with any option.
    let repo = empty();
    imported(&repo, &live("30M"), &[]);
    let added = live("30M") + &live("10M_5M").replace("10.0.0.1", "10.0.0.2");
    let run = imported(&repo, &added, &["--dry-run"]);
    assert!(run.stdout.contains("+ 10.0.0.2") && !(run.stdout + &run.stderr).contains("1 bit/s"));
    let run = imported(&repo, &added, &["--format", "json"]);
    assert!(run.stdout.contains("10.0.0.2") && !run.stdout.contains("_bps\": 1,"), "{}", run.stdout);
}

#[test]
fn bare_numbers_take_the_unit_of_the_header() {
    for (header, cells, rates) in [
        ("up (Mbps),down (Mbps)", "\"1,5\",7.5", "1.5_MEG_UP_7.5_MEG_DOWN"),
        ("Upload (kbit/s),Download (kbit/s)", "512,2048", "0.512_MEG_UP_2.048_MEG_DOWN"),
        ("Upload Gbit/s,Download Gbit/s", "1,2", "1000_MEG_UP_2000_MEG_DOWN"),
        ("Upload [Mbit],Download [Mbit]", "1,2M", "1_MEG_UP_2_MEG_DOWN"),
    ] {
        let repo = empty();
        imported(&repo, &format!("ip,{header}\n10.0.0.1,{cells}\n"), &["--domain", DOMAIN]);
        assert!(repo.path().join(format!("plans/{rates}.yaml")).exists(), "{header}");
    }
}

#[test]
fn a_number_without_a_unit_is_refused_with_the_remedy() {
    for header in ["Upload,Download", "Upload (MBps),Download (MBps)"] {
        let table = format!("ip,{header}\n10.0.0.1,10,20\n");
        let run = import(&empty(), &table, &["--domain", DOMAIN, "--map", "up=2", "--map", "down=3"]);
        let said =
            "the upload rate: `10` has no unit: put it into the header, such as `Upload (Mbps)`, or pass --unit Mbps";
        assert!(run.code == 1 && run.stderr.contains(said), "{}", run.stderr);
    }
    let repo = empty();
    let older = "ID,AP,MAC,Hostname,IPv4,IPv6,Download,Upload\n7,a,00:00:5E:00:53:01,cpe,10.0.0.1,2001:db8::1,50,10\n";
    imported(&repo, older, &["--domain", DOMAIN, "--unit", "Mbps"]);
    assert!(repo.path().join("plans/10_MEG_UP_50_MEG_DOWN.yaml").exists());
    let live = import(&empty(), &live("10M"), &["--unit", "Mbps"]);
    assert!(live.code == 2 && live.stderr.contains("--unit is for csv, and this source is shaper"), "{}", live.stderr);
}
