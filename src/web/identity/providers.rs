//! The providers that the settings name.

use std::time::Duration;

use anyhow::{Result, bail};
use reqwest::Url;

use super::github::Github;
use super::oauth::OauthClient;
use super::openid::Openid;
pub(crate) use super::refused::{SignInFailure, said};
use crate::web::settings::ServerSettings;
use crate::web::state::pending::PendingSignIn;
use crate::web::state::providers::Vouched;
use crate::web::state::users::User;

/// The variables with the secrets.
const OPENID_SECRET: &str = "SHAPELINE_OPENID_SECRET";
const GITHUB_SECRET: &str = "SHAPELINE_GITHUB_SECRET";

/// How long all questions of a sign-in may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How people sign in.
pub(crate) struct Providers {
    /// Whether the portal's own accounts count.
    pub(crate) local: bool,
    contact: Option<String>,
    all: Vec<Provider>,
}

/// Who vouches for people.
pub(crate) enum Provider {
    Openid(Box<Openid>),
    Github(Box<Github>),
}

impl Providers {
    /// The providers of the settings, with the secrets in the environment. None of them is asked.
    ///
    /// # Errors
    /// If a secret is missing.
    pub(crate) fn open(settings: &ServerSettings) -> Result<Providers> {
        let (wanted, mut all) = (&settings.sign_in, Vec::new());
        let site = settings.url.as_deref().unwrap_or_default();
        let client = |id: &str, secret, kind: &str| OauthClient {
            id: id.to_owned(),
            secret,
            redirect: format!("{site}/sign-in/{kind}"),
        };
        if let Some(openid) = &wanted.openid {
            let client = client(&openid.client_id, secret(OPENID_SECRET)?, "openid");
            all.push(Provider::Openid(Box::new(Openid::new(openid.clone(), client)?)));
        }
        if let Some(github) = &wanted.github {
            let Some(secret) = secret(GITHUB_SECRET)? else {
                bail!("{GITHUB_SECRET} is not set: put the client secret of the OAuth app {} into it", github.client_id)
            };
            let client = client(&github.client_id, Some(secret), "github");
            all.push(Provider::Github(Box::new(Github::new(github.clone(), client)?)));
        }
        Ok(Providers { local: wanted.local, contact: wanted.contact.clone(), all })
    }

    pub(crate) fn all(&self) -> &[Provider] {
        &self.all
    }

    /// The provider of this kind.
    pub(crate) fn find(&self, kind: &str) -> Option<&Provider> {
        self.all.iter().find(|provider| provider.kind() == kind)
    }

    /// Whether people sign in as this person did.
    pub(crate) fn accepts(&self, user: &User) -> bool {
        match &user.provider {
            None => self.local,
            Some(name) => self.all.iter().any(|provider| provider.name() == *name),
        }
    }

    /// Whom to ask for rights.
    pub(crate) fn contact(&self) -> &str {
        self.contact.as_deref().unwrap_or("the people who run this server")
    }
}

impl Provider {
    /// Its part of an address.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Provider::Openid(_) => "openid",
            Provider::Github(_) => "github",
        }
    }

    /// Its name on the button.
    pub(crate) fn label(&self) -> &str {
        match self {
            Provider::Openid(openid) => openid.label(),
            Provider::Github(github) => github.label(),
        }
    }

    /// The provider in the accounts of its people.
    pub(crate) fn name(&self) -> String {
        match self {
            Provider::Openid(openid) => openid.name(),
            Provider::Github(github) => github.name(),
        }
    }

    /// The sites that a browser is sent to.
    pub(crate) async fn sites(&self) -> Vec<String> {
        match self {
            Provider::Openid(openid) => openid.sites().await,
            Provider::Github(github) => github.sites(),
        }
    }

    /// The address to send a browser to.
    ///
    /// # Errors
    /// If the provider cannot be asked for it.
    pub(crate) async fn begin(&self, pending: &PendingSignIn) -> Result<Url, SignInFailure> {
        match self {
            Provider::Openid(openid) => in_time(openid.begin(pending)).await,
            Provider::Github(github) => github.begin(pending),
        }
    }

    /// Whom the provider vouches for with this code. `issuer` is who says that it answers.
    ///
    /// # Errors
    /// If it vouches for no person, or the person has no rights.
    pub(crate) async fn finish(
        &self,
        code: &str,
        issuer: Option<&str>,
        pending: &PendingSignIn,
    ) -> Result<Vouched, SignInFailure> {
        match self {
            Provider::Openid(openid) => {
                let asked = async {
                    openid.check_issuer(issuer).await?;
                    openid.finish(code, pending).await
                };
                in_time(asked).await
            }
            // Nothing of GitHub's names an issuer; the address that is called back is GitHub's alone.
            Provider::Github(github) => in_time(github.finish(code, pending)).await,
        }
    }
}

async fn in_time<T>(work: impl Future<Output = Result<T, SignInFailure>>) -> Result<T, SignInFailure> {
    let late = || SignInFailure::Unavailable(format!("it takes longer than {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(late()))
}

/// A secret in the environment.
fn secret(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(secret) => Ok(Some(secret.trim().to_owned()).filter(|secret| !secret.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{name} is not UTF-8"),
    }
}
