//! Long lists of words: what they have in common, up to the next separator.

use std::collections::BTreeSet;

/// The longest list that is offered. A shell asks before it shows more.
pub(super) const MAX_LISTED: usize = 256;

/// `words`, each with what is shown beside it; of more than fit in a list their stems, as far as the next dot,
/// colon, dash, slash or at sign. Nothing if even these are too many: the words begin with too much that differs.
pub(super) fn listed(words: Vec<(String, String)>) -> Vec<(String, String)> {
    if words.len() <= MAX_LISTED {
        return words;
    }
    // They are sorted: what the first and the last have in common, all have.
    let (Some((first, _)), Some((last, _))) = (words.first(), words.last()) else { return words };
    let common: usize = first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    let stem = |word: &str| match word[common..].find(['.', ':', '-', '/', '@']) {
        Some(end) => word[..=common + end].to_owned(),
        None => word.to_owned(),
    };
    let stems: BTreeSet<String> = words.iter().map(|(word, _)| stem(word)).collect();
    if stems.len() > MAX_LISTED {
        return Vec::new();
    }
    stems.into_iter().map(|stem| (stem, String::new())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(words: impl Iterator<Item = String>) -> Vec<String> {
        listed(words.map(|word| (word, String::new())).collect()).into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn a_long_list_becomes_a_list_of_stems() {
        let mut addresses: Vec<String> = (0..600).map(|n| format!("10.10.{}.{}", n / 200, n % 200)).collect();
        addresses.sort();
        assert_eq!(stems(addresses.iter().take(256).cloned()).len(), 256);
        assert_eq!(stems(addresses.into_iter()), ["10.10.0.", "10.10.1.", "10.10.2."]);
        let ids = (1000..1300).map(|n| format!("é{n}"));
        assert_eq!(stems(ids), [""; 0]);
    }
}
