//! A clone gives the same answers as its bare repository, or refuses.

use proptest::prelude::*;

use super::{DAY, IDENT, QUOTES, clone, commit_blobs, run, two_isps};
use crate::yaml_properties::cases;

#[path = "../laws/checkout.rs"]
mod checkout;

/// Attribute files by path and text: each attribute by each kind of pattern at each place.
fn hostile() -> Vec<(String, String)> {
    let places = ["", "subscribers/", "subscribers/mine.example/", "domains/", "plans/", "templates/"];
    let attributes = [
        "ident",
        "filter=other",
        "working-tree-encoding=ASCII//TRANSLIT",
        "working-tree-encoding=UTF-16LE-BOM",
        "working-tree-encoding=ISO646-GB",
        "text eol=crlf",
        "-diff -merge",
        "export-ignore export-subst",
    ];
    let mut files = Vec::new();
    for place in places {
        for attribute in attributes {
            for pattern in ["*", "zz.yaml"] {
                files.push((format!("{place}.gitattributes"), format!("{pattern} {attribute}\n")));
            }
        }
    }
    files.extend(
        [
            "[attr]quiet ident\nzz.yaml quiet\n",
            "\"zz.yaml\" ident\n",
            "\u{feff}*.yaml ident\n",
            "# a comment\r*.yaml ident\n",
            "**/zz.yaml ident\n",
            "\t zz.yaml\tident\r\n",
            "subscribers/** ident\nsubscribers/mine.example/** -ident\n",
            "shapeline.yaml ident working-tree-encoding=ISO646-GB\n",
        ]
        .map(|text| (".gitattributes".to_owned(), text.to_owned())),
    );
    files.push(("subscribers/.GITATTRIBUTES".to_owned(), "* ident\n".to_owned()));
    files
}

/// The commands, each with what makes it read the commit in a repository without files; without, it
/// works on files alone.
const COMMANDS: [(&[&str], Option<&[&str]>); 12] = [
    (&["check", "--on", DAY, "--format", "json", "--base", "HEAD^1", "--actor", "mallory"], Some(&["--rev", "HEAD"])),
    (&["render", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["plan", "--on", DAY, "--base", "HEAD^1"], Some(&["--rev", "HEAD"])),
    (&["publish", "--dry-run", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["drift", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["log"], Some(&[])),
    (&["stat"], Some(&[])),
    (&["history", "--format", "csv"], Some(&[])),
    (&["subscriber", "list", "--format", "json", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["subscriber", "show", "10.2.0.77", "--on", DAY], Some(&["--rev", "HEAD"])),
    (&["subscriber", "set", "10.2.0.1", "plan=GOLD", "--dry-run"], None),
    (&["import", "live.txt", "--dry-run"], None),
];

#[test]
fn a_clone_answers_as_its_bare_repository_does_or_refuses() {
    let files = hostile();
    assert!(files.len() > 100);
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((path, text)) = files.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    agrees(path, text);
                }
            });
        }
    });
}

fn agrees(attributes: &str, text: &str) {
    let repo = two_isps();
    let payload = if text.contains("TRANSLIT") { QUOTES } else { IDENT };
    commit_blobs(&repo, &[(attributes, text), ("subscribers/mine.example/zz.yaml", payload)]);
    let to = tempfile::tempdir().unwrap();
    let work = clone(&repo, &to.path().join("work"), &[]);
    let bare = clone(&repo, &to.path().join("bare.git"), &["--bare"]);
    let import = to.path().join("live.txt");
    std::fs::write(&import, "10.2.0.1 10.2.0.1@mine.example :=set_attribute GOLD\n").unwrap();
    let files = ["subscribers/mine.example/zz.yaml", "subscribers/mine.example/a.yaml", "shapeline.yaml"];
    let is_altered = files.iter().any(|file| {
        let blob = repo.git(&["cat-file", "-p", &format!("HEAD:{file}")]);
        std::fs::read(work.join(file))
            .map_or(true, |bytes| String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim() != blob.trim())
    });
    for (args, of_commit) in COMMANDS {
        let args: Vec<&str> =
            args.iter().map(|arg| if *arg == "live.txt" { import.to_str().unwrap() } else { arg }).collect();
        let at_desk = run(&work, &args);
        let case = format!("{attributes} {text:?}: {args:?}: {}{}", at_desk.stdout, at_desk.stderr);
        let Some(of_commit) = of_commit else {
            assert!(!is_altered || at_desk.code == 1, "{case}");
            continue;
        };
        let bare = run(&bare, &[&args[..], of_commit].concat());
        assert!(bare.code != 2 || at_desk.code == 2, "the commit can be read: {case}{}", bare.stderr);
        let agree = at_desk.code == bare.code && at_desk.stdout == bare.stdout;
        // The finding of the altered file comes on top.
        assert!(agree || at_desk.code == 1, "{case}: {}{}", bare.stdout, bare.stderr);
        let from_work = run(&work, &[&args[..], of_commit].concat());
        assert_eq!((from_work.code, &from_work.stdout), (bare.code, &bare.stdout), "by its commit, {case}");
    }
}

/// Lines of words that git knows, in any order, with what its several readers might read differently.
fn attributes() -> impl Strategy<Value = String> {
    let pattern = prop::sample::select(vec![
        "*",
        "*.yaml",
        "zz.yaml",
        "/subscribers/zz.yaml",
        "subscribers/**",
        "\"zz.yaml\"",
        "*.y?ml",
        "*.png",
        "[attr]own",
        "#",
        "z*",
    ]);
    let word = prop::sample::select(vec![
        "ident",
        "-ident",
        "!ident",
        "own",
        "filter=other",
        "text",
        "-text",
        "eol=crlf",
        "working-tree-encoding=UTF-16LE-BOM",
        "working-tree-encoding=latin-1",
        "diff",
        "binary",
    ]);
    let blank = prop::sample::select(vec![" ", "\t", "  ", " \r", "\u{b}", "\u{c}", "\0"]);
    let end = prop::sample::select(vec!["\n", "\r\n", "\r", "", " \n"]);
    let line = (pattern, prop::collection::vec((blank, word), 0..3), end).prop_map(|(pattern, words, end)| {
        let words: String = words.into_iter().map(|(blank, word)| format!("{blank}{word}")).collect();
        format!("{pattern}{words}{end}")
    });
    prop::collection::vec(line, 0..3).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn git_checks_out_what_is_committed_or_is_refused(
        top in attributes(),
        below in prop_oneof![4 => Just(String::new()), 1 => attributes()],
        data in prop::sample::select(vec!["name: \"$Id: a$ b\"\n", "name: $Id$\n", "a\r\nb\n\r\n", "name: \u{fc}a\n"]),
    ) {
        checkout::agrees_or_is_refused(top.as_bytes(), below.as_bytes(), data.as_bytes());
    }
}
