//! From a form to a commit on a branch.

use super::{Browser, command, hidden, portal, portal_at, with_each};
use crate::serve::{Server, data, wait};
use crate::support::Repo;

const P30: &str = "30_MEG_UP_30_MEG_DOWN";
const P50: &str = "50_MEG_UP_50_MEG_DOWN";

/// The branches that the portal made.
pub fn branches(repo: &Repo) -> Vec<String> {
    let all = repo.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads/portal"]);
    all.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_form_becomes_a_commit_by_that_person_on_a_branch() {
    with_each(|repo, state| {
        let head = repo.git(&["rev-parse", "HEAD"]);
        let server = portal_at(repo, state);
        let desk = Browser::signed_in(&server, "desk");
        assert!(desk.page("/add").contains("10.20.0.1 is the next free one"));
        desk.add("10.20.0.5", "tier2.example", P50);
        assert!(desk.page("/add").contains("10.20.0.1 is the next free one"));
        let key = "10.20.0.2@tier2.example";
        assert_eq!(desk.post("/act", &[("key", key), ("action", "suspend")]).status, 303);
        let draft = desk.page("/draft");
        for part in ["10.20.0.5@tier2.example with", "Suspend", "1 added, 0 changed, 2 removed.", "Submit for review"] {
            assert!(draft.contains(part), "{part}: {draft}");
        }
        assert_eq!(branches(repo), [""; 0], "nothing is sent before");
        let request = desk.submit("Ticket 4711");
        assert_eq!(repo.git(&["rev-parse", "HEAD"]), head, "the branch that is served stays");
        let made = branches(repo);
        let [branch] = made.as_slice() else { panic!("{made:?}") };
        assert!(branch.starts_with("portal/desk-"), "{branch}");
        let shown = repo.git(&["log", "-1", "--format=%an <%ae>|%P|%B", branch]);
        let (author, message) = shown.split_once('|').unwrap();
        assert_eq!((author, message.split('|').next()), ("Front Desk <desk@tier2.example>", Some(head.as_str())));
        assert!(
            message.contains("Change 2 subscribers\n\nTicket 4711\n\n- Add 10.20.0.5@tier2.example with"),
            "{message}"
        );
        let files = repo.git(&["show", &format!("{branch}:subscribers/a.yaml")]);
        assert!(files.contains("10.20.0.5") && files.contains("status: suspended"), "{files}");
        assert!(desk.page("/draft").contains("It is empty."));
        let page = desk.page(&request);
        assert!(page.contains(branch) && page.contains(">open<"), "{page}");
        repo.git(&["merge", "--quiet", "--no-ff", "-m", "merged", branch]);
        wait(|| desk.page(&request).contains(">merged<").then_some(()), || server.journal());
        assert!(desk.page("/subscribers").contains("10.20.0.5"));
        assert_eq!(repo.run(&["check"]).code, 0);
    });
}

#[test]
fn what_is_wrong_is_said_beside_its_field() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    let save = |fields: &[(&str, &str)]| {
        let all: Vec<(&str, &str)> =
            [("domain", "tier2.example"), ("action", "add")].iter().chain(fields).copied().collect();
        let answer = desk.post("/save", &all);
        assert_eq!(answer.status, 422, "{answer:?}");
        answer.body
    };
    for (fields, place, why) in [
        (&[("ip", "10.20.0.2"), ("plan", P30)][..], "about-ip", "<code>10.20.0.2</code> is given out twice"),
        (&[("ip", "10.30.0.2"), ("plan", P30)], "about-ip", "10.30.0.2"),
        (&[("ip", "nonsense"), ("plan", P30)], "about-ip", "nonsense"),
        (&[("ip", "10.20.0.5")], "about-plan", "a plan is needed"),
        (&[("ip", "10.20.0.5"), ("plan", "TIN")], "about-plan", "TIN"),
        (&[("ip", "10.20.0.5"), ("plan", P30), ("starts", "2026-02-30")], "about-starts", "2026-02-30"),
        (&[("ip", "10.20.0.5"), ("plan", P30), ("id", "acme-hq")], "about-id", "another domain"),
    ] {
        let page = save(fields);
        let said = page.split(&format!("id=\"{place}\">")).nth(1).unwrap_or_else(|| panic!("{place}: {page}"));
        assert!(said.split("</p>").next().unwrap().contains(why), "{why}: {said}");
        for (_, value) in fields.iter().filter(|(name, _)| *name != "plan") {
            assert!(page.contains(&format!("\"{value}\"")), "what was typed stays: {value}");
        }
    }
    assert!(desk.page("/draft").contains("It is empty."));
}

