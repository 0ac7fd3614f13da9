//! Why a subscriber is not added, as a value: each caller says in its own words what to do about it.

use std::fmt;

use crate::model::Address;
use crate::text::quote::quoted;

/// What a request to add a subscriber must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The address, or that the next free one is wanted.
    Address,
    /// The domain, if no address tells it and there are several.
    Domain,
    /// The plan.
    Plan,
}

/// Why a subscriber cannot be added as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAdded {
    /// These are not given.
    Missing(Vec<Missing>),
    /// No domain is given, and none has a block that holds the address; with what could not be read.
    InNoBlock(Address, Option<String>),
    /// No domain is given, and these have blocks that hold the address.
    InSeveralBlocks(Address, Vec<String>),
    /// The value of this field cannot be one, with the reason.
    BadValue(&'static str, String),
    /// A label without a value.
    BadLabel(String),
    /// A subscriber has the address.
    Held {
        /// The address.
        address: Address,
        /// The key of the subscriber.
        by: String,
        /// Its plan.
        plan: String,
    },
    /// The address is in a file that could not be read completely.
    Unread {
        /// The address.
        address: Address,
        /// The file.
        path: String,
    },
    /// Nothing is free.
    NoneFree {
        /// The domain.
        domain: String,
        /// The block in which it was looked for; without one, all blocks of the domain.
        block: Option<Address>,
        /// The length of the prefix that was looked for; without one, a single address.
        length: Option<u8>,
    },
}

impl std::error::Error for NotAdded {}

impl fmt::Display for NotAdded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |address: &Address| quoted(&address.to_string());
        match self {
            NotAdded::Missing(missing) => {
                let words = missing.iter().map(|missing| match missing {
                    Missing::Address => "no address",
                    Missing::Domain => "no domain",
                    Missing::Plan => "no plan",
                });
                write!(f, "{} given", words.collect::<Vec<_>>().join(" and "))
            }
            NotAdded::InNoBlock(address, unread) => {
                write!(f, "no domain has a block that holds {}", shown(address))?;
                unread.as_ref().map_or(Ok(()), |why| write!(f, "; {why}"))
            }
            NotAdded::InSeveralBlocks(address, domains) => {
                let domains: Vec<String> = domains.iter().map(|name| quoted(name)).collect();
                write!(f, "{} lies in blocks of {}", shown(address), domains.join(" and "))
            }
            NotAdded::BadValue(field, reason) => write!(f, "{field}: {reason}"),
            NotAdded::BadLabel(label) => {
                write!(f, "{} is no label: write NAME=VALUE, such as ticket=4711", quoted(label))
            }
            NotAdded::Held { address, by, plan } => {
                write!(f, "{} is there already, as {} with {}", shown(address), quoted(by), quoted(plan))
            }
            NotAdded::Unread { address, path } => {
                let (address, path) = (shown(address), quoted(path));
                write!(f, "{address} is in {path}, which could not be read completely: fix that first")
            }
            NotAdded::NoneFree { domain, block, length } => {
                let what = length.map_or("address".to_owned(), |length| format!("prefix of length {length}"));
                let name = quoted(domain);
                match block {
                    None => write!(f, "no {what} is free in the blocks of {name}"),
                    Some(block) => {
                        write!(f, "no {what} is free in {} as far as it is a block of {name}", shown(block))
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_reason_names_an_option_of_the_command_line() {
        let address: Address = "10.10.10.25".parse().unwrap();
        let name = || "a.example".to_owned();
        let all = [
            NotAdded::Missing(vec![Missing::Address, Missing::Domain, Missing::Plan]),
            NotAdded::InNoBlock(address.clone(), None),
            NotAdded::InSeveralBlocks(address.clone(), vec![name(), name()]),
            NotAdded::BadValue("id", "`a b` is not an id".to_owned()),
            NotAdded::BadLabel("x".to_owned()),
            NotAdded::Held { address: address.clone(), by: name(), plan: name() },
            NotAdded::Unread { address: address.clone(), path: name() },
            NotAdded::NoneFree { domain: name(), block: Some(address), length: Some(56) },
        ];
        for why in all.map(|why| why.to_string()) {
            assert!(!why.contains("--") && !why.contains("shapeline "), "{why}");
        }
    }
}
