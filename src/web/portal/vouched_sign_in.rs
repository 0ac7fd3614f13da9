//! Signing in by a provider: the browser is sent there, and comes back with a code.

use axum::http::StatusCode;
use axum::response::Response;

use super::ask::{Ask, PageError};
use super::session::path_here;
use crate::text::quote::harmless;
use crate::web::identity::providers::{Provider, SignInFailure, said};
use crate::web::state::attempts::Subject;

/// How many answers that belong to no sign-in are free for a client.
const FREE: i64 = 30;

/// Where an answer belongs to no sign-in of this browser.
const UNKNOWN: &str = "This sign-in was begun in another browser, was finished already, or is older than ten minutes. \
                       Sign in again.";

/// The provider in the address of the page.
fn provider(ask: &Ask) -> Result<&Provider, PageError> {
    let kind = ask.path.rsplit('/').next().unwrap_or_default();
    ask.portal.providers.find(kind).ok_or_else(|| PageError::not_found("This portal has no such way to sign in."))
}

/// Sends the browser to the provider.
pub(super) async fn begin(ask: Ask) -> Result<Response, PageError> {
    let provider = provider(&ask)?;
    let next = path_here(ask.form.get("next"));
    let begun = ask.portal.store.begin_pending(&provider.name(), &ask.secret, &ask.client(), next).await?;
    let Some(pending) = begun else {
        let why = "Too many sign-ins were begun from your address, and not finished. Try again in ten minutes.";
        return Err(PageError::new(StatusCode::TOO_MANY_REQUESTS, why));
    };
    match provider.begin(&pending).await {
        Ok(url) => Ok(ask.redirect(url.as_str())),
        Err(failure) => {
            // Not one of those that count against the client.
            ask.portal.store.take_pending(&provider.name(), &ask.secret, &pending.state).await?;
            Err(refused(&ask, provider, failure).await?)
        }
    }
}

/// Signs in whom the provider sends back.
pub(super) async fn finish(ask: Ask) -> Result<Response, PageError> {
    let provider = provider(&ask)?;
    let (state, code) = (ask.parameters.get("state"), ask.parameters.get("code"));
    let Some(pending) = ask.portal.store.take_pending(&provider.name(), &ask.secret, state).await? else {
        return Err(stray(&ask, provider).await?);
    };
    if let Some(error) = ask.parameters.some("error") {
        let why = said(ask.parameters.some("error_description").unwrap_or(error));
        record(&ask, provider, provider.kind(), &format!("sign-in refused: the provider says {why}")).await?;
        let detail = format!("{} did not sign you in, and says {why}.", provider.label());
        return Err(PageError::new(StatusCode::FORBIDDEN, detail));
    }
    let vouched = match provider.finish(code, ask.parameters.some("iss"), &pending).await {
        Ok(vouched) => vouched,
        Err(failure) => return Err(refused(&ask, provider, failure).await?),
    };
    let Some(user) = ask.portal.store.vouched_user(&vouched).await? else {
        record(&ask, provider, &vouched.user.name, "sign-in refused: the account was removed").await?;
        let detail = format!("Your account here was removed. Ask {} for it.", ask.portal.providers.contact());
        return Err(PageError::new(StatusCode::FORBIDDEN, detail));
    };
    // Always a new secret, as after a password.
    let secret = ask.portal.store.begin_session(&user).await?;
    record(&ask, provider, &user.name, &format!("signed in as {}", user.role.as_str())).await?;
    Ok(ask.redirect_as(&secret, path_here(&pending.next)))
}

/// An answer that belongs to no sign-in of this browser. Who sends many has to wait, and fills no records.
async fn stray(ask: &Ask, provider: &Provider) -> Result<PageError, PageError> {
    let subject = Subject { name: format!("answers from {}", ask.client()), free: FREE };
    if ask.portal.store.begin_attempt(&[subject]).await?.is_some() {
        return Ok(PageError::new(StatusCode::TOO_MANY_REQUESTS, "Too many sign-ins failed. Try again later."));
    }
    record(ask, provider, provider.kind(), "sign-in refused: it was not begun in this browser, or is over").await?;
    Ok(PageError::new(StatusCode::FORBIDDEN, UNKNOWN))
}

async fn refused(ask: &Ask, provider: &Provider, failure: SignInFailure) -> Result<PageError, PageError> {
    let (label, contact) = (provider.label(), ask.portal.providers.contact());
    let (status, who, why, detail) = match failure {
        SignInFailure::Unavailable(why) => {
            let detail = format!("{label} cannot be asked at the moment: {why}. Try again in a minute.");
            (StatusCode::BAD_GATEWAY, provider.kind().to_owned(), why, detail)
        }
        SignInFailure::Invalid(why) => {
            let detail = format!("What {label} sent is no proof of who you are: {why}.");
            (StatusCode::FORBIDDEN, provider.kind().to_owned(), why, detail)
        }
        SignInFailure::NoRights { subject, name } => {
            ask.portal.store.end_sessions_of_subject(&provider.name(), &subject).await?;
            let why = format!("no role is set for {}, whose subject is {}", said(&name), said(&subject));
            let detail = format!(
                "{label} says that you are {}. No role is set for you here: ask {contact} for one.",
                said(&name)
            );
            (StatusCode::FORBIDDEN, format!("{}:{}", provider.kind(), harmless(&name, 40)), why, detail)
        }
    };
    record(ask, provider, &who, &format!("sign-in refused: {why}")).await?;
    Ok(PageError::new(status, detail))
}

async fn record(ask: &Ask, provider: &Provider, who: &str, what: &str) -> Result<(), PageError> {
    let what = format!("{what} ({})", provider.name());
    Ok(ask.portal.store.record(who, ask.address, &what).await?)
}
