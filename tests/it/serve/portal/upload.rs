//! Tables that are uploaded: what they change is in the draft, or nothing is and the page says why.

use rust_xlsxwriter::Workbook;

use super::{Browser, portal, portal_at, token, with_each};
use crate::serve::{Answer, data};

const P30: &str = "30_MEG_UP_30_MEG_DOWN";
const P50: &str = "50_MEG_UP_50_MEG_DOWN";

impl Browser<'_> {
    /// Sends a table as a browser does.
    fn upload(&self, table: &[u8], fields: &[(&str, &str)]) -> Answer {
        let token = token(&self.page("/upload"));
        let own = [("token", token.as_str()), ("domain", "tier2.example"), ("rest", "keep")];
        let own = own.into_iter().filter(|(name, _)| !fields.iter().any(|(other, _)| other == name));
        let mut body = Vec::new();
        for (name, value) in own.chain(fields.iter().copied()) {
            let part = format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.as_bytes());
        }
        let head = "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
                    Content-Type: application/octet-stream\r\n\r\n";
        body.extend([head.as_bytes(), table, b"\r\n--limit--\r\n"].concat());
        let cookie = format!("Cookie: {}", self.cookie.borrow());
        self.server.send("POST", "/upload", &[&cookie, "Content-Type: multipart/form-data; boundary=limit"], &body)
    }

    /// Drops the whole draft.
    fn discard(&self) {
        let version = super::hidden(&self.page("/draft"), "version");
        assert_eq!(self.post("/draft/discard", &[("version", &version)]).status, 303);
    }

    fn refused(&self, table: &str, fields: &[(&str, &str)], why: &[&str]) {
        let answer = self.upload(table.as_bytes(), fields);
        assert_eq!(answer.status, 422, "{answer:?}");
        for why in why {
            assert!(answer.body.contains(why), "{why}: {}", answer.body);
        }
        assert!(self.page("/draft").contains("It is empty."));
    }
}

#[test]
fn a_workbook_becomes_a_draft() {
    with_each(|repo, state| {
        let server = portal_at(repo, state);
        let desk = Browser::signed_in(&server, "desk");
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let rows =
            [["Address", "Package", "Customer"], ["10.20.0.5", P30, "Hotel"], ["10.20.0.2;2001:db8::2", P30, ""]];
        for (at, row) in rows.into_iter().enumerate() {
            sheet.write_row(at as u32, 0, row).unwrap();
        }
        let answer = desk.upload(&book.save_to_buffer().unwrap(), &[]);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/draft")), "{answer:?}");
        let draft = desk.page("/draft");
        for part in
            ["10.20.0.5@tier2.example with", "plan 50_MEG_UP_50_MEG_DOWN → 30_MEG_UP_30_MEG_DOWN", "Submit for review"]
        {
            assert!(draft.contains(part), "{part}: {draft}");
        }
        // Once more: what the draft has is not taken twice.
        let answer = desk.upload(&book.save_to_buffer().unwrap(), &[]);
        assert!(answer.status == 422 && answer.body.contains("your draft already changes"), "{answer:?}");
        desk.submit("");
        let branch = &super::drafts::branches(repo)[0];
        let text = repo.git(&["show", &format!("{branch}:subscribers/a.yaml")]);
        assert!(
            text.contains("name: Hotel") && text.contains("labels: {ticket: '4711'}"),
            "what it lacks stays: {text}"
        );
    });
}

#[test]
fn rows_that_cannot_be_taken_are_listed_with_their_lines() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    let table = format!(
        "ip,plan,domain\n10.20.0.5,{P50},\n10.20.0.6,TIN,\n10.30.0.7,{P50},\n10.20.0.8,{P50},ispcustomer.co.zw\n10.20.0.9,,\n"
    );
    let why = [
        "Nothing was added to the draft",
        "line 3: 10.20.0.6: this domain does not sell a plan <code>TIN</code>",
        "line 4: 10.30.0.7: <code>10.30.0.7</code> is in no block of this domain",
        "line 5: 10.20.0.8: its domain is <code>ispcustomer.co.zw</code>, and the table is for <code>tier2.example</code>",
        "line 6: 10.20.0.9: there is no plan",
    ];
    desk.refused(&table, &[], &why);
    let answer = desk.upload(table.as_bytes(), &[("skip", "yes")]);
    assert!(answer.status == 200 && answer.body.contains("1 change is in your draft."), "{answer:?}");
    assert!(answer.body.contains("Left out") && answer.body.contains("line 3"), "{answer:?}");
    assert!(desk.page("/draft").contains("10.20.0.5@tier2.example with"));
}

