//! `subscriber add`, `set`, `suspend`, `resume` and `remove`, on files as people write them.

use crate::support::{Repo, Run};

const GOLD: &str = "50_MEG_UP_50_MEG_DOWN";
pub const BASIC: &str = "30_MEG_UP_30_MEG_DOWN";

/// A list as an ISP may keep it.
pub const LIST: &str = "\
# Customers of ispcustomer.co.zw. Ask the NOC before you change this.

# Head office
- ip: 10.10.10.25          # behind the firewall
  domain: ispcustomer.co.zw
  plan: 30_MEG_UP_30_MEG_DOWN
  id: acme-hq
  name: \"ACME, head office\"

# Pays late
- {ip: 10.10.10.26, domain: ispcustomer.co.zw, plan: 50_MEG_UP_50_MEG_DOWN}

- ip: [10.10.10.30, 11.11.11.64/29]
  domain: ispcustomer.co.zw
  plan: '50_MEG_UP_50_MEG_DOWN'
  status: suspended # since May
";

pub const PATH: &str = "subscribers/ispcustomer.co.zw.yaml";

pub fn with_list() -> Repo {
    let repo = Repo::new();
    repo.write(PATH, LIST);
    repo
}

pub fn run(repo: &Repo, args: &[&str]) -> Run {
    let mut all = vec!["subscriber"];
    all.extend(args);
    repo.run(&all)
}

/// Runs a command that must do its job.
pub fn fine(repo: &Repo, args: &[&str]) -> String {
    let run = run(repo, args);
    assert_eq!(run.code, 0, "{args:?}: {run:?}");
    run.stdout
}

/// Runs a command that is refused, and changes nothing.
pub fn refused(repo: &Repo, args: &[&str], why: &str) {
    let before = repo.read(PATH);
    let run = run(repo, args);
    assert_eq!(run.code, 1, "{args:?}: {run:?}");
    assert!(run.stderr.contains(why), "{args:?}: {why}: {}", run.stderr);
    assert_eq!(repo.read(PATH), before, "{args:?}");
}

#[test]
fn one_is_added_where_the_others_are() {
    let repo = with_list();
    let said = fine(&repo, &["add", "10.10.10.27", "--plan", GOLD, "--name", "Beta", "--label", "ticket=4711"]);
    let new = "- {ip: 10.10.10.27, domain: ispcustomer.co.zw, plan: 50_MEG_UP_50_MEG_DOWN, name: Beta, labels: {ticket: '4711'}}\n\n";
    assert_eq!(repo.read(PATH), LIST.replace("- ip: [", &format!("{new}- ip: [")), "in the style of the one before");
    assert_eq!(
        said,
        "Added 10.10.10.27 to ispcustomer.co.zw with 50_MEG_UP_50_MEG_DOWN\n\
         wrote subscribers/ispcustomer.co.zw.yaml\n\
         On the network, once it is published:\n\
         + 10.10.10.27  ispcustomer.co.zw  50_MEG_UP_50_MEG_DOWN  50 Mbps  Beta\n"
    );
    fine(&repo, &["remove", "10.10.10.27"]);
    assert_eq!(repo.read(PATH), LIST);
}

#[test]
fn one_field_is_changed() {
    let repo = with_list();
    let said = fine(&repo, &["set", "acme-hq", &format!("plan={GOLD}")]);
    assert!(said.starts_with("Changed acme-hq: plan 30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN\n"), "{said}");
    assert!(said.ends_with("~ 10.10.10.25  ispcustomer.co.zw  30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN  30 Mbps → 50 Mbps  ACME, head office\n"), "{said}");
    assert_eq!(repo.read(PATH), LIST.replacen("30_MEG_UP_30_MEG_DOWN", GOLD, 1));
    fine(&repo, &["set", "10.10.10.25@ispcustomer.co.zw", &format!("plan={BASIC}"), "name=", "starts=2026-01-01"]);
    let expected = LIST.replace("  name: \"ACME, head office\"\n", "  starts: 2026-01-01\n");
    assert_eq!(repo.read(PATH), expected);
    fine(&repo, &["set", "acme-hq", "labels.a=b", "labels.c=no", "id="]);
    fine(&repo, &["set", "10.10.10.25", "labels.a=", "labels.c=yes"]);
    assert_eq!(
        repo.read(PATH),
        expected.replace("  id: acme-hq\n", "").replace("2026-01-01\n", "2026-01-01\n  labels: {c: 'yes'}\n")
    );
    fine(&repo, &["set", "10.10.10.30", "ip=10.10.10.30"]);
    assert!(repo.read(PATH).contains("- ip: 10.10.10.30\n"));
}

