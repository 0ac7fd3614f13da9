//! Signing in and out, the first account, and one's own password.

use axum::http::StatusCode;
use axum::response::Response;

use super::ask::{Ask, PageError};
use super::form::{line, query};
use super::pages::{may_send_to, values};
use super::password::{self, hash, is_right};
use super::session::path_here;
use crate::query::Refusal;
use crate::text::quote::harmless;
use crate::web::access::Scope;
use crate::web::state::attempts::Subject;
use crate::web::state::users::{NewUser, Role};

/// Failures that are free: of one account from one address, of one address, of one account from everywhere.
const FREE: [i64; 3] = [5, 30, 100];

/// What is said whatever was wrong: a guess tells nothing of accounts.
const WRONG: &str = "The name or the password is wrong.";

/// The page to sign in.
pub(super) async fn page(ask: Ask) -> Result<Response, PageError> {
    if ask.user.is_some() {
        return Ok(ask.redirect(path_here(ask.parameters.get("next"))));
    }
    form(&ask, StatusCode::OK, "").await
}

async fn form(ask: &Ask, status: StatusCode, wrong: &str) -> Result<Response, PageError> {
    let next =
        path_here(if ask.form.get("next").is_empty() { ask.parameters.get("next") } else { ask.form.get("next") });
    let all = ask.portal.providers.all();
    let providers: Vec<[&str; 2]> = all.iter().map(|provider| [provider.kind(), provider.label()]).collect();
    let values = values!(wrong, next, name => ask.form.get("name"), setup => false, key => "", shortest => password::SHORTEST,
                          full_name => "", email => "", local => ask.portal.providers.local, providers);
    let mut page = ask.page_with(status, "sign_in.html", values).await?;
    for provider in all {
        may_send_to(&mut page, &provider.sites().await);
    }
    Ok(page)
}

/// Signs in.
pub(super) async fn sign_in(ask: Ask) -> Result<Response, PageError> {
    let (name, sent) = (ask.form.get("name"), ask.form.raw("password").to_owned());
    if !ask.portal.providers.local {
        return Err(PageError::new(StatusCode::FORBIDDEN, "This portal has no accounts with passwords."));
    }
    let subjects = subjects(name, ask.client());
    if let Some(wait) = ask.portal.store.begin_attempt(&subjects).await? {
        let minutes = crate::text::count::counted((wait as usize).div_ceil(60), "minute", "minutes");
        let why = format!("Too many attempts failed. Try again in {minutes}.");
        return form(&ask, StatusCode::TOO_MANY_REQUESTS, &why).await;
    }
    // A provider's account has no password.
    let known = ask.portal.store.user_named(name).await?.filter(|(user, _)| user.provider.is_none());
    let right = is_right(sent, known.as_ref().map(|(_, hash)| hash.clone())).await;
    let Some((user, _)) = known.filter(|_| right) else {
        ask.portal.store.record(name, ask.address, "sign-in refused").await?;
        return form(&ask, StatusCode::FORBIDDEN, WRONG).await;
    };
    ask.portal.store.was_right(&subjects).await?;
    if let Some(own) = subjects.first() {
        ask.portal.store.succeeded(own).await?;
    }
    // Always a new secret: one that was put into the browser before is worth nothing.
    let secret = ask.portal.store.begin_session(&user).await?;
    ask.portal.store.record(&user.name, ask.address, "signed in").await?;
    Ok(ask.redirect_as(&secret, path_here(ask.form.get("next"))))
}

/// What failures are counted for.
fn subjects(name: &str, address: String) -> [Subject; 3] {
    let name = harmless(name, 100);
    let names = [format!("account {name} from {address}"), format!("address {address}"), format!("account {name}")];
    let [both, from, account] = names;
    let [free_both, free_from, free_account] = FREE;
    [
        Subject { name: both, free: free_both },
        Subject { name: from, free: free_from },
        Subject { name: account, free: free_account },
    ]
}

/// Signs out.
pub(super) async fn sign_out(ask: Ask) -> Result<Response, PageError> {
    ask.portal.store.end_session(&ask.secret).await?;
    ask.portal.store.record(&ask.user()?.name, ask.address, "signed out").await?;
    Ok(ask.redirect_as("", "/sign-in"))
}

/// The page that makes the first account, for who has the link that `serve` prints.
pub(super) async fn setup_page(ask: Ask) -> Result<Response, PageError> {
    let key = ask.parameters.get("key").to_owned();
    if !ask.portal.providers.local || !ask.portal.store.is_invited(&key).await? {
        return Err(used());
    }
    setup_form(&ask, StatusCode::OK, &key, "").await
}

fn used() -> PageError {
    PageError::not_found("This link was used already, or is of an earlier start of the server. Sign in instead.")
}

async fn setup_form(ask: &Ask, status: StatusCode, key: &str, wrong: &str) -> Result<Response, PageError> {
    let values = values!(wrong, key, next => "/", name => ask.form.get("name"), setup => true,
                          shortest => password::SHORTEST, full_name => ask.form.get("full_name"),
                          email => ask.form.get("email"), local => true, providers => [(); 0]);
    ask.page_with(status, "sign_in.html", values).await
}

