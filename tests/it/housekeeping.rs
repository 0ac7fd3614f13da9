//! `completions` and `man`, through the binary; and what the tests leave behind.

use clap::CommandFactory;
use shapeline::cli::Cli;

use crate::support::Repo;

fn commands() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

#[test]
fn every_shell_gets_a_script() {
    // An empty folder: no data repository is needed.
    let repo = Repo::empty();
    for (shell, connects) in [
        ("bash", "complete -o bashdefault -F _shapeline shapeline"),
        ("elvish", "set edit:completion:arg-completer[shapeline]"),
        ("fish", "complete --keep-order --exclusive --command shapeline"),
        ("powershell", "Register-ArgumentCompleter -Native -CommandName shapeline"),
        ("zsh", "#compdef shapeline\n"),
    ] {
        let run = repo.run(&["completions", shell]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell}");
        assert!(run.stdout.contains(connects) && run.stdout.contains("SHAPELINE_COMPLETE"), "{shell}: {}", run.stdout);
    }
    // A package puts the script into the folder of functions: the first call completes already.
    let zsh = repo.run(&["completions", "zsh"]).stdout;
    assert!(zsh.contains("\n    _clap_dynamic_completer_shapeline \"$@\"\n"), "{zsh}");
    assert!(repo.run(&["completions", "fish"]).stdout.ends_with("2>/dev/null)\"\n"));
    let unknown = repo.run(&["completions", "cmd"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("fish"), "{}", unknown.stderr);
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let binary = env!("CARGO_BIN_EXE_shapeline");
    for command in ["completions zsh", "man"] {
        let script = format!("'{binary}' {command} | true; echo \"${{PIPESTATUS[0]}}\"");
        let shell = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(shell.stdout).unwrap().trim(), "0", "{command}");
        assert_eq!(String::from_utf8(shell.stderr).unwrap(), "", "{command}");
    }
}

#[test]
fn the_manual_names_every_command_and_has_a_page_for_each() {
    let repo = Repo::empty();
    let manual = repo.run(&["man"]).stdout;
    assert!(manual.contains(".TH shapeline 1"), "{manual}");
    let run = repo.run(&["man", "--out-dir", "man/man1"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(repo.read("man/man1/shapeline.1"), manual);
    for command in commands() {
        let escaped = command.replace('-', r"\-");
        assert!(manual.contains(&format!(r"shapeline\-{escaped}(1)")), "{command}");
        let page = repo.read(&format!("man/man1/shapeline-{command}.1"));
        assert!(page.contains(&format!(".TH shapeline-{command} 1")), "{page}");
        assert!(page.contains(r"\-\-color"), "{command}: options of every command are left out");
    }
    let nested: usize = Cli::command().get_subcommands().map(|command| command.get_subcommands().count()).sum();
    assert_eq!(run.stdout.lines().count(), commands().len() + nested + 1);
    assert!(repo.read("man/man1/shapeline-subscriber-add.1").contains(r"\-\-next\-free"));
}

#[test]
fn manual_pages_are_as_man_pages_wants_them() {
    let repo = Repo::empty();
    repo.run(&["man", "--out-dir", "man1"]);
    let title =
        regex::Regex::new(r#"(?m)^\.TH \S+ 1 \d{4}-\d\d-\d\d "shapeline \d+\.\d+\.\d+" "Shapeline manual"$"#).unwrap();
    for entry in std::fs::read_dir(repo.path().join("man1")).unwrap() {
        let path = entry.unwrap().path();
        let page = std::fs::read_to_string(&path).unwrap();
        assert!(title.is_match(&page), "{}: {}", path.display(), &page[..200]);
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(".SH ")).collect();
        let mut wanted = sections.clone();
        let order = [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "\"GLOBAL OPTIONS\"",
            "SUBCOMMANDS",
            "\"EXIT STATUS\"",
            "ENVIRONMENT",
            "FILES",
            "EXAMPLES",
            "\"SEE ALSO\"",
        ];
        wanted
            .sort_by_key(|section| order.iter().position(|one| one == section).unwrap_or_else(|| panic!("{section}")));
        assert_eq!(sections, wanted, "{}", path.display());
        for section in ["SYNOPSIS", "\"EXIT STATUS\"", "\"SEE ALSO\""] {
            assert!(sections.contains(&section), "{}: {section}", path.display());
        }
        let out = std::process::Command::new("man")
            .args(["--warnings", "-E", "UTF-8", "-l"])
            .arg(&path)
            .env("MANWIDTH", "80")
            .output();
        if let Ok(out) = out {
            assert_eq!(String::from_utf8_lossy(&out.stderr), "", "{}", path.display());
        }
    }
    let dated = std::process::Command::new(env!("CARGO_BIN_EXE_shapeline"))
        .arg("man")
        .env("SOURCE_DATE_EPOCH", "1793491200")
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&dated.stdout).contains(".TH shapeline 1 2026-11-01 "));
}

#[test]
fn global_options_are_below_those_of_the_command() {
    let help = Repo::empty().run(&["drift", "--help"]).stdout;
    let (own, global) = help.split_once("\nGlobal options:\n").unwrap();
    assert!(own.contains("--target") && !own.contains("--color"), "{help}");
    assert!(global.contains("--directory") && global.contains("--color") && !global.contains("--target"), "{help}");
}

#[test]
fn the_environment_names_the_data_repository() {
    let (data, elsewhere) = (Repo::new(), Repo::empty());
    let run = |args: &[&str], folder: &std::path::Path| {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_shapeline"))
            .current_dir(elsewhere.path())
            .args(args)
            .env("SHAPELINE_DIR", folder)
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    assert_eq!(run(&["subscriber", "list"], data.path()), (Some(0), "0 subscribers\n".to_owned()));
    let (code, why) = run(&["-C", "nowhere", "subscriber", "list"], data.path());
    assert!(code == Some(2) && why.contains("nowhere is not a folder"), "-C counts more: {why}");
    let (code, _) = run(&["subscriber", "list"], std::path::Path::new(""));
    assert_eq!(code, Some(2), "empty is not set");
}

#[test]
fn examples_in_the_help_are_command_lines() {
    use clap::Parser;
    fn help(command: &clap::Command, all: &mut Vec<String>) {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        all.extend(text.lines().filter_map(|line| line.strip_prefix("  shapeline ").map(str::to_owned)));
        command.get_subcommands().for_each(|command| help(command, all));
    }
    let mut all = Vec::new();
    help(&Cli::command(), &mut all);
    assert!(all.len() >= 12, "{all:?}");
    for line in all {
        let words = line.split("  #").next().unwrap().split_whitespace();
        let parsed = Cli::try_parse_from(std::iter::once("shapeline").chain(words));
        assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
    }
}

/// A run that fails must leave the work tree as it is: what it found is printed.
#[test]
fn a_property_that_fails_writes_no_file() {
    let mut seen = 0;
    for folder in ["src", "tests/it"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap) {
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            let mut lines = text.lines().map(str::trim);
            while lines.any(|line| line == "proptest! {") {
                let config = lines.next().unwrap();
                let persists = !config.contains("failure_persistence: None") && !config.contains("cases(");
                assert!(!persists, "{}: {config}", entry.path().display());
                seen += 1;
            }
        }
    }
    assert!(seen > 15, "{seen}");
}
