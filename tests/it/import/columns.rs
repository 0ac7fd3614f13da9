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
    for (header, told, map, lost) in [
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
        assert!(run.stderr.contains(told), "{}", run.stderr);
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
    let told = "line 2: 10.0.0.1: the address `10.0.0.1` is on other rows too, with other data: `10 Mbps up, 10 \
                Mbps down` of `ispcustomer.co.zw` with the id `2` on line 3\n";
    assert!(run.stderr.contains(told), "{}", run.stderr);
}
