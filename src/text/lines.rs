//! Comparing texts by their lines, in whatever order.

use std::collections::HashMap;
use std::hash::Hash;

/// The lines of `one` that `other` lacks, each as often as it lacks it, with their numbers from 1.
pub(crate) fn surplus<L: Eq + Hash + Copy>(
    one: impl Iterator<Item = L>,
    other: impl Iterator<Item = L>,
) -> impl Iterator<Item = (usize, L)> {
    let mut left: HashMap<L, usize> = HashMap::new();
    for line in other {
        *left.entry(line).or_default() += 1;
    }
    (1..).zip(one).filter(move |(_, line)| match left.get_mut(line) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compared_as_often_as_they_occur() {
        let all = |one: &'static str, other: &'static str| surplus(one.lines(), other.lines()).collect::<Vec<_>>();
        assert_eq!(all("b\na\n", "a\nb\n"), []);
        assert_eq!(all("a\na\n", ""), [(1, "a"), (2, "a")]);
        assert_eq!(all("a\nb\na\n", "a\n"), [(2, "b"), (3, "a")]);
    }
}
