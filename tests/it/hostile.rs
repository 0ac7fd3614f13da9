//! Hostile or broken data: each file gives a finding or a clear error, soon, and
//! the other files are still checked.
//!
//! Times are not asserted but for "it ends": see docs/fuzzing.md for how they are measured.

use std::path::Path;
use std::time::{Duration, Instant};

use shapeline::repo::Repo as Data;
use shapeline::source::MAX_FILE_BYTES;
use shapeline::tree::Tree;
use shapeline::yaml::MAX_DEPTH;

use crate::support::{Repo, Run};

/// More than any of this may take, even on a busy machine in a debug build.
const HANGS: Duration = Duration::from_secs(120);

const PATH: &str = "subscribers/hostile.yaml";

/// What the findings in the hostile file say; the file beside it must still have been read.
fn findings(bytes: impl Into<Vec<u8>>) -> Vec<(&'static str, String)> {
    let started = Instant::now();
    let good = "ip: 10.10.10.25\ndomain: d.example\nplan: P\n";
    let files = [(PATH.to_owned(), bytes.into()), ("subscribers/good.yaml".to_owned(), good.into())];
    let data = Data::load(&Tree::Memory(files.into())).unwrap();
    assert!(started.elapsed() < HANGS, "took {:?}", started.elapsed());
    let mine = |finding: &&shapeline::finding::Finding| data.sources.file(finding.primary.at.file()).path() == PATH;
    assert!(data.subscribers.iter().any(|record| record.value.ip.as_slice()[0].to_string() == "10.10.10.25"));
    data.findings.iter().filter(mine).map(|finding| (finding.rule, finding.message.clone())).collect()
}

/// The rule and a part of the message of the only finding.
fn refused(bytes: impl Into<Vec<u8>>, rule: &str, message: &str) {
    let found = findings(bytes);
    assert!(
        matches!(found.as_slice(), [(found_rule, said)] if *found_rule == rule && said.contains(message)),
        "expected one {rule} that says {message:?}, found {} such as {:?}",
        found.len(),
        found.iter().take(3).collect::<Vec<_>>()
    );
}

