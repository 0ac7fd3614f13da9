//! A provider of OpenID Connect. What it says of itself is read when it is first needed, and its keys again
//! when a token is signed with another one.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGenderClaim, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AdditionalProviderMetadata, ClaimsVerificationError, ClientId,
    IdToken, IdTokenVerifier, IssuerUrl, Nonce, ProviderMetadata, SignatureVerificationError,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use super::fetch::Fetch;
use super::oauth::{OauthClient, Proof, Tokens};
use super::person::{Said, vouched};
use super::refused::{SignInFailure, said};
use super::rights::{Claims, claim, rights};
use crate::web::settings::sign_in::{Condition, OpenidSettings};
use crate::web::state::pending::PendingSignIn;
use crate::web::state::providers::Vouched;

/// For how long what a provider says of itself is used.
const FRESH: Duration = Duration::from_secs(3600);

/// For how long a provider that could not be asked is not asked again: requests at that time do not wait for it.
const AGAIN: Duration = Duration::from_secs(5);

/// How long the sign-in page waits for it.
const GLANCE: Duration = Duration::from_secs(2);

/// How often keys are read because a token is signed with an unknown one: each sign-in could bring such a token.
const RELOADED: Duration = Duration::from_secs(60);

/// Signatures by a key that only the provider has.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What the library does not read of a provider.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct MoreMetadata {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for MoreMetadata {}

/// All claims that are not standard ones.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct MoreClaims {
    #[serde(flatten)]
    claims: Claims,
}

impl AdditionalClaims for MoreClaims {}

type Metadata = ProviderMetadata<
    MoreMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type SignedToken = IdToken<MoreClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// A provider.
pub(crate) struct Openid {
    settings: OpenidSettings,
    client: OauthClient,
    fetch: Fetch,
    known: Mutex<Known>,
}

/// What is known of the provider.
#[derive(Default)]
struct Known {
    metadata: Option<(Instant, Arc<Metadata>)>,
    failed: Option<(Instant, SignInFailure)>,
    reloaded: Option<Instant>,
}

impl Openid {
    pub(super) fn new(settings: OpenidSettings, client: OauthClient) -> Result<Openid> {
        let fetch = Fetch::new(&settings.issuer)?;
        Ok(Openid { settings, client, fetch, known: Mutex::default() })
    }

    pub(super) fn label(&self) -> &str {
        &self.settings.label
    }

    /// The provider in the accounts of its people.
    pub(super) fn name(&self) -> String {
        format!("openid {}", self.settings.issuer)
    }

    /// The sites that a browser is sent to, as far as they are known.
    pub(super) async fn sites(&self) -> Vec<String> {
        let asked = tokio::time::timeout(GLANCE, self.metadata()).await;
        if let (Err(_), Ok(mut known)) = (&asked, self.known.try_lock()) {
            // The next ones do not wait for it.
            known.failed = Some((Instant::now(), SignInFailure::unavailable("it does not answer")));
        }
        let named = asked.ok().and_then(Result::ok).map(|metadata| metadata.authorization_endpoint().url().clone());
        let issuer = Url::parse(&self.settings.issuer).ok();
        issuer.into_iter().chain(named).map(|url| url.origin().ascii_serialization()).collect()
    }

    /// The address to send a browser to.
    ///
    /// # Errors
    /// If the provider cannot be asked for it.
    pub(super) async fn begin(&self, pending: &PendingSignIn) -> Result<Url, SignInFailure> {
        let metadata = self.metadata().await?;
        let scope: Vec<&str> = ["openid"].into_iter().chain(self.settings.scopes.iter().map(String::as_str)).collect();
        let endpoint = metadata.authorization_endpoint().as_str();
        let mut url = self.client.authorization(endpoint, &scope.join(" "), pending)?;
        url.query_pairs_mut().append_pair("nonce", &pending.nonce);
        Ok(url)
    }

