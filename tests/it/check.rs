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
