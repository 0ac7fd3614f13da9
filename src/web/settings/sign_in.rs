//! `sign_in`: who may sign in to the portal beside its own accounts, and as what.

use reqwest::Url;

use crate::fields::Fields;
use crate::web::access::Scope;
use crate::web::state::users::Role;

/// How people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignInSettings {
    /// Whether the portal's own accounts count.
    pub(crate) local: bool,
    /// Whom people ask who are refused.
    pub(crate) contact: Option<String>,
    /// A provider of OpenID Connect.
    pub(crate) openid: Option<OpenidSettings>,
    /// GitHub, or a GitHub Enterprise Server.
    pub(crate) github: Option<GithubSettings>,
}

impl Default for SignInSettings {
    fn default() -> SignInSettings {
        SignInSettings { local: true, contact: None, openid: None, github: None }
    }
}

/// A provider of OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenidSettings {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    /// Its name on the button.
    pub(crate) label: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) roles: Vec<RoleRule>,
}

/// GitHub, or a GitHub Enterprise Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GithubSettings {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) label: String,
    pub(crate) roles: Vec<RoleRule>,
}

/// Who gets which rights: of several rules, the first that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleRule {
    pub(crate) condition: Condition,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
}

/// Whom a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// People with this value in a claim of the provider.
    Claim { name: String, value: String },
    /// One person at GitHub.
    Login(String),
    /// Members of an organization at GitHub.
    Organization(String),
    /// Members of a team in an organization, by the name in its address.
    Team { organization: String, team: String },
}

/// What is asked for unless the settings say something else.
const SCOPES: [&str; 2] = ["profile", "email"];

impl SignInSettings {
    /// Whether people can come from elsewhere.
    pub(crate) fn has_provider(&self) -> bool {
        self.openid.is_some() || self.github.is_some()
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> SignInSettings {
        let settings = SignInSettings {
            local: fields.switch("local").unwrap_or(true),
            contact: fields.text("contact", 200),
            openid: fields.section("openid", openid),
            github: fields.section("github", github),
        };
        if !settings.local && !fields.has("openid") && !fields.has("github") {
            fields.wrong("local", "is false, and there is no other way to sign in: add `openid` or `github`");
        }
        settings
    }
}

fn openid(fields: &mut Fields<'_>) -> OpenidSettings {
    let issuer = url(fields, "issuer").unwrap_or_default();
    let scope = |text: &str| Some(text.to_owned()).filter(|text| is_word(text, "\"\\"));
    let scopes = fields.list("scopes", "a scope, such as groups", scope);
    let scopes = if fields.has("scopes") { scopes } else { SCOPES.map(ToOwned::to_owned).to_vec() };
    let settings = OpenidSettings {
        issuer,
        scopes: scopes.into_iter().filter(|scope| scope != "openid").collect(),
        client_id: fields.text("client_id", 250).unwrap_or_default(),
        label: fields.text("label", 40).unwrap_or_default(),
        roles: fields.sections("roles", |rule| {
            let (name, value) = (rule.text("claim", 250), rule.text("value", 250));
            rule.require("claim");
            rule.require("value");
            let condition = name.zip(value).map(|(name, value)| Condition::Claim { name, value });
            role(rule, condition)
        }),
    };
    ["issuer", "client_id", "label", "roles"].into_iter().for_each(|name| fields.require(name));
    settings
}

fn github(fields: &mut Fields<'_>) -> GithubSettings {
    let settings = GithubSettings {
        url: url(fields, "url").unwrap_or_else(|| "https://github.com".to_owned()),
        client_id: fields.text("client_id", 250).unwrap_or_default(),
        label: fields.text("label", 40).unwrap_or_default(),
        roles: fields.sections("roles", |rule| {
            let condition = at_github(rule);
            role(rule, condition)
        }),
    };
    ["client_id", "label", "roles"].into_iter().for_each(|name| fields.require(name));
    settings
}

fn at_github(rule: &mut Fields<'_>) -> Option<Condition> {
    let (login, organization, team) = (rule.text("login", 100), rule.text("organization", 100), rule.text("team", 200));
    if ["login", "organization", "team"].iter().filter(|name| rule.has(name)).count() != 1 {
        rule.mistake("a rule has one of login, organization and team");
    }
    for (name, value) in [("login", &login), ("organization", &organization)] {
        if value.as_deref().is_some_and(|value| !is_name(value)) {
            rule.wrong(name, "is no name at GitHub: it has letters, digits, - and _");
        }
    }
    let team = team.and_then(|team| {
        let parts = team.split_once('/').filter(|(organization, team)| is_name(organization) && is_name(team));
        if parts.is_none() {
            rule.wrong("team", "is not ORGANIZATION/TEAM, as in the team's address");
        }
        parts.map(|(organization, team)| Condition::Team { organization: organization.into(), team: team.into() })
    });
    login.map(Condition::Login).or(organization.map(Condition::Organization)).or(team)
}

/// The role of a rule, and its domains, in the way of `user add`.
fn role(rule: &mut Fields<'_>, condition: Option<Condition>) -> Option<RoleRule> {
    let role: Option<Role> = rule.parsed("role", "viewer, editor or operator");
    let all = rule.switch("all_domains").unwrap_or(false);
    let domain = |text: &str| Some(text.to_owned()).filter(|text| is_word(text, "/"));
    let domains = rule.list("domains", "the name of a domain", domain);
    rule.require("role");
    let operator = role == Some(Role::Operator);
    if operator && (all || rule.has("domains")) {
        rule.mistake("an operator has all domains: leave out domains and all_domains");
    } else if !operator && role.is_some() && all != domains.is_empty() {
        rule.mistake("name the domains with domains, or write all_domains: true, and not both");
    }
    let scope = if operator || all { Scope::all() } else { Scope::of(domains) };
    Some(RoleRule { condition: condition?, role: role?, scope })
}

/// An address of a server: https, or on this host.
fn url(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    let text = fields.text(name, 1000)?;
    let good = Url::parse(&text).ok().filter(|url| {
        let plain = url.username().is_empty() && url.password().is_none();
        is_safe(url) && plain && url.query().is_none() && url.fragment().is_none()
    });
    if good.is_none() {
        fields.wrong(name, "is not an https address without a password, a query or a fragment");
    }
    // As written: the issuer is compared with what the provider says.
    good.map(|_| text)
}

/// Whether what is sent to an address cannot be read on the way.
pub(crate) fn is_safe(url: &Url) -> bool {
    let here = ["127.0.0.1", "[::1]", "localhost"].contains(&url.host_str().unwrap_or_default());
    url.has_host() && (url.scheme() == "https" || url.scheme() == "http" && here)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

/// Whether a text has neither spaces nor these characters.
fn is_word(text: &str, without: &str) -> bool {
    (1..=250).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic() && !without.contains(c))
}
