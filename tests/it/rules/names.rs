//! Names of files that a shell, a terminal or a file system interprets.

use crate::support::Repo;

const RECORD: &str = "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n";

fn check(name: &str) -> crate::support::Run {
    let repo = Repo::new();
    repo.write(&format!("subscribers/{name}"), RECORD);
    repo.commit("a name");
    let disk = repo.run(&["check", "--on", "2026-11-21"]);
    let commit = repo.run(&["check", "--on", "2026-11-21", "--rev", "HEAD"]);
    assert_eq!((disk.code, &disk.stdout), (commit.code, &commit.stdout), "{name:?}");
    disk
}

#[test]
fn names_that_are_interpreted_are_refused() {
    for c in "$`\"\\;|<>*?".chars() {
        for name in [format!("a{c}b.yaml"), format!("{c}a/b.yaml"), format!("a{c}.yaml")] {
            let run = check(&name);
            let expected = format!("error[file-name]: the file's path has a `{c}`, which shells");
            assert!(run.code == 1 && run.stdout.contains(&expected), "{name:?}: {}", run.stdout);
            assert_eq!(run.stdout.matches("error[").count(), 1, "{name:?}: {}", run.stdout);
        }
    }
    for c in ['\u{1}', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{9b}', '\u{200b}', '\u{202e}', '\u{2028}'] {
        let run = check(&format!("a{c}b.yaml"));
        let expected = format!("the character U+{:04X}, which is invisible", u32::from(c));
        assert!(run.code == 1 && run.stdout.contains(&expected), "{c:?}: {}", run.stdout);
    }
}

#[test]
fn names_that_people_give_are_accepted() {
    for name in
        ["O'Brien & Sons (Harare).yaml", "a:b.yaml", "caf\u{e9}.yaml", "\u{798f}.yaml", "a,b=c@d#e%f!~+[g]{h}.yaml"]
    {
        let run = check(name);
        assert_eq!(run.code, 0, "{name}: {}", run.stdout);
    }
}
