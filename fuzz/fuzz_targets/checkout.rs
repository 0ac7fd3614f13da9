//! Any bytes as git attributes and as a data file: what git checks out is what is committed, or it is
//! refused.
//!
//! The bytes are cut at each `\xff`: `.gitattributes` at the top, the same below `subscribers/`, the
//! data file.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/laws/checkout.rs"]
mod checkout;

fuzz_target!(|bytes: &[u8]| {
    let mut pieces = bytes.splitn(3, |byte| *byte == 0xff);
    let mut piece = || pieces.next().unwrap_or_default();
    checkout::agrees_or_is_refused(piece(), piece(), piece());
});
