//! The history of a subscriber: from git, and of the own domains alone.

use super::{Browser, portal};
use crate::serve::data;

#[test]
fn a_history_ends_where_another_domain_begins() {
    let repo = data();
    let file = "subscribers/a.yaml";
    let text = repo.read(file);
    // The id was another domain's before, with a name and a plan of its own.
    let moved = text.replace("id: acme-hq, name: ACME head office", "id: moved, name: Secret");
    repo.write(file, &moved);
    repo.commit("Secret of ispcustomer");
    let ours = moved.replace(
        "- {ip: 10.10.10.25, domain: ispcustomer.co.zw, plan: 30_MEG_UP_30_MEG_DOWN, id: moved, name: Secret}\n",
        "",
    ) + "- {ip: 10.20.0.7, domain: tier2.example, plan: 30_MEG_UP_30_MEG_DOWN, id: moved, name: Inn}\n";
    repo.write(file, &ours);
    repo.commit("moved to tier2.example");
    repo.write(file, ours.replace("name: Inn", "name: Grand Hotel <b>"));
    repo.commit("renamed, and acme too");
    repo.write(
        file,
        ours.replace("name: Inn", "name: Grand Hotel <b>")
            .replace("id: moved, name", "status: suspended, id: moved, name"),
    );
    repo.commit("suspended");
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    assert!(desk.page("/subscriber?key=moved").contains("hx-get=\"/history?key=moved\""));
    let page = desk.page("/history?key=moved");
    for part in ["name: Inn → Grand Hotel &lt;b&gt;", "status: none → suspended", "Alice"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for foreign in ["Secret", "ispcustomer", "10.10.10", "acme", "renamed"] {
        assert!(!page.contains(foreign), "{foreign}: {page}");
    }
    let noc = Browser::signed_in(&server, "noc").page("/history?key=moved");
    for part in ["domain: ispcustomer.co.zw → tier2.example", "name: Secret", "renamed, and acme too"] {
        assert!(noc.contains(part), "{part}: {noc}");
    }
    let cookie = format!("Cookie: {}", desk.cookie.borrow());
    let part = server.send("GET", "/history?key=moved", &[&cookie, "HX-Request: true"], "");
    assert!(part.status == 200 && !part.body.contains("<html") && part.body.contains("Grand Hotel"), "{part:?}");
    assert_eq!(desk.get("/history?key=acme-hq").status, 404);
}
