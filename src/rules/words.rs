//! Small things that several rules say.

use crate::text::quote::quoted;

/// The first few names, quoted, and how many more there are.
pub fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>) -> String {
    const SHOWN: usize = 5;
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(SHOWN).map(|name| quoted(name.as_ref())).collect();
    // Not counted one by one: a list of ten thousand is shown with each of as many findings.
    let more = match names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(listed(["a", "b"]), "`a`, `b`");
        assert_eq!(listed(["a", "b", "c", "d", "e", "f", "g"]), "`a`, `b`, `c`, `d`, `e` and 2 more");
    }
}
