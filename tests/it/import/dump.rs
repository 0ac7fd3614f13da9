//! Dumps of MySQL, as its programs write them. For a real MariaDB see [`super::mariadb`].

use super::{empty, files, import, import_bytes, imported, line, rendered};

/// As `mysqldump` of MySQL 8.0 writes it: one INSERT a table, all rows on its line.
pub const DUMP: &str = include_str!("../../fixtures/import/portal.sql");

fn expected() -> String {
    let gold = "\"Plan\"=GOLD_7.5MEG";
    line("10.10.10.25", "ispcustomer.co.zw", "30_MEG_UP_30_MEG_DOWN")
        + &line("10.10.20.26", "other.example", gold)
        + &line("2001:db8::1", "other.example", gold)
}

/// What refuses the dump as a whole.
fn unusable(dump: &str, args: &[&str]) -> String {
    let repo = empty();
    let run = import(&repo, dump, args);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    assert!(files(&repo).is_empty() && !run.stderr.contains("\nline "), "{}", run.stderr);
    run.stderr
}

#[test]
fn a_dump_is_taken_over() {
    let repo = empty();
    let run = imported(&repo, DUMP, &[]);
    assert!(run.stderr.contains("3 subscribers, 2 plans, 2 domains, 0 rows refused"), "{}", run.stderr);
    assert!(run.stdout.contains("the plan `UNSOLD` has no subscribers"), "{}", run.stdout);
    assert_eq!(rendered(&repo), expected());
    assert_eq!(
        repo.read("subscribers/ispcustomer.co.zw.yaml"),
        "- ip: 10.10.10.25\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n  id: '4711'\n"
    );
    assert_eq!((repo.run(&["check"]).code, repo.run(&["fmt", "--check"]).code), (0, 0));
    let again = imported(&repo, DUMP, &[]);
    assert!(again.stdout.starts_with("Nothing to do: 3 subscribers"), "{}", again.stdout);
}

#[test]
fn dumps_of_every_form_say_the_same() {
    let upper = DUMP.replace("`subscriber`", "`SUBSCRIBER`").replace("`sub_id`", "`SUB_ID`").replace("`plan`", "PLAN");
    let ansi = DUMP.replace('`', "\"");
    let in_database = DUMP
        .replace("INTO `subscriber`", "IGNORE INTO `portal`.`subscriber`")
        .replace("TABLE `subscriber`", "TABLE `portal`.`subscriber`");
    let in_database = in_database
        .replace("INTO `", "INTO `portal`.`")
        .replace("`portal`.`portal`", "`portal`")
        .replace("TABLE `domains`", "TABLE `portal`.`domains`")
        .replace("TABLE `plan`", "TABLE portal.plan");
    let replace = DUMP.replace("INSERT INTO", "REPLACE INTO");
    let warned =
        format!("mysqldump: [Warning] Using a password on the command line interface can be insecure.\n{DUMP}");
    let named = DUMP.replace("INTO `plan` VALUES", "INTO `plan` (`plan_id`, `plan_name`) VALUES");
    let crlf = DUMP.replace('\n', "\r\n");
    for dump in [upper, ansi, in_database, replace, warned, named, crlf] {
        let repo = empty();
        imported(&repo, &dump, &[]);
        assert_eq!(rendered(&repo), expected(), "{dump}");
    }
}

#[test]
fn columns_may_be_in_any_order() {
    let dump = "CREATE TABLE domains (domain_name text, extra int, dom_id int);\nINSERT INTO domains VALUES ('@a.example',NULL,1);\n\
                INSERT INTO plan (plan_name,plan_id) VALUES ('10M',7);\n\
                INSERT INTO subscriber (dom_id,ipaddress,plan_id) VALUES (1,0x31302E302E302E31,7);\n";
    let repo = empty();
    imported(&repo, dump, &[]);
    assert_eq!(rendered(&repo), line("10.0.0.1", "a.example", "10M"));
}

/// A dump that names no column, without the statement that does.
fn without_creation() -> String {
    let mut dump = DUMP.to_owned();
    while let Some(start) = dump.find("CREATE TABLE") {
        let end = start + dump[start..].find(';').unwrap() + 1;
        dump.replace_range(start..end, "");
    }
    dump
}

