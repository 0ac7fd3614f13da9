//! GitHub, or a GitHub Enterprise Server: OAuth without ID tokens, so its API is asked who this is.
//!
//! Facts: <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>,
//! <https://docs.github.com/en/rest/orgs/members> and <https://docs.github.com/en/rest/teams/members>.

use anyhow::Result;
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::fetch::Fetch;
use super::oauth::{OauthClient, Proof};
use super::person::{Said, vouched};
use super::refused::SignInFailure;
use super::rights::Rights;
use crate::web::settings::sign_in::{Condition, GithubSettings, RoleRule};
use crate::web::state::pending::PendingSignIn;
use crate::web::state::providers::Vouched;

/// The version of the API.
const VERSION: (&str, &str) = ("x-github-api-version", "2022-11-28");

/// GitHub.
pub(crate) struct Github {
    settings: GithubSettings,
    client: OauthClient,
    fetch: Fetch,
    api: String,
}

#[derive(Deserialize)]
struct GithubUser {
    id: u64,
    login: String,
    name: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Membership {
    state: String,
}

impl Github {
    pub(super) fn new(settings: GithubSettings, client: OauthClient) -> Result<Github> {
        let fetch = Fetch::new(&settings.url)?;
        let api = api(&settings.url);
        Ok(Github { settings, client, fetch, api })
    }

    pub(super) fn label(&self) -> &str {
        &self.settings.label
    }

    /// The provider in the accounts of its people.
    pub(super) fn name(&self) -> String {
        format!("github {}", self.settings.url)
    }

    /// The site that a browser is sent to.
    pub(super) fn sites(&self) -> Vec<String> {
        Url::parse(&self.settings.url).into_iter().map(|url| url.origin().ascii_serialization()).collect()
    }

    /// The address to send a browser to.
    ///
    /// # Errors
    /// If the settings have none.
    pub(super) fn begin(&self, pending: &PendingSignIn) -> Result<Url, SignInFailure> {
        let asks = |rule: &RoleRule| !matches!(rule.condition, Condition::Login(_));
        let scope = if self.settings.roles.iter().any(asks) { "read:org" } else { "" };
        self.client.authorization(&self.at("/login/oauth/authorize"), scope, pending)
    }

    /// Whom GitHub vouches for with this code.
    ///
    /// # Errors
    /// If it vouches for no person, or the person has no rights.
    pub(super) async fn finish(&self, code: &str, pending: &PendingSignIn) -> Result<Vouched, SignInFailure> {
        let endpoint = self.at("/login/oauth/access_token");
        let token = self.client.tokens(&self.fetch, &endpoint, Proof::Form, code, pending).await?.access_token;
        let user: GithubUser = self.fetch.json(self.ask("/user", &token)).await?;
        let subject = user.id.to_string();
        let Some(rights) = self.rights(&user.login, &token).await? else {
            return Err(SignInFailure::NoRights { subject, name: user.login });
        };
        let host = Url::parse(&self.settings.url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
        let host = host.unwrap_or_default();
        // The address that GitHub itself gives to who shows none.
        let own = format!("{subject}+{}@users.noreply.{host}", user.login);
        let (login, email) = (Some(user.login.as_str()), user.email.as_deref().unwrap_or(&own));
        let person = Said { subject: &subject, login, full_name: user.name.as_deref(), email: Some(email) };
        Ok(vouched("github", self.name(), &person, &host, rights))
    }

    async fn rights(&self, login: &str, token: &str) -> Result<Option<Rights>, SignInFailure> {
        for rule in &self.settings.roles {
            let fits = match &rule.condition {
                Condition::Login(wanted) => wanted.eq_ignore_ascii_case(login),
                Condition::Organization(name) => {
                    self.is_member(&format!("/user/memberships/orgs/{name}"), token).await?
                }
                Condition::Team { organization, team } => {
                    let path = format!("/orgs/{organization}/teams/{team}/memberships/{login}");
                    self.is_member(&path, token).await?
                }
                Condition::Claim { .. } => false,
            };
            if fits {
                return Ok(Some(Rights::from(rule)));
            }
        }
        Ok(None)
    }

    /// Whether the membership at a path is one, and not an invitation to it.
    async fn is_member(&self, path: &str, token: &str) -> Result<bool, SignInFailure> {
        let (status, body) = self.fetch.answer(self.ask(path, token)).await.map_err(SignInFailure::unavailable)?;
        match status {
            StatusCode::NOT_FOUND => Ok(false),
            // A later rule must not count because GitHub does not say whether this one does.
            StatusCode::FORBIDDEN => Err(SignInFailure::unavailable(format!(
                "it does not let this server see {path}: an owner of the organization has to approve this OAuth app"
            ))),
            status if !status.is_success() => Err(SignInFailure::unavailable(format!("it answered {status}"))),
            _ => {
                let membership = serde_json::from_slice::<Membership>(&body);
                let membership = membership.map_err(|_| SignInFailure::invalid("its answer is no membership"))?;
                Ok(membership.state == "active")
            }
        }
    }

    fn ask(&self, path: &str, token: &str) -> reqwest::RequestBuilder {
        self.fetch.get(&format!("{}{path}", self.api)).bearer_auth(token).header(VERSION.0, VERSION.1)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.settings.url.trim_end_matches('/'))
    }
}

/// The address of the API: of github.com, of an enterprise at ghe.com, or of a server.
fn api(url: &str) -> String {
    let url = url.trim_end_matches('/');
    match url.strip_prefix("https://") {
        Some(host) if host == "github.com" || host.ends_with(".ghe.com") => format!("https://api.{host}"),
        _ => format!("{url}/api/v3"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_github_has_its_api() {
        assert_eq!(api("https://github.com/"), "https://api.github.com");
        assert_eq!(api("https://octo.ghe.com"), "https://api.octo.ghe.com");
        assert_eq!(api("https://git.ispcustomer.co.zw"), "https://git.ispcustomer.co.zw/api/v3");
    }
}
