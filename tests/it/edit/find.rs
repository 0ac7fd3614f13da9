//! Whom the arguments of `list`, `show` and the edits mean.

use super::command::{BASIC, fine, refused, run, with_list};

#[test]
fn people_are_found_by_name_and_by_part_of_an_address() {
    let repo = with_list();
    let show = |who: &str| run(&repo, &["show", who]);
    for (who, note) in [
        ("acme, HEAD office", ""),
        ("head", "note: `head` is a part of `acme-hq` (ACME, head office), and of no other subscriber\n"),
        ("e-h", "note: `e-h` is a part of `acme-hq` (ACME, head office), and of no other subscriber\n"),
        (".25", "note: `.25` is a part of `acme-hq` (ACME, head office), and of no other subscriber\n"),
    ] {
        let shown = show(who);
        assert_eq!((shown.code, shown.stderr.as_str()), (0, note), "{who}");
        assert!(shown.stdout.starts_with("key      acme-hq\n"), "{who}: {}", shown.stdout);
    }
    assert!(show("11.11.11.66").stdout.starts_with("key      10.10.10.30@ispcustomer.co.zw\n"), "by its prefix");
    let several = show("10.10.10.");
    assert_eq!(several.code, 1);
    assert_eq!(
        several.stderr,
        "shapeline: `10.10.10.` may be any of these; name one by another id or address:\n  \
         `acme-hq`, `ACME, head office`, 10.10.10.25 in `subscribers/ispcustomer.co.zw.yaml`\n  \
         `10.10.10.26@ispcustomer.co.zw`, 10.10.10.26 in `subscribers/ispcustomer.co.zw.yaml`\n  \
         `10.10.10.30@ispcustomer.co.zw`, 10.10.10.30, 11.11.11.64/29 in `subscribers/ispcustomer.co.zw.yaml`\n"
    );
    assert_eq!(show("nobody").code, 1);
    assert_eq!(show("").code, 1);
}

#[test]
fn in_a_script_an_edit_takes_no_part_of_a_name() {
    let repo = with_list();
    for args in [&["set", "head", "name=X"][..], &["suspend", "head"], &["resume", "head"], &["remove", "head"]] {
        refused(&repo, args, "there is no subscriber `head`; name one of those that contain it:\n  `acme-hq`, ");
    }
    refused(&repo, &["remove", "10.10.10.2"], "there is no subscriber `10.10.10.2`");
    fine(&repo, &["set", "ACME, head office", "name="]);
}

#[test]
fn an_id_beats_a_name_and_a_name_beats_a_part() {
    let repo = with_list();
    let record = |ip: &str, rest: &str| format!("- ip: {ip}\n  domain: ispcustomer.co.zw\n  plan: {BASIC}\n{rest}");
    repo.write(
        "subscribers/ispcustomer.co.zw/more.yaml",
        record("10.10.10.101", "  name: acme-hq\n") + &record("10.10.10.102", "  name: ACME\n"),
    );
    assert!(fine(&repo, &["show", "acme-hq"]).contains("10.10.10.25"));
    assert!(fine(&repo, &["show", "acme"]).contains("10.10.10.102"));
}

#[test]
fn a_prefix_lists_who_is_inside() {
    let repo = with_list();
    let listed = |text: &str| run(&repo, &["list", text]).stderr;
    assert_eq!(listed("10.10.10.24/30"), "2 subscribers\n");
    assert_eq!(listed("11.11.11.0/24"), "1 subscriber\n");
    assert_eq!(listed("11.11.11.65"), "1 subscriber\n");
    assert_eq!(listed("10.0.0.0/8"), "3 subscribers\n");
    assert_eq!(listed("10.10.11.0/24"), "0 subscribers\n");
}