#[test]
fn an_order_of_columns_is_not_guessed() {
    let said = unusable(&without_creation(), &["--skip-bad"]);
    assert!(said.contains("with --columns subscriber=COLUMN,COLUMN,…"), "{said}");
    let order = [
        "subscriber=sub_id,ipaddress,attribute,plan_id,dom_id",
        "plan=plan_id,plan_name",
        "domains=dom_id,domain_name",
    ];
    let args: Vec<&str> = order.iter().flat_map(|order| ["--columns", order]).collect();
    let repo = empty();
    imported(&repo, &without_creation(), &args);
    assert_eq!(rendered(&repo), expected());
    // What the dump says counts more.
    let repo = empty();
    imported(&repo, DUMP, &["--columns", "plan=plan_name,plan_id"]);
    assert_eq!(rendered(&repo), expected());
    for (bad, said) in
        [("plans=a,b", "is not TABLE=COLUMN,COLUMN"), ("plan=a,a", "`a` is named twice"), ("plan=a,", "without a name")]
    {
        let run = import(&empty(), DUMP, &["--columns", bad]);
        assert!(run.code == 2 && run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn statements_that_change_rows_are_refused() {
    for statement in [
        "UPDATE `subscriber` SET plan_id=2 WHERE sub_id=4711;",
        "update plan set plan_name='x';",
        "DELETE FROM `portal`.`subscriber`;",
        "TRUNCATE TABLE domains;",
        "DROP TABLE IF EXISTS `subscriber`;",
        "CREATE TABLE `subscriber` (`sub_id` int);",
        "ALTER TABLE `subscriber` DROP COLUMN `attribute`;",
        "ALTER TABLE subscriber ADD extra int FIRST;",
        "RENAME TABLE subscriber TO old;",
        "LOAD DATA INFILE 'x' INTO TABLE subscriber;",
    ] {
        let dump = DUMP.replace("-- Dump completed", &format!("{statement}\n-- Dump completed"));
        let said = unusable(&dump, &["--skip-bad"]);
        let verb = statement.split(' ').next().unwrap().to_ascii_uppercase();
        assert!(said.contains(verb.as_str()) && said.contains("import a dump of the database as it is now"), "{said}");
    }
    for statement in [
        "UPDATE log SET text='subscriber plan domains';",
        "DROP TABLE IF EXISTS `other`;",
        "ALTER TABLE `subscriber` ADD PRIMARY KEY (`sub_id`), MODIFY `sub_id` int NOT NULL AUTO_INCREMENT;",
        "UNLOCK TABLES;",
    ] {
        let repo = empty();
        imported(&repo, &DUMP.replace("-- Dump completed", &format!("{statement}\n-- Dump completed")), &[]);
        assert_eq!(rendered(&repo), expected());
    }
}

#[test]
fn a_dump_without_rows_is_named_as_what_it_is() {
    let dump: String =
        DUMP.lines().filter(|line| !line.starts_with("INSERT")).map(|line| format!("{line}\n")).collect();
    let said = unusable(&dump, &[]);
    assert!(said.contains("--no-data") && said.contains("--tab has them in subscriber.txt"), "{said}");
}

#[test]
fn rows_that_differ_in_their_number_alone_are_one_subscriber() {
    let start = DUMP.find("(4711,").unwrap();
    let row = &DUMP[start..=start + DUMP[start..].find(')').unwrap()];
    let doubled = DUMP.replace(row, &format!("{row},{}", row.replace("4711", "9000")));
    let repo = empty();
    let run = imported(&repo, &doubled, &[]);
    assert!(run.stderr.contains("3 subscribers, 2 plans, 2 domains, 0 rows refused"), "{}", run.stderr);
    let note = "Note: 1 row repeats an earlier row, or differs from it in the id alone, such as line";
    assert!(run.stdout.contains(note), "{}", run.stdout);
    assert_eq!(rendered(&repo), expected());
    assert!(repo.read("subscribers/ispcustomer.co.zw.yaml").contains("id: '4711'"));
    // Another plan is a contradiction.
    let other = row.replace("4711", "9000").replace(",1,1)", ",2,1)");
    assert_ne!(other, row.replace("4711", "9000"));
    let run = import(&empty(), &DUMP.replace(row, &format!("{row},{other}")), &[]);
    assert!(run.code == 1 && run.stderr.contains("2 rows refused"), "{}", run.stderr);
}

#[test]
fn what_is_cut_off_is_refused() {
    let whole = |end: &str| DUMP.split_once(end).unwrap().0.to_owned();
    for cut in [
        whole("\n-- Dump completed"),
        whole("',1,1),(4712"),
        whole(",(4712"),
        whole("\nDELIMITER ;\n"),
        format!("{DUMP}{}", whole("-- Dump completed")),
    ] {
        let said = unusable(&cut, &["--skip-bad"]);
        assert!(said.contains("the dump is cut off"), "{said}");
    }
}

#[test]
fn a_database_among_several_is_named() {
    let two = format!("USE `one`;\n{}\nUSE `two`;\n{DUMP}", DUMP.replace("10.10.10.25", "10.99.10.25"));
    assert!(unusable(&two, &[]).contains("name one with --database, of `one`, `two`"));
    assert!(unusable(&two, &["--database", "three"]).contains("no database `three`"));
    let repo = empty();
    imported(&repo, &two, &["--database", "two"]);
    assert_eq!(rendered(&repo), expected());
}

#[test]
fn tables_and_columns_that_are_not_there_are_named() {
    let said = unusable(&DUMP.replace("`plan`", "`package`"), &[]);
    assert!(said.contains("no table `plan`; it has `domains`, `notes`, `package`, `subscriber`"), "{said}");
    let said = unusable(&DUMP.replace("`ipaddress`", "`host`"), &[]);
    assert!(said.contains("the table `subscriber` has no column `ipaddress`; it has `sub_id`, `host`"), "{said}");
    let said = unusable(&DUMP.replace("SET NAMES utf8mb4", "SET NAMES gbk"), &[]);
    assert!(said.contains("--default-character-set=utf8mb4"), "{said}");
}

#[test]
fn a_row_is_read_up_to_a_number_of_values() {
    for (count, why) in [
        (256, "the row has 256 values and the table 5 columns"),
        (257, "the row is no list of plain values, at most 256"),
    ] {
        let row = format!("(4713{})", ",1".repeat(count - 1));
        let dump = DUMP.replace("(4713,_binary '2001:db8::1',':=set_attribute',2,2)", &row);
        let run = import(&empty(), &dump, &[]);
        assert!(run.code == 1 && run.stderr.contains(why), "{count}: {run:?}");
    }
}

#[test]
fn all_bad_rows_are_reported() {
    let rows = [
        "(1,'10.10.10.5dd',':=set_attribute',1,1)",
        "(2,'10.10.10.2',':=set_attribute',9,1)",
        "(3,'10.10.10.3',':=set_attribute',1,8)",
        "(4,'10.10.10.4','Framed-IP',1,1)",
        "(5,NULL,':=set_attribute',1,NULL)",
        "(6,'10.10.10.6',NULL,1,1)",
        "(7,'10.10.10.7',':=set_attribute',1)",
        "(8,CONCAT('10.','1'),':=set_attribute',1,1)",
        "(9,0x0A0A0A19FF,':=set_attribute',1,1)",
        "(10,'10.10.10.10',':=set_attribute',1,1)",
        "(11,'10.10.10.10',':=set_attribute',2,1)",
        "(12,168430090,':=set_attribute',1,1)",
        "(13,'10.10.10.13',':=set_attribute',1,1)",
    ];
    let dump = DUMP.replace("(4713,_binary '2001:db8::1',':=set_attribute',2,2)", &rows.join(",\n"));
    let repo = empty();
    let run = import(&repo, &dump, &[]);
    assert_eq!(run.code, 1);
    let start = dump.lines().position(|line| line.starts_with("(1,")).unwrap() + 1;
    let expected = [
        (1, "10.10.10.5dd: '10.10.10.5dd' is not an IPv4 or IPv6 address or prefix"),
        (2, "10.10.10.2: there is no plan_id '9' in plan"),
        (3, "10.10.10.3: there is no dom_id '8' in domains"),
        (4, "10.10.10.4: 'Framed-IP' is another attribute than :=set_attribute, the only one that is rendered"),
        (5, "5: dom_id is NULL; there is no address"),
        (6, "10.10.10.6: 'NULL' is another attribute than :=set_attribute, the only one that is rendered"),
        (7, "(7,'10.10.10.7',':=set_attribute',1): the row has 4 values and the table 5 columns"),
        (8, "(8,CONCAT('10.','1'),':=set_attribute',1,1): the row is no list of plain values, at most 256"),
        (9, "(9,0x0A0A0A19FF,':=set_attribute',1,1): ipaddress: a binary value that is no text"),
        (
            10,
            "10.10.10.10: the address '10.10.10.10' is on other rows too, with other data: '\"Plan\"=GOLD_7.5MEG' \
              of 'ispcustomer.co.zw' with the id '11' on line LINE, row 13 of subscriber",
        ),
        (
            11,
            "10.10.10.10: the address '10.10.10.10' is on other rows too, with other data: '30_MEG_UP_30_MEG_DOWN' \
              of 'ispcustomer.co.zw' with the id '10' on line LINE, row 12 of subscriber",
        ),
        (12, "168430090: '168430090' is not an IPv4 or IPv6 address or prefix"),
    ];
    let shown: Vec<String> =
        run.stderr.lines().filter(|line| line.starts_with("line ")).map(|line| line.replace('`', "'")).collect();
    assert_eq!(shown.len(), expected.len(), "{}", run.stderr);
    for (line, (number, text)) in shown.iter().zip(expected) {
        let other = start + if number == 10 { 10 } else { 9 };
        let text = text.replace("LINE", &other.to_string());
        assert_eq!(line, &format!("line {}, row {} of subscriber: {text}", start + number - 1, number + 2));
    }
    imported(&repo, &dump, &["--skip-bad"]);
    assert!(rendered(&repo).contains("10.10.10.13 ") && !rendered(&repo).contains("10.10.10.10 "));
}

#[test]
fn bytes_of_other_tables_need_not_be_text() {
    let (before, after) = DUMP.split_once("'it\\'s; \\\\'").unwrap();
    let dump = [before.as_bytes(), b"'\xff\xfe\\'\x00;'", after.as_bytes()].concat();
    let repo = empty();
    let run = import_bytes(&repo, &dump, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(rendered(&repo), expected());
    let bad = dump.windows(6).position(|window| window == b"10.10.").unwrap();
    let mut dump = dump;
    dump[bad] = 0xff;
    let run = import_bytes(&empty(), &dump, &[]);
    assert!(run.stderr.contains("row 1 of subscriber") && run.stderr.contains("is not UTF-8"), "{}", run.stderr);
}

/// Values of ignored columns need not be text either.
#[test]
fn bytes_of_other_columns_need_not_be_text() {
    let head = "CREATE TABLE `plan` (`plan_id` int, `notes` blob, `plan_name` text);\nINSERT INTO `plan` VALUES ";
    let tail = ";\nINSERT INTO domains (dom_id,domain_name) VALUES (1,'@a.example');\n\
                INSERT INTO subscriber (sub_id,ipaddress,attribute,plan_id,dom_id) VALUES (1,'10.0.0.1',':=set_attribute',1,1),(2,'10.0.0.2','set_attribute',2,1);\n";
    for notes in [&b"'caf\xe9 \\' \xff'"[..], b"0xFFFE", b"_binary '\xe9'", b"b'101'"] {
        let rows = [b"(1,", notes, b",'10M'),(2,NULL,'20M')"].concat();
        let dump = [head.as_bytes(), &rows, tail.as_bytes()].concat();
        let repo = empty();
        let run = import_bytes(&repo, &dump, &[]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_eq!(rendered(&repo), line("10.0.0.1", "a.example", "10M") + &line("10.0.0.2", "a.example", "20M"));
    }
    // A plan that is refused is not missing.
    let reported = |rows: &[u8]| {
        let run = import_bytes(&empty(), &[head.as_bytes(), rows, tail.as_bytes()].concat(), &[]);
        assert_eq!(run.code, 1);
        let lines = run.stderr.lines().filter(|line| line.starts_with("line "));
        lines.map(|line| line.replace('`', "'")).collect::<Vec<_>>()
    };
    for (name, why) in [
        (&b"'caf\xe9'"[..], "(1,NULL,'caf\u{fffd}'): plan_name: it is not UTF-8"),
        (b"0xFFFE", "(1,NULL,0xFFFE): plan_name: a binary value that is no text"),
        (b"''", "1: plan_name is empty"),
        (b"NULL", "1: plan_name is NULL"),
    ] {
        let lines = reported(&[b"(1,NULL,", name, b"),(2,NULL,'20M')"].concat());
        assert_eq!(
            lines,
            [
                format!("line 2, row 1 of plan: {why}"),
                "line 4, row 1 of subscriber: 10.0.0.1: the plan_id '1' is refused: line 2, row 1 of plan".to_owned()
            ]
        );
    }
    let lines = reported(b"(1,'10M'),(2,NULL,'20M')");
    assert!(lines[1].ends_with("10.0.0.1: there is no plan_id '1' in what can be read of plan"), "{lines:?}");
}