#[test]
fn a_draft_is_submitted_once() {
    with_each(|repo, state| {
        let server = portal_at(repo, state);
        let desk = Browser::signed_in(&server, "desk");
        desk.add("10.20.0.5", "tier2.example", P50);
        let version = hidden(&desk.page("/draft"), "version");
        let answers: Vec<u16> = std::thread::scope(|scope| {
            let submit = || {
                let again = Browser { server: &server, cookie: desk.cookie.borrow().clone().into() };
                scope.spawn({
                    let version = version.clone();
                    move || again.post("/draft/submit", &[("version", &version)]).status
                })
            };
            let all: Vec<_> = (0..4).map(|_| submit()).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let mut sorted = answers.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [303, 409, 409, 409], "{answers:?}");
        assert_eq!(branches(repo).len(), 1);
    });
}

#[test]
fn a_request_can_be_taken_back() {
    with_each(|repo, state| {
        let server = portal_at(repo, state);
        let desk = Browser::signed_in(&server, "desk");
        desk.add("10.20.0.5", "tier2.example", P50);
        let request = desk.submit("");
        let id = request.split('=').nth(1).unwrap();
        assert_eq!(
            Browser::signed_in(&server, "noc").post("/request/withdraw", &[("id", id)]).status,
            404,
            "of another person"
        );
        assert_eq!(desk.post("/request/withdraw", &[("id", id)]).header("location"), Some("/draft"));
        assert!(desk.page("/draft").contains("10.20.0.5@tier2.example with"));
        assert!(desk.page(&request).contains(">withdrawn<"));
        wait(|| branches(repo).is_empty().then_some(()), || server.journal());
        desk.submit("");
        assert_eq!(branches(repo).len(), 1);
    });
}

#[test]
fn of_two_who_change_the_same_the_second_sees_both() {
    with_each(|repo, state| {
        let server = portal_at(repo, state);
        let key = "10.20.0.2@tier2.example";
        let (desk, noc) = (Browser::signed_in(&server, "desk"), Browser::signed_in(&server, "noc"));
        let edit = |who: &Browser<'_>, plan: &str, name: &str| {
            let page = who.page(&format!("/edit?key={key}"));
            let was = hidden(&page, "was").replace("&quot;", "\"").replace("&#34;", "\"");
            let fields = [
                ("was", was.as_str()),
                ("ip", "10.20.0.2 2001:db8::2"),
                ("domain", "tier2.example"),
                ("plan", plan),
                ("name", name),
                ("labels", "ticket=4711"),
                ("status", "active"),
                ("action", "add"),
            ];
            let answer = who.post("/save", &fields);
            assert_eq!(answer.status, 303, "{answer:?}");
        };
        edit(&desk, P30, "Hotel");
        edit(&noc, P50, "Inn");
        noc.submit("");
        let branch = branches(repo).pop().unwrap();
        repo.git(&["merge", "--quiet", &branch]);
        wait(|| noc.page("/subscribers").contains("Inn").then_some(()), || server.journal());
        let draft = desk.page("/draft");
        for part in
            ["Another person changed this subscriber", "<td>Inn</td><td>Hotel</td>", "Keep yours", "Keep theirs"]
        {
            assert!(draft.contains(part), "{part}: {draft}");
        }
        assert!(!draft.contains("Submit for review"));
        let [version, theirs] = ["version", "theirs"].map(|name| hidden(&draft, name));
        // What was not seen is not decided.
        for (version, theirs) in [("99", theirs.as_str()), (&version, "00"), (&version, ""), ("", &theirs)] {
            let fields = [("key", key), ("version", version), ("theirs", theirs)];
            assert_eq!(desk.post("/draft/mine", &fields).status, 409, "{fields:?}");
        }
        assert_eq!(desk.post("/draft/discard", &[("key", key), ("version", "99")]).status, 409);
        let fields = [("key", key), ("version", &version), ("theirs", &theirs)];
        assert_eq!(desk.post("/draft/mine", &fields).status, 303);
        let draft = desk.page("/draft");
        assert!(draft.contains("name Inn → Hotel") && draft.contains("Submit for review"), "{draft}");
        desk.submit("");
        let last = branches(repo).into_iter().find(|branch| branch.contains("desk")).unwrap();
        let files = repo.git(&["show", &format!("{last}:subscribers/a.yaml")]);
        assert!(files.contains("name: Hotel") && files.contains(P30), "{files}");
    });
}

