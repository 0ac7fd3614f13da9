//! The section `forge`: where pull requests are opened.

use crate::fields::Fields;

/// What speaks which API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ForgeKind {
    #[default]
    GitHub,
    Gitea,
    Forgejo,
    GitLab,
}

impl ForgeKind {
    const ALL: [(&'static str, ForgeKind); 4] = [
        ("github", ForgeKind::GitHub),
        ("gitea", ForgeKind::Gitea),
        ("forgejo", ForgeKind::Forgejo),
        ("gitlab", ForgeKind::GitLab),
    ];

    /// The base of the API where most repositories of this kind are.
    fn url(self) -> Option<&'static str> {
        match self {
            ForgeKind::GitHub => Some("https://api.github.com"),
            ForgeKind::GitLab => Some("https://gitlab.com/api/v4"),
            ForgeKind::Gitea | ForgeKind::Forgejo => None,
        }
    }
}

impl std::str::FromStr for ForgeKind {
    type Err = ();

    fn from_str(text: &str) -> Result<ForgeKind, ()> {
        ForgeKind::ALL.iter().find(|(name, _)| *name == text).map(|(_, kind)| *kind).ok_or(())
    }
}

/// A repository at a forge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ForgeSettings {
    pub(crate) kind: ForgeKind,
    /// `owner/name`; GitLab's groups may nest.
    pub(crate) repository: String,
    /// The base of the API.
    pub(crate) url: String,
}

/// Reads the section.
pub(super) fn forge(fields: &mut Fields<'_>) -> ForgeSettings {
    let kind = fields.parsed("kind", "one of github, gitea, forgejo, gitlab");
    let repository = fields.text("repository", 250).unwrap_or_default();
    fields.require("kind");
    fields.require("repository");
    let chosen = kind.unwrap_or_default();
    if !repository.is_empty() && !is_repository(&repository, chosen) {
        fields.wrong("repository", "is not a repository at the forge, such as ispcustomer/subscribers");
    }
    let url = fields.text("url", 250);
    match (&url, kind.and_then(ForgeKind::url)) {
        (Some(url), _) if !is_base(url) => {
            fields.wrong("url", "is not the base of an API, such as https://git.ispcustomer.co.zw/api/v1");
        }
        (Some(_), _) => {}
        (None, None) if kind.is_some() => fields.require("url"),
        (None, _) => {}
    }
    let url = url.or_else(|| chosen.url().map(ToOwned::to_owned)).unwrap_or_default();
    ForgeSettings { kind: chosen, repository, url: url.trim_end_matches('/').to_owned() }
}

/// Whether a text is `owner/name`.
fn is_repository(text: &str, kind: ForgeKind) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let parts = text.split('/').count();
    (parts == 2 || parts > 2 && kind == ForgeKind::GitLab) && text.split('/').all(part)
}

/// Whether a text is a URL to which the token may be sent: https, or http on this host, and nothing but a path behind
/// the host.
fn is_base(url: &str) -> bool {
    let (rest, plain) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return false,
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => authority,
    };
    let here = ["127.0.0.1", "[::1]", "localhost"].contains(&host);
    let named = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    let inside = path.split('/').all(|part| part != ".." && part != ".");
    let fits = inside && path.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    fits && (here || named && !plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields;

    fn read(text: &str) -> (ForgeSettings, Vec<String>) {
        let mut found = None;
        let mistakes = fields::read(text, |top| found = top.section("forge", forge));
        (found.unwrap_or_default(), mistakes)
    }

    #[test]
    fn each_kind_has_its_defaults() {
        let (settings, mistakes) = read("forge: {kind: github, repository: ispcustomer/subscribers}");
        assert_eq!((settings.url.as_str(), mistakes.len()), ("https://api.github.com", 0));
        let (settings, mistakes) = read("forge: {kind: gitlab, repository: isp/noc/subscribers}");
        assert_eq!((settings.url.as_str(), mistakes.len()), ("https://gitlab.com/api/v4", 0));
        let text = "forge: {kind: forgejo, repository: isp/data, url: 'http://127.0.0.1:3000/api/v1/'}";
        let (settings, mistakes) = read(text);
        assert_eq!((settings.kind, settings.url.as_str()), (ForgeKind::Forgejo, "http://127.0.0.1:3000/api/v1"));
        assert_eq!(mistakes, [""; 0]);
    }

    #[test]
    fn mistakes_have_their_places() {
        for (text, wanted) in [
            ("forge: {}", "1:8: kind is missing"),
            ("forge: {kind: gitea, repository: a/b}", "1:8: url is missing"),
            ("forge: {kind: svn, repository: a/b}", "1:15: kind is `svn`, not one of github, gitea, forgejo, gitlab"),
        ] {
            let (_, mistakes) = read(text);
            assert!(mistakes.iter().any(|mistake| mistake == wanted), "{text}: {mistakes:?}");
        }
        for repository in ["data", "a/b/c", "a/..", "/b", "a/b?x", "a b/c"] {
            let (_, mistakes) = read(&format!("forge: {{kind: github, repository: '{repository}'}}"));
            assert!(mistakes.iter().any(|one| one.contains("is not a repository")), "{repository}: {mistakes:?}");
        }
        for url in [
            "http://git.ispcustomer.co.zw/api/v1",
            "http://127.0.0.1.ispcustomer.co.zw/",
            "https://user:pw@git.ispcustomer.co.zw/",
            "https://git.ispcustomer.co.zw/?a=b",
            "https://git.ispcustomer.co.zw/a/../b",
            "https://",
            "ftp://git.ispcustomer.co.zw",
        ] {
            let (_, mistakes) = read(&format!("forge: {{kind: gitea, repository: a/b, url: '{url}'}}"));
            assert!(mistakes.iter().any(|one| one.contains("is not the base of an API")), "{url}: {mistakes:?}");
        }
    }
}
