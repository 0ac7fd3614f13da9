//! Numbers in sentences.

/// A number with its noun in the singular or the plural.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
