//! The review of a draft, and its submission.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::ask::{Ask, PageError};
use super::drafting::{Checked, changed_meanwhile};
use super::fields::FieldTexts;
use super::form::line;
use super::pages::values;
use crate::database::random::{now, random};
use crate::edit::gathered::{Fate, GatheredChange};
use crate::model::Subscriber;
use crate::text::count::counted;
use crate::text::hex::hex;
use crate::text::quote::harmless;
use crate::web::forge::neutral;
use crate::web::state::requests::{ChangeRequest, Review, Stage};

/// The longest line of the message of a commit, in characters.
const LONGEST_LINE: usize = 1000;

/// A change in the draft.
#[derive(Serialize)]
pub(super) struct ChangeView {
    key: String,
    verb: &'static str,
    what: String,
    /// `made`, `already` or `conflict`.
    fate: &'static str,
    /// For a conflict: each field as it was, as it is now, and as the draft has it.
    fields: Vec<FieldVersions>,
    gone: bool,
    /// What the person sees of the other one's record, for [`keep_mine`].
    theirs: String,
    /// Whether it can be edited: not so what is removed.
    editable: bool,
}

/// A field in three versions.
#[derive(Serialize)]
struct FieldVersions {
    name: &'static str,
    was: String,
    theirs: String,
    mine: String,
}

/// The changes as a page shows them.
pub(super) fn views(changes: &[GatheredChange], fates: &[Fate]) -> anyhow::Result<Vec<ChangeView>> {
    let fates = fates.iter().map(Some).chain(std::iter::repeat(None));
    changes.iter().zip(fates).map(|(change, fate)| view(change, fate)).collect()
}

fn view(change: &GatheredChange, fate: Option<&Fate>) -> anyhow::Result<ChangeView> {
    let (word, theirs) = match fate {
        None | Some(Fate::Made) => ("made", None),
        Some(Fate::Already) => ("already", None),
        Some(Fate::Conflict(theirs)) => ("conflict", Some(theirs.as_deref())),
    };
    Ok(ChangeView {
        key: change.key(),
        verb: change.verb().imperative(),
        what: change.what()?,
        fate: word,
        fields: theirs.map(|theirs| versions(change, theirs)).unwrap_or_default(),
        gone: theirs.is_some_and(|theirs| theirs.is_none()),
        theirs: seen(theirs.flatten()),
        editable: change.now.is_some(),
    })
}

/// A text that is another one for each record.
fn seen(record: Option<&Subscriber>) -> String {
    let json = serde_json::to_vec(&record).unwrap_or_default();
    hex(&Sha256::digest(json))
}

/// The fields that any of the three versions has differently.
fn versions(change: &GatheredChange, theirs: Option<&Subscriber>) -> Vec<FieldVersions> {
    let texts = |subscriber: Option<&Subscriber>| subscriber.map(FieldTexts::of).unwrap_or_default();
    let (was, theirs, mine) = (texts(change.was.as_ref()), texts(theirs), texts(change.now.as_ref()));
    let three = was.named().into_iter().zip(theirs.named()).zip(mine.named());
    three
        .map(|(((name, was), (_, theirs)), (_, mine))| FieldVersions { name, was, theirs, mine })
        .filter(|one| one.was != one.theirs || one.was != one.mine)
        .collect()
}

/// The review: what changes, what the rules say, what happens on the network.
pub(super) async fn review(ask: Ask) -> Result<Response, PageError> {
    show(&ask, StatusCode::OK, "").await
}

async fn show(ask: &Ask, status: StatusCode, wrong: &str) -> Result<Response, PageError> {
    let (stored, changes) = ask.draft().await?;
    let checked = if changes.is_empty() { None } else { Some(ask.check(changes.clone()).await?) };
    let fates = checked.as_ref().map(|checked| checked.gathered.fates.as_slice()).unwrap_or_default();
    let findings = checked.as_ref().map(|checked| checked.findings.as_slice()).unwrap_or_default();
    let values = values!(
        wrong, changes => views(&changes, fates)?, findings,
        network => checked.as_ref().and_then(|checked| checked.network.clone()),
        notes => checked.as_ref().map(|checked| checked.gathered.notes.clone()).unwrap_or_default(),
        errors => checked.as_ref().is_some_and(Checked::has_errors),
        conflicts => checked.as_ref().is_some_and(Checked::conflicts),
        refused => checked.as_ref().is_none_or(Checked::is_refused),
        version => stored.version, message => ask.form.get("message"), to => ask.portal.proposer.destination(),
        trunk => ask.portal.is_direct_for(ask.user()?).then(|| ask.portal.proposer.trunk()),
    );
    ask.page_with(status, "draft.html", values).await
}

