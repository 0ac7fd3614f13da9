//! A request for a page: who asks, and for what.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::anyhow;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use minijinja::{Value, context};

use super::app::Portal;
use super::form::Form;
use super::pages::values;
use super::session::{cookie, form_token};
use crate::edit::gathered::GatheredChange;
use crate::query::Refusal;
use crate::sync::journal::Journal;
use crate::web::access::Scope;
use crate::web::state::drafts::StoredDraft;
use crate::web::state::users::{Role, User};

/// A request for a page.
pub(crate) struct Ask {
    pub(crate) portal: Arc<Portal>,
    /// Who is signed in.
    pub(crate) user: Option<User>,
    /// The secret in the cookie, old or new.
    pub(crate) secret: String,
    pub(crate) address: IpAddr,
    /// The path, without parameters.
    pub(crate) path: String,
    /// What follows the path.
    pub(crate) parameters: Form,
    /// The fields of a form.
    pub(crate) form: Form,
    /// Whether only the part of the page that changes is wanted.
    pub(crate) fragment: bool,
}

/// A page that cannot be shown.
#[derive(Debug)]
pub(crate) struct PageError {
    pub(crate) status: StatusCode,
    /// What is wrong, and what to do.
    pub(crate) detail: String,
}

impl PageError {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> PageError {
        PageError { status, detail: detail.into() }
    }

    /// There is no such thing, or the person may not see it: both are answered alike.
    pub(crate) fn not_found(detail: impl Into<String>) -> PageError {
        PageError::new(StatusCode::NOT_FOUND, detail)
    }
}

impl From<anyhow::Error> for PageError {
    fn from(error: anyhow::Error) -> PageError {
        match error.downcast::<Refusal>() {
            Ok(refusal) => PageError::new(StatusCode::BAD_REQUEST, refusal.0),
            Err(error) => {
                Journal::default().event("portal", &format!("{error:#}"));
                let detail = "Something is wrong on the server. Nothing was changed; its journal says what it was.";
                PageError::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
            }
        }
    }
}

impl From<minijinja::Error> for PageError {
    fn from(error: minijinja::Error) -> PageError {
        // Without the values of the page, which the long form shows.
        anyhow!("{error}").into()
    }
}

impl Ask {
    /// Who is signed in.
    ///
    /// # Errors
    /// If the request has no session: such a one does not get this far.
    pub(crate) fn user(&self) -> Result<&User, PageError> {
        self.user.as_ref().ok_or_else(|| PageError::new(StatusCode::UNAUTHORIZED, "Sign in first."))
    }

    /// The client, as limits know it: with IPv6 one has a whole /64.
    pub(crate) fn client(&self) -> String {
        match self.address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }

    /// What the person may see.
    ///
    /// # Errors
    /// If the request has no session.
    pub(crate) fn scope(&self) -> Result<Scope, PageError> {
        Ok(self.user()?.scope.clone())
    }

    /// The draft of the person.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub(crate) async fn draft(&self) -> Result<(StoredDraft, Vec<GatheredChange>), PageError> {
        let stored = self.portal.store.draft(&self.user()?.id).await?;
        let mut changes: Vec<GatheredChange> =
            serde_json::from_str(&stored.changes).map_err(|why| anyhow!("a draft is damaged: {why}"))?;
        // The person may have lost a domain since.
        let scope = self.scope()?;
        changes.retain(|change| change.domains().all(|domain| scope.has(domain)));
        Ok((stored, changes))
    }

    /// A page, or the part of it that changes.
    ///
    /// # Errors
    /// If it cannot be filled in, or the state cannot be read.
    pub(crate) async fn page(&self, template: &str, values: Value) -> Result<Response, PageError> {
        self.page_with(StatusCode::OK, template, values).await
    }

    /// A page with a status.
    ///
    /// # Errors
    /// As [`Ask::page`].
    pub(crate) async fn page_with(
        &self,
        status: StatusCode,
        template: &str,
        values: Value,
    ) -> Result<Response, PageError> {
        let drafted = if self.user.is_some() { self.draft().await?.1.len() } else { 0 };
        let person = self.user.as_ref().map(|user| {
            values!(name => user.name, full_name => user.full_name, role => user.role.as_str(),
                     may_edit => user.role >= Role::Editor)
        });
        let frame = values!(person, drafted, path => self.path, live => self.portal.has_live(), token => form_token(&self.secret));
        let page = self.portal.pages.page(status, template, context!(..values, ..frame))?;
        Ok(self.with_cookie(page))
    }

    /// Has the browser go elsewhere.
    pub(crate) fn redirect(&self, to: &str) -> Response {
        self.redirect_as(&self.secret, to)
    }

    /// The same, with another cookie.
    pub(crate) fn redirect_as(&self, secret: &str, to: &str) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/")));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(cookie(secret, self.portal.secure).map(|cookie| (header::SET_COOKIE, cookie)));
        response
    }

    fn with_cookie(&self, mut response: Response) -> Response {
        if self.user.is_none() {
            let set = cookie(&self.secret, self.portal.secure);
            response.headers_mut().extend(set.map(|cookie| (header::SET_COOKIE, cookie)));
        }
        response
    }
}
