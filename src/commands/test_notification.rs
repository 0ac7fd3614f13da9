//! `test-notification`: whether the receiver accepts notifications.

use std::io::Write as _;

use anyhow::Result;

use super::Outcome;
use crate::notification::notifier::send_test;

pub(super) fn run() -> Result<Outcome> {
    let (host, answer) = send_test()?;
    let said = if answer.text.is_empty() { String::new() } else { format!(": {}", answer.text) };
    let mut out = crate::console::out();
    writeln!(out, "{host} answered {}{said}", answer.status)?;
    out.flush()?;
    Ok(Outcome::Fine)
}
