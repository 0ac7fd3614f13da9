//! Why an edit is not made or not committed, as a value: each caller says in its own words what to do about it.

use std::fmt;

use crate::text::quote::quoted;

/// Why an edit that could be made is not, where the way out depends on who asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotMade {
    /// There is no commit to build on, with git's word for it.
    NoCommit(String),
    /// The branch has commits here and others at `origin`.
    Diverged(String),
    /// The branch is checked out in a work tree.
    CheckedOut(String),
    /// The branch of this name proposes the same.
    Proposed(String),
    /// Every subscriber has this field.
    Required(String),
}

impl std::error::Error for NotMade {}

impl fmt::Display for NotMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotMade::NoCommit(why) => f.write_str(why),
            NotMade::Diverged(branch) => {
                write!(f, "the branch {} has other commits here than at `origin`", quoted(branch))
            }
            NotMade::CheckedOut(branch) => {
                let branch = quoted(branch);
                write!(f, "the branch {branch} is checked out: a commit there would leave its files behind")
            }
            NotMade::Proposed(branch) => write!(f, "the branch {} proposes that already", quoted(branch)),
            NotMade::Required(field) => write!(f, "every subscriber has the field {}", quoted(field)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reason_names_an_option_of_the_command_line() {
        let name = || "add-10.10.10.25".to_owned();
        let all = [
            NotMade::NoCommit("there is no commit `HEAD`".to_owned()),
            NotMade::Diverged(name()),
            NotMade::CheckedOut(name()),
            NotMade::Proposed(name()),
            NotMade::Required("plan".to_owned()),
        ];
        for why in all.map(|why| why.to_string()) {
            assert!(!why.contains("--") && !why.contains("shapeline "), "{why}");
        }
    }
}
