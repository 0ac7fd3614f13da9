//! Shapes of hostile or large repositories and sources.

use std::fmt::Write as _;

use super::Shape;
use crate::support::Repo;

const DOMAIN: &str = "ispcustomer.co.zw";
const PLAN: &str = "30_MEG_UP_30_MEG_DOWN";

const CHECK: &[&str] = &["check --format json"];
const CHECK_CHANGE: &[&str] = &["check --format json", "check --base HEAD --actor mallory"];
const SHAPER: &[&str] = &["import --from shaper --skip-bad --dry-run source"];
const CSV: &[&str] = &["import --from csv --domain ispcustomer.co.zw --skip-bad --dry-run --format json source"];
const SQL: &[&str] = &["import --from mysqldump --skip-bad --dry-run source"];
const LIBREQOS: &[&str] = &["import --from libreqos --domain ispcustomer.co.zw --skip-bad --dry-run source"];

pub(super) const SHAPES: &[Shape] = &[
    Shape { name: "foreign addresses", size: 240, write: foreign_addresses, runs: CHECK },
    Shape { name: "foreign addresses in a change", size: 120, write: foreign_change, runs: CHECK_CHANGE },
    Shape { name: "long unknown names", size: 8_000, write: long_names, runs: CHECK },
    Shape { name: "everything wrong", size: 1_500, write: everything_wrong, runs: CHECK_CHANGE },
    Shape { name: "broken files", size: 60, write: broken_files, runs: CHECK },
    Shape { name: "one broken list", size: 8_000, write: broken_list, runs: CHECK },
    Shape { name: "unknown fields", size: 4_000, write: unknown_fields, runs: CHECK },
    Shape { name: "one line", size: 2_500, write: one_line, runs: ONE_LINE },
    Shape { name: "one line of scalars", size: 60_000, write: line_of_scalars, runs: &["fmt --check"] },
    Shape { name: "one line of prefixes", size: 2_000, write: line_of_prefixes, runs: CHECK },
    Shape { name: "many comments", size: 5_000, write: comments, runs: COMMENTS },
    Shape { name: "deep folders", size: 500, write: deep_folders, runs: CHECK_CHANGE },
    Shape { name: "many domains", size: 250, write: many_domains, runs: CHECK_CHANGE },
    Shape { name: "many plans in a change", size: 1_500, write: many_plans, runs: CHECK_CHANGE },
    Shape { name: "one address, many ids", size: 1_500, write: one_address_many_ids, runs: CHECK },
    Shape { name: "many templates", size: 500, write: many_templates, runs: TEMPLATES },
    Shape { name: "plain", size: 3_000, write: plain, runs: PLAIN },
    Shape { name: "history", size: 40, write: history, runs: &["history --no-cache --format json"] },
    Shape { name: "one address, many plans", size: 3_000, write: one_address_many_plans, runs: SHAPER },
    Shape { name: "one id, many rows", size: 8_000, write: one_id, runs: CSV },
    Shape { name: "many plans that want one name", size: 1_000, write: one_plan_name, runs: CSV },
    Shape { name: "one cell of addresses", size: 80_000, write: one_cell, runs: CSV },
    Shape { name: "bad rows", size: 6_000, write: bad_rows, runs: CSV },
    Shape { name: "rows in blocks of others", size: 3_000, write: rows_of_others, runs: CSV },
    Shape { name: "rows that refuse each other", size: 200, write: chained_rows, runs: CSV },
    Shape { name: "one circuit", size: 12_000, write: one_circuit, runs: LIBREQOS },
    Shape { name: "one row of SQL", size: 800_000, write: sql_row, runs: SQL },
    Shape { name: "many rows of SQL", size: 5_000, write: sql_rows, runs: SQL },
    Shape { name: "an import that is plain", size: 3_000, write: plain_source, runs: SHAPER },
];