/// Takes a change out of the draft, or all of them.
pub(super) async fn discard(ask: Ask) -> Result<Response, PageError> {
    let key = ask.form.some("key").map(ToOwned::to_owned);
    ask.change_draft(Some(ask.form.get("version")), |changes| {
        changes.retain(|change| key.as_ref().is_some_and(|key| change.key() != *key));
        Ok(())
    })
    .await?;
    Ok(ask.redirect("/draft"))
}

/// Decides a conflict: the change is made on the record as it is now.
pub(super) async fn keep_mine(ask: Ask) -> Result<Response, PageError> {
    let key = ask.form.get("key").to_owned();
    let (data, scope) = (ask.portal.current.snapshot(), ask.scope()?);
    let theirs = data.subscriber(&key, &scope);
    if ask.form.get("theirs") != seen(theirs) {
        return Err(changed_meanwhile());
    }
    ask.change_draft(Some(ask.form.get("version")), |changes| {
        for change in changes.iter_mut().filter(|change| change.key() == key) {
            *change = change.on(theirs)?;
        }
        Ok(())
    })
    .await?;
    Ok(ask.redirect("/draft"))
}

/// Makes the draft into a request, and the request into a commit on a branch.
pub(super) async fn submit(ask: Ask) -> Result<Response, PageError> {
    let user = ask.user()?.clone();
    let (stored, changes) = ask.draft().await?;
    if ask.form.get("version") != stored.version.to_string() || changes.is_empty() {
        let why = "This draft was changed or submitted in the meantime. This is how it is now.";
        return show(&ask, StatusCode::CONFLICT, why).await;
    }
    let checked = ask.check(changes.clone()).await?;
    if checked.is_refused() {
        return show(&ask, StatusCode::UNPROCESSABLE_ENTITY, "The draft cannot be submitted like this.").await;
    }
    let note = match line(ask.form.get("message"), 500) {
        Ok(note) => note.to_owned(),
        Err(why) => return show(&ask, StatusCode::UNPROCESSABLE_ENTITY, &format!("The note {why}.")).await,
    };
    let id = random::<8>()?;
    // What a forge reads of a commit, such as `fixes #1`, it does once that is merged.
    let is_read = ask.portal.proposer.forge.is_some();
    let plain = |text: String| if is_read { neutral(&text, LONGEST_LINE) } else { text };
    let title = plain(title(&changes)?);
    let lines = changes.iter().map(|change| Ok(format!("- {} {}", change.verb().imperative(), change.what()?)));
    let lines: Vec<String> = lines.collect::<anyhow::Result<_>>()?;
    let (lines, note): (Vec<String>, String) = (lines.into_iter().map(plain).collect(), plain(note));
    let mut domains: Vec<String> = changes.iter().flat_map(GatheredChange::domains).map(ToOwned::to_owned).collect();
    domains.sort_unstable();
    domains.dedup();
    let mut request = ChangeRequest {
        branch: format!("portal/{}-{id}", user.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")),
        author: user.full_name.clone(),
        email: user.email.clone(),
        user_id: user.id.clone(),
        domains,
        message: message(&title, &lines, &note, &id),
        title,
        changes: serde_json::to_string(&changes).map_err(anyhow::Error::from)?,
        stage: Stage::Accepted,
        commit: None,
        link: None,
        trouble: None,
        created: now(),
        review: Review::default(),
        tries: 0,
        due: 0,
        id,
    };
    if !ask.portal.store.submit(&request, stored.version).await? {
        let why = "This draft was submitted already.";
        return show(&ask, StatusCode::CONFLICT, why).await;
    }
    ask.portal
        .store
        .record(&user.name, ask.address, &format!("submitted request {}: {}", request.id, request.title))
        .await?;
    ask.portal.advance(&mut request).await?;
    Ok(ask.redirect(&format!("/request?id={}", request.id)))
}

/// What a draft does, in a line.
fn title(changes: &[GatheredChange]) -> anyhow::Result<String> {
    Ok(match changes {
        [one] => harmless(&format!("{} {}", one.verb().imperative(), one.what()?), 120),
        many => {
            let mut verbs: Vec<&str> = many.iter().map(|change| change.verb().imperative()).collect();
            verbs.dedup();
            let verb = if let [one] = verbs.as_slice() { one } else { "Change" };
            format!("{verb} {}", counted(many.len(), "subscriber", "subscribers"))
        }
    })
}

/// The message of the commit. The last line tells a server that was interrupted which commit is its own.
fn message(title: &str, lines: &[String], note: &str, id: &str) -> String {
    let mut message = format!("{title}\n");
    if !note.is_empty() {
        message += &format!("\n{}\n", harmless(note, 500));
    }
    if lines.len() > 1 {
        message += &format!("\n{}\n", lines.join("\n"));
    }
    format!("{message}\n{}: {id}\n", super::proposer::TRAILER)
}
