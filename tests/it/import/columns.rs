//! Tables: where their rows are, which column is what, and bytes that are no text.

use super::{DOMAIN, empty, files, import, import_bytes, imported, line, rendered};

/// The refusals of a run.
fn refusals(source: &str, args: &[&str]) -> Vec<String> {
    let run = import(&empty(), source, args);
    assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
    let lines = run.stderr.lines().filter(|line| line.starts_with("line "));
    lines.map(|line| line.split_once(':').unwrap().0.to_owned()).collect()
}

#[test]
fn lines_are_counted_as_they_end() {
    let text = "ip,plan,name\nbad,10M,a\n10.0.0.1,10M,\"two\nlines\"\nbad,10M,b\n\n\n  bad,10M,c\nbad,10M,d";
    for end in ["\n", "\r\n", "\r"] {
        let source = text.replace('\n', end);
        assert_eq!(refusals(&source, &["--domain", DOMAIN]), ["line 2", "line 5", "line 8", "line 9"], "{end:?}");
        let early = format!("\u{feff}{end}{end}{source}");
        assert_eq!(refusals(&early, &["--domain", DOMAIN])[0], "line 4", "{end:?}");
    }
}

#[test]
fn comments_are_lines_too() {
    let text = "# one\nCircuit ID,IPv4,Download Max Mbps,Upload Max Mbps\n# two\n# three\n1,bad,10,10\n";
    let args = ["--domain", DOMAIN, "--from", "libreqos"];
    for end in ["\n", "\r\n"] {
        assert_eq!(refusals(&text.replace('\n', end), &args), ["line 5"], "{end:?}");
    }
    // A comment that would swallow rows.
    for text in [text, &text[6..]] {
        let run = import(&empty(), &text.replace('\n', "\r"), &args);
        assert!(run.code == 1 && run.stderr.contains("save the file with usual line ends"), "{}", run.stderr);
    }
    assert_eq!(
        refusals(&text.replace("# one\n", "").replace("# two\n# three\n", "").replace('\n', "\r"), &args),
        ["line 2"]
    );
}

#[test]
fn two_columns_for_one_field_are_refused() {
    for (header, expected, map, lost) in [
        (
            "IP Address,IPv4,Plan,Domain",
            "two columns could be the field `ip`: `IP Address` (column 1) and `IPv4` (column 2); say which one with \
             --map ip=1 or --map ip=2",
            "ip=2",
            "10.0.0.9,10.0.0.1,10M,ispcustomer.co.zw",
        ),
        (
            "ip,domain,plan,ip",
            "`ip` (column 1) and `ip` (column 4); say which one with --map ip=1 or --map ip=4",
            "ip=1",
            "10.0.0.1,ispcustomer.co.zw,10M,10.0.0.9",
        ),
    ] {
        let repo = empty();
        let source = format!("{header}\n{lost}\n");
        let run = import(&repo, &source, &[]);
        assert_eq!(run.code, 1);
        assert!(run.stderr.contains(expected), "{}", run.stderr);
        assert!(files(&repo).is_empty());
        imported(&repo, &source, &["--map", map]);
        assert_eq!(rendered(&repo), line("10.0.0.1", DOMAIN, "10M"));
    }
    // What is said to be one thing is not a second of another.
    imported(&empty(), "ip,plan,name,customer,domain\n10.0.0.1,10M,a,b,a.example\n", &["--map", "id=customer"]);
    let twice = import(&empty(), "ip,plan,a,b\n", &["--map", "name=a", "--map", "name=b"]);
    assert!(twice.code == 1 && twice.stderr.contains("--map names two columns for name"), "{}", twice.stderr);
    let libreqos = "Circuit ID,IPv4,IPv4,Download Max Mbps,Upload Max Mbps\n1,10.0.0.1,10.0.0.2,10,10\n";
    let run = import(&empty(), libreqos, &["--domain", DOMAIN]);
    assert!(run.code == 1 && run.stderr.contains("`IPv4` (column 2) and `IPv4` (column 3)"), "{}", run.stderr);
}

