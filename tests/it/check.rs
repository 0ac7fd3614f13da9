//! `check` as a user meets it.

use crate::support::Repo;

#[test]
fn good_data_passes() {
    let repo = Repo::new();
    repo.subscriber("10.10.10.25", 30);
    let run = repo.run(&["check"]);
    assert_eq!(run.code, 0, "{run:?}");
}

#[test]
fn a_broken_record_is_refused_with_its_place() {
    let repo = Repo::new();
    repo.write("subscribers/a.yaml", "ip: 10.10.10.300\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n");
    let run = repo.run(&["check", "--format", "github"]);
    assert_eq!(run.code, 1, "{run:?}");
}

#[test]
fn folders_too_deep_to_be_looked_into_are_told() {
    let repo = Repo::new();
    let deep = |folders: usize| format!("subscribers/{}", "d/".repeat(folders));
    let record = "ip: 10.10.10.25\ndomain: ispcustomer.co.zw\nplan: 30_MEG_UP_30_MEG_DOWN\n";
    repo.write(&format!("{}a.yaml", deep(63)), record);
    repo.commit("As deep as may be");
    assert_eq!(repo.run(&["check"]).code, 0);
    repo.write(&format!("{}b.yaml", deep(64)), record.replace("10.25", "10.26"));
    repo.commit("Too deep");
    for args in [&["check"][..], &["check", "--rev", "HEAD"]] {
        let run = repo.run(args);
        assert_eq!(run.code, 1, "{run:?}");
        let told = "folders nest more than 64 deep: what is in this one is not read";
        assert!(run.stdout.contains(told) && run.stdout.contains(deep(64).trim_end_matches('/')), "{run:?}");
    }
}