    /// Refuses the answer of another provider (RFC 9207).
    ///
    /// # Errors
    /// In this case.
    pub(super) async fn check_issuer(&self, sent: Option<&str>) -> Result<(), SignInFailure> {
        let metadata = self.metadata().await?;
        match sent {
            Some(issuer) if issuer != metadata.issuer().as_str() => {
                Err(SignInFailure::invalid("the answer comes from another provider"))
            }
            None if metadata.additional_metadata().authorization_response_iss_parameter_supported => {
                Err(SignInFailure::invalid("the answer does not say which provider it comes from"))
            }
            _ => Ok(()),
        }
    }

    /// Whom the provider vouches for with this code.
    ///
    /// # Errors
    /// If it vouches for no person, or the person has no rights.
    pub(super) async fn finish(&self, code: &str, pending: &PendingSignIn) -> Result<Vouched, SignInFailure> {
        let metadata = self.metadata().await?;
        let endpoint = metadata.token_endpoint().ok_or_else(|| SignInFailure::invalid("it names no token endpoint"))?;
        let tokens = self.client.tokens(&self.fetch, endpoint.as_str(), proof(&metadata), code, pending).await?;
        let mut claims = self.verified(metadata.clone(), &tokens, &pending.nonce).await?;
        self.add_user_info(&metadata, &tokens, &mut claims).await?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let subject = text("sub").filter(|subject| (1..=255).contains(&subject.len()));
        let subject = subject.ok_or_else(|| SignInFailure::invalid("it does not say who this is"))?;
        let login = text("preferred_username").or(text("name"));
        let Some(rights) = rights(&self.settings.roles, &claims) else {
            let name = login.unwrap_or(subject).to_owned();
            return Err(SignInFailure::NoRights { subject: subject.to_owned(), name });
        };
        let verified = claims.get("email_verified") == Some(&Value::Bool(true));
        let email = text("email").filter(|_| verified);
        let host = Url::parse(&self.client.redirect).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
        let person = Said { subject, login, full_name: text("name"), email };
        Ok(vouched("openid", self.name(), &person, &host.unwrap_or_default(), rights))
    }