#[test]
fn some_are_suspended_and_resumed() {
    let repo = with_list();
    let said = fine(&repo, &["suspend", "acme-hq", "10.10.10.26", "10.10.10.30", "10.10.10.26"]);
    assert!(said.starts_with("Suspended 2 subscribers\n  acme-hq (30_MEG_UP_30_MEG_DOWN)\n"), "{said}");
    let text = repo.read(PATH);
    assert!(text.contains("office\"\n  status: suspended\n") && text.contains("DOWN, status: suspended}\n"), "{text}");
    fine(&repo, &["resume", "acme-hq", "10.10.10.26"]);
    assert_eq!(repo.read(PATH), LIST);
    let said = fine(&repo, &["resume", "11.11.11.64/29"]);
    assert!(said.contains("+ 10.10.10.30 "), "{said}");
    assert_eq!(repo.read(PATH), LIST.replace("  status: suspended # since May\n", ""));
}

#[test]
fn where_one_says_active_others_do() {
    let repo = Repo::new();
    let record = |ip: &str, status: &str| {
        format!("- ip: {ip}\n  domain: ispcustomer.co.zw\n  plan: {BASIC}\n  status: {status}\n")
    };
    let text = record("10.10.10.1", "active") + &record("10.10.10.2", "active");
    repo.write(PATH, &text);
    fine(&repo, &["suspend", "10.10.10.2"]);
    assert_eq!(repo.read(PATH), record("10.10.10.1", "active") + &record("10.10.10.2", "suspended"));
    fine(&repo, &["resume", "10.10.10.2"]);
    assert_eq!(repo.read(PATH), text);
}

#[test]
fn what_is_so_already_changes_nothing() {
    let repo = with_list();
    let before = repo.path().join(PATH).metadata().unwrap().modified().unwrap();
    for args in [
        &["suspend", "10.10.10.30"][..],
        &["resume", "acme-hq"],
        &["set", "acme-hq", "name=ACME, head office"],
        &["set", "acme-hq", "ends=", "labels.x="],
        &["add", "10.10.10.26", "--plan", GOLD, "--domain", "ispcustomer.co.zw"],
    ] {
        let run = run(&repo, args);
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains(": nothing to do"), "{args:?}: {run:?}");
    }
    assert_eq!(repo.path().join(PATH).metadata().unwrap().modified().unwrap(), before);
}

#[test]
fn what_would_break_the_data_is_refused() {
    let repo = with_list();
    refused(
        &repo,
        &["add", "10.10.10.26", "--plan", BASIC],
        "`10.10.10.26` is there already, as `10.10.10.26@ispcustomer.co.zw`",
    );
    refused(&repo, &["add", "10.10.10.65/29", "--plan", BASIC], "or `10.10.10.64/29` for the whole block");
    refused(
        &repo,
        &["add", "10.10.10.400", "--plan", BASIC],
        "`10.10.10.400` is not an IPv4 address, because `400` is more than 255",
    );
    refused(&repo, &["add", "10.10.10.255", "--plan", BASIC], "error[reserved-ip]");
    refused(&repo, &["add", "11.11.11.65", "--plan", BASIC], "error[overlapping-prefix]");
    refused(&repo, &["add", "10.99.0.1", "--plan", BASIC], "no domain has a block that holds `10.99.0.1`");
    refused(&repo, &["add", "10.99.0.1", "--plan", BASIC, "--domain", "ispcustomer.co.zw"], "error[ip-outside-domain]");
    refused(
        &repo,
        &["add", "10.10.10.40", "--plan", BASIC, "--domain", "ispcustomer.co.zx"],
        "did you mean `ispcustomer.co.zw`?",
    );
    refused(&repo, &["add", "10.10.10.40", "--plan", "30_MEG_UP_30_MEG_DWN"], "did you mean `30_MEG_UP_30_MEG_DOWN`?");
    refused(&repo, &["add", "10.10.10.40", "--plan", BASIC, "--id", "acme-hq"], "error[duplicate-id]");
    refused(&repo, &["add", "10.10.10.40", "--plan", BASIC, "--id", "a b"], "is not an id");
    refused(
        &repo,
        &["add", "10.10.10.40", "--plan", BASIC, "--starts", "2026-12-01", "--ends", "2026-11-01"],
        "error[ends-before-starts]",
    );
    refused(&repo, &["set", "acme-hq", "status=Suspended"], "error[schema]: `Suspended`");
    refused(&repo, &["set", "acme-hq", "starts=tomorrow"], "error[schema]: `tomorrow`");
    refused(&repo, &["set", "acme-hq", "ip="], "every subscriber has the field `ip`");
    refused(&repo, &["set", "acme-hq", "plna=x"], "did you mean `plan`?");
    refused(&repo, &["set", "acme-hq", "name=a", "name=b"], "`name` is given two values");
    refused(&repo, &["set", "acme-hp", "name=a"], "did you mean `acme-hq`?");
    refused(&repo, &["remove", "11.11.11.65"], "it lies within `10.10.10.30@ispcustomer.co.zw`");
    refused(&repo, &["remove", "acme-hq", "nobody"], "there is no subscriber `nobody`");
    for args in [
        &["set", "acme-hq", "name"][..],
        &["add", "10.10.10.40"],
        &["add"],
        &["suspend"],
        &["add", "10.10.10.40", "--push", "--plan", GOLD],
    ] {
        assert_eq!(run(&repo, args).code, 2, "{args:?}");
    }
}