const ONE_LINE: &[&str] = &[
    "check --format text",
    "check --format json",
    "check --format github",
    "check --format sarif",
    "check --format junit",
    "fmt --check",
    "subscriber list --format json",
    "subscriber set 10.0.0.1 name=x --dry-run",
];
const COMMENTS: &[&str] = &["fmt --check", "subscriber set 10.0.0.1 name=x --dry-run"];
const TEMPLATES: &[&str] = &["check --format json", "render --out-dir out"];
const PLAIN: &[&str] = &[
    "check --base HEAD",
    "render",
    "plan --base HEAD --format markdown",
    "plan --against live.txt --format json",
    "fmt --check",
    "subscriber list --format csv",
    "subscriber set 10.0.0.1 name=x --dry-run",
    "subscriber add 11.0.0.1 --domain ispcustomer.co.zw --plan 30_MEG_UP_30_MEG_DOWN --dry-run",
    "publish --dry-run --allow-dirty",
    "drift --allow-dirty",
];

/// An address that a host can have, a different one for each number.
fn ip(number: usize) -> String {
    format!("10.{}.{}.{}", number / 62_500, number / 250 % 250, number % 250 + 1)
}

fn record(ip: &str, more: &str) -> String {
    format!("- {{ip: {ip}, domain: {DOMAIN}, plan: {PLAN}{more}}}\n")
}

fn records(numbers: std::ops::Range<usize>, more: impl Fn(usize) -> String) -> String {
    numbers.map(|number| record(&ip(number), &more(number))).collect()
}

/// The usual domain, with all addresses of 10.0.0.0/8.
fn wide(repo: &Repo) {
    repo.write("domains/ispcustomer.co.zw.yaml", format!("name: {DOMAIN}\nprefixes: [10.0.0.0/8, 11.0.0.0/8]\n"));
}

fn foreign(size: usize) -> String {
    let list =
        |number: usize| (0..256).map(|at| ip(number * 256 + at).replacen("10.", "172.", 1) + ",").collect::<String>();
    (0..size).map(|number| record(&format!("[{}]", list(number)), "")).collect()
}

fn foreign_addresses(repo: &Repo, size: usize) {
    repo.write("subscribers/a.yaml", foreign(size));
}

fn foreign_change(repo: &Repo, size: usize) {
    repo.write(
        "domains/ispcustomer.co.zw.yaml",
        format!("name: {DOMAIN}\nprefixes: [10.10.10.0/24]\nowners: [alice]\n"),
    );
    repo.write("subscribers/a.yaml", foreign(size / 2));
    repo.commit("base");
    repo.write("subscribers/b.yaml", foreign(size).lines().skip(size / 2).collect::<Vec<_>>().join("\n"));
}

fn long_names(repo: &Repo, size: usize) {
    let name = |kind: &str, number: usize| format!("{kind}{number:06}{}", "ab".repeat(55));
    let plan = |number: usize| format!("- {{name: {}, up: {number} kbps, down: 1 Mbps}}\n", name("A", number + 1));
    repo.write("plans/all.yaml", (1..size).map(plan).collect::<String>());
    let unknown = |number: usize| format!("- {{ip: {}, domain: {DOMAIN}, plan: {}}}\n", ip(number), name("B", number));
    repo.write("subscribers/a.yaml", (0..size / 20).map(unknown).collect::<String>());
    wide(repo);
}

