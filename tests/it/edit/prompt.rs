//! Questions on a terminal.

use std::io::{Read, Write};
use std::process::Child;

use super::command::{LIST, PATH, fine, run, with_list};
use crate::support::Repo;
use crate::terminal;

fn start(repo: &Repo, columns: u32, args: &str) -> Child {
    terminal::start(repo, columns, &format!("subscriber {args}"))
}

fn on_terminal(repo: &Repo, columns: u32, args: &str, answers: &str) -> (Option<i32>, String) {
    terminal::on_terminal(repo, columns, &format!("subscriber {args}"), answers)
}

#[test]
fn what_is_missing_is_asked_for() {
    let repo = with_list();
    let (code, said) = on_terminal(&repo, 200, "add", "\n50\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("? Address (10.10.10.1) "), "{said}");
    assert!(said.contains("> 30_MEG_UP_30_MEG_DOWN  30 Mbps up, 30 Mbps down"), "rates beside plans: {said}");
    assert!(said.contains("Add 10.10.10.1 to ispcustomer.co.zw with 50_MEG_UP_50_MEG_DOWN\n"), "{said}");
    assert!(said.contains("? Make this change? (y/N) "), "{said}");
    assert!(said.ends_with(&format!("with 50_MEG_UP_50_MEG_DOWN\nwrote {PATH}\n")), "the effect is shown once: {said}");
    let (code, said) = on_terminal(&repo, 200, "add 10.10.10.50", "30_MEG_UP_30_MEG_DOWN\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(repo.read(PATH).contains("10.10.10.50"), "{said}");
}

#[test]
fn a_cancelled_question_changes_nothing() {
    let repo = with_list();
    // Esc at the list, Enter and n at the end.
    for answers in ["\x1b", "\n\n", "\nn\n"] {
        let (code, said) = on_terminal(&repo, 200, "add 10.10.10.51", answers);
        assert_eq!(code, Some(1), "{answers:?}: {said}");
        assert!(said.contains("shapeline: cancelled: nothing was changed\n"), "{answers:?}: {said}");
    }
    assert_eq!(repo.read(PATH), LIST);
    let (code, said) = on_terminal(&repo, 200, "add 10.10.10.51 --yes", "\n");
    assert_eq!(code, Some(0), "--yes confirms: {said}");
}

#[test]
fn an_interrupted_question_leaves_a_clean_terminal() {
    let repo = with_list();
    let mut child = start(&repo, 200, "add 10.10.10.51");
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    // Before the question, Ctrl-C would end the shell around the program.
    let mut said = terminal::until(&mut output, "Esc to cancel");
    input.write_all(b"\x03").unwrap();
    output.read_to_string(&mut said).unwrap();
    let code = child.wait().unwrap().code();
    let said = said.replace("\r\n", "\n");
    assert_eq!(code, Some(130), "{said}");
    let ended = said.rfind("\u{1b}[?25h\n\u{1b}[J");
    assert!(ended > said.rfind("\u{1b}[?25l"), "a visible cursor on a line of its own: {said:?}");
    assert_eq!(repo.read(PATH), LIST);
}

#[test]
fn the_exact_name_wins_over_a_position_in_the_list() {
    let repo = with_list();
    for rate in ["2", "4", "8"] {
        repo.write(&format!("plans/{rate}.yaml"), format!("name: '{rate}'\nup: {rate} Mbps\ndown: {rate} Mbps\n"));
    }
    let (code, said) = on_terminal(&repo, 200, "add 10.10.10.51", "2\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Added 10.10.10.51 to ispcustomer.co.zw with 2\n"), "{said}");
}

#[test]
fn every_plan_of_a_long_list_can_be_chosen() {
    let repo = with_list();
    for number in 1..=40 {
        let name = format!("P{number:02}");
        repo.write(&format!("plans/{name}.yaml"), format!("name: {name}\nup: {number} Mbps\ndown: {number} Mbps\n"));
    }
    let (_, said) = on_terminal(&repo, 200, "add 10.10.10.51", "\x1b");
    assert!(!said.contains("P13"), "a page at a time: {said}");
    let (code, said) = on_terminal(&repo, 200, "add 10.10.10.51", "38 mbps\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Added 10.10.10.51 to ispcustomer.co.zw with P38\n"), "{said}");
    // Up from the first is the last.
    let (code, said) = on_terminal(&repo, 200, "add 10.10.10.52", "\x1b[A\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Added 10.10.10.52 to ispcustomer.co.zw with 50_MEG_UP_50_MEG_DOWN\n"), "{said}");
}

