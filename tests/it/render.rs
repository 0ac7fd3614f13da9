//! `render`: the shaper file byte for byte, templates, and what may not reach an output.

mod free_text;
mod limits;
mod proposed;

use crate::support::Repo;

const FIVE_LINES: &str = "\
10.10.10.25 10.10.10.25@ispcustomer.co.zw :=set_attribute 30_MEG_UP_30_MEG_DOWN
10.10.10.26 10.10.10.26@ispcustomer.co.zw :=set_attribute 50_MEG_UP_50_MEG_DOWN
10.10.10.30 10.10.10.30@ispcustomer.co.zw :=set_attribute 50_MEG_UP_50_MEG_DOWN
11.11.11.12 11.11.11.12@ispcustomer.co.zw :=set_attribute 50_MEG_UP_50_MEG_DOWN
192.168.1.10 192.168.1.10@ispcustomer.co.zw :=set_attribute 30_MEG_UP_30_MEG_DOWN
";

#[test]
fn the_repository_s_own_data_gives_its_five_lines() {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .args(["-C", env!("CARGO_MANIFEST_DIR"), "render", "--on", "2026-11-21"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap(), FIVE_LINES);
    assert_eq!(out.status.code(), Some(0));
}

fn with_subscribers(text: &str) -> Repo {
    let repo = Repo::new();
    repo.write("subscribers/all.yaml", text);
    repo
}

const PLAN: &str = "domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n";

#[test]
fn lines_are_ordered_by_address_and_ipv4_comes_first() {
    let repo = with_subscribers(&format!(
        "- ip: ['2001:db8::9', 10.10.10.100]\n  {PLAN}- ip: 2001:db8:1::/48\n  {PLAN}- ip: 10.10.10.9\n  {PLAN}\
         - ip: 192.168.1.8/29\n  {PLAN}- ip: 11.11.11.1\n  {PLAN}"
    ));
    repo.write(
        "domains/ispcustomer.co.zw.yaml",
        "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, 11.11.11.0/24, 192.168.1.0/24, '2001:db8::/32']\n",
    );
    let run = repo.run(&["render"]);
    let addresses: Vec<&str> = run.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        addresses,
        ["10.10.10.9", "10.10.10.100", "11.11.11.1", "192.168.1.8/29", "2001:db8::9", "2001:db8:1::/48"],
        "{run:?}"
    );
    assert!(run.stdout.contains("192.168.1.8/29 192.168.1.8/29@ispcustomer.co.zw :=set_attribute "));
}

#[test]
fn a_template_can_write_what_is_built_in() {
    let repo = with_subscribers(&format!(
        "- ip: ['2001:db8::9', 10.10.10.100, '2001:db8::ab']\n  {PLAN}- ip: 2001:db8:1::/48\n  {PLAN}\
         - ip: 192.168.1.8/29\n  domain: ispcustomer.co.zw\n  plan: GOLD\n"
    ));
    repo.write("plans/GOLD.yaml", "name: GOLD\nup: 1 Mbps\ndown: 1 Mbps\nattribute: '\"Plan\"=GOLD'\n");
    repo.write("domains/ispcustomer.co.zw.yaml", "name: ispcustomer.co.zw\nprefixes: [0.0.0.0/0, '::/0']\n");
    repo.write("shapeline.yaml", "outputs: {own: {template: templates/own.j2}}\n");
    repo.write(
        "templates/own.j2",
        "{% for line in lines %}\n{{ line.address }} {{ line.address }}@{{ line.domain }} :=set_attribute {{ line.attribute }}\n\
         {% endfor %}\n",
    );
    let (built_in, own) = (repo.run(&["render"]), repo.run(&["render", "own"]));
    assert_eq!((built_in.code, own.code), (0, 0), "{built_in:?} {own:?}");
    assert_eq!(built_in.stdout.lines().count(), 5);
    assert_eq!(built_in.stdout, own.stdout);
}

