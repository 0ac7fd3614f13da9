//! Completion of values from the data: as bash runs it, and what the other shells are sent.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::Repo;

fn data() -> Repo {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    repo.write(
        "subscribers/ispcustomer.co.zw/list.yaml",
        "- {ip: [10.10.10.26, '2001:db8::26'], id: acme-hq, name: 'ACME, head office', domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN}\n\
         - {ip: 11.11.11.4, id: $(reboot), domain: ispcustomer.co.zw, plan: 50_MEG_UP_50_MEG_DOWN}\n",
    );
    repo.write(
        "shapeline.yaml",
        "outputs: {all: {template: shaper}}\n\
         targets:\n- {name: hre-1, url: 'file:///srv/hre-1.txt'}\n- {name: hre-2, url: 'file:///srv/hre-2.txt', output: all}\n",
    );
    repo
}

/// What a shell is answered for the words after `shapeline`, the last of which is completed.
fn answer(folder: &Path, shell: &str, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .current_dir(folder)
        .env("SHAPELINE_COMPLETE", shell)
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n")
        .env_remove("SHAPELINE_DIR")
        .args(["--", "shapeline"])
        .args(words)
        .output()
        .unwrap()
}

/// The words that bash gets.
fn words(folder: &Path, typed: &str) -> Vec<String> {
    let out = answer(folder, "bash", &typed.split(' ').collect::<Vec<_>>());
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stderr).as_ref()), (Some(0), ""), "{typed}");
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The same where the data has nothing: only options are left.
fn nothing(folder: &Path, typed: &str) {
    assert!(words(folder, typed).iter().all(|word| word.starts_with("--")), "{typed}");
}

/// What bash makes of a command line after the cursor is at its end, by the script.
fn in_bash(repo: &Repo, line: &str, pieces: &[&str]) -> Vec<String> {
    repo.write("script", repo.run(&["completions", "bash"]).stdout);
    let program = Path::new(env!("CARGO_BIN_EXE_shapeline")).parent().unwrap();
    // As bash has it, `=` and colons are before the last piece, and `@` is its beginning.
    let last = match pieces {
        [.., "=" | ":" | "::"] => String::new(),
        [.., "@", last] => format!("@{last}"),
        [.., last] => (*last).to_owned(),
        [] => String::new(),
    };
    let typed = r#"source ./script; COMP_LINE=$1 COMP_POINT=${#1}; last=$2; shift 2; COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1)); _shapeline shapeline "$last" x; printf '%s\n' "${COMPREPLY[@]}""#;
    let out = Command::new("bash")
        .current_dir(repo.path())
        .env("PATH", format!("{}:{}", program.display(), std::env::var("PATH").unwrap()))
        .env_remove("SHAPELINE_DIR")
        .args(["-c", typed, "bash", line, &last])
        .args(pieces)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stderr), "", "{line}");
    String::from_utf8(out.stdout).unwrap().lines().filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn names_come_from_the_data() {
    let repo = data();
    let plans = ["30_MEG_UP_30_MEG_DOWN", "50_MEG_UP_50_MEG_DOWN"];
    for (typed, expected) in [
        ("subscriber list --plan ", &plans[..]),
        ("subscriber add 10.10.10.31 --plan=3", &["--plan=30_MEG_UP_30_MEG_DOWN"]),
        ("plans 5", &plans[1..]),
        ("plans ", &plans),
        ("plans --fo", &["--format"]),
        ("domains isp", &["ispcustomer.co.zw"]),
        ("history --domain i", &["ispcustomer.co.zw"]),
        ("publish --target h", &["hre-1", "hre-2"]),
        ("rollback -t hre-2", &["hre-2"]),
        ("plan --live ", &["hre-1", "hre-2"]),
        ("plan --output ", &["all", "shaper"]),
        ("explain duplicate-i", &["duplicate-id", "duplicate-ip"]),
        ("subscriber show 1", &["10.10.10.25", "10.10.10.26", "11.11.11.4"]),
        ("subscriber show 2001:db8::", &["2001:db8::26"]),
        ("subscriber suspend acme-hq 10.10.10.25@", &["10.10.10.25@ispcustomer.co.zw"]),
        ("subscriber set acme-hq pl", &["plan="]),
        ("subscriber set acme-hq plan=5", &["plan=50_MEG_UP_50_MEG_DOWN"]),
        ("subscriber set acme-hq name= status=s", &["status=suspended"]),
        ("history acm", &["acme-hq"]),
    ] {
        assert_eq!(words(repo.path(), typed), expected, "{typed}");
    }
}

#[test]
fn the_repository_is_the_one_that_the_command_means() {
    let (repo, elsewhere) = (data(), Repo::empty());
    assert_eq!(words(&repo.path().join("subscribers"), "domains "), ["ispcustomer.co.zw"]);
    nothing(elsewhere.path(), "domains ");
    let folder = repo.path().display();
    assert_eq!(words(elsewhere.path(), &format!("-C {folder} domains ")), ["ispcustomer.co.zw"]);
    assert_eq!(words(elsewhere.path(), &format!("--directory={folder} domains ")), ["ispcustomer.co.zw"]);
}

#[test]
fn nothing_from_the_data_runs_or_steers() {
    let repo = data();
    repo.write("plans/bad.yaml", "name: \"GOLD\\e[31m\"\nup: 1 Mbps\ndown: 1 Mbps\n");
    repo.write("plans/good.yaml", "name: GOLD_1\nup: \"1\\e[31m\\n\\t\"\ndown: 1 Mbps\n");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let plans = answer(repo.path(), shell, &["plans", "G"]);
        let who = answer(repo.path(), shell, &["subscriber", "show", ""]);
        let all = String::from_utf8([plans.stdout, who.stdout].concat()).unwrap();
        assert!(all.contains("GOLD_1") && all.contains("11.11.11.4"), "{shell}: {all}");
        assert!(!all.contains('\u{1b}') && !all.contains("reboot"), "{shell}: {all:?}");
        assert!(!all.contains("\t\n"), "{shell}: {all:?}");
    }
}

