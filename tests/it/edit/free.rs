//! Addresses that are free, and those that a domain reserves.

use super::command::{BASIC, fine, refused, run, with_list};

#[test]
fn the_next_free_prefix_of_a_length_is_given_out() {
    let repo = with_list();
    let domain = "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, 11.11.11.0/24, '2001:db8::/32']\n";
    repo.write("domains/ispcustomer.co.zw.yaml", format!("{domain}reserved: [10.10.10.1, '2001:db8::/48']\n"));
    let added = |args: &[&str]| fine(&repo, &[&["add", "--plan", BASIC, "--next-free"], args].concat());
    assert!(added(&["--length", "56"]).starts_with("Added 2001:db8:1::/56 "));
    assert!(added(&["--length", "/56"]).starts_with("Added 2001:db8:1:100::/56 "));
    assert!(added(&["11.11.11.0/24", "--length", "29"]).starts_with("Added 11.11.11.0/29 "));
    assert!(added(&[]).starts_with("Added 10.10.10.2 "), "10.10.10.1 is reserved");
    refused(&repo, &["add", "--plan", BASIC, "--next-free", "--length", "31", "--domain", "b.example"], "no domain");
    refused(&repo, &["add", "--plan", BASIC, "--next-free", "--length", "23"], "no prefix of length 23 is free in");
    for length in ["0", "129", "x"] {
        let run = run(&repo, &["add", "--plan", BASIC, "--next-free", "--length", length]);
        assert!(run.code == 2 && run.stderr.contains("a number from 1 to 128"), "{run:?}");
    }
    let alone = run(&repo, &["add", "10.10.10.99", "--plan", BASIC, "--length", "29"]);
    assert_eq!(alone.code, 2, "{alone:?}");
}

#[test]
fn a_reserved_address_is_not_sold() {
    let repo = with_list();
    let domain = "name: ispcustomer.co.zw\nprefixes: [10.10.10.0/24, 11.11.11.0/24]\n";
    repo.write("domains/ispcustomer.co.zw.yaml", format!("{domain}reserved: [10.10.10.1, 10.10.10.240/28]\n"));
    refused(&repo, &["add", "10.10.10.1", "--plan", BASIC], "error[reserved-ip]: `10.10.10.1` is reserved");
    refused(&repo, &["add", "10.10.10.250", "--plan", BASIC], "`10.10.10.250` is reserved");
    refused(&repo, &["add", "10.10.10.0/29", "--plan", BASIC], "`10.10.10.0/29` is reserved");
    fine(&repo, &["add", "10.10.10.2", "--plan", BASIC]);
    repo.write("domains/ispcustomer.co.zw.yaml", format!("{domain}reserved: [10.10.11.1]\n"));
    let check = repo.run(&["check"]);
    let why = "error[reserved-ip]: `10.10.11.1` is reserved, and in none of the prefixes of the domain";
    assert!(check.code == 1 && check.stdout.contains(why), "{check:?}");
}
