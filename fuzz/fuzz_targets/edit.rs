//! Any text as a file of subscribers: an edit does what it should, or is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../tests/it/laws.rs"]
mod laws;

fuzz_target!(|bytes: &[u8]| {
    let Some((at, rest)) = bytes.split_first() else { return };
    let at = (*at < 8).then_some(u32::from(*at));
    if let Ok(text) = std::str::from_utf8(rest)
        && let Err(broken) = laws::check_edit(text, at)
    {
        panic!("{broken}");
    }
});