#[test]
fn who_is_not_in_the_table_is_removed_only_if_it_has_all() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    let table = format!("ip,plan\n10.20.0.5,{P50}\n");
    assert_eq!(desk.upload(table.as_bytes(), &[]).status, 303);
    assert!(!desk.page("/draft").contains("Remove"), "by default nothing is removed");
    desk.discard();
    assert_eq!(desk.upload(table.as_bytes(), &[("rest", "remove")]).status, 303);
    assert!(desk.page("/draft").contains("10.20.0.2@tier2.example"));
    let same = format!("ip,plan\n\"10.20.0.2,2001:db8::2\",{P50}\n");
    desk.discard();
    let answer = desk.upload(same.as_bytes(), &[]);
    assert!(
        answer.status == 200 && answer.body.contains("The table changes nothing. 1 subscriber is as it says already.")
    );
}

#[test]
fn of_other_domains_a_table_learns_nothing() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    desk.refused("ip,plan\n10.20.0.5,X\n", &[("domain", "ispcustomer.co.zw")], &["This domain is not one of yours."]);
    desk.refused("ip,plan\n10.20.0.5,X\n", &[("domain", "none.example")], &["This domain is not one of yours."]);
    // One that is held, one that is free, and one that cannot be.
    let said = |ip: &str| {
        let answer = desk.upload(format!("ip,plan\n{ip},{P50}\n").as_bytes(), &[("rest", "remove")]);
        answer.body.replace(ip, "IP").split("<form class=\"edit\"").next().unwrap().to_owned()
    };
    assert_eq!(said("10.10.10.25"), said("10.10.10.26"));
    assert!(said("10.10.10.25").contains("is in no block of this domain"));
    assert!(desk.page("/draft").contains("It is empty."));
}

#[test]
fn files_that_are_no_tables_are_refused() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    for (table, why) in [
        ("", "Choose a file that is not empty."),
        ("%PDF-1.7\n\u{1}\u{2}", "The file cannot be used"),
        ("<html>,</html>\n", "call the column <code>ip</code>"),
        ("name,plan\n<b>x</b>,y\n", "call the column <code>ip</code>"),
        ("ip,address,plan\n10.20.0.5,10.20.0.5,y\n", "rename one of them"),
        ("ip,plan\n\"10.20.0.5,y\n", "is never closed"),
        ("PK\u{3}\u{4}xl/", "damaged or encrypted workbook"),
    ] {
        desk.refused(table, &[], &[why]);
        assert!(!desk.upload(table.as_bytes(), &[]).body.contains("<b>x"));
    }
    let mut book = Workbook::new();
    for name in ["One", "Two"] {
        book.add_worksheet().set_name(name).unwrap().write(0, 0, "ip").unwrap();
    }
    let answer = desk.upload(&book.save_to_buffer().unwrap(), &[]);
    assert!(answer.body.contains("choose one by its name, of <code>One</code>, <code>Two</code>"), "{answer:?}");
    let many: String = (0..5001).map(|n| format!("2001:db8::{n:x},{P50}\n")).collect();
    let answer = desk.upload(format!("ip,plan\n{many}").as_bytes(), &[]);
    assert!(answer.status == 400 && answer.body.contains("A draft has at most 5000 changes"), "{answer:?}");
    let answer = desk.upload(&vec![b'x'; 2 << 20], &[]);
    assert!(answer.status == 413 && answer.body.contains("larger than the 1024 KiB"), "{answer:?}");
    assert!(desk.page("/draft").contains("It is empty."));
}

#[test]
fn a_table_of_another_site_is_refused() {
    let repo = data();
    let server = portal(&repo);
    let desk = Browser::signed_in(&server, "desk");
    let table = format!("ip,plan\n10.20.0.5,{P50}\n");
    assert_eq!(desk.upload(table.as_bytes(), &[("token", "00")]).status, 403);
    assert!(desk.page("/draft").contains("It is empty."));
}
