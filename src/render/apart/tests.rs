//! The parent with children that send wrong answers, stall or crash.

use std::time::Duration;

use super::*;
use crate::inventory::Context;
use crate::render::Output;
use crate::repo::Repo;
use crate::tree::Tree;

fn table() -> Arc<Table> {
    let files = [("templates/a.j2".to_owned(), b"x".to_vec())];
    let repo = Arc::new(Repo::load(&Tree::Memory(files.into())).unwrap());
    let context = Context::new(&repo, "2026-11-21".parse().unwrap(), None);
    Arc::new(Table::new(&repo, &context))
}

const LIMITS: Limits = Limits { memory: 64 << 20, seconds: 1, wall: Duration::from_secs(300) };

/// The result of a shell script as the child: the text, or the message of the failure.
fn answer(script: &str, limits: Limits) -> Result<String, String> {
    let program = Program { path: "/bin/sh".into(), arguments: ["-c", script].map(ToOwned::to_owned).to_vec() };
    let output = Output { name: "a".to_owned(), template: "templates/a.j2".to_owned(), file: "a.txt".to_owned() };
    let job = RenderJob { outputs: vec![output], checking: false };
    let table = table();
    let mut given = run(&program, &[0; 1 << 20], &limits, &table, &job).unwrap();
    assert_eq!(given.len(), 1, "{script}");
    let message = |failure: TemplateFailure| failure.finding(table.repo(), crate::source::FileId::default()).message;
    given.remove(0).map(Rendered::into_text).map_err(message)
}

#[test]
fn a_proper_answer_is_the_text() {
    // Text "hi", then done.
    assert_eq!(answer(r"printf '\004\0\0\0\0\002hi\001\0\0\0\001'; cat >/dev/null", LIMITS), Ok("hi".to_owned()));
}

#[test]
fn a_child_that_crashes_is_a_failure_with_the_cause() {
    for (script, said) in [
        ("exit 0", "failed"),
        ("exit 7", "failed"),
        (r"printf '\004\0\0\0\0'", "failed"),
        (r"printf '\004\0\0\0\0\002hi'; exit 0", "failed"),
        (r"printf '\377\377\377\377'; exec sleep 1000", "no proper answer"),
        (r"printf '\001\0\0\0\011'; exec sleep 1000", "no proper answer"),
        ("kill -SEGV $$", "signal 11"),
        ("echo oops >&2; exit 2", "failed: oops"),
        ("echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$", "64 MiB of memory"),
        ("kill -XCPU $$", "1 s of processor time"),
        ("exec yes", "no proper answer"),
    ] {
        let failure = answer(script, LIMITS).unwrap_err();
        assert!(failure.contains(said), "{script}: {failure}");
    }
}

#[test]
fn a_child_that_writes_without_end_is_ended() {
    let piece = r"printf '\004\000\004\000\000\200\200\020'; head -c 262144 /dev/zero";
    let failure = answer(&format!("while {piece}; do :; done"), LIMITS).unwrap_err();
    assert!(failure.contains("writes too much, more than 16 MiB"), "{failure}");
}

#[test]
fn a_child_that_is_not_done_in_time_is_ended() {
    let limits = Limits { wall: Duration::from_millis(200), ..LIMITS };
    let failure = answer("exec sleep 1000", limits).unwrap_err();
    assert!(failure.contains("not rendered within 0 s"), "{failure}");
}

#[test]
fn a_child_has_no_environment_and_only_its_pipes() {
    let text = answer(r#"test -z "$HOME$USER$SECRET" && test "$(pwd)" = / || exit 1; printf '\001\0\0\0\001'"#, LIMITS);
    assert_eq!(text, Ok(String::new()));
}

#[test]
fn a_header_reads_back_and_no_other_version_reads_it() {
    let limits = Limits { wall: Duration::MAX, ..LIMITS };
    let mut header = limits.header(77);
    assert_eq!(Limits::parse(&header), Some((limits, 77)));
    header[7] += 1;
    assert_eq!(Limits::parse(&header), None);
}
