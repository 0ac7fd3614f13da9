//! Each kind of source, recognised, read, and refused by row.

use super::{DOMAIN, OTHER_PLAN, PLAN, empty, files, import, import_bytes, imported, line, rendered};

/// The refusals of a run that must be refused, and that must have written nothing.
fn refusals(source: &str, args: &[&str]) -> Vec<String> {
    let repo = empty();
    let run = import(&repo, source, args);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    assert!(files(&repo).is_empty(), "nothing is written");
    let lines = run.stderr.lines().filter(|line| line.starts_with("line "));
    lines.map(|line| line.replace('`', "'")).collect()
}

fn unusable(source: &[u8], args: &[&str]) -> String {
    let repo = empty();
    let run = import_bytes(&repo, source, args);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    assert!(files(&repo).is_empty(), "nothing is written");
    run.stderr
}

#[test]
fn a_shaper_file_is_taken_over() {
    let repo = empty();
    let text = line("10.10.10.25", DOMAIN, PLAN) + &line("10.10.10.26", DOMAIN, "\"Plan\"=GOLD_7.5MEG");
    let run = imported(&repo, &text, &[]);
    assert!(run.stderr.contains("a shaper file: 2 subscribers, 2 plans, 1 domain, 0 rows refused"), "{}", run.stderr);
    assert_eq!(rendered(&repo), text);
    assert_eq!(repo.read(&format!("plans/{PLAN}.yaml")), format!("name: {PLAN}\nup: 30 Mbps\ndown: 30 Mbps\n"));
    assert_eq!(
        repo.read("plans/GOLD_7.5MEG.yaml"),
        "name: GOLD_7.5MEG\nup: 7.5 Mbps\ndown: 7.5 Mbps\nattribute: '\"Plan\"=GOLD_7.5MEG'\n"
    );
    assert_eq!(repo.read("domains/ispcustomer.co.zw.yaml"), "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24]\n");
    let check = repo.run(&["check"]);
    assert_eq!((check.code, check.stdout.as_str()), (0, ""), "{}", check.stderr);
    assert_eq!(repo.run(&["fmt", "--check"]).code, 0);
}

#[test]
fn spaces_and_line_ends_do_no_harm() {
    let repo = empty();
    let text = "\u{feff} 10.10.10.26  10.10.10.26@ISPcustomer.co.zw\t:=set_attribute  50_MEG_UP_50_MEG_DOWN \r\n\r\n\
                # old\r\n   10.10.10.25 10.10.10.25@ispcustomer.co.zw :=set_attribute 30_MEG_UP_30_MEG_DOWN";
    let run = imported(&repo, text, &[]);
    assert!(run.stdout.contains("lines that start with # are passed over: 1"), "{}", run.stdout);
    assert_eq!(rendered(&repo), line("10.10.10.25", DOMAIN, PLAN) + &line("10.10.10.26", DOMAIN, OTHER_PLAN));
}

