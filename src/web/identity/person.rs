//! The account of a person, of what a provider says: shortened, and nothing in it steers or looks like more.

use sha2::{Digest as _, Sha256};

use super::rights::Rights;
use crate::text::characters::is_steering;
use crate::text::hex::hex;
use crate::web::state::providers::Vouched;
use crate::web::state::users::NewUser;

/// The longest name of an account, in characters, before the provider's word.
const NAME: usize = 40;

/// The longest full name.
const FULL_NAME: usize = 100;

/// The longest address.
const EMAIL: usize = 200;

/// What a provider says of a person.
#[derive(Clone, Debug, Default)]
pub(super) struct Said<'c> {
    pub(super) subject: &'c str,
    /// What they sign in with there.
    pub(super) login: Option<&'c str>,
    pub(super) full_name: Option<&'c str>,
    /// An address that the provider has checked.
    pub(super) email: Option<&'c str>,
}

/// The account. `host` makes an address for who has none.
pub(super) fn vouched(kind: &str, provider: String, said: &Said<'_>, host: &str, rights: Rights) -> Vouched {
    let digest = hex(Sha256::digest(said.subject).get(..4).unwrap_or_default());
    let plain = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    // Of an address, what is before the @.
    let login = said.login.unwrap_or_default().split('@').next().unwrap_or_default();
    let login: String = login.chars().filter(plain).take(NAME).collect();
    let login = if is_name(&login) { login } else { digest };
    let full_name = said.full_name.map(|name| line(name, FULL_NAME)).filter(|name| is_name(name));
    let email = said.email.filter(|email| is_address(email)).map(ToOwned::to_owned);
    let user = NewUser {
        full_name: full_name.unwrap_or_else(|| login.clone()),
        email: email.unwrap_or_else(|| format!("{login}@users.noreply.{host}")),
        name: format!("{kind}:{login}"),
        role: rights.role,
        scope: rights.scope,
    };
    Vouched { provider, subject: said.subject.to_owned(), user }
}

/// A text that can be the author of a commit.
fn line(text: &str, most: usize) -> String {
    let text: String = text.chars().map(|c| if is_steering(c) || "<>`".contains(c) { ' ' } else { c }).collect();
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().take(most).collect::<String>().trim().to_owned()
}

/// Whether git takes it as a name: of dots and commas alone it leaves nothing.
fn is_name(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn is_address(text: &str) -> bool {
    let plain = |c: char| !is_steering(c) && !c.is_whitespace() && !"<>`\"\\,;:()[]".contains(c);
    let halves = text.split_once('@').filter(|(local, host)| is_name(local) && is_name(host));
    halves.is_some_and(|(_, host)| !host.contains('@')) && text.len() <= EMAIL && text.chars().all(plain)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::web::access::Scope;
    use crate::web::state::users::Role;

    fn made(login: Option<&str>, full_name: Option<&str>, email: Option<&str>) -> NewUser {
        let said = Said { subject: "1", login, full_name, email };
        let rights = Rights { role: Role::Viewer, scope: Scope::all() };
        vouched("openid", String::new(), &said, "portal.ispcustomer.co.zw", rights).user
    }

    #[test]
    fn what_a_provider_says_is_made_harmless() {
        let user = made(Some("noc"), Some(" Network\tDesk "), Some("noc@ispcustomer.co.zw"));
        assert_eq!((user.name.as_str(), user.full_name.as_str()), ("openid:noc", "Network Desk"));
        assert_eq!(user.email, "noc@ispcustomer.co.zw");
        let user = made(Some("a b\u{202e}<c>`@x"), Some("A\r\n\u{202e}<a@b>"), Some("a@b\nc"));
        assert_eq!((user.name.as_str(), user.full_name.as_str()), ("openid:abc", "A a@b"));
        assert_eq!(user.email, "abc@users.noreply.portal.ispcustomer.co.zw");
        let long = "x".repeat(10_000);
        let user = made(Some(&long), Some(&long), Some(&format!("{long}@b")));
        assert!(user.name.len() <= 64 && user.full_name.len() == FULL_NAME && user.email.len() < EMAIL);
        let dots = made(Some("._-"), Some(" .,; "), Some(".@."));
        assert_eq!((dots.full_name.as_str(), dots.name.as_str()), ("6b86b273", "openid:6b86b273"));
        assert!(dots.email.starts_with("6b86b273@"), "{}", dots.email);
        let none = made(None, Some("\u{200b}"), Some("a@b@c"));
        assert_eq!((none.name.as_str(), none.full_name.as_str()), ("openid:6b86b273", "6b86b273"));
    }

    #[test]
    fn no_local_account_can_have_such_a_name() {
        let user = made(Some("noc"), None, None);
        assert!(user.checked().is_err());
        assert!(NewUser { name: "noc".to_owned(), ..user }.checked().is_ok());
    }
}
