//! `serve`: a commit that is not served, a branch that cannot be followed, a certificate that cannot be used.

use rustix::process::Signal;

use super::Receiver;
use crate::serve::tls::serving;
use crate::serve::{Server, command, data, wait};
use crate::servers::https::certificate;

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

#[test]
fn a_certificate_that_cannot_be_used_is_notified_once_and_when_it_can() {
    let (repo, receiver) = (data(), Receiver::start());
    let git = repo.path().join(".git");
    certificate(&git);
    let mut serve = serving(&repo);
    receiver.environment(&mut serve);
    let server = Server::spawn(serve);
    let key = std::fs::read(git.join("key.pem")).unwrap();
    std::fs::write(git.join("key.pem"), "").unwrap();
    server.signal(Signal::HUP);
    assert_eq!(kinds(&receiver, 1), ["certificate-failed -"]);
    let message = receiver.bodies()[0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("stays in use: ") && message.contains("key.pem has no private key"), "{message}");
    server.signal(Signal::HUP);
    wait(|| (server.journal().matches("stays in use").count() == 2).then_some(()), || server.journal());
    std::fs::write(git.join("key.pem"), key).unwrap();
    server.signal(Signal::HUP);
    assert_eq!(kinds(&receiver, 2), ["certificate-failed -", "recovered -"]);
}