/// Each record breaks several rules, and in each the same ones.
fn everything_wrong(repo: &Repo, size: usize) {
    repo.write("shapeline.yaml", "rules: {unused-plan: warning}\n");
    repo.write("plans/OLD.yaml", "name: OLD\nup: 1 Mbps\ndown: 1 Mbps\nstatus: retired\n");
    let domain = format!(
        "name: {DOMAIN}\nprefixes: [10.0.0.0/9]\nplans: [{PLAN}]\nmax_subscribers: 1\ncapacity: {{up: 1 kbps, down: 1 kbps}}\n"
    );
    repo.write("domains/ispcustomer.co.zw.yaml", domain);
    let wrong = |number: usize| {
        let ip = match number % 6 {
            0 => ip(number / 60),
            1 => format!("{}/32", ip(number)),
            2 => format!("[{}, {}/29]", ip(number), ip(number)),
            3 => format!("127.0.{}.{}", number / 250 % 250, number % 250),
            4 => format!("10.{}.{}.0/24", 128 + number / 250 % 100, number % 250),
            _ => format!("192.168.{}.{}", number / 250 % 250, number % 250),
        };
        let plan = ["OLD", "NONE", PLAN, "50_MEG_UP_50_MEG_DOWN"][number % 4];
        let id = ["same".to_owned(), format!("172.16.0.1@victim{number}.example"), ip_id(number)][number % 3].clone();
        format!("- {{ip: {ip}, domain: {DOMAIN}, plan: {plan}, id: {id}, starts: 2020-02-02, ends: 2020-01-01}}\n")
    };
    repo.commit("base");
    repo.write("subscribers/other.example/a.yaml", (0..size).map(wrong).collect::<String>());
}

fn ip_id(number: usize) -> String {
    format!("{}@{DOMAIN}", ip(number / 60))
}

fn broken_files(repo: &Repo, size: usize) {
    for number in 0..size {
        repo.write(&format!("subscribers/{number}.yaml"), "- {ip: x, domain: Y, plam: z}\n".repeat(400));
    }
}

fn broken_list(repo: &Repo, size: usize) {
    repo.write("subscribers/a.yaml", "- {ip: 10.10.10.256, domain: Y, plam: z}\n".repeat(size));
}

fn unknown_fields(repo: &Repo, size: usize) {
    let fields: String = (0..size).map(|number| format!("unknown{number}: [x, {{y: z}}]\n")).collect();
    for file in 0..4 {
        repo.write(&format!("subscribers/{file}.yaml"), format!("ip: 10.10.10.{file}\n{fields}"));
    }
}

fn one_line(repo: &Repo, size: usize) {
    wide(repo);
    let entry = |number: usize| format!("{{ip: {}, domain: {DOMAIN}, plan: NONE{number}}}, ", ip(number));
    repo.write("subscribers/a.yaml", format!("[{}# comment\n]\n", (0..size).map(entry).collect::<String>()));
}

fn line_of_scalars(repo: &Repo, size: usize) {
    repo.write("subscribers/a.yaml", format!("[{}# comment\n]\n", "a, ".repeat(size)));
}

fn line_of_prefixes(repo: &Repo, size: usize) {
    let prefix = |number: usize| format!("{}/24, ", ip(number));
    let all: String = (0..size).map(prefix).collect();
    for name in ["a.example", "b.example"] {
        repo.write(&format!("domains/{name}.yaml"), format!("name: {name}\nprefixes: [{all}] # comment\n"));
    }
}

fn comments(repo: &Repo, size: usize) {
    wide(repo);
    let commented = |number: usize| {
        format!("# above\n- ip: [{}] # here\n  # in it\n  domain: {DOMAIN}\n\n  plan: {PLAN}\n", ip(number))
    };
    repo.write("subscribers/a.yaml", (0..size).map(commented).collect::<String>());
}

fn deep_folders(repo: &Repo, size: usize) {
    wide(repo);
    repo.commit("base");
    for number in 0..size {
        let folder = format!("d{number}/").repeat(20);
        repo.write(&format!("subscribers/{folder}a.yaml"), record(&ip(number), ""));
    }
}

