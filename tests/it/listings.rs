//! `plans` and `domains`: what can be sold, and who sells it.

use crate::support::Repo;

const BASIC: &str = "30_MEG_UP_30_MEG_DOWN";

/// Two domains, one of them with IPv6 and a capacity.
fn selling() -> Repo {
    let repo = Repo::new();
    repo.write(
        "plans/OLD.yaml",
        "name: OLD\nup: 1 Mbps\ndown: 2 Mbps\nstatus: retired\ndescription: Not sold since May\n",
    );
    repo.write(
        "domains/b.example.yaml",
        format!(
            "name: b.example\nprefixes: [10.20.0.0/29, 10.20.0.8/30, '2001:db8::/32']\nreserved: [10.20.0.6]\nplans: [{BASIC}]\n\
             owners: [alice, '@b/noc']\nmax_subscribers: 9\ncapacity: {{up: 10 Mbps, down: 20 Mbps, contention: 40}}\n"
        ),
    );
    let record = |ip: &str, rest: &str| format!("- {{ip: {ip}, domain: b.example, plan: {BASIC}{rest}}}\n");
    let all = [
        record("10.20.0.1", ""),
        record("'10.20.0.2/31'", ""),
        record("['2001:db8::1', '2001:db8:1::/48']", ", status: suspended"),
    ];
    repo.write("subscribers/b.example.yaml", all.concat());
    repo.write("subscribers/a.yaml", "ip: 10.10.10.1\ndomain: ispcustomer.co.zw\nplan: OLD\n");
    repo
}

fn json(repo: &Repo, args: &[&str]) -> serde_json::Value {
    let run = repo.run(&[args, &["--format", "json"]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{args:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn plans_are_listed_with_rates_and_subscribers() {
    let repo = selling();
    let all = repo.run(&["plans"]);
    assert_eq!(
        all.stdout,
        "plan                   up       down     subscribers  status   description\n\
         OLD                    1 Mbps   2 Mbps   1            retired  Not sold since May\n\
         30_MEG_UP_30_MEG_DOWN  30 Mbps  30 Mbps  3            offered\n\
         50_MEG_UP_50_MEG_DOWN  50 Mbps  50 Mbps  0            offered\n"
    );
    assert_eq!((all.code, all.stderr.as_str()), (0, "3 plans, 4 subscribers\n"));
    assert_eq!(
        repo.run(&["plans", BASIC]).stdout,
        "plan         30_MEG_UP_30_MEG_DOWN\nup           30 Mbps\ndown         30 Mbps\nstatus       offered\n\
         attribute    30_MEG_UP_30_MEG_DOWN\nfile         plans/30_MEG_UP_30_MEG_DOWN.yaml:1\n\
         subscribers  3\ndomain       b.example: 3\ndomain       ispcustomer.co.zw: 0\n"
    );
    let one = &json(&repo, &["plans", "OLD"]);
    assert_eq!((&one["version"], one["plans"].as_array().unwrap().len()), (&1.into(), 1));
    assert_eq!(
        one["plans"][0],
        serde_json::json!({
            "name": "OLD", "up_bps": 1_000_000, "down_bps": 2_000_000, "status": "retired", "attribute": "OLD",
            "description": "Not sold since May", "subscribers": 1, "domains": {"ispcustomer.co.zw": 1},
            "file": "plans/OLD.yaml", "line": 1,
        })
    );
    let csv = repo.run(&["plans", "--format", "csv"]).stdout;
    assert!(csv.contains("\nOLD,1000000,2000000,retired,OLD,\"Not sold since May\",1,plans/OLD.yaml,1\n"), "{csv}");
}

#[test]
fn domains_are_listed_with_what_is_used() {
    let repo = selling();
    let all = repo.run(&["domains"]);
    assert_eq!(
        all.stdout,
        "domain             subscribers  used  free  IPv6  committed up  committed down  prefixes\n\
         b.example          3            3     4     2     60 Mbps       60 Mbps         10.20.0.0/29, 10.20.0.8/30, 2001:db8::/32\n\
         ispcustomer.co.zw  1            1     761   0     1 Mbps        2 Mbps          10.10.10.0/24, 11.11.11.0/24, 192.168.1.0/24\n"
    );
    assert_eq!(
        (all.code, all.stderr.as_str()),
        (0, "2 domains, 4 subscribers, 4 IPv4 addresses used, 765 free, 61 Mbps up and 62 Mbps down committed\n")
    );
    assert_eq!(
        repo.run(&["domains", "b.example"]).stdout,
        "domain       b.example\nprefix       10.20.0.0/29\nprefix       10.20.0.8/30\nprefix       2001:db8::/32\n\
         reserved     10.20.0.6\n\
         subscribers  3, 2 served, at most 9\nIPv4         3 used, 4 free, of 12\nIPv6         2 prefixes used\n\
         committed    60 Mbps up, 60 Mbps down\ncapacity     10 Mbps up, 20 Mbps down, sold 40 times\n\
         plan         30_MEG_UP_30_MEG_DOWN\nowner        alice\nowner        @b/noc\nfile         domains/b.example.yaml:1\n"
    );
    let one = &json(&repo, &["domains", "b.example"])["domains"][0];
    assert_eq!(one["prefixes"], serde_json::json!(["10.20.0.0/29", "10.20.0.8/30", "2001:db8::/32"]));
    assert_eq!(one["committed_up_bps"], "60000000");
    assert_eq!(
        (&one["ipv4_free"], &one["capacity_down_bps"], &one["contention"]),
        (&4.into(), &20_000_000.into(), &40.into())
    );
    let csv = repo.run(&["domains", "--format", "csv"]).stdout;
    let line = "\nispcustomer.co.zw,\"10.10.10.0/24 11.11.11.0/24 192.168.1.0/24\",1,1,,768,1,761,0,1000000,2000000,,,,,,domains/ispcustomer.co.zw.yaml,1\n";
    assert!(csv.contains(line), "{csv}");
}

#[test]
fn free_addresses_are_those_that_next_free_gives() {
    let repo = selling();
    let add = ["subscriber", "add", "--next-free", "10.20.0.0/28", "--domain", "b.example", "--plan", BASIC];
    for free in (0..4).rev() {
        assert_eq!(repo.run(&add).code, 0);
        assert_eq!(json(&repo, &["domains", "b.example"])["domains"][0]["ipv4_free"], free);
    }
    assert_eq!(repo.run(&add).code, 1, "none is left");
}

#[test]
fn an_unknown_name_gets_a_suggestion() {
    let repo = selling();
    for (args, why) in [
        (["plans", "OLDE"], "shapeline: there is no plan `OLDE`; did you mean `OLD`?\n"),
        (["domains", "c.example"], "shapeline: there is no domain `c.example`; did you mean `b.example`?\n"),
    ] {
        let run = repo.run(&args);
        assert_eq!((run.code, run.stderr.as_str()), (1, why));
    }
}