#[test]
fn an_id_that_is_another_subscribers_address_decides_nothing() {
    let repo = with_list();
    let record = |ip: &str, id: &str| format!("- ip: {ip}\n  domain: ispcustomer.co.zw\n  plan: {BASIC}\n  id: {id}\n");
    repo.write(
        "subscribers/ispcustomer.co.zw/ids.yaml",
        record("10.10.10.101", "10.10.10.102") + &record("10.10.10.102", "b"),
    );
    refused(&repo, &["remove", "10.10.10.102"], "may be any of these");
    assert!(run(&repo, &["show", "10.10.10.101"]).stdout.contains("10.10.10.101"));
    let check = repo.run(&["check"]);
    assert!(
        check.stdout.contains("the id `10.10.10.102` reads as the address of another subscriber"),
        "{}",
        check.stdout
    );
}

#[test]
fn values_of_an_unreadable_record_stay_taken() {
    let repo = with_list();
    repo.write("domains/b.example.yaml", "name: b.example\nprefixes: [10.77.0.0/29]\n");
    repo.write("subscribers/br.yaml", format!("ip: 10.77.0.1\ndomain: b.example\nplan: {BASIC}\nnam: x\n"));
    repo.write("subscribers/nul.yaml", format!("ip: 10.77.0.2\ndomain: b.example\nplan: {BASIC}\n\u{0}\n"));
    refused(
        &repo,
        &["add", "10.77.0.1", "--plan", BASIC],
        "`10.77.0.1` is in `subscribers/br.yaml`, which could not be read completely",
    );
    refused(&repo, &["add", "10.77.0.2", "--plan", BASIC], "is in `subscribers/nul.yaml`");
    refused(
        &repo,
        &["show", "10.77.0.1"],
        "there is no subscriber `10.77.0.1`; `subscribers/br.yaml` and 1 more file could not be read",
    );
    let added = run(&repo, &["add", "--next-free", "--domain", "b.example", "--plan", BASIC]);
    assert!(added.stdout.starts_with("Added 10.77.0.3 "), "{}{}", added.stdout, added.stderr);
}

#[test]
fn several_candidates_are_named() {
    let repo = with_list();
    repo.write("domains/b.example.yaml", "name: b.example\nprefixes: [10.20.0.0/24]\n");
    repo.write("subscribers/b.yaml", format!("ip: 10.10.10.26\ndomain: b.example\nplan: {BASIC}\n"));
    refused(
        &repo,
        &["remove", "10.10.10.26"],
        "may be any of these; name one by another id or address:\n  `10.10.10.26@b.example`",
    );
    let run = run(&repo, &["remove", "10.10.10.26@b.example"]);
    assert_eq!(run.code, 0, "what was wrong before goes: {run:?}");
    assert!(!repo.path().join("subscribers/b.yaml").exists(), "the last record takes the file with it");
}

#[test]
fn an_empty_text_names_nobody() {
    let repo = with_list();
    for nobody in ["", " "] {
        refused(&repo, &["show", nobody], "there is no subscriber");
        refused(&repo, &["remove", nobody], "there is no subscriber");
    }
}

