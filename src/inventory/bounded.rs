//! Findings of one rule, bounded while they are found: a hostile file can break one rule in a million
//! places, and each finding takes a hundred times the memory of the address that it is about.

use std::cmp::Ordering;

use crate::finding::Finding;
use crate::inventory::ReviewedChange;

/// How many findings of one rule are listed.
pub const MAX_FINDINGS: usize = 10_000;

/// The first findings of a rule in the order of the listing, of the change under review and outside it.
/// It keeps one more than are listed, which shows that some are left out. What is kept does not depend
/// on the order in which the findings come.
pub(crate) struct BoundedFindings<'c> {
    change: Option<&'c ReviewedChange<'c>>,
    in_change: First,
    outside: First,
}

impl<'c> BoundedFindings<'c> {
    pub(crate) fn new(change: Option<&'c ReviewedChange<'c>>) -> Self {
        Self { change, in_change: First::default(), outside: First::default() }
    }

    /// Adds a finding, unless enough others precede it.
    pub(crate) fn push(&mut self, mut finding: Finding) {
        if let Some(change) = self.change {
            change.attribute(&mut finding);
        }
        self.part(&finding).push(finding);
    }

    /// The findings of both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        for finding in other.finish() {
            self.part(&finding).push(finding);
        }
        self
    }

    /// Whether there are more than are listed, so that later ones change nothing.
    pub(crate) fn is_full(&self) -> bool {
        self.change.is_none() && self.in_change.findings.len() > MAX_FINDINGS
    }

    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.in_change.cut();
        self.outside.cut();
        self.in_change.findings.extend(self.outside.findings);
        self.in_change.findings
    }

    fn part(&mut self, finding: &Finding) -> &mut First {
        if finding.in_change == Some(false) { &mut self.outside } else { &mut self.in_change }
    }
}

impl Extend<Finding> for BoundedFindings<'_> {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

/// The first findings of those that were pushed.
#[derive(Default)]
struct First {
    findings: Vec<Finding>,
    /// Whether they were cut: a finding behind the last of the first [`First::MAX`] is then left out.
    was_cut: bool,
}

impl First {
    const MAX: usize = MAX_FINDINGS + 1;
    /// How many more are collected before the next cut.
    const SPARE: usize = 2_000;

    fn push(&mut self, finding: Finding) {
        let last = self.findings.get(Self::MAX - 1).filter(|_| self.was_cut);
        if last.is_some_and(|last| order(last, &finding) != Ordering::Greater) {
            return;
        }
        self.findings.push(finding);
        if self.findings.len() >= Self::MAX + Self::SPARE {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.findings.sort_by(order);
        if self.findings.len() > Self::MAX {
            self.findings.truncate(Self::MAX);
            self.was_cut = true;
        }
    }
}

/// Two findings in the same place are ordered by their other parts.
fn order(a: &Finding, b: &Finding) -> Ordering {
    a.order().cmp(&b.order()).then_with(|| (&a.related, &a.help).cmp(&(&b.related, &b.help)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Where;
    use crate::source::{FileId, Span};

    fn found(numbers: impl IntoIterator<Item = usize>) -> First {
        let mut first = First::default();
        for number in numbers {
            let at = Where::Span(FileId::default(), Span::new(number as u32, number as u32));
            first.push(Finding::new("schema", at, ""));
            assert!(first.findings.len() < First::MAX + First::SPARE, "bounded on the way");
        }
        first.cut();
        first
    }

    #[test]
    fn the_first_are_kept_whatever_the_order() {
        let all = 50_000;
        let [up, down, mixed] =
            [found(0..all), found((0..all).rev()), found((0..all).map(|number| number * 7_919 % all))];
        assert_eq!(up.findings.len(), MAX_FINDINGS + 1);
        assert!(up.findings == down.findings && up.findings == mixed.findings);
        assert_eq!(found(0..MAX_FINDINGS).findings.len(), MAX_FINDINGS);
    }
}
