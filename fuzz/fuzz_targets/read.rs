//! Any bytes: reading never panics, spans exist, and the quick reader agrees with the full one.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)]
#[path = "../../tests/it/laws.rs"]
mod laws;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Err(broken) = laws::check_text(text)
    {
        panic!("{broken}");
    }
});