#[test]
fn existing_errors_do_not_block_an_edit() {
    let repo = with_list();
    repo.write("subscribers/broken.yaml", "ip: 10.10.10.400\ndomain: ispcustomer.co.zw\nplan: GONE\n");
    repo.write("subscribers/twice.yaml", format!("ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: {BASIC}\n"));
    repo.write(
        "domains/ispcustomer.co.zw.yaml",
        "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, 11.11.11.0/24]\ncapacity: {up: 1 Mbps, down: 1 Mbps}\nmax_subscribers: 1\n",
    );
    let run = run(&repo, &["add", "10.10.10.27", "--plan", GOLD]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stderr.contains("note: the data had ") && run.stderr.contains(" errors before, and still has"),
        "{run:?}"
    );
    refused(&repo, &["set", "10.10.10.27", "ip=10.10.10.26"], "error[duplicate-ip]");
}

#[test]
fn a_file_that_cannot_be_read_is_not_edited() {
    let repo = with_list();
    let broken = format!("{LIST}- ip: 10.10.10.40\n  ip: 10.10.10.41\n");
    repo.write(PATH, &broken);
    refused(&repo, &["suspend", "acme-hq"], "subscribers/ispcustomer.co.zw.yaml:18:3: the field `ip` is there twice");
}

#[test]
fn files_of_one_record_follow_their_address() {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    repo.subscriber("10.10.10.26", 50);
    let folder = "subscribers/ispcustomer.co.zw";
    fine(&repo, &["add", "11.11.11.64/29", "--plan", BASIC]);
    assert_eq!(
        repo.read(&format!("{folder}/11.11.11.64_29.yaml")),
        format!("ip: 11.11.11.64/29\ndomain: ispcustomer.co.zw\nplan: {BASIC}\n")
    );
    let said = fine(&repo, &["set", "10.10.10.25", "ip=10.10.10.99"]);
    assert!(said.contains(&format!("wrote {folder}/10.10.10.99.yaml\nremoved {folder}/10.10.10.25.yaml\n")), "{said}");
    assert_eq!(
        repo.read(&format!("{folder}/10.10.10.99.yaml")),
        format!("ip: 10.10.10.99\ndomain: ispcustomer.co.zw\nplan: {BASIC}\n")
    );
    assert!(!repo.path().join(folder).join("10.10.10.25.yaml").exists());
}

#[test]
fn another_domain_is_another_place() {
    let repo = with_list();
    repo.write("domains/b.example.yaml", "name: b.example\nprefixes: [10.10.20.0/24]\n");
    repo.write("subscribers/b.example/10.10.20.1.yaml", format!("plan: {BASIC}\nip: 10.10.20.1\ndomain: b.example\n"));
    let said = fine(&repo, &["set", "acme-hq", "domain=b.example", "ip=10.10.20.2"]);
    assert!(said.contains("wrote subscribers/b.example/10.10.20.2.yaml\n"), "{said}");
    let new = repo.read("subscribers/b.example/10.10.20.2.yaml");
    assert_eq!(
        new,
        format!("plan: {BASIC}\nip: 10.10.20.2\ndomain: b.example\nid: acme-hq\nname: ACME, head office\n")
    );
    assert!(!repo.read(PATH).contains("acme-hq"));
}

#[test]
fn comments_that_do_not_move_along_are_reported() {
    let repo = with_list();
    repo.write("domains/b.example.yaml", "name: b.example\nprefixes: [10.10.20.0/24]\n");
    let moved = |who: &str, host: u8| {
        let run = run(&repo, &["set", who, "domain=b.example", &format!("ip=10.10.20.{host}"), "name=Beta #1"]);
        assert_eq!(run.code, 0, "{run:?}");
        run.stderr.contains("its comments in `subscribers/ispcustomer.co.zw.yaml` are lost")
    };
    assert!(moved("acme-hq", 2));
    let value =
        "# Head\n\n- {ip: 10.10.10.26, domain: ispcustomer.co.zw, plan: 50_MEG_UP_50_MEG_DOWN, name: 'A # B'}\n";
    repo.write(PATH, format!("{value}- {{ip: 10.10.10.27, domain: ispcustomer.co.zw, plan: {BASIC}}}\n"));
    assert!(!moved("10.10.10.26", 3), "it has none");
    // A file that is called after no domain may hold those of several.
    repo.write(
        "subscribers/north.yaml",
        format!("- ip: 10.10.10.70 # of old\n  domain: ispcustomer.co.zw\n  plan: {BASIC}\n"),
    );
    assert!(!moved("10.10.10.70", 4));
    assert!(repo.read("subscribers/north.yaml").starts_with("- ip: 10.10.20.4 # of old\n  domain: b.example\n"));
}

