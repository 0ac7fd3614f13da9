//! Random texts, and the time as the state keeps it.

use anyhow::{Context as _, Result};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::text::hex::hex;

/// So many random bytes, in hexadecimal digits.
///
/// # Errors
/// If the system gives none.
pub(crate) fn random<const BYTES: usize>() -> Result<String> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).ok().context("the system gives no random numbers")?;
    Ok(hex(&bytes))
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
