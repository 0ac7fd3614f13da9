//! `serve`: a commit that is not served, and a branch that cannot be followed.

use rustix::process::Signal;

use super::Receiver;
use crate::serve::{Server, command, data, wait};

fn kinds(receiver: &Receiver, count: usize) -> Vec<String> {
    let enough = || (receiver.requests().len() >= count).then(|| receiver.kinds());
    wait(enough, || format!("only {:?}", receiver.kinds()))
}

#[test]
fn a_commit_that_is_not_served_is_notified_and_when_the_next_one_is() {
    let (repo, receiver) = (data(), Receiver::start());
    let mut serve = command(&repo, &["--interval", "1s"]);
    receiver.environment(&mut serve);
    let mut server = Server::spawn(serve);
    repo.write("subscribers/bad.yaml", "ip: [\n");
    let bad = repo.commit("bad");
    assert_eq!(kinds(&receiver, 1), ["serve-refused -"]);
    assert_eq!(receiver.bodies()[0]["commit"], bad);
    std::fs::remove_file(repo.path().join("subscribers/bad.yaml")).unwrap();
    repo.commit("good");
    assert_eq!(kinds(&receiver, 2), ["serve-refused -", "recovered -"]);
    repo.git(&["checkout", "-q", "--detach"]);
    repo.git(&["branch", "-D", "main"]);
    assert_eq!(kinds(&receiver, 3)[2..], ["serve-failed -"]);
    repo.git(&["branch", "main"]);
    assert_eq!(kinds(&receiver, 4)[3..], ["recovered -"]);
    server.signal(Signal::TERM);
    assert_eq!(server.ended(), Some(0));
    assert_eq!(receiver.requests().len(), 4);
    let journal = server.journal();
    assert!(!journal.contains(super::TOKEN) && !journal.contains("notify:"), "{journal}");
}
