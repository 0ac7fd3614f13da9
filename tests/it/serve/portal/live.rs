//! From a merged request to what is live.

use super::drafts::branches;
use super::{Browser, portal};
use crate::serve::{data, wait};

#[test]
fn a_request_is_live_once_every_target_has_it() {
    let (repo, srv) = (data(), tempfile::tempdir().unwrap());
    let at = srv.path().display();
    let target = |name: &str| format!("- {{name: {name}, url: 'file://{at}/{name}.txt'}}\n");
    repo.write("shapeline.yaml", format!("targets:\n{}{}", target("hre-1"), target("hre-2")));
    repo.commit("targets");
    let publish = |args: &[&str]| {
        let run = repo.run(args);
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
    };
    publish(&["publish"]);
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", "30_MEG_UP_30_MEG_DOWN");
    let request = desk.submit("");
    let shows = |state: &str| {
        let tag = format!(">{state}<");
        wait(|| desk.page(&request).contains(&tag).then_some(()), || desk.page(&request) + &server.journal());
        desk.page(&request)
    };
    repo.git(&["merge", "--quiet", "--no-ff", "-m", "merged", &branches(&repo)[0]]);
    assert!(!shows("merged").contains("published as"));
    publish(&["publish"]);
    let page = shows("live");
    let head = repo.git(&["rev-parse", "HEAD"]);
    assert!(page.contains(&format!("published as <code>{}", &head[..12])), "{page}");
    publish(&["rollback", "--target", "hre-2"]);
    // The other one still has it.
    shows("merged");
}

/// A publish of a later commit does not make live what a frozen domain holds back.
#[test]
fn a_request_of_a_frozen_domain_is_not_live_before_the_domain_is_published_again() {
    let (repo, srv) = (data(), tempfile::tempdir().unwrap());
    let target = srv.path().join("shaper.txt");
    repo.write("shapeline.yaml", format!("targets: [{{name: hre-1, url: 'file://{}'}}]\n", target.display()));
    repo.commit("target");
    let publish = |code: i32| {
        let run = repo.run(&["publish"]);
        assert_eq!(run.code, code, "{run:?}");
    };
    publish(0);
    let server = portal(&repo);
    let (desk, noc) = (Browser::signed_in(&server, "desk"), Browser::signed_in(&server, "noc"));
    let shows = |request: &str, state: &str| {
        let tag = format!(">{state}<");
        wait(|| noc.page(request).contains(&tag).then_some(()), || noc.page(request) + &server.journal());
    };
    let merged = |request: &str| {
        let made = branches(&repo);
        let branch =
            made.iter().find(|branch| !repo.git(&["log", "--format=%H", &format!("HEAD..{branch}")]).is_empty());
        repo.git(&["merge", "--quiet", "--no-ff", "-m", "merged", branch.unwrap()]);
        shows(request, "merged");
    };
    desk.add("10.20.0.5", "tier2.example", "30_MEG_UP_30_MEG_DOWN");
    let frozen = desk.submit("");
    merged(&frozen);
    noc.add("10.10.10.30", "ispcustomer.co.zw", "30_MEG_UP_30_MEG_DOWN");
    let other = noc.submit("");
    merged(&other);
    repo.write("subscribers/tier2.example/bad.yaml", "{ip: 10.20.0.9, domain: tier2.example, plan: NONE}\n");
    repo.commit("bad");
    publish(1);
    let lines = std::fs::read_to_string(&target).unwrap();
    assert!(lines.contains("10.10.10.30 ") && !lines.contains("10.20.0.5 "), "{lines}");
    shows(&other, "live");
    shows(&frozen, "merged");
    std::fs::remove_file(repo.path().join("subscribers/tier2.example/bad.yaml")).unwrap();
    repo.commit("good");
    publish(0);
    shows(&frozen, "live");
}

#[test]
fn what_is_taken_back_takes_nothing_from_the_draft() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", "30_MEG_UP_30_MEG_DOWN");
    let request = desk.submit("");
    desk.add("10.20.0.5", "tier2.example", "50_MEG_UP_50_MEG_DOWN");
    let id = request.split('=').nth(1).unwrap();
    let answer = desk.post("/request/withdraw", &[("id", id)]);
    assert!(answer.status == 400 && answer.body.contains("Submit or drop that first."), "{answer:?}");
    assert!(desk.page(&request).contains(">open<") && desk.page("/draft").contains("50_MEG"));
    let version = super::hidden(&desk.page("/draft"), "version");
    desk.post("/draft/discard", &[("version", &version)]);
    assert_eq!(desk.post("/request/withdraw", &[("id", id)]).status, 303);
    assert!(desk.page("/draft").contains("10.20.0.5@tier2.example with 30_MEG"));
}
