//! The data that a plan compares with: an earlier revision, rendered.

use std::sync::Arc;

use super::Before;
use crate::finding::Severity;
use crate::inventory::Context;
use crate::model::Date;
use crate::render::{self, Output, Table};
use crate::repo::Repo;
use crate::rules;
use crate::text::count::counted;

/// An earlier revision of the data, rendered.
pub(crate) struct BaseData {
    /// The subscribers that it serves.
    pub(crate) table: Arc<Table>,
    /// The output that it gives.
    pub(crate) bytes: String,
    /// Its limits, and what makes it doubtful.
    pub(crate) known: Before,
}

impl BaseData {
    /// Renders `output` from `repo`, the data of `commit` as messages call it, as of `today`.
    pub(crate) fn of(repo: &Arc<Repo>, commit: &str, output: &Output, today: Date) -> BaseData {
        let context = Context::new(repo, today, None);
        let mut known = Before { limits: Some(repo.settings.safety.clone()), ..Before::default() };
        let errors =
            rules::check(&context, Vec::new()).iter().filter(|finding| finding.severity == Severity::Error).count();
        if !repo.findings.is_empty() {
            let places = repo.findings.len();
            known.doubts.push(format!(
                "{commit} could not be read in {}: who was served there is not fully known",
                counted(places, "place", "places")
            ));
        } else if errors > 0 {
            known
                .notes
                .push(format!("{commit} does not pass the check itself ({})", counted(errors, "error", "errors")));
        }
        let table = Arc::new(Table::new(repo, &context));
        drop(context);
        let bytes = match render::output(&repo.settings, Some(&output.name)) {
            Err(_) => {
                known.notes.push("the output did not exist there: it is compared with an empty file".to_owned());
                String::new()
            }
            Ok(old) => match render::render(&table, &old) {
                Ok(rendered) => rendered.into_text(),
                Err(finding) => {
                    known.doubts.push(format!(
                        "the template failed in {commit}, so what it wrote is not known: {}",
                        finding.message
                    ));
                    String::new()
                }
            },
        };
        BaseData { table, bytes, known }
    }
}
