//! What a client may see.

use std::collections::BTreeSet;

/// The domains that a client may see: all, or those named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope(Option<BTreeSet<String>>);

impl Scope {
    /// All domains, also those to come.
    pub(crate) fn all() -> Scope {
        Scope(None)
    }

    /// These domains.
    pub(crate) fn of<D: Into<String>>(domains: impl IntoIterator<Item = D>) -> Scope {
        Scope(Some(domains.into_iter().map(Into::into).collect()))
    }

    /// Whether it has every domain.
    pub(crate) fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it has this domain.
    pub(crate) fn has(&self, domain: &str) -> bool {
        self.0.as_ref().is_none_or(|domains| domains.contains(domain))
    }

    /// The domains; `None` for all.
    pub(crate) fn domains(&self) -> Option<&BTreeSet<String>> {
        self.0.as_ref()
    }
}