#[test]
fn the_next_free_address_is_taken() {
    let repo = with_list();
    let added = |args: &[&str]| {
        let said = fine(&repo, &[&["add", "--plan", BASIC], args].concat());
        said.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(added(&["--next-free"]), "10.10.10.1");
    assert_eq!(added(&["--next-free", "--domain", "ispcustomer.co.zw"]), "10.10.10.2");
    assert_eq!(added(&["--next-free", "11.11.11.64/28"]), "11.11.11.72");
    assert_eq!(added(&["--next-free", "10.10.10.25/32", "--dry-run"][..1]), "10.10.10.3");
    refused(&repo, &["add", "--plan", BASIC, "--next-free", "10.10.10.25/32"], "no address is free in `10.10.10.25`");
    refused(
        &repo,
        &["add", "--plan", BASIC, "--next-free", "172.16.0.0/24"],
        "no domain has a block that holds `172.16.0.0/24`",
    );
    repo.write("domains/b.example.yaml", "name: b.example\nprefixes: [10.20.0.0/24]\n");
    assert_eq!(run(&repo, &["add", "--plan", BASIC, "--next-free"]).code, 2, "of which domain?");
}

#[test]
fn a_dry_run_shows_a_diff_that_git_applies() {
    let repo = with_list();
    repo.subscriber("192.168.1.10", 30);
    repo.commit("x");
    for args in [
        &["set", "acme-hq", "plan=50_MEG_UP_50_MEG_DOWN"][..],
        &["add", "10.10.10.40", "--plan", GOLD],
        &["set", "192.168.1.10", "ip=192.168.1.11"],
        &["remove", "192.168.1.10", "acme-hq"],
    ] {
        let shown = run(&repo, &[args, &["--dry-run"]].concat());
        assert_eq!(shown.code, 0, "{args:?}: {shown:?}");
        assert!(shown.stderr.contains("On the network, once it is published:\n"), "{shown:?}");
        assert_eq!(repo.git(&["status", "--short"]), "", "nothing is written");
        repo.write(".git/change.diff", &shown.stdout);
        repo.git(&["apply", ".git/change.diff"]);
        repo.git(&["add", "-A"]);
        let applied = repo.git(&["write-tree"]);
        repo.git(&["reset", "-q", "--hard"]);
        fine(&repo, args);
        repo.git(&["add", "-A"]);
        assert_eq!(repo.git(&["write-tree"]), applied, "{args:?}");
        repo.git(&["reset", "-q", "--hard"]);
    }
}

#[test]
fn hostile_values_stay_in_their_field() {
    let repo = with_list();
    for value in
        ["x: y # z", "- ip: 10.10.10.99", "'", "\"", "{a", "no", "1:30", "é日本", "a\\nb", "---", "@b", "%c", "a: |"]
    {
        fine(&repo, &["set", "acme-hq", &format!("name={value}"), &format!("labels.v={value}")]);
        fine(&repo, &["set", "10.10.10.26", &format!("name={value}")]);
        let shown = fine(&repo, &["show", "acme-hq"]);
        assert!(
            shown.contains(&format!("name     {value}\n")) && shown.contains(&format!("label    v={value}\n")),
            "{shown}"
        );
        assert_eq!(repo.run(&["check"]).code, 0);
    }
    fine(&repo, &["set", "acme-hq", "name=ACME, head office", "labels.v="]);
    fine(&repo, &["set", "10.10.10.26", "name="]);
    // Quotes by choice are not remembered once a value needed them.
    assert_eq!(repo.read(PATH), LIST.replace('"', ""), "and leave nothing behind");
    for value in [
        "a\nb",
        "a\n- ip: 10.10.10.99\n  domain: ispcustomer.co.zw\n  plan: x",
        "\u{1b}[31m",
        "\u{202e}",
        &"x".repeat(201),
    ] {
        refused(&repo, &["set", "acme-hq", &format!("name={value}")], "error[schema]");
        refused(&repo, &["set", "acme-hq", &format!("labels.a={value}")], "error[schema]");
        let run = run(&repo, &["add", "10.10.10.40", "--plan", BASIC, "--name", value]);
        assert_eq!(run.code, 1);
        assert!(!run.stderr.contains('\u{1b}') && !run.stderr.contains('\u{202e}'), "{run:?}");
    }
    refused(&repo, &["set", "acme-hq", "domain=../../etc"], "there is no domain");
    refused(&repo, &["set", "acme-hq\u{1b}[2J", "name=x"], "there is no subscriber `acme-hq\\u{1b}[2J`");
}
