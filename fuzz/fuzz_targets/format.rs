//! Any text as a file of any kind: formatting keeps the data and the comments, and settles.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shapeline::schema::FileKind;

#[allow(dead_code)]
#[path = "../../tests/it/laws.rs"]
mod laws;

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    if let Ok(text) = std::str::from_utf8(rest)
        && let Err(broken) = laws::check_format(text, FileKind::ALL[usize::from(*kind) % 4])
    {
        panic!("{broken}");
    }
});