/// Domains that sell too much, whose prefixes lie within one another.
fn many_domains(repo: &Repo, size: usize) {
    repo.commit("base");
    let mut text = String::new();
    for number in 0..size {
        let prefixes: String = (0..20).map(|at| format!("{}/28, ", ip(number * 7 + at))).collect();
        let name = format!("isp{number}.example");
        let _ = writeln!(
            text,
            "- {{name: {name}, prefixes: [{prefixes}], max_subscribers: 1, capacity: {{up: 1 kbps, down: 1 kbps}}}}"
        );
    }
    repo.write("domains/all.yaml", text);
    let subscriber =
        |number: usize| format!("- {{ip: {}, domain: isp{}.example, plan: {PLAN}}}\n", ip(number), number / 4);
    repo.write("subscribers/a.yaml", (0..4 * size).map(subscriber).collect::<String>());
}

fn many_plans(repo: &Repo, size: usize) {
    repo.write("shapeline.yaml", "admins: [alice]\nrules: {unused-plan: warning}\n");
    repo.commit("base");
    let plan = |number: usize| {
        format!("- {{name: P{number}_50M, up: 30 Mbps, down: 30 Mbps, attribute: a{}}}\n", number % 100)
    };
    repo.write("plans/all.yaml", (0..size).map(plan).collect::<String>());
}

fn one_address_many_ids(repo: &Repo, size: usize) {
    let domain = |number: usize| format!("- {{name: isp{number}.example, prefixes: [10.0.0.0/8]}}\n");
    repo.write("domains/all.yaml", (0..size).map(domain).collect::<String>());
    let subscriber = |number: usize| {
        let domain = format!("isp{number}.example");
        format!("- {{ip: 10.0.0.1, domain: {domain}, plan: {PLAN}, id: 10.0.0.1@{domain}}}\n")
    };
    repo.write("subscribers/a.yaml", (0..size).map(subscriber).collect::<String>());
}

fn many_templates(repo: &Repo, size: usize) {
    wide(repo);
    let mut outputs = String::from("outputs:\n");
    for number in 0..size {
        repo.write(&format!("templates/t{number}.j2"), "{% for s in subscribers %}{{ s.ip }}\n{% endfor %}");
        let _ = writeln!(outputs, "  o{number}: {{template: templates/t{number}.j2, file: o{number}.txt}}");
    }
    outputs += "  other: {template: templates/other.j2}\n";
    repo.write("shapeline.yaml", outputs);
    repo.write("subscribers/a.yaml", records(0..10, |_| String::new()));
}

fn plain(repo: &Repo, size: usize) {
    wide(repo);
    repo.write(
        "shapeline.yaml",
        format!("targets:\n  - {{name: t, url: 'file://{}/live/shaper.txt'}}\n", repo.path().display()),
    );
    repo.write("subscribers/a.yaml", records(0..size / 2, |_| String::new()));
    repo.commit("base");
    repo.write("subscribers/a.yaml", records(0..size, |number| format!(", id: c{number}, name: Customer {number}")));
    let live = |number: usize| format!("{} {}@{DOMAIN} :=set_attribute OTHER{}\n", ip(number), ip(number), number % 9);
    let live: String = (size / 3..size * 2).map(live).collect();
    repo.write("live.txt", &live);
    repo.write("live/shaper.txt", live);
}

fn history(repo: &Repo, size: usize) {
    wide(repo);
    for commit in 0..size {
        repo.write(
            "subscribers/a.yaml",
            records(0..100, |number| format!(", name: n{}", if number < 50 { commit } else { 0 })),
        );
        repo.commit("change");
    }
}

fn one_address_many_plans(repo: &Repo, size: usize) {
    let line = |number: usize| format!("10.10.10.25 10.10.10.25@{DOMAIN} :=set_attribute P{number}_30_MEG\n");
    repo.write("source", (0..size).map(line).collect::<String>());
}

fn one_id(repo: &Repo, size: usize) {
    let row = |number: usize| format!("{},{PLAN},one\n", ip(number));
    repo.write("source", format!("ip,plan,id\n{}", (0..size).map(row).collect::<String>()));
}

fn one_plan_name(repo: &Repo, size: usize) {
    let row = |number: usize| format!("{},{}A\n", ip(number), "/:".repeat(number % 50) + &"é".repeat(number / 50));
    repo.write("source", format!("ip,plan\n{}", (0..size).map(row).collect::<String>()));
}