#[test]
fn bytes_of_other_columns_need_not_be_text() {
    let source = b"ip,plan,caf\xe9\n10.0.0.1,10M,a\xe9\n";
    let repo = empty();
    let run = import_bytes(&repo, source, &["--domain", DOMAIN]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(rendered(&repo), line("10.0.0.1", DOMAIN, "10M"));
    let run = import_bytes(&empty(), source, &["--domain", DOMAIN, "--map", "name=3"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("line 2: 10.0.0.1: `caf\u{fffd}` (column 3) is not UTF-8"), "{}", run.stderr);
}

/// Differences are reported.
#[test]
fn circuits_with_one_address_are_reported_by_their_ids() {
    let text = "Circuit ID,Circuit Name,IPv4,Download Max Mbps,Upload Max Mbps\n\
                1,A,10.0.0.1,10,10\n2,A,10.0.0.1,10,10\n";
    let run = import(&empty(), text, &["--domain", DOMAIN]);
    let expected = "line 2: 10.0.0.1: the address `10.0.0.1` is on other rows too, with other data: `10 Mbps up, 10 \
                Mbps down` of `ispcustomer.co.zw` with the id `2` on line 3\n";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn what_stands_above_the_header_is_skipped() {
    let table = "ip;plan\n10.0.0.1;10M\nbad;10M\n";
    for (above, line) in [("sep=;\n", 4), ("\u{feff}sep=;\r\n", 4), ("Customers, 2026;;\n\n", 5), ("Customers\n", 4)] {
        let source = format!("{above}{table}");
        assert_eq!(refusals(&source, &["--domain", DOMAIN]), [format!("line {line}")], "{above}");
        let repo = empty();
        let run = imported(&repo, &source, &["--domain", DOMAIN, "--skip-bad"]);
        let note = format!("Note: the header is on line {}; what is above it is skipped.", line - 2);
        assert!(run.stdout.contains(&note), "{}", run.stdout);
        assert_eq!(rendered(&repo), super::line("10.0.0.1", DOMAIN, "10M"));
    }
    // `sep=` outweighs what the header looks like.
    imported(&empty(), "sep=;\nip;plan;a,b,c,d\n10.0.0.1;10M;x\n", &["--domain", DOMAIN]);
}

#[test]
fn a_row_that_repeats_one_that_contradicts_a_third_is_refused_with_it() {
    let run = |table: &str| {
        let run = import(&empty(), &format!("ip,plan\n{table}"), &["--domain", DOMAIN]);
        assert_eq!(run.code, 1, "{}\n{}", run.stdout, run.stderr);
        run.stderr.lines().filter(|line| line.starts_with("line ")).count()
    };
    // By another address of both.
    assert_eq!(run("10.0.0.1;10.0.0.2,10M\n10.0.0.1;10.0.0.2,10M\n10.0.0.2,20M\n"), 3);
    // By an address within a prefix of both.
    let repo = empty();
    let table = "ip,plan\n10.0.0.0/29,10M\n10.0.0.0/29,10M\n10.0.0.2,20M\n10.0.1.1,10M\n";
    imported(&repo, table, &["--domain", DOMAIN, "--skip-bad"]);
    assert_eq!(rendered(&repo), line("10.0.1.1", DOMAIN, "10M"));
}

#[test]
fn days_are_read_as_tables_have_them() {
    let repo = empty();
    let table = "ip,plan,starts\n10.0.0.1,10M,01.12.2026\n10.0.0.2,10M,2026-12-02 00:00:00\n";
    imported(&repo, table, &["--domain", DOMAIN]);
    let text = repo.read(&format!("subscribers/{DOMAIN}.yaml"));
    assert!(text.contains("starts: 2026-12-01") && text.contains("starts: 2026-12-02"), "{text}");
    let run = import(&empty(), "ip,plan,starts\n10.0.0.1,10M,01/12/2026\n", &["--domain", DOMAIN]);
    assert!(
        run.code == 1 && run.stderr.contains("write `2026-12-01` if the day comes first, `2026-01-12`"),
        "{}",
        run.stderr
    );
}

#[test]
fn other_files_are_named_as_what_they_are() {
    for (bytes, said) in [
        (&b"PK\x03\x04\x14\0[Content_Types].xml"[..], "it is a damaged or encrypted workbook"),
        (&b"PK\x03\x04\x14\0mimetypeapplication/vnd.oasis.opendocument"[..], "it is a workbook of LibreOffice"),
        (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], "it is a file of an old Excel"),
        (&b"PK\x03\x04\x14\0portal.sql"[..], "it is compressed"),
        (&b"ip,plan,name\n10.0.0.1,10M,B\xfcro\n"[..], "save the file as `CSV UTF-8`"),
    ] {
        let run = import_bytes(&empty(), bytes, &["--domain", DOMAIN]);
        assert!(run.code == 1 && run.stderr.contains(said), "{}", run.stderr);
    }
}

#[test]
fn an_advice_for_every_row_is_given_once() {
    let rows: String = (1..=50).map(|n| format!("10.0.0.{n},10M\n")).collect();
    let run = import(&empty(), &format!("ip,plan\n{rows}"), &[]);
    let said: Vec<&str> = run.stderr.lines().filter(|line| line.contains("--domain NAME")).collect();
    assert_eq!(said.len(), 4, "{}", run.stderr);
    assert_eq!(said[3], "… and 47 more rows: there is no domain; `--domain NAME` gives one to rows without");
    // The report has them all.
    let bad = format!("ip,plan,domain\n{}10.0.1.1,10M,a.example\n", rows.replace("10M", "10M,"));
    let repo = empty();
    imported(&repo, &bad, &["--skip-bad"]);
    assert_eq!(repo.read("source.tmp.refused.txt").lines().count(), 51);
}

#[test]
fn what_is_written_otherwise_is_listed() {
    let run = imported(&empty(), "ip,plan,domain\n10.0.0.1/32,Büro 20,ISP.example\n", &[]);
    for note in [
        "Note: domains are written in small letters; in 1 row they had capitals.",
        "Note: 1 address is written without `/32` or `/128`, which means the same.",
        "Note: names that no plan can have are changed: `Büro 20` → `B_ro_20`.",
    ] {
        assert!(run.stdout.contains(note), "{}", run.stdout);
    }
}
