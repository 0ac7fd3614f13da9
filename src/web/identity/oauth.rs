//! What OpenID Connect and GitHub have in common: OAuth's authorization code with PKCE (RFC 6749, RFC 7636).

use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;

use super::fetch::Fetch;
use super::refused::{SignInFailure, said};
use crate::web::settings::sign_in::is_safe;
use crate::web::state::pending::PendingSignIn;

/// A program that is known to a provider.
#[derive(Clone)]
pub(super) struct OauthClient {
    pub(super) id: String,
    pub(super) secret: Option<String>,
    /// Where the provider sends people back to.
    pub(super) redirect: String,
}

/// How a client says who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// By a header.
    Basic,
    /// By fields of the form.
    Form,
}

/// What the token endpoint answers.
#[derive(Debug, Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) token_type: String,
    pub(super) id_token: Option<String>,
}

#[derive(Deserialize)]
struct OauthError {
    error: String,
    error_description: Option<String>,
}

impl OauthClient {
    /// The address to send a browser to.
    ///
    /// # Errors
    /// If the endpoint is no address.
    pub(super) fn authorization(
        &self,
        endpoint: &str,
        scope: &str,
        pending: &PendingSignIn,
    ) -> Result<Url, SignInFailure> {
        let url = Url::parse(endpoint).ok().filter(is_safe);
        let mut url = url.ok_or_else(|| SignInFailure::invalid("its address for sign-ins is not https"))?;
        let verifier = PkceCodeVerifier::new(pending.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect),
            ("scope", scope),
            ("state", &pending.state),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        Ok(url)
    }

    /// The tokens for a code.
    ///
    /// # Errors
    /// If the provider gives none.
    pub(super) async fn tokens(
        &self,
        fetch: &Fetch,
        endpoint: &str,
        proof: Proof,
        code: &str,
        pending: &PendingSignIn,
    ) -> Result<Tokens, SignInFailure> {
        let request = self.token_request(fetch, endpoint, proof, code, pending);
        let (status, body) = fetch.answer(request).await.map_err(SignInFailure::unavailable)?;
        // GitHub says what is wrong with status 200.
        if let Ok(error) = serde_json::from_slice::<OauthError>(&body) {
            let why = error.error_description.unwrap_or(error.error);
            return Err(SignInFailure::invalid(format!("it gives no token: {}", said(&why))));
        }
        if !status.is_success() {
            return Err(SignInFailure::unavailable(format!("it gives no token, and answers {status}")));
        }
        let tokens = serde_json::from_slice::<Tokens>(&body).ok();
        let tokens = tokens.filter(|tokens| tokens.token_type.eq_ignore_ascii_case("bearer"));
        tokens.ok_or_else(|| SignInFailure::invalid("its answer has no token"))
    }

    fn token_request(
        &self,
        fetch: &Fetch,
        endpoint: &str,
        proof: Proof,
        code: &str,
        pending: &PendingSignIn,
    ) -> RequestBuilder {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code").append_pair("code", code);
        form.append_pair("redirect_uri", &self.redirect).append_pair("code_verifier", &pending.verifier);
        let request = fetch.post(endpoint).header("content-type", "application/x-www-form-urlencoded");
        let request = match (&self.secret, proof) {
            (Some(secret), Proof::Basic) => request.basic_auth(in_form(&self.id), Some(in_form(secret))),
            (Some(secret), Proof::Form) => {
                form.append_pair("client_id", &self.id).append_pair("client_secret", secret);
                request
            }
            (None, _) => {
                form.append_pair("client_id", &self.id);
                request
            }
        };
        request.body(form.finish())
    }
}

/// RFC 6749, section 2.3.1: both are encoded before they become a header.
fn in_form(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