/// Makes the first account, an operator.
pub(super) async fn setup(ask: Ask) -> Result<Response, PageError> {
    let key = ask.form.get("key").to_owned();
    if !ask.portal.providers.local || !ask.portal.store.is_invited(&key).await? {
        return Err(used());
    }
    let (new, hash) = match first(&ask) {
        Ok(first) => first,
        Err(wrong) => return setup_form(&ask, StatusCode::BAD_REQUEST, &key, &wrong).await,
    };
    if !ask.portal.store.accept_invitation(&key).await? {
        return Err(used());
    }
    ask.portal.store.add_user(&new, &hash).await?;
    ask.portal.store.record(&new.name, ask.address, "made the first account").await?;
    let Some((user, _)) = ask.portal.store.user_named(&new.name).await? else { return Err(used()) };
    let secret = ask.portal.store.begin_session(&user).await?;
    Ok(ask.redirect_as(&secret, "/"))
}

fn first(ask: &Ask) -> Result<(NewUser, String), String> {
    let full_name = ask.form.get("full_name").to_owned();
    let new = NewUser {
        name: ask.form.get("name").to_owned(),
        full_name,
        email: ask.form.get("email").to_owned(),
        role: Role::Operator,
        scope: Scope::all(),
    };
    new.checked().map_err(|why| sentence(&why.0))?;
    let hash = hash(ask.form.raw("password")).map_err(|why| sentence(&why.to_string()))?;
    Ok((new, hash))
}

/// The end of a message as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

impl NewUser {
    /// Refuses names that would look like something else, and addresses that are none.
    ///
    /// # Errors
    /// In these cases.
    pub(crate) fn checked(&self) -> Result<(), Refusal> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(plain) {
            return Err(Refusal("the name of an account has letters, digits and . _ - @, at most 64".to_owned()));
        }
        let in_commit = |text: &str| !text.contains(['<', '>']) && text.trim() == text && !text.is_empty();
        if let Err(why) = line(&self.full_name, 100) {
            return Err(Refusal(format!("the full name {why}")));
        }
        if !in_commit(&self.full_name) {
            return Err(Refusal(
                "the full name is the author of commits: it cannot be empty or have < and >".to_owned(),
            ));
        }
        let (local, host) = self.email.split_once('@').unwrap_or_default();
        let spaces = self.email.chars().any(char::is_whitespace);
        if line(&self.email, 200).is_err() || !in_commit(&self.email) || spaces || local.is_empty() || host.is_empty() {
            return Err(Refusal("the email address is written NAME@HOST: it is the author's in commits".to_owned()));
        }
        Ok(())
    }
}

/// One's own account.
pub(super) async fn account(ask: Ask) -> Result<Response, PageError> {
    account_form(&ask, StatusCode::OK, "").await
}

async fn account_form(ask: &Ask, status: StatusCode, wrong: &str) -> Result<Response, PageError> {
    let user = ask.user()?;
    let domains = user.scope.domains().map(|domains| domains.iter().cloned().collect::<Vec<_>>());
    let values = values!(wrong, email => user.email, domains, provider => user.provider, shortest => password::SHORTEST,
                          changed => ask.parameters.get("changed") == "yes");
    ask.page_with(status, "account.html", values).await
}

/// Another password for oneself. Other sessions end.
pub(super) async fn change_password(ask: Ask) -> Result<Response, PageError> {
    let user = ask.user()?.clone();
    if user.provider.is_some() {
        return Err(PageError::new(StatusCode::FORBIDDEN, "This account has no password here: its provider has it."));
    }
    let subjects = subjects(&user.name, ask.client());
    if ask.portal.store.begin_attempt(&subjects).await?.is_some() {
        return account_form(&ask, StatusCode::TOO_MANY_REQUESTS, "Too many attempts failed. Try again later.").await;
    }
    let known = ask.portal.store.user_named(&user.name).await?.map(|(_, hash)| hash);
    if !is_right(ask.form.raw("old").to_owned(), known).await {
        ask.portal.store.record(&user.name, ask.address, "change of password refused").await?;
        return account_form(&ask, StatusCode::FORBIDDEN, "The present password is wrong.").await;
    }
    ask.portal.store.was_right(&subjects).await?;
    let hash = match hash(ask.form.raw("password")) {
        Ok(hash) => hash,
        Err(why) => return account_form(&ask, StatusCode::BAD_REQUEST, &sentence(&why.to_string())).await,
    };
    ask.portal.store.set_password(&user.name, &hash).await?;
    ask.portal.store.record(&user.name, ask.address, "changed their password").await?;
    let secret = ask.portal.store.begin_session(&user).await?;
    Ok(ask.redirect_as(&secret, &format!("/account?{}", query(&[("changed", "yes")]))))
}