    /// The claims of the ID token, after every check; keys are read again if its key is unknown.
    async fn verified(&self, metadata: Arc<Metadata>, tokens: &Tokens, nonce: &str) -> Result<Claims, SignInFailure> {
        let signed = tokens.id_token.as_deref().ok_or_else(|| SignInFailure::invalid("it gives no ID token"))?;
        let signed: SignedToken =
            signed.parse().map_err(|_| SignInFailure::invalid("its ID token is none, or has claims of other types"))?;
        let nonce = Nonce::new(nonce.to_owned());
        let access = AccessToken::new(tokens.access_token.clone());
        let checked = match self.check(&metadata, &signed, &access, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let metadata = self.reloaded(metadata).await?;
                self.check(&metadata, &signed, &access, &nonce)
            }
            checked => checked,
        };
        checked.map_err(|why| {
            let why = anyhow::Error::new(why);
            SignInFailure::invalid(format!("its ID token is refused: {}", said(&format!("{why:#}"))))
        })
    }

    fn check(
        &self,
        metadata: &Metadata,
        signed: &SignedToken,
        access: &AccessToken,
        nonce: &Nonce,
    ) -> Result<Claims, ClaimsVerificationError> {
        let client = ClientId::new(self.client.id.clone());
        let keys = metadata.jwks().clone();
        let verifier = IdTokenVerifier::new_public_client(client, metadata.issuer().clone(), keys);
        let verifier = verifier.set_allowed_algs(ALGORITHMS);
        let claims = signed.claims(&verifier, nonce)?;
        let other = |why: &str| ClaimsVerificationError::Other(why.to_owned());
        if claims.authorized_party().is_some_and(|party| party.as_str() != self.client.id) {
            return Err(other("it is for another program"));
        }
        if let Some(hash) = claims.access_token_hash() {
            let key = signed.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
            let algorithm = signed.signing_alg().map_err(|why| other(&why.to_string()))?;
            let own = AccessTokenHash::from_token(access, algorithm, key).map_err(|why| other(&why.to_string()))?;
            if own != *hash {
                return Err(other("it belongs to another access token"));
            }
        }
        match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => Ok(claims),
            _ => Err(other("its claims cannot be read")),
        }
    }

    /// Adds claims that the provider says only if it is asked. Those of the ID token, which are signed, stay.
    async fn add_user_info(
        &self,
        metadata: &Metadata,
        tokens: &Tokens,
        claims: &mut Claims,
    ) -> Result<(), SignInFailure> {
        let wanted = self.settings.roles.iter().filter_map(|rule| match &rule.condition {
            Condition::Claim { name, .. } => Some(name.as_str()),
            _ => None,
        });
        let missing = wanted.chain(["name", "preferred_username"]).any(|name| claim(claims, name).is_none());
        let Some(endpoint) = metadata.userinfo_endpoint().filter(|_| missing) else { return Ok(()) };
        let request = self.fetch.get(endpoint.as_str()).bearer_auth(&tokens.access_token);
        let more: Claims = self.fetch.json(request).await?;
        if more.get("sub") != claims.get("sub") {
            return Err(SignInFailure::invalid("it says two different things of who this is"));
        }
        // An address and whether it was checked come from one place.
        let own_email = claims.get("email").is_some_and(|email| !email.is_null());
        for (name, value) in more {
            let absent = claims.get(&name).is_none_or(Value::is_null);
            if absent && !(own_email && name == "email_verified") {
                claims.insert(name, value);
            }
        }
        Ok(())
    }

    /// What the provider says of itself.
    async fn metadata(&self) -> Result<Arc<Metadata>, SignInFailure> {
        let mut known = self.known.lock().await;
        if let Some((_, metadata)) = known.metadata.as_ref().filter(|(read, _)| read.elapsed() < FRESH) {
            return Ok(metadata.clone());
        }
        self.read(&mut known).await
    }

    /// The same, with keys that are newer than these.
    async fn reloaded(&self, old: Arc<Metadata>) -> Result<Arc<Metadata>, SignInFailure> {
        let mut known = self.known.lock().await;
        if let Some((_, metadata)) = known.metadata.as_ref().filter(|(_, metadata)| !Arc::ptr_eq(metadata, &old)) {
            return Ok(metadata.clone());
        }
        if known.reloaded.is_some_and(|last| last.elapsed() < RELOADED) {
            return Ok(old);
        }
        known.reloaded = Some(Instant::now());
        self.read(&mut known).await
    }

    async fn read(&self, known: &mut Known) -> Result<Arc<Metadata>, SignInFailure> {
        if let Some((_, failure)) = known.failed.as_ref().filter(|(when, _)| when.elapsed() < AGAIN) {
            return known.metadata.as_ref().map(|(_, metadata)| metadata.clone()).ok_or(failure.clone());
        }
        match discover(self.fetch.clone(), self.settings.issuer.clone()).await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((Instant::now(), metadata.clone()));
                known.failed = None;
                Ok(metadata)
            }
            Err(why) => {
                let failure = SignInFailure::unavailable(format!("{why:#}"));
                known.failed = Some((Instant::now(), failure.clone()));
                // What was known goes on to count.
                known.metadata.as_ref().map(|(_, metadata)| metadata.clone()).ok_or(failure)
            }
        }
    }
}

/// What a provider says of itself, with its keys. In a box: the compiler cannot follow the library's types.
fn discover(fetch: Fetch, issuer: String) -> Pin<Box<dyn Future<Output = Result<Metadata>> + Send>> {
    Box::pin(async move {
        let issuer = IssuerUrl::new(issuer).context("the issuer is no address")?;
        let call = move |request| {
            let fetch = fetch.clone();
            async move { fetch.call(request).await }
        };
        Ok(Metadata::discover_async(issuer, &call).await?)
    })
}

fn proof(metadata: &Metadata) -> Proof {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let has = |method: &CoreClientAuthMethod| methods.is_some_and(|methods| methods.contains(method));
    let only_form = has(&CoreClientAuthMethod::ClientSecretPost) && !has(&CoreClientAuthMethod::ClientSecretBasic);
    if only_form { Proof::Form } else { Proof::Basic }
}