fn one_cell(repo: &Repo, size: usize) {
    let cell: String = (0..size).map(|number| ip(number) + " ").collect();
    repo.write("source", format!("ip,plan\n{cell},{PLAN}\n{},{PLAN}\n", "x;".repeat(size)));
}

fn bad_rows(repo: &Repo, size: usize) {
    let row = |number: usize| match number % 4 {
        0 => format!("{},\u{1b}[31m,c{number}\n", ip(number)),
        1 => format!("127.0.0.1 {} 1.2.3,{PLAN},-\n", ip(number)),
        2 => format!("{} {},{PLAN},c{number}\n", ip(number), ip(number + 1)),
        _ => format!("{},{PLAN},c{}\n", ip(number), number / 5),
    };
    repo.write("source", format!("ip,plan,id\n{}", (0..size).map(row).collect::<String>()));
}

fn rows_of_others(repo: &Repo, size: usize) {
    let domain = |number: usize| format!("- {{name: isp{number}.example, prefixes: [{}/32]}}\n", ip(number));
    repo.write("domains/all.yaml", (0..size).map(domain).collect::<String>());
    let row = |number: usize| format!("{},{PLAN}\n", ip(number));
    repo.write("source", format!("ip,plan\n{}", (0..size).map(row).collect::<String>()));
}

/// Each customer gets the address of the next one; the last row is refused, and so in turn are all.
fn chained_rows(repo: &Repo, size: usize) {
    wide(repo);
    repo.write("subscribers/a.yaml", records(0..size, |number| format!(", id: c{number}")));
    let row = |number: usize| format!("{},{PLAN},c{number}\n", ip(number + 1));
    repo.write(
        "source",
        format!("ip,plan,id\n{}10.0.0.x,{PLAN},c{}\n", (0..size - 1).map(row).collect::<String>(), size - 1),
    );
}

fn one_circuit(repo: &Repo, size: usize) {
    let header = "Circuit ID,Circuit Name,IPv4,Download Min Mbps,Upload Min Mbps,Download Max Mbps,Upload Max Mbps\n";
    let row = |number: usize| format!("1,name{number},{},1,1,{},30\n", ip(number), number % 99 + 1);
    repo.write("source", format!("{header}{}", (0..size).map(row).collect::<String>()));
}

const TABLES: &str = "-- MySQL dump 10.13\n\
    CREATE TABLE `plan` (`plan_id` int, `plan_name` text);\nINSERT INTO `plan` VALUES (1,'30_MEG_UP_30_MEG_DOWN');\n\
    CREATE TABLE `domains` (`dom_id` int, `domain_name` text);\nINSERT INTO `domains` VALUES (1,'@ispcustomer.co.zw');\n\
    CREATE TABLE `subscriber` (`sub_id` int, `ipaddress` text, `attribute` text, `plan_id` int, `dom_id` int);\n";

fn dump(repo: &Repo, rows: &str) {
    repo.write("source", format!("{TABLES}INSERT INTO `subscriber` VALUES {rows};\n-- Dump completed\n"));
}

fn sql_row(repo: &Repo, size: usize) {
    dump(repo, &format!("(1,'10.10.10.25',':=set_attribute',1,1),(2{})", ",1".repeat(size)));
}

fn sql_rows(repo: &Repo, size: usize) {
    let row = |number: usize| format!("({number},'{}',':=set_attribute',{},1)", ip(number), number % 2 + 1);
    dump(repo, &(0..size).map(row).collect::<Vec<_>>().join(","));
}

fn plain_source(repo: &Repo, size: usize) {
    let line =
        |number: usize| format!("{} {}@isp{}.example :=set_attribute {PLAN}\n", ip(number), ip(number), number % 100);
    repo.write("source", (0..size).map(line).collect::<String>());
}