#[test]
fn a_domain_never_breaks_its_line() {
    for domain in ["'a b'", "\"a\\nb\"", "'ö.example'"] {
        let repo = with_subscribers(&format!("ip: 10.10.10.1\ndomain: {domain}\nplan: 30_MEG_UP_30_MEG_DOWN\n"));
        repo.write("shapeline.yaml", "rules: {unknown-domain: off}\n");
        let run = repo.run(&["render"]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{domain}: {run:?}");
        assert!(run.stderr.contains("subscribers/all.yaml"), "{domain}: {run:?}");
    }
}

#[test]
fn who_is_suspended_or_out_of_term_is_left_out() {
    let repo = with_subscribers(&format!(
        "- ip: 10.10.10.1\n  {PLAN}  status: suspended\n- ip: 10.10.10.2\n  {PLAN}  starts: 2026-12-01\n\
         - ip: 10.10.10.3\n  {PLAN}  ends: 2026-11-21\n- ip: 10.10.10.4\n  {PLAN}  starts: 2026-11-21\n  ends: 2026-11-22\n"
    ));
    let served = |day: &str| {
        let run = repo.run(&["render", "--on", day]);
        assert_eq!(run.code, 0, "{run:?}");
        run.stdout.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(served("2026-11-20"), ["10.10.10.3"]);
    assert_eq!(served("2026-11-21"), ["10.10.10.4"]);
    assert_eq!(served("2026-12-01"), ["10.10.10.2"]);
}

#[test]
fn the_suspended_may_get_a_plan_of_their_own() {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}  status: suspended\n"));
    repo.write("plans/WALLED.yaml", "name: WALLED\nup: 64 kbps\ndown: 64 kbps\nattribute: '\"Plan\"=WALLED'\n");
    repo.write("shapeline.yaml", "suspended: WALLED\n");
    let run = repo.run(&["render"]);
    assert_eq!(run.stdout, "10.10.10.1 10.10.10.1@ispcustomer.co.zw :=set_attribute \"Plan\"=WALLED\n", "{run:?}");
}

/// Otherwise nothing could be published from that day on.
#[test]
fn a_template_that_fails_on_who_comes_later_is_refused_today() {
    let ticket = |number: u32| format!("  labels: {{ticket: '{number}'}}\n");
    let repo = with_subscribers(&format!(
        "- ip: 10.10.10.1\n  {PLAN}{}- ip: 10.10.10.2\n  {PLAN}  starts: 2026-12-01\n",
        ticket(1)
    ));
    repo.write("shapeline.yaml", "outputs:\n  all: {template: templates/all.j2}\n");
    repo.write("templates/all.j2", "{% for s in subscribers %}\n{{ s.labels.ticket | json }}\n{% endfor %}\n");
    let run = repo.run(&["check", "--on", "2026-11-21"]);
    assert!(run.code == 1 && run.stdout.contains("error[template]"), "{run:?}");
    assert!(run.stdout.contains("while writing this subscriber"), "{run:?}");
    let text = repo.read("subscribers/all.yaml");
    repo.write("subscribers/all.yaml", text + &ticket(2));
    assert_eq!(repo.run(&["check", "--on", "2026-11-21"]).code, 0);
}

#[test]
fn data_that_fails_the_check_is_not_rendered() {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}- ip: 10.10.10.300\n  {PLAN}"));
    let run = repo.run(&["render"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(run.stderr.contains("10.10.10.300"), "{run:?}");
}

#[test]
fn own_templates_see_everything_and_filters_give_every_unit() {
    let repo = with_subscribers(&format!(
        "- ip: ['2001:db8::9', 10.10.10.100]\n  {PLAN}  id: hq\n  name: 'ACME, \"head\" office'\n  labels: {{ticket: '4711'}}\n\
         - ip: 192.168.1.8/29\n  {PLAN}"
    ));
    repo.write(
        "domains/ispcustomer.co.zw.yaml",
        "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, 192.168.1.0/24, '2001:db8::/32']\n\
         capacity: {up: 1 Gbps, down: 2 Gbps, contention: 20}\n",
    );
    repo.write("plans/ODD.yaml", "name: ODD\nup: 7.5 Mbps\ndown: 1.5 Gbps\ndescription: for <tests>\n");
    repo.write("shapeline.yaml", "outputs:\n  all: {template: templates/all.j2, file: all.csv}\n");
    repo.write(
        "templates/all.j2",
        "# {{ output }} {{ date }}\n\
         {% for s in subscribers %}\n\
         {{ s.key }};{{ s.id | default('-', true) }};{{ s.name | default('-', true) | csv }};{{ s.addresses | join('+') }};{{ s.up | kbps }};{{ s.labels.ticket | default('', true) | json }}\n\
         {% endfor %}\n\
         {% for name, p in plans | items if name == 'ODD' %}\n\
         {{ p.up | bps }} {{ p.up | kbps }} {{ p.up | mbps }} {{ p.up | gbps }} {{ p.down }} {{ p.description | xml }}\n\
         {% endfor %}\n\
         {% for line in lines if line.address is ipv4 %}\n\
         {{ line.address | cidr }} {{ line.address | network }} {{ line.address | broadcast }} {{ line.address | netmask }} {{ line.address | prefixlen }} {{ line.address is prefix }}\n\
         {% endfor %}\n\
         {{ domains['ispcustomer.co.zw'].capacity.down }} {{ domains['ispcustomer.co.zw'].prefixes | length }}\n",
    );
    let run = repo.run(&["render", "all", "--on", "2026-11-21"]);
    assert_eq!(
        run.stdout,
        "# all 2026-11-21\n\
         hq;hq;\"ACME, \"\"head\"\" office\";2001:db8::9+10.10.10.100;30000;\"4711\"\n\
         192.168.1.8/29@ispcustomer.co.zw;-;-;192.168.1.8/29;30000;\"\"\n\
         7500000 7500 7.5 0.0075 1.5 Gbps for &lt;tests&gt;\n\
         10.10.10.100/32 10.10.10.100 10.10.10.100 255.255.255.255 32 false\n\
         192.168.1.8/29 192.168.1.8 192.168.1.15 255.255.255.248 29 true\n\
         2 Gbps 3\n",
        "{run:?}"
    );
    let run = repo.run(&["render", "--out-dir", "out"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(repo.read("out/shaper.txt").lines().count(), 3);
    assert_eq!(repo.read("out/all.csv").lines().count(), 7);
}

/// A template that fails names itself, its line and the subscriber, and nothing is written.
fn template_error(template: &str) -> String {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}- ip: 10.10.10.2\n  {PLAN}  name: two words\n"));
    repo.write("shapeline.yaml", "outputs:\n  all: {template: templates/all.j2}\n");
    repo.write("templates/all.j2", template);
    let check = repo.run(&["check"]);
    assert_eq!(check.code, 1, "the check finds it before the merge: {check:?}");
    let run = repo.run(&["render", "all"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(run.stderr.contains("templates/all.j2:2"), "{run:?}");
    run.stderr
}

#[test]
fn template_errors_name_template_line_and_subscriber() {
    let error = template_error("# one\n{% for line in lines %}{{ line.subscriber.name }}\n{% endfor %}");
    assert!(error.contains("subscribers/all.yaml:1"), "none has no text: {error}");
    let error = template_error(
        "# one\n{% for line in lines if line.subscriber.name %}{{ line.subscriber.name }}\n{% endfor %}",
    );
    assert!(error.contains("subscribers/all.yaml:4") && error.contains("free text"), "{error}");
    let error = template_error("# one\n{% for line in lines %}{{ line.adress }}{% endfor %}");
    assert!(error.contains("templates/all.j2:2:"), "{error}");
    template_error("# one\n{% for line in lines %}");
    let error =
        template_error("# one\n{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}");
    assert!(error.contains("too many steps"), "{error}");
    template_error("# one\n{% include 'templates/none.j2' %}");
    template_error("# one\n{% include '/etc/passwd' %}");
}

#[test]
fn a_template_that_writes_without_end_is_stopped() {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}"));
    repo.write("shapeline.yaml", "outputs:\n  all: {template: templates/all.j2}\n");
    repo.write("templates/all.j2", "{% for i in range(2000) %}{{ 'x' * 100000 }}{% endfor %}");
    let run = repo.run(&["render", "all"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert!(run.stderr.contains("templates/all.j2") && run.stderr.contains("writes too much"), "{run:?}");
}

#[test]
fn an_unknown_output_is_a_usage_error_with_a_suggestion() {
    let repo = with_subscribers("[]\n");
    let run = repo.run(&["render", "shapr"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("did you mean `shaper`"), "{run:?}");
}

#[test]
fn the_same_data_gives_the_same_bytes_from_disk_and_from_git() {
    let repo = with_subscribers(&format!("- ip: 10.10.10.7\n  {PLAN}- ip: 10.10.10.2\n  {PLAN}"));
    repo.commit("start");
    let from_disk = repo.run(&["render", "--on", "2026-11-21"]);
    repo.write("subscribers/all.yaml", "not: yaml: at all");
    let from_git = repo.run(&["render", "--on", "2026-11-21", "--rev", "HEAD"]);
    assert_eq!(from_disk.stdout, from_git.stdout);
    assert_eq!(from_git.code, 0, "{from_git:?}");
}

#[test]
fn an_expression_may_nest_as_deep_as_a_template_is_long() {
    assert!(
        !free_text::passes(&format!("{{{{ {}1 }}}}", "-".repeat(50_000))) || free_text::passes("{{ 1 }}"),
        "no crash is what counts"
    );
    assert!(!free_text::passes(&"x".repeat(300_000)), "a template of 300 kB is refused");
}

#[test]
fn two_outputs_may_not_have_one_file() {
    let repo = with_subscribers(&format!("- ip: 10.10.10.1\n  {PLAN}"));
    repo.write("shapeline.yaml", "outputs:\n  zz: {template: shaper, file: shaper.txt}\n");
    let run = repo.run(&["check"]);
    assert!(run.code == 1 && run.stdout.contains("duplicate-name"), "{run:?}");
}