#[test]
fn a_review_of_an_earlier_draft_submits_nothing() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", P50);
    let seen = hidden(&desk.page("/draft"), "version");
    desk.submit("");
    desk.add("10.20.0.6", "tier2.example", P50);
    assert_eq!(desk.post("/draft/submit", &[("version", &seen)]).status, 409);
    assert!(desk.page("/draft").contains("10.20.0.6"), "it stays a draft");
}

#[test]
fn one_change_takes_no_other_ones_place() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    desk.add("10.20.0.5", "tier2.example", P50);
    let again = [("ip", "10.20.0.5"), ("domain", "tier2.example"), ("plan", P30), ("name", "Other"), ("action", "add")];
    let refused = desk.post("/save", &again);
    assert!(refused.status == 422 && refused.body.contains("already changes this subscriber"), "{refused:?}");
    assert!(desk.page("/draft").contains(P50));
    // A prefix with more addresses than can be gone through hinders nothing.
    desk.add("2001:db8::1:0/112", "tier2.example", P50);
    assert!(desk.page("/add").contains("10.20.0.1 is the next free one"));
}

#[test]
fn who_is_removed_can_be_added_anew() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    assert_eq!(desk.post("/act", &[("key", "10.20.0.2@tier2.example"), ("action", "remove")]).status, 303);
    desk.add("10.20.0.2", "tier2.example", P30);
    let draft = desk.page("/draft");
    assert!(draft.contains("plan 50_MEG_UP_50_MEG_DOWN → 30_MEG_UP_30_MEG_DOWN"), "{draft}");
    desk.submit("");
    let text = repo.git(&["show", &format!("{}:subscribers/a.yaml", branches(&repo)[0])]);
    let line = text.lines().find(|line| line.contains("10.20.0.2")).unwrap();
    assert!(line.contains(P30) && !line.contains("4711"), "nothing stays of the one who left: {line}");
}

#[test]
fn a_button_acts_on_what_was_seen() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    let key = "10.20.0.2@tier2.example";
    let was =
        hidden(&desk.page(&format!("/subscriber?key={key}")), "was").replace("&quot;", "\"").replace("&#34;", "\"");
    let file = repo.read("subscribers/a.yaml").replace("labels: {ticket: '4711'}", "name: New Bank");
    repo.write("subscribers/a.yaml", file);
    repo.commit("another customer");
    wait(|| desk.page("/subscribers").contains("New Bank").then_some(()), || server.journal());
    assert_eq!(desk.post("/act", &[("key", key), ("was", &was), ("action", "remove")]).status, 303);
    let draft = desk.page("/draft");
    assert!(draft.contains("Another person changed this subscriber") && draft.contains("New Bank"), "{draft}");
}

#[test]
fn a_lock_that_a_killed_server_left_is_removed() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    // The id of the next request is not known: the whole folder is in the way.
    let folder = repo.path().join(".git/refs/heads/portal");
    std::fs::write(&folder, "in the way").unwrap();
    desk.add("10.20.0.5", "tier2.example", P50);
    let request = desk.submit("");
    let page = desk.page(&request);
    assert!(page.contains(">stuck<"), "{page}");
    let branch = page.split("<code>portal/").nth(1).unwrap().split('<').next().unwrap();
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let lock = std::fs::File::create(folder.join(format!("{branch}.lock"))).unwrap();
    lock.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).unwrap();
    let id = request.split('=').nth(1).unwrap();
    assert_eq!(desk.post("/request/retry", &[("id", id)]).status, 303);
    assert!(desk.page(&request).contains(">open<"), "{}", desk.page(&request));
}

#[test]
fn the_portal_needs_an_encrypted_way() {
    let repo = data();
    let start = |args: &[&str]| {
        let out = command(&repo, args).output().unwrap();
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (code, said) = start(&["--listen", "192.0.2.1:0"]);
    assert!(code == Some(2) && said.contains("would send passwords unencrypted"), "{said}");
    let (code, said) = start(&["--rev", "HEAD"]);
    assert!(code == Some(2) && said.contains("--only lookup"), "{said}");
    let settings = repo.write("server.yaml", "url: https://portal.ispcustomer.co.zw\n");
    let server = Server::spawn(command(&repo, &["--settings", settings.to_str().unwrap()]));
    let link = super::link(&server);
    assert!(server.journal().contains("https://portal.ispcustomer.co.zw/setup?key="), "{}", server.journal());
    let set = server.get(&link).header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with("__Host-shapeline=") && set.ends_with("; Secure"), "{set}");
}
