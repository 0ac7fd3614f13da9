//! Pull requests at a forge: GitHub, Gitea, Forgejo and GitLab. [`text`] writes what people read there, [`api`] says
//! what is sent for each kind and reads the answers, [`http`] sends it.

mod api;
mod http;
mod pull;
mod text;

use anyhow::Result;

pub(crate) use pull::{Pull, PullState};
pub(crate) use text::{PullText, neutral};

use self::api::Api;
use self::http::{Failure, Http};
use crate::web::settings::forge::ForgeSettings;

/// A repository at a forge, where pull requests into one branch are opened.
pub(crate) struct Forge {
    api: Api,
    http: Http,
}

impl Forge {
    /// The repository of the settings, with the token of the environment; pull requests go into `base`.
    ///
    /// # Errors
    /// If there is no token, or no way to send it.
    pub(crate) fn open(settings: &ForgeSettings, base: &str) -> Result<Forge> {
        let api = Api::new(settings, base);
        let http = Http::new(&settings.url, &settings.repository, api.kind())?;
        Ok(Forge { api, http })
    }

    /// The pull request of a branch, whatever became of it.
    ///
    /// # Errors
    /// If the forge does not say.
    pub(crate) fn find(&self, branch: &str) -> Result<Option<Pull>> {
        let answer = match self.http.send(&self.api.find(branch)) {
            Err(Failure { status: Some(404), .. }) if self.api.absent_is_404() => {
                // Either there is none, or the token does not see the repository.
                self.http.send(&self.api.repository_itself()).map_err(Failure::into_error)?;
                return Ok(None);
            }
            answer => answer.map_err(Failure::into_error)?,
        };
        Ok(self.safe(self.api.found(&answer, branch)))
    }

    /// Opens a pull request of a branch. One that is there is taken: it was opened before a crash, or by another
    /// replica at the same moment.
    ///
    /// # Errors
    /// If the forge refuses.
    pub(crate) fn open_pull(&self, branch: &str, text: &PullText) -> Result<Pull> {
        let failure = match self.http.send(&self.api.open(branch, text)) {
            Ok(answer) => match self.safe(self.api.pull(&answer)) {
                Some(pull) => return Ok(pull),
                None => Failure::odd(self.http.host()),
            },
            Err(failure) => failure,
        };
        match failure.status {
            Some(409 | 422) => self.find(branch)?.ok_or_else(|| failure.into_error()),
            _ => Err(failure.into_error()),
        }
    }

    /// A pull request as it is now. `None` if there is none of this number.
    ///
    /// # Errors
    /// If the forge does not say.
    pub(crate) fn look(&self, number: u64) -> Result<Option<Pull>> {
        match self.http.send(&self.api.look(number)) {
            Ok(answer) => match self.safe(self.api.pull(&answer)) {
                Some(pull) => Ok(Some(pull)),
                None => Err(Failure::odd(self.http.host()).into_error()),
            },
            Err(Failure { status: Some(404 | 410), .. }) => {
                self.http.send(&self.api.repository_itself()).map_err(Failure::into_error)?;
                Ok(None)
            }
            Err(failure) => Err(failure.into_error()),
        }
    }

    /// Closes a pull request without merging it.
    ///
    /// # Errors
    /// If the forge refuses.
    pub(crate) fn close(&self, number: u64) -> Result<()> {
        self.http.send(&self.api.close(number)).map(drop).map_err(Failure::into_error)
    }

    /// Whether a link leads to this forge.
    pub(crate) fn has(&self, link: &str) -> bool {
        self.http.has(link)
    }

    /// Without a link that leads elsewhere.
    fn safe(&self, pull: Option<Pull>) -> Option<Pull> {
        pull.map(|pull| Pull { link: pull.link.filter(|link| self.has(link)), ..pull })
    }
}
