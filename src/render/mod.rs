//! Records → outputs: the shaper file, and the outputs of the repository's own templates.
//!
//! The shaper file is written directly, on all cores. A repository's own template gets all data at once.

#[cfg(unix)]
pub mod apart;
mod filters;
mod free;
mod help;
mod own;
mod shaper;
mod table;
mod values;

pub use table::Table;
pub(crate) use table::{ServedAddress, Unserved, unserved};

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::finding::{Finding, Where};
use crate::inventory::Context;
use crate::model::Settings;
use crate::repo::Repo;
use crate::source::FileId;
use crate::text::quote::quoted;
use crate::text::suggest::nearest;
use own::RenderJob;
use values::{LineValue, Shared, lazy};

/// The name of the default output, and of what is built in as its template.
pub(crate) const SHAPER: &str = "shaper";

/// An output's definition, after defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub(crate) name: String,
    /// The built-in template's name, or the path of one of the repository's own.
    pub(crate) template: String,
    /// The file that it is written to, without a folder.
    pub(crate) file: String,
}

impl Output {
    /// Whether it has the built-in template, and so the format that `plan` can read back.
    pub(crate) fn is_shaper_format(&self) -> bool {
        self.template == SHAPER
    }
}

/// An output that can be written: nothing in it fails any more.
#[derive(Debug)]
pub struct Rendered(Content);

#[derive(Debug)]
enum Content {
    /// What a template gave.
    Text(String),
    /// The shaper file of a table. Its lines are made as they are written: a million need not be in memory.
    ShaperFile(Arc<Table>),
}

impl Rendered {
    fn text(text: String) -> Self {
        Self(Content::Text(text))
    }

    /// The pieces, in order.
    pub(crate) fn pieces(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        match &self.0 {
            Content::Text(text) => Box::new(std::iter::once(Cow::Borrowed(text.as_str()))),
            Content::ShaperFile(table) => Box::new(shaper::pieces(table).map(Cow::Owned)),
        }
    }

    /// All of it as one text.
    pub fn into_text(self) -> String {
        match self.0 {
            Content::Text(text) => text,
            Content::ShaperFile(table) => {
                let mut text = String::with_capacity(table.len() * shaper::LINE);
                text.extend(shaper::pieces(&table));
                text
            }
        }
    }
}

/// All outputs of the settings, by name, and the shaper file even if they do not name it.
pub(crate) fn outputs(settings: &Settings) -> BTreeMap<String, Output> {
    let mut outputs: BTreeMap<String, Output> = settings
        .outputs
        .iter()
        .map(|(name, output)| {
            let file = output.file.as_ref().map_or_else(|| format!("{name}.txt"), |file| file.as_str().to_owned());
            let output = Output { name: name.to_string(), template: output.template.to_string(), file };
            (name.to_string(), output)
        })
        .collect();
    outputs.entry(SHAPER.to_owned()).or_insert_with(|| Output {
        name: SHAPER.to_owned(),
        template: SHAPER.to_owned(),
        file: "shaper.txt".to_owned(),
    });
    outputs
}

/// The output called `name`, or the shaper file without a name.
///
/// # Errors
/// If the settings define no such output.
pub fn output(settings: &Settings, name: Option<&str>) -> Result<Output> {
    let name = name.unwrap_or(SHAPER);
    let all = outputs(settings);
    if let Some(output) = all.get(name) {
        return Ok(output.clone());
    }
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    let hint = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean {}?", quoted(near)),
        None => format!("defined outputs: {}", names.join(", ")),
    };
    bail!("shapeline.yaml defines no output {}; {hint}", quoted(name))
}

/// Renders `output` from `table`.
///
/// # Errors
/// A finding that names the template, the line in it, and the subscriber.
pub fn render(table: &Arc<Table>, output: &Output) -> Result<Rendered, Box<Finding>> {
    if output.is_shaper_format() {
        shaper::check(table)?;
        return Ok(Rendered(Content::ShaperFile(table.clone())));
    }
    let repo = table.repo();
    let Some(&file) = repo.templates.get(&output.template) else {
        let at = repo.settings_file.map_or(Where::File(FileId::default()), Where::File);
        return Err(Box::new(Finding::new(
            "template",
            at,
            format!("there is no template {}", quoted(&output.template)),
        )));
    };
    let job = RenderJob { outputs: vec![output.clone()], checking: false };
    let mut answers = carry_out(table, &job).into_iter();
    let rendered = answers.next().unwrap_or_else(|| Err(own::TemplateFailure::without_answer(&output.template)));
    rendered.map_err(|failure| Box::new(failure.finding(table.repo(), file)))
}

/// In a process of its own if this program can start one.
fn carry_out(table: &Arc<Table>, job: &RenderJob) -> Vec<Result<Rendered, own::TemplateFailure>> {
    #[cfg(unix)]
    if let Some(program) = apart::program() {
        return apart::carry_out(program, table, job);
    }
    own::carry_out(table, job)
}

fn lines(shared: &Arc<Shared>, start: usize, end: usize) -> Value {
    let shared = shared.clone();
    lazy(end - start, move |at| {
        Value::from_object(LineValue { row: shared.table.rows()[start + at], shared: shared.clone() })
    })
}

fn bare_environment<'a>() -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    // A `{% … %}` on a line of its own leaves no trace: outputs are made of lines.
    if let Ok(syntax) =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()
    {
        environment.set_syntax(syntax);
    }
    filters::install(&mut environment);
    environment
}

/// Findings in the templates of `repo`: templates that do not compile, and outputs that fail on the
/// data.
pub fn template_findings(repo: &Arc<Repo>, context: &Context<'_>) -> Vec<Finding> {
    if repo.templates.is_empty() {
        return Vec::new();
    }
    let too_large: Vec<Finding> = repo.templates.values().filter_map(|file| too_large(repo, *file)).collect();
    if !too_large.is_empty() {
        return too_large;
    }
    let table = Arc::new(Table::new(repo, context));
    let known = |output: &Output| !output.is_shaper_format() && repo.templates.contains_key(&output.template);
    let job = RenderJob { outputs: outputs(&repo.settings).into_values().filter(known).collect(), checking: true };
    let failures = |table: &Arc<Table>| -> Vec<Finding> {
        let failures = carry_out(table, &job).into_iter().filter_map(Result::err);
        failures.map(|failure| failure.finding(repo, FileId::default())).collect()
    };
    let now = failures(&table);
    if !now.is_empty() {
        return now;
    }
    // A template that fails on a subscriber whose term begins later would stop publishing on that day.
    Table::with_coming(repo, context).map(|coming| failures(&Arc::new(coming))).unwrap_or_default()
}

/// A template is a page or two. The limit bounds how deep its expressions can nest.
const MAX_TEMPLATE_BYTES: usize = 256 << 10;

fn too_large(repo: &Repo, file: FileId) -> Option<Finding> {
    let large = repo.sources.file(file).text().len() > MAX_TEMPLATE_BYTES;
    let message = format!("the template is larger than the {} KiB that are read", MAX_TEMPLATE_BYTES >> 10);
    large.then(|| Finding::new("template", Where::File(file), message).help("split it and include the parts"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