#[test]
fn deep_nesting_in_every_style() {
    let staircase = |count| (0..count).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>();
    for (text, name) in [
        ("[".repeat(200_000), "["),
        ("{a: ".repeat(50_000), "{a: "),
        ("[{a: ".repeat(40_000), "[{a: "),
        ("- ".repeat(100_000), "- "),
        (staircase(600), "a:"),
        (format!("{}x{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1)), "one too many"),
    ] {
        println!("{name}");
        refused(text, "yaml-syntax", "nest more than 32 levels deep");
    }
    refused("? ".repeat(100_000), "yaml-ambiguous", "cannot be a key");
    // As deep as allowed is merely not a record.
    assert!(
        findings(format!("{}x{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH)))
            .iter()
            .all(|(rule, _)| *rule == "schema")
    );
    assert!(findings(staircase(MAX_DEPTH - 1)).iter().all(|(rule, _)| *rule == "schema"));
}

#[test]
fn aliases_are_never_followed() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 0..40 {
        let aliases = vec![format!("*a{level}"); 9].join(", ");
        bomb.push_str(&format!("a{0}: &a{0} [{aliases}]\n", level + 1));
    }
    for text in
        [bomb, format!("- &a x\n{}", "- *a\n".repeat(200_000)), "- &a b\n".repeat(100_000), "- !a b\n".repeat(100_000)]
    {
        let found = findings(text);
        assert!(found.iter().all(|(rule, _)| *rule == "yaml-ambiguous"), "{:?}", &found[..3]);
        assert!((2..=200).contains(&found.len()), "{}", found.len());
        assert!(found.last().unwrap().1.contains("more than 200 problems"), "{:?}", found.last());
    }
}

#[test]
fn huge_values() {
    let most = MAX_FILE_BYTES - 64;
    for text in [
        format!("a: {}", "x".repeat(most)),
        format!("a: '{}'", "x".repeat(most)),
        format!("a: \"{}\"", "\\n".repeat(most / 2)),
        format!("a: |\n{}", "  xxxxxx\n".repeat(most / 9)),
        format!("a: >\n{}", "  x\n".repeat(most / 4)),
        format!("a: x\n{}", "  x\n".repeat(most / 4)),
        format!("a: '{}", "x\n ".repeat(most / 3) + "'"),
        format!("a: \"{} \"", "\n".repeat(most)),
    ] {
        refused(text, "yaml-syntax", "more than the 65536 that are read");
    }
    refused(format!("{}: a", "x".repeat(most)), "yaml-syntax", "more than the 65536 that are read");
    refused(format!("a: '{}", "x\n ".repeat(most / 3)), "yaml-syntax", "the quote that opens here");
    refused("x".repeat(MAX_FILE_BYTES + 1), "yaml-syntax", "larger than the 16 MiB");
    for text in ["a: ", "a: '", "a: |\n  "] {
        refused(format!("{text}{}", "x".repeat(50_000_000)), "yaml-syntax", "larger than the 16 MiB");
    }
}

#[test]
fn very_many_parts() {
    refused("- a\n".repeat(4_000_000), "yaml-syntax", "more than 2000000 keys and values");
    refused(format!("[{}a]", "a,".repeat(4_000_000)), "yaml-syntax", "more than 2000000 keys and values");
    refused("-\n".repeat(4_000_000), "yaml-syntax", "more than 2000000 keys and values");
    let keys: String = (0..1_000_000).map(|n| format!("k{n}: a\n")).collect();
    refused(keys, "yaml-syntax", "more than 10000 keys");
    refused("k: a\n".repeat(1_000_000), "yaml-syntax", "more than 10000 keys");
    let flow: String = (0..900_000).map(|n| format!("k{n}: a, ")).collect();
    refused(format!("{{{flow}}}"), "yaml-syntax", "more than 10000 keys");
    refused("---\n".repeat(1_000_000), "yaml-ambiguous", "a second document");
    let equal = findings("k: a\n".repeat(9_000));
    assert_eq!(equal.len(), 200, "{:?}", equal.last());
}

#[test]
fn very_many_broken_records() {
    for text in
        ["- ip: 10.0.0.300\n  domian: x\n".repeat(200_000), "- {}\n".repeat(600_000), "- a: b\n".repeat(500_000)]
    {
        let found = findings(text);
        assert!((1000..1100).contains(&found.len()), "{}", found.len());
        assert!(found.last().unwrap().1.contains("records have more findings"), "{:?}", found.last());
    }
}

#[test]
fn a_long_honest_list_is_read() {
    let record = |n: u32| {
        let ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n);
        format!("- ip: {ip}\n  domain: ispcustomer.co.zw\n  plan: 30_MEG_UP_30_MEG_DOWN\n")
    };
    let list: String = (0..190_000).map(record).collect();
    assert!(list.len() > 14_000_000 && list.len() < MAX_FILE_BYTES, "{}", list.len());
    assert_eq!(findings(list), []);
}

#[test]
fn not_a_text_at_all() {
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    refused(utf16("\u{feff}ip: a\n", false), "yaml-syntax", "UTF-16, not UTF-8");
    refused(utf16("\u{feff}ip: a\n", true), "yaml-syntax", "UTF-16, not UTF-8");
    refused(utf16("ip: a\n", false), "yaml-syntax", "UTF-16 and not UTF-8");
    refused(utf16("ip: a\n", true), "yaml-syntax", "UTF-16 and not UTF-8");
    refused(b"name: caf\xe9\n", "yaml-syntax", "a byte here is not UTF-8");
    refused(b"\x7fELF\x02\x01\x01\0\0\0\xf0\x9f", "yaml-syntax", "binary");
    refused(vec![0; 1_000_000], "yaml-syntax", "NUL");
    refused(b"ip: a\0b\n", "yaml-syntax", "NUL");
    refused("ip: a\u{1b}[31m\n", "yaml-syntax", "control character U+001B");
    refused("\u{feff}".repeat(1_000_000), "yaml-ambiguous", "byte-order mark");
}

#[test]
fn nothing_in_it() {
    for text in [
        String::new(),
        "\n".repeat(1_000_000),
        " ".repeat(1_000_000),
        "# only words\n".to_owned(),
        "#\n".repeat(1_000_000),
        "\u{feff}".to_owned(),
        "---\n".to_owned(),
        "\t".repeat(1000),
        "...\n".to_owned(),
        "~\n".to_owned(),
        "''\n".to_owned(),
    ] {
        let found = findings(text.clone());
        assert_eq!(found.len(), 1, "{:?}: {found:?}", text.get(..8));
    }
    assert_eq!(findings("[]\n"), [], "a list whose last record is gone");
}

/// One run of `check` in every format: none may crash, hang, or let the data speak for itself.
fn check(repo: &Repo) -> Vec<Run> {
    let run = |format| {
        let started = Instant::now();
        let run = repo.run(&["check", "--format", format]);
        assert!(started.elapsed() < HANGS, "{format} took {:?}", started.elapsed());
        assert!((0..=2).contains(&run.code), "{format}: {run:?}");
        for out in [&run.stdout, &run.stderr] {
            assert!(!out.contains("panicked"), "{format}: {out}");
            assert!(!out.contains('\u{1b}'), "{format}: an escape gets through: {out:?}");
            let commands = out.lines().filter(|line| line.trim_start().starts_with("::"));
            let own = |line: &&str| format == "github" && line.starts_with("::error ") && line.contains("file=");
            let foreign: Vec<&str> = commands
                .filter(|line| !own(line) && !line.starts_with("::notice") && !line.starts_with("::warning "))
                .collect();
            assert!(foreign.is_empty(), "{format}: the data gives commands: {foreign:?}");
        }
        run
    };
    ["text", "json", "github", "sarif", "junit"].map(run).into()
}

fn refuses(repo: &Repo, says: &str) {
    for run in check(repo) {
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stdout.contains(says), "{says:?} is not in {}", run.stdout);
    }
}

#[test]
fn the_binary_ends_on_hostile_files() {
    for (bytes, says) in [
        ("[".repeat(200_000).into_bytes(), "nest more than 32 levels"),
        (format!("a: {}", "x".repeat(10_000_000)).into_bytes(), "more than the 65536"),
        (b"ip: \xff\n".to_vec(), "not UTF-8"),
        // Findings by the thousand in one long line: each has a column to count.
        (format!("[{}]", "{ip: x}, ".repeat(40_000)).into_bytes(), "more findings"),
        ("a: [\u{202e}\u{1b}]31m\n::error::b".as_bytes().to_vec(), "control character"),
    ] {
        let repo = Repo::new();
        repo.write(PATH, bytes);
        refuses(&repo, says);
    }
}

#[test]
fn a_folder_called_like_a_file() {
    let repo = Repo::new();
    std::fs::create_dir_all(repo.path().join("subscribers/x.yaml")).unwrap();
    repo.write(
        "subscribers/x.yaml/inner.yaml",
        "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n",
    );
    refuses(&repo, "a folder with the name of a file");
}

#[test]
fn folders_beyond_all_depth_are_not_skipped_in_silence() {
    let repo = Repo::new();
    let deep = format!("subscribers/{}", "d/".repeat(70));
    repo.write(&format!("{deep}x.yaml"), "ip: broken\n");
    refuses(&repo, "folders nest more than 64 deep");
    repo.commit("deep");
    let run = repo.run(&["check", "--rev", "HEAD"]);
    assert!(run.code == 1 && run.stdout.contains("folders nest more than 64 deep"), "{run:?}");
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn links_are_not_followed() {
        for (target, name) in [
            ("missing.yaml", "subscribers/x.yaml"),
            ("x.yaml", "subscribers/x.yaml"),
            ("/etc/passwd", "subscribers/x.yaml"),
            ("/etc", "subscribers/x"),
            (".", "subscribers/x"),
            ("../plans", "subscribers/x"),
            ("/dev/zero", "subscribers/x.yaml"),
        ] {
            let repo = Repo::new();
            symlink(target, repo.path().join(name)).unwrap();
            refuses(&repo, "symbolic link");
            repo.commit("a link");
            let run = repo.run(&["check", "--rev", "HEAD"]);
            assert!(run.code == 1 && run.stdout.contains("symbolic link"), "{name} -> {target}: {run:?}");
        }
    }

    #[test]
    fn a_data_folder_that_is_a_link_is_not_followed() {
        let elsewhere = Repo::new();
        elsewhere.subscriber("10.10.10.25", 30);
        let repo = Repo::new();
        let folder = repo.path().join("subscribers");
        std::fs::remove_dir(&folder).unwrap();
        symlink(elsewhere.path().join("subscribers"), &folder).unwrap();
        refuses(&repo, "symbolic link");
        let data = Data::load(&Tree::Work { root: repo.path().to_path_buf() }).unwrap();
        assert!(data.subscribers.is_empty(), "what it leads to was read");
    }

    #[test]
    fn settings_that_are_a_link_are_not_followed() {
        let repo = Repo::new();
        symlink("/etc/hostname", repo.path().join("shapeline.yaml")).unwrap();
        refuses(&repo, "symbolic link");
    }

    fn fifo(path: &Path) {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn what_is_no_ordinary_file_is_not_opened() {
        for name in ["subscribers/x.yaml", "plans/x.yaml", "domains/x.yaml", "subscribers/x", "templates/x.j2"] {
            let repo = Repo::new();
            std::fs::create_dir_all(repo.path().join("templates")).unwrap();
            fifo(&repo.path().join(name));
            refuses(&repo, "not a regular file");
        }
        let repo = Repo::new();
        let _socket = UnixListener::bind(repo.path().join("subscribers/s.yaml")).unwrap();
        refuses(&repo, "not a regular file");
        let repo = Repo::new();
        fifo(&repo.path().join("shapeline.yaml"));
        refuses(&repo, "not a regular file");
    }

    #[test]
    fn what_may_not_be_read_is_named() {
        let repo = Repo::new();
        let closed = |path: &Path| std::fs::set_permissions(path, PermissionsExt::from_mode(0o000)).unwrap();
        std::fs::set_permissions(repo.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let file = repo.write("subscribers/closed.yaml", "ip: 10.10.10.25\n");
        closed(&file);
        let run = check_as_plain_user(&repo);
        assert!(run.code == 2 && run.stderr.contains("subscribers/closed.yaml"), "{run:?}");
        std::fs::remove_file(&file).unwrap();
        let folder = repo.path().join("subscribers/closed");
        std::fs::create_dir(&folder).unwrap();
        closed(&folder);
        let run = check_as_plain_user(&repo);
        assert!(run.code == 2 && run.stderr.contains("subscribers/closed"), "{run:?}");
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
        let run = check_as_plain_user(&repo);
        assert_eq!(run.code, 0, "all of it may be read: {run:?}");
    }

    /// Runs `check` as a user who is not root, who may read everything.
    fn check_as_plain_user(repo: &Repo) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shapeline"));
        if rustix::process::geteuid().is_root() {
            // Others need not be able to reach the folder in which it was built.
            let copy = repo.path().join("shapeline");
            std::fs::copy(env!("CARGO_BIN_EXE_shapeline"), &copy).unwrap();
            command = Command::new(copy);
            command.uid(1234).gid(1234);
        }
        let out = command
            .env_remove("GITHUB_ACTIONS")
            .current_dir("/")
            .arg("-C")
            .arg(repo.path())
            .arg("check")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: out.status.code().unwrap_or(-1), stdout: text(out.stdout), stderr: text(out.stderr) }
    }

    #[test]
    fn names_that_steer_are_shown_harmless() {
        for name in [
            "a\n::error::b.yaml",
            "a\u{1b}[31mb.yaml",
            "a\u{202e}b.yaml",
            "##[error]a.yaml",
            "a%0A::error::b.yaml",
            "a,line=1::b.yaml",
            "<script>.yaml",
            "a&b\"'.yaml",
        ] {
            let repo = Repo::new();
            repo.write(&format!("subscribers/{name}"), "ip: 10.10.10.300\n");
            for run in check(&repo) {
                assert_eq!(run.code, 1, "{run:?}");
                assert!(!run.stdout.contains('\u{202e}') && !run.stdout.contains("##[error]"), "{}", run.stdout);
            }
            let run = repo.run(&["fmt", "--check"]);
            assert!(
                !run.stdout.contains(['\u{1b}', '\u{202e}']) && run.stdout.lines().all(|line| !line.starts_with("::")),
                "{run:?}"
            );
        }
    }

    #[test]
    fn names_that_are_not_utf8_are_refused() {
        let repo = Repo::new();
        let path = repo.path().join("subscribers").join(OsStr::from_bytes(b"caf\xe9.yaml"));
        std::fs::write(path, "ip: 10.10.10.25\n").unwrap();
        refuses(&repo, "not UTF-8");
        repo.commit("a name");
        let run = repo.run(&["check", "--rev", "HEAD"]);
        assert!(run.code == 1 && run.stdout.contains("not UTF-8"), "{run:?}");
    }
}