#[test]
fn broken_data_is_passed_over() {
    let repo = data();
    repo.write("plans/broken.yaml", "name: [\nup");
    repo.write("plans/binary.yaml", b"name: \xff");
    repo.write("shapeline.yaml", "targets: [{name: hre-1}, 5, {name: {}}\nx: [");
    assert_eq!(words(repo.path(), "plans ").len(), 2);
    words(repo.path(), "publish -t ");
    std::fs::remove_dir_all(repo.path().join("subscribers")).unwrap();
    nothing(repo.path(), "subscriber show ");
    // A line that no command fits, and a question without an answer.
    words(repo.path(), "nonsense --x ");
    let out = Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .envs([("SHAPELINE_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", "9")])
        .args(["--", "shapeline", "plan"])
        .output()
        .unwrap();
    assert_eq!((out.status.code(), out.stdout.len(), out.stderr.len()), (Some(0), 0, 0), "{out:?}");
}

#[test]
fn a_long_list_is_offered_in_steps() {
    let repo = Repo::new();
    let record =
        |n: u32| format!("- {{ip: 10.{}.{}.{}, domain: a.example, plan: P}}\n", n / 2500, n / 250 % 10, n % 250);
    repo.write("subscribers/list.yaml", (0..5000).map(record).collect::<String>());
    assert_eq!(words(repo.path(), "subscriber show "), ["10.0.", "10.1."]);
    assert_eq!(words(repo.path(), "subscriber show 10.1.")[..2], ["10.1.0.", "10.1.1."]);
    assert_eq!(words(repo.path(), "subscriber show 10.1.3.").len(), 250);
}

#[test]
fn bash_completes_whole_words() {
    let repo = data();
    for (line, pieces, expected) in [
        ("shapeline comp", &["shapeline", "comp"][..], "completions"),
        ("shapeline  plans 5", &["shapeline", "plans", "5"], "50_MEG_UP_50_MEG_DOWN"),
        ("shapeline history --domain=", &["shapeline", "history", "--domain", "="], "ispcustomer.co.zw"),
        ("shapeline history --domain=i", &["shapeline", "history", "--domain", "=", "i"], "ispcustomer.co.zw"),
        (
            "shapeline subscriber set acme-hq plan=5",
            &["shapeline", "subscriber", "set", "acme-hq", "plan", "=", "5"],
            "50_MEG_UP_50_MEG_DOWN",
        ),
        ("shapeline subscriber show 2001:db8::", &["shapeline", "subscriber", "show", "2001", ":", "db8", "::"], "26"),
        ("shapeline history 10.10.10.25@i", &["shapeline", "history", "10.10.10.25", "@", "i"], "@ispcustomer.co.zw"),
    ] {
        assert_eq!(in_bash(&repo, line, pieces), [expected], "{line}");
    }
}

#[test]
fn bash_quotes_the_names_of_files() {
    let repo = data();
    for name in
        ["acme$(touch PWNED).yaml", "b;touch PWNED;.yaml", "c`touch PWNED`.yaml", "d e.yaml", "f\ntouch PWNED\n.yaml"]
    {
        repo.write(&format!("subscribers/{name}"), "");
        let typed = format!("subscribers/{}", &name[..1]);
        let words = in_bash(&repo, &format!("shapeline fmt {typed}"), &["shapeline", "fmt", &typed]);
        let [word] = words.as_slice() else { panic!("{words:?}") };
        let meant = Command::new("bash").current_dir(repo.path()).args(["-c", &format!("printf %s {word}")]).output();
        assert_eq!(String::from_utf8(meant.unwrap().stdout).unwrap(), format!("subscribers/{name}"), "{word}");
        assert!(!repo.path().join("PWNED").exists(), "{word}");
    }
}

#[test]
fn zsh_and_fish_are_sent_descriptions() {
    let repo = data();
    let sent = |shell: &str, typed: &[&str]| {
        let out = String::from_utf8(answer(repo.path(), shell, typed).stdout).unwrap();
        out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(sent("zsh", &["plans", "3"]), ["30_MEG_UP_30_MEG_DOWN:30 Mbps up, 30 Mbps down"]);
    assert_eq!(sent("fish", &["plans", "3"]), ["30_MEG_UP_30_MEG_DOWN\t30 Mbps up, 30 Mbps down"]);
    let both = ["2001\\:db8\\:\\:26:ACME, head office, 30_MEG_UP_30_MEG_DOWN"];
    assert_eq!(sent("zsh", &["subscriber", "show", "2"]), both);
    assert_eq!(sent("fish", &["publish", "-t", ""]), ["hre-1\tshaper", "hre-2\tall"]);
}

#[test]
fn an_unknown_shell_is_named_and_an_empty_one_is_none() {
    let run = |shell: &str| {
        let out = Command::new(env!("CARGO_BIN_EXE_shapeline"))
            .env("SHAPELINE_COMPLETE", shell)
            .arg("--version")
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    assert_eq!(run("").0, Some(0));
    let (code, why) = run("tcsh");
    assert!(code == Some(2) && why.starts_with("shapeline: SHAPELINE_COMPLETE: unknown shell `tcsh`"), "{why}");
}
