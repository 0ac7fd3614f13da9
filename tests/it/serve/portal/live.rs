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
