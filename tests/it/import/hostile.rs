//! Hostile sources: nothing in them steers a terminal, breaks out of a field, or takes long.

use super::{DOMAIN, PLAN, empty, files, import, import_bytes, line};

/// Nothing in what is printed starts a line of its own or steers the terminal.
#[test]
fn nothing_in_a_source_steers_the_terminal() {
    let evil = "\u{1b}[31m\u{202e}::error::x`\u{7}";
    let sources = [
        format!("10.0.0.1{evil} a@{evil} :=set_attribute {evil}\n"),
        format!("ip,plan,name\n10.0.0.1,{evil},{evil}\n{evil},GOLD,x\n"),
        format!("ip{evil},plan{evil}\n1,2\n"),
        super::dump::DUMP
            .replace("10.10.10.25", evil)
            .replace("(4712,", &format!("(4712+`{}`,", evil.replace('`', ""))),
        super::dump::DUMP.replace("(4712,", &format!("(4712 `{}`,", evil.replace('`', ""))),
        super::dump::DUMP.replace("`plan`", &format!("`{evil}`")),
    ];
    for source in sources {
        for kind in ["shaper", "csv", "mysqldump", "libreqos"] {
            let domain: &[&str] = if matches!(kind, "csv" | "libreqos") { &["--domain", DOMAIN] } else { &[] };
            let args: Vec<&str> = ["--from", kind, "--skip-bad"].into_iter().chain(domain.iter().copied()).collect();
            let repo = empty();
            let run = import(&repo, &source, &args);
            assert!(run.code == 0 || run.code == 1, "{kind} {}", run.stderr);
            let printed = run.stdout + &run.stderr;
            let steering = printed.chars().find(|c| *c != '\n' && shapeline::text::characters::is_steering(*c));
            assert_eq!(steering, None, "{kind}: {printed}");
            assert!(!printed.lines().any(|line| line.starts_with("::")), "{printed}");
            for (path, text) in files(&repo) {
                assert!(
                    !text.chars().any(|c| c != '\n' && shapeline::text::characters::is_steering(c)),
                    "{path}: {text}"
                );
            }
        }
    }
}

/// A name is one value, whatever it holds.
#[test]
fn nothing_breaks_out_of_a_field() {
    let names = [
        "a: b",
        "# x",
        "- y",
        "'",
        "\"",
        "a\nip: 10.0.0.9",
        "{",
        "*a",
        "&a",
        "!!str x",
        "no",
        "1:30",
        "=cmd()",
        "@x",
        "%",
        "null",
    ];
    let mut source = String::from("ip,plan,name\n");
    for (number, name) in names.iter().enumerate() {
        source += &format!("10.0.0.{},10M,\"{}\"\n", number + 1, name.replace('"', "\"\""));
    }
    let repo = empty();
    let run = import(&repo, &source, &["--domain", DOMAIN]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(repo.run(&["check"]).code, 0);
    assert_eq!(super::rendered(&repo).lines().count(), names.len());
    let tree = shapeline::tree::Tree::Work { root: repo.path().to_owned() };
    let data = shapeline::repo::Repo::load(&tree).unwrap();
    let read: Vec<String> =
        data.subscribers.iter().map(|one| one.value.name.as_ref().unwrap().as_str().to_owned()).collect();
    let expected: Vec<String> = names.iter().map(|name| name.replace('\n', " ")).collect();
    assert_eq!(read, expected);
}

/// However deep or long, a source is read or refused.
#[test]
fn deep_and_long_sources_come_to_an_end() {
    let many = 100_000;
    let dump = |row: &str| {
        format!(
            "INSERT INTO domains VALUES (1,'@a.example');\nINSERT INTO plan VALUES (1,'10M');\nINSERT INTO subscriber VALUES {row};\n"
        )
    };
    let sources = [
        dump(&format!("{}1{}", "(".repeat(many), ")".repeat(many))),
        dump(&format!("(1{})", "+1".repeat(many))),
        dump(&format!("({}1)", "NOT ".repeat(many))),
        dump(&format!("(1{})", " IS NULL".repeat(many))),
        dump(&format!("({}1)", "-".repeat(many))),
        dump(&format!("('{}')", "\\".repeat(many * 2))),
        dump(&format!("(1{})", ",1".repeat(many))),
        dump(&"(1,'10.0.0.1',':=set_attribute',1,1)".replace("10.0.0.1", &"1".repeat(1_000_000))),
        format!("INSERT INTO subscriber {} VALUES (1);", "(".repeat(many)),
        format!("INSERT INTO subscriber (a{}) VALUES (1);", ",a".repeat(many)),
        format!("INSERT INTO subscriber SELECT 1{} VALUES (1);", "+1".repeat(many)),
        format!("INSERT INTO subscriber SELECT 1{} VALUES (1);", " IS NULL".repeat(many * 10)),
        format!("INSERT INTO subscriber{} VALUES (1);", ".a".repeat(many)),
        format!("CREATE TABLE subscriber ({});", "(".repeat(many)),
        format!("CREATE TABLE subscriber ({} */);", "/*!50000 ".repeat(many)),
        format!("CREATE TABLE subscriber ({}", "/*".repeat(many)),
        "/*!".repeat(many),
        "DELIMITER \nINSERT INTO subscriber VALUES (1);\n".to_owned(),
        "INSERT INTO subscriber VALUES".to_owned(),
        "INSERT INTO subscriber VALUES ;INSERT INTO ;INSERT;USE;CREATE TABLE;".to_owned(),
        "\"".repeat(many),
        "ip,plan\n".to_owned() + &",".repeat(many),
        "ip,plan\n".to_owned() + &"\"\n".repeat(many),
        ",".repeat(many) + "\n1",
        " ".repeat(many) + ":=",
        "a@b :=c\u{0}\n".repeat(100),
    ];
    for (number, source) in sources.iter().enumerate() {
        for kind in ["mysqldump", "csv", "shaper", "libreqos"] {
            let domain: &[&str] = if matches!(kind, "csv" | "libreqos") { &["--domain", DOMAIN] } else { &[] };
            let args: Vec<&str> = ["--from", kind].into_iter().chain(domain.iter().copied()).collect();
            let repo = empty();
            let run = import(&repo, source, &args);
            assert!(run.code == 1, "source {number} as {kind}: {}", run.code);
            assert!(files(&repo).is_empty());
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_by_line() {
    let source =
        [line("10.0.0.1", DOMAIN, PLAN).into_bytes(), b"10.0.0.2 \xff\0 :=set_attribute x\n".to_vec()].concat();
    let run = import_bytes(&empty(), &source, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("line 2: ") && run.stderr.contains("not UTF-8"), "{}", run.stderr);
    let csv = b"ip,plan,name\n10.0.0.1,10M,a\xe9\n";
    let run = import_bytes(&empty(), csv, &["--domain", DOMAIN]);
    assert!(run.code == 1 && run.stderr.contains("is not UTF-8"), "{}", run.stderr);
}

/// A row that a comment or a quote in it would hide is not hidden.
#[test]
fn plans_cannot_name_files_elsewhere() {
    let text = line("10.0.0.1", DOMAIN, "../../etc/passwd")
        + &line("10.0.0.2", DOMAIN, "..")
        + &line("10.0.0.3", DOMAIN, "a/b\\c");
    let repo = empty();
    let run = import(&repo, &text, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let plans: Vec<String> = files(&repo).into_keys().filter(|path| path.starts_with("plans/")).collect();
    assert_eq!(plans, ["plans/a_b_c.yaml", "plans/etc_passwd.yaml", "plans/plan.yaml"]);
}