#[test]
fn all_bad_lines_are_reported() {
    let text = [
        line("10.10.10.25", DOMAIN, PLAN),
        line("10.10.10.5dd", DOMAIN, PLAN),
        line("10.10.10.26", DOMAIN, PLAN),
        line("10.10.10.26", DOMAIN, OTHER_PLAN),
        line("10.10.10.25", DOMAIN, PLAN),
        "10.10.10.28 10.10.10.29@ispcustomer.co.zw :=set_attribute A\n".to_owned(),
        "10.10.10.30 10.10.10.30@ispcustomer.co.zw =other A\n".to_owned(),
        line("127.0.0.1", DOMAIN, PLAN),
        line("10.10.10.65/29", DOMAIN, PLAN),
        line("10.10.10.31", "-bad-.example", PLAN),
        "10.10.10.32 10.10.10.32@ispcustomer.co.zw :=set_attribute\n".to_owned(),
    ]
    .concat();
    let expected = [
        "line 2: 10.10.10.5dd: '10.10.10.5dd' is not an IPv4 or IPv6 address or prefix",
        "line 3: 10.10.10.26: the address '10.10.10.26' is on other rows too, with other data: \
         '50_MEG_UP_50_MEG_DOWN' of 'ispcustomer.co.zw' on line 4",
        "line 4: 10.10.10.26: the address '10.10.10.26' is on other rows too, with other data: \
         '30_MEG_UP_30_MEG_DOWN' of 'ispcustomer.co.zw' on line 3",
        "line 6: 10.10.10.28: the line starts with '10.10.10.28' and goes on with '10.10.10.29@ispcustomer.co.zw'",
        "line 7: 10.10.10.30: '=other' is another attribute than :=set_attribute, the only one that is rendered",
        "line 8: 127.0.0.1: '127.0.0.1' is a loopback address: it never leaves the host",
        "line 9: 10.10.10.65/29: '10.10.10.65/29' can be read in two ways: as the address '10.10.10.65', or as the \
         block '10.10.10.64/29' around it: write '10.10.10.65' for the single address, or '10.10.10.64/29' for the \
         whole block",
        "line 10: 10.10.10.31: '-bad-.example' is not a domain name such as ispcustomer.co.zw",
        "line 11: 10.10.10.32 10.10.10.32@ispcustomer.co.zw :=set_attribute: a line has four fields: an address, \
         the address@domain, :=set_attribute, and the plan",
    ];
    assert_eq!(refusals(&text, &[]), expected);
    let repo = empty();
    let run = import(&repo, &text, &["--skip-bad"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(rendered(&repo), line("10.10.10.25", DOMAIN, PLAN));
    let report = repo.read("source.tmp.refused.txt").replace('`', "'");
    let mut lines = report.lines();
    assert_eq!(lines.next(), Some("# Rows that 'shapeline import' left out, and why:"));
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    assert!(run.stderr.ends_with("What was left out is in `source.tmp.refused.txt`.\n"), "{}", run.stderr);
}

/// Findings of the rules in imported records are reported by the source's rows, too.
#[test]
fn findings_of_the_rules_are_reported_by_row() {
    let text =
        line("10.10.10.64/29", DOMAIN, PLAN) + &line("10.10.10.66", DOMAIN, PLAN) + &line("10.10.20.1", DOMAIN, PLAN);
    // Either may be the wrong one: neither is taken.
    assert_eq!(
        refusals(&text, &[]),
        [
            "line 1: 10.10.10.64/29: '10.10.10.64/29' contains '10.10.10.66', which line 2 has",
            "line 2: 10.10.10.66: '10.10.10.66' is within '10.10.10.64/29', which line 1 has",
        ]
    );
    let repo = empty();
    imported(&repo, &text, &["--skip-bad"]);
    assert_eq!(rendered(&repo), line("10.10.20.1", DOMAIN, PLAN));
    // In the data, the prefix is the one that is known.
    let repo = empty();
    imported(&repo, &line("10.10.10.64/29", DOMAIN, PLAN), &[]);
    let run = import(&repo, &line("10.10.10.66", DOMAIN, PLAN), &["--add-only"]);
    assert!(run.code == 1 && run.stderr.contains("line 1: 10.10.10.66: "), "{}", run.stderr);
}

#[test]
fn tables_are_read_by_their_headers() {
    let repo = empty();
    let text = "Customer;IP Address;Plan;Domain;Sub ID;Status\n\
                \"ACME, \"\"the\"\" one\";10.10.10.25;30_MEG_UP_30_MEG_DOWN;@ispcustomer.co.zw;4711;active\n\
                =2+5;10.10.10.26, 2001:db8::1;Gold 30/10;ispcustomer.co.zw;=4712;suspended\n";
    let reported = refusals(text, &[]);
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert!(reported[0].contains("'=4712' is not an id"), "{reported:?}");
    imported(&repo, &text.replace("=4712", "4712"), &["--rate", "Gold 30/10=30Mbps/10M"]);
    let subscribers = repo.read("subscribers/ispcustomer.co.zw.yaml");
    let expected = "- ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n  id: '4711'\n  \
                    name: 'ACME, \"the\" one'\n\
                    - ip: [10.10.10.26, '2001:db8::1']\n  domain: ispcustomer.co.zw\n  plan: Gold_30_10\n  id: '4712'\n  \
                    name: =2+5\n  status: suspended\n";
    assert_eq!(plain(&subscribers), plain(expected));
    assert_eq!(
        repo.read("plans/Gold_30_10.yaml"),
        "name: Gold_30_10\nup: 30 Mbps\ndown: 10 Mbps\ndescription: Gold 30/10\n"
    );
    assert_eq!(repo.run(&["check"]).code, 0);
    let again = imported(&repo, &text.replace("=4712", "4712"), &[]);
    assert!(again.stdout.starts_with("Nothing to do: 2 subscribers"), "{}", again.stdout);
}

/// Without quotes: which of them YAML takes is for others to say.
fn plain(text: &str) -> String {
    text.replace(['\'', '"'], "")
}

#[test]
fn columns_are_mapped_by_name_and_number() {
    let text = "host,tariff,up,notes\n10.10.10.25,GOLD,1,x\n";
    assert!(unusable(text.as_bytes(), &["--domain", DOMAIN]).contains("--map ip=COLUMN"));
    let typo = unusable(text.as_bytes(), &["--map", "ip=hots"]);
    assert!(typo.contains("did you mean `host`?"), "{typo}");
    let repo = empty();
    imported(
        &repo,
        text,
        &["--map", "ip=host", "--map", "plan=2", "--map", "name=up", "--domain", DOMAIN, "--rate", "GOLD=1M/2M"],
    );
    assert_eq!(rendered(&repo), line("10.10.10.25", DOMAIN, "GOLD"));
    assert!(repo.read("subscribers/ispcustomer.co.zw.yaml").contains("name: '1'"));
    let run = import(&empty(), text, &["--map", "adress=host"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("there is no field `adress`"), "{}", run.stderr);
}

#[test]
fn rates_in_tables_make_plans() {
    let text =
        "ip,up (Mbps),down (kbps)\n10.10.10.25,7.5,60000\n10.10.10.26,7.5,60000\n10.10.10.27,fast,1\n10.10.10.28,1,\n";
    let reported = refusals(text, &["--domain", DOMAIN]);
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert!(
        reported[0].contains("the upload rate: 'fast' is not a rate") && reported[1].ends_with("there is no rate"),
        "{reported:?}"
    );
    let repo = empty();
    imported(&repo, text, &["--domain", DOMAIN, "--skip-bad"]);
    assert_eq!(
        rendered(&repo),
        line("10.10.10.25", DOMAIN, "7.5_MEG_UP_60_MEG_DOWN") + &line("10.10.10.26", DOMAIN, "7.5_MEG_UP_60_MEG_DOWN")
    );
}

#[test]
fn a_plan_with_two_rates_is_refused() {
    let text = "ip,plan,up,down\n10.10.10.25,GOLD,1M,2M\n10.10.10.26,GOLD,1M,3M\n";
    let reported = refusals(text, &["--domain", DOMAIN]);
    assert_eq!(
        reported,
        ["line 3: 10.10.10.26: the plan 'GOLD' has another download rate here than on line 2: 3 Mbps, 2 Mbps"]
    );
}

const LIBREQOS: &str = "# made by hand
Circuit ID,Circuit Name,Device ID,Device Name,Parent Node,MAC,IPv4,IPv6,Download Min Mbps,Upload Min Mbps,Download Max Mbps,Upload Max Mbps,Comment
1,\"9 Main Street, Harare\",1,Device 1,AP_A,,\"10.10.10.25, 10.10.10.64/29\",2001:db8:10:100::/56,25,5,50,30,
2794,6 Side Street,5,Device 5,AP_B,,10.10.10.26,,1,1,2.5,1.0,
2794,6 Side Street,6,Device 6,AP_B,,10.10.10.27,,1,1,2.5,1.0,
";

#[test]
fn shaped_devices_are_read() {
    let repo = empty();
    let reported = unusable(LIBREQOS.as_bytes(), &[]);
    assert!(reported.contains("--domain NAME"), "{reported}");
    let run = imported(&repo, LIBREQOS, &["--domain", DOMAIN]);
    assert!(run.stderr.contains("a ShapedDevices.csv of LibreQoS: 2 subscribers, 2 plans"), "{}", run.stderr);
    let text = repo.read("subscribers/ispcustomer.co.zw.yaml");
    assert!(plain(&text).contains("ip: [10.10.10.25, 10.10.10.64/29, 2001:db8:10:100::/56]\n"), "{text}");
    assert!(plain(&text).contains("ip: [10.10.10.26, 10.10.10.27]\n"), "{text}");
    assert!(plain(&text).contains("id: 2794\n  name: 6 Side Street\n"), "{text}");
    assert_eq!(
        repo.read("plans/30_MEG_UP_50_MEG_DOWN.yaml"),
        "name: 30_MEG_UP_50_MEG_DOWN\nup: 30 Mbps\ndown: 50 Mbps\n\
         description: LibreQoS guarantees 5 Mbps up, 25 Mbps down\n"
    );
    assert_eq!(repo.run(&["check"]).code, 0);
    let newer = LIBREQOS
        .replace("Parent Node,MAC", "parent node,Parent Node ID,Anchor Node ID,mac")
        .replace("AP_A,", "AP_A,n1,n2,")
        .replace("AP_B,", "AP_B,n1,n2,");
    let newer = newer.replace("Circuit ID,Circuit Name", "CIRCUIT ID,circuit name");
    let again = imported(&repo, &newer, &["--domain", DOMAIN]);
    assert!(again.stdout.starts_with("Nothing to do: 2 subscribers"), "{}", again.stdout);
}

#[test]
fn a_circuit_has_one_rate() {
    let reported =
        refusals(&LIBREQOS.replace("10.10.10.27,,1,1,2.5,1.0", "10.10.10.27,,1,1,3,1.0"), &["--domain", DOMAIN]);
    assert_eq!(
        reported,
        [
            "line 4: 10.10.10.26, 10.10.10.27: line 5 gives the circuit other rates: 1 Mbps up, 3 Mbps down, and not 1 Mbps up, 2.5 Mbps down"
        ]
    );
    let reported = refusals(&LIBREQOS.replace("50,30", "0,30"), &["--domain", DOMAIN]);
    assert!(reported[0].ends_with("the download rate '0' is not a number of Mbps above 0"), "{reported:?}");
}

/// Renamed plans are kept as long as the rates are the same.
#[test]
fn plans_of_the_same_rates_stay() {
    let repo = empty();
    imported(&repo, LIBREQOS, &["--domain", DOMAIN]);
    std::fs::remove_file(repo.path().join("plans/30_MEG_UP_50_MEG_DOWN.yaml")).unwrap();
    repo.write("plans/HOME.yaml", "name: HOME\nup: 30 Mbps\ndown: 50 Mbps\n");
    let path = "subscribers/ispcustomer.co.zw.yaml";
    repo.write(path, repo.read(path).replace("30_MEG_UP_50_MEG_DOWN", "HOME"));
    let again = imported(&repo, LIBREQOS, &["--domain", DOMAIN]);
    assert!(again.stdout.starts_with("Nothing to do"), "{}", again.stdout);
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    for (source, reported) in [
        (&b"\xff\xfea\0"[..], "UTF-16: save it as UTF-8"),
        (b"\x1f\x8b\x08", "it is compressed: unpack it first"),
        (b"", "there is nothing in it"),
        (b" \n\n", "there is nothing in it"),
        (b"<?xml version=\"1.0\"?>", "without --xml"),
        (b"hello\n", "name it with --from"),
        (b"# nobody\n\n", "there is nothing in it"),
    ] {
        let said = unusable(source, &[]);
        assert!(said.contains(reported), "{said}");
    }
    let header = unusable(b"ip,plan\n", &["--domain", DOMAIN]);
    assert!(header.contains("as a table in CSV, it holds no subscribers"), "{header}");
    let open = "ip,plan,name\n10.10.10.25,GOLD,\"ACME\n10.10.10.26,GOLD,B\n";
    let said = unusable(open.as_bytes(), &["--domain", DOMAIN]);
    assert!(said.contains("the row that starts on line 2 is never closed"), "{said}");
}

#[test]
fn options_of_another_kind_are_refused() {
    let text = line("10.10.10.25", DOMAIN, PLAN);
    for args in [&["--map", "ip=a"][..], &["--domain", "a.example"], &["--database", "a"], &["--rate", "SILVER=1M/1M"]]
    {
        let run = import(&empty(), &text, args);
        assert_eq!(run.code, 2, "{args:?} {}", run.stderr);
    }
}

#[test]
fn standard_input_is_read() {
    let repo = empty();
    let run = repo.run_with_input(&["import", "-", "--from", "shaper"], &line("10.10.10.25", DOMAIN, PLAN));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(rendered(&repo), line("10.10.10.25", DOMAIN, PLAN));
}
