//! The names of outputs and targets.

use super::text::text_type;

text_type! {
    /// A name for an output or a target.
    SettingName, Box<str>, max 64,
    pattern "^[A-Za-z0-9][A-Za-z0-9_-]*$",
    |text| text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)),
    expected "a name: letters, digits, _ and -, at most 64"
}
