//! Why a sign-in came to nothing.

use crate::text::quote::harmless;

/// How much of what a provider says is shown, in characters.
const SHOWN: usize = 200;

/// Why a sign-in came to nothing. Sentences without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignInFailure {
    /// The provider cannot be used now.
    Unavailable(String),
    /// What the provider sent proves nothing.
    Invalid(String),
    /// The person is known, and has no rights here.
    NoRights {
        /// What the provider never gives to another person.
        subject: String,
        /// The person as the provider shows them.
        name: String,
    },
}

impl SignInFailure {
    pub(super) fn unavailable(why: impl std::fmt::Display) -> SignInFailure {
        SignInFailure::Unavailable(shown(&why.to_string()))
    }

    pub(super) fn invalid(why: impl std::fmt::Display) -> SignInFailure {
        SignInFailure::Invalid(shown(&why.to_string()))
    }
}

/// What a provider said, in quotation marks.
pub(crate) fn said(text: &str) -> String {
    format!("“{}”", harmless(text, SHOWN))
}

fn shown(text: &str) -> String {
    harmless(text, 2 * SHOWN)
}