#[test]
fn a_wrong_address_is_asked_for_again_with_the_reason() {
    let repo = with_list();
    // Home and Delete: a terminal that is not read yet takes Backspace for itself.
    let erase = format!("\x1b[H{}", "\x1b[3~".repeat(20));
    let answers = format!("10.10.10.25\n{erase}10.99.0.1\n{erase}x\n{erase}10.10.10.51\n\ny\n");
    let (code, said) = on_terminal(&repo, 250, "add", &answers);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("`10.10.10.25` is there already, as `acme-hq`"), "{said}");
    assert!(said.contains("`10.99.0.1` is in no block of `ispcustomer.co.zw`: `10.10.10.0/24`"), "{said}");
    assert!(said.contains("`x` is not an IPv4 or IPv6 address"), "{said}");
    assert!(said.contains("Added 10.10.10.51 to"), "{said}");
}

#[test]
fn the_domain_is_asked_for_where_several_fit() {
    let repo = with_list();
    repo.write("domains/b.example.yaml", "name: b.example\nprefixes: [10.20.0.0/24]\n");
    let (code, said) = on_terminal(&repo, 200, "add", "b.ex\n\n\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("> b.example          10.20.0.0/24"), "{said}");
    assert!(said.contains("Added 10.20.0.1 to b.example with 30_MEG_UP_30_MEG_DOWN\n"), "{said}");
}

#[test]
fn an_edit_on_a_terminal_is_confirmed() {
    let repo = with_list();
    let set = "set acme-hq plan=50_MEG_UP_50_MEG_DOWN";
    for args in [set, "suspend acme-hq", "resume 10.10.10.30", "remove acme-hq 10.10.10.26"] {
        let (code, said) = on_terminal(&repo, 200, args, "n\n");
        assert_eq!(code, Some(1), "{args}: {said}");
        assert!(said.contains("On the network, once it is published:\n"), "{args}: {said}");
        assert!(said.contains("? Make this change? (y/N) "), "{args}: {said}");
        assert!(said.contains("shapeline: cancelled: nothing was changed\n"), "{args}: {said}");
        assert_eq!(repo.read(PATH), LIST, "{args}");
    }
    let (_, said) = on_terminal(&repo, 200, "remove acme-hq 10.10.10.26", "\n");
    let what = "Remove 2 subscribers\n  acme-hq (30_MEG_UP_30_MEG_DOWN)\n  10.10.10.26@ispcustomer.co.zw (50_MEG_UP_50_MEG_DOWN)\n";
    assert!(said.contains(what), "each is listed: {said}");
    assert_eq!(repo.read(PATH), LIST, "Enter alone is no");
    let (code, said) = on_terminal(&repo, 200, set, "y\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with(&format!("plan 30_MEG_UP_30_MEG_DOWN → 50_MEG_UP_50_MEG_DOWN\nwrote {PATH}\n")), "{said}");
    assert_ne!(repo.read(PATH), LIST);
}

#[test]
fn a_part_of_a_name_is_enough_if_a_person_confirms_it() {
    let repo = with_list();
    let (code, said) = on_terminal(&repo, 200, "suspend head", "y\n");
    assert_eq!(code, Some(0), "{said}");
    let note = "note: `head` is a part of `acme-hq` (ACME, head office), and of no other subscriber\n";
    assert!(said.contains(note) && said.contains("Suspended acme-hq\n"), "{said}");
    let (code, said) = on_terminal(&repo, 200, "remove 10.10.10.", "");
    assert!(code == Some(1) && said.contains("`10.10.10.` may be any of these"), "{said}");
    // Confirmed in advance, nobody sees who it is.
    let (code, said) = on_terminal(&repo, 200, "resume head --yes", "");
    assert!(code == Some(1) && said.contains("there is no subscriber `head`; name one of those"), "{said}");
}

#[test]
fn nothing_is_asked_where_the_answer_is_known() {
    let repo = with_list();
    let (code, said) = on_terminal(&repo, 200, "suspend acme-hq --yes", "");
    assert!(code == Some(0) && !said.contains("Make this change?"), "{said}");
    let (code, said) = on_terminal(&repo, 200, "suspend acme-hq", "");
    assert!(code == Some(0) && said.contains("suspended already: nothing to do"), "{said}");
    let (code, said) = on_terminal(&repo, 200, "remove acme-hq --dry-run", "");
    assert!(code == Some(0) && !said.contains("Make this change?"), "{said}");
    let (code, said) = on_terminal(&repo, 200, "set acme-hq ip=10.10.10.26", "");
    assert!(code == Some(1) && said.contains("REFUSED, nothing was changed"), "{said}");
}

#[test]
fn data_that_changes_while_a_person_thinks_is_not_overwritten() {
    let repo = with_list();
    let mut running = start(&repo, 200, "set acme-hq name=Beta");
    let mut input = running.stdin.take().unwrap();
    // The question is on the screen before the other edit begins.
    let mut out = running.stdout.take().unwrap();
    let mut said = terminal::until(&mut out, "Make this change?");
    // No lock is held meanwhile.
    fine(&repo, &["set", "10.10.10.26", "name=Gamma"]);
    let changed = repo.read(PATH);
    input.write_all(b"y\n").unwrap();
    std::io::Read::read_to_string(&mut out, &mut said).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("the data changed in the meantime, so nothing was changed: run the command again"), "{said}");
    assert_eq!(repo.read(PATH), changed);
}

#[test]
fn the_effect_that_is_confirmed_is_the_one_that_comes() {
    let repo = with_list();
    let before = repo.read(PATH);
    let mut running = start(&repo, 200, "set acme-hq plan=50_MEG_UP_50_MEG_DOWN");
    let (mut input, mut out) = (running.stdin.take().unwrap(), running.stdout.take().unwrap());
    let mut said = terminal::until(&mut out, "Make this change?");
    // The same edit of the same file, and another rate.
    repo.write("plans/50_MEG_UP_50_MEG_DOWN.yaml", "name: 50_MEG_UP_50_MEG_DOWN\nup: 5 Mbps\ndown: 5 Mbps\n");
    input.write_all(b"y\n").unwrap();
    out.read_to_string(&mut said).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("the data changed in the meantime, so nothing was changed"), "{said}");
    assert_eq!(repo.read(PATH), before);
}

#[test]
fn without_a_terminal_there_is_no_prompt() {
    let repo = with_list();
    let run = run(&repo, &["add", "10.10.10.50"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.stderr, "shapeline: name the plan: --plan PLAN\n");
}

#[test]
fn a_table_fits_the_terminal() {
    let repo = with_list();
    let (_, wide) = on_terminal(&repo, 200, "list", "");
    assert!(wide.contains("ACME, head office"), "{wide}");
    let (_, narrow) = on_terminal(&repo, 72, "list", "");
    let narrow = &narrow[narrow.find("address").unwrap()..];
    assert!(narrow.lines().all(|line| line.chars().count() <= 72), "{narrow}");
    assert!(narrow.contains('…') && narrow.contains("active"), "{narrow}");
}
