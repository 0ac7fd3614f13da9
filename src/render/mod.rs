//! Records → outputs: the shaper file, and whatever else the repository's own templates make.
//!
//! The built-in template is rendered in chunks on all cores, which its shape allows: a line knows
//! nothing of other lines. A repository's own template gets everything at once.

mod filters;
mod table;
mod values;

pub use table::{Row, Table, Unserved, unserved};

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use rayon::prelude::*;

use crate::finding::{Finding, Severity, Where, nearest, quoted};
use crate::model::{Date, Settings};
use crate::repo::Repo;
use crate::rules::{self, Context};
use crate::source::{FileId, Span};
use values::{LineValue, Shared, lazy};

/// The name of the output that is meant where none is named, and of the built-in template.
pub const SHAPER: &str = "shaper";

const SHAPER_TEMPLATE: &str = include_str!("shaper.j2");

/// How many lines one chunk has.
const CHUNK: usize = 8192;

/// Steps that a repository's own template may take: so many, and so many more a line.
const STEPS: u64 = 10_000_000;
const STEPS_A_LINE: u64 = 5_000;

/// Bytes that such a template may write: so many, and so many more a line.
const ROOM: usize = 16 << 20;
const ROOM_A_LINE: usize = 16 << 10;

/// A text that grows only so far.
struct Bounded {
    text: Vec<u8>,
    room: usize,
}

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.text.len() + bytes.len() > self.room {
            return Err(std::io::Error::other("the output grows without end"));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An output's definition, after defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// The built-in template's name, or the path of one of the repository's own.
    pub template: String,
    /// The file that it is written to, without a folder.
    pub file: String,
}

impl Output {
    /// Whether it has the built-in template, and so the format that `plan` can read back.
    pub fn is_shaper_format(&self) -> bool {
        self.template == SHAPER
    }
}

/// An output's text, in the pieces in which it was made: a million lines are not copied together
/// only to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered(Vec<String>);

impl Rendered {
    /// The pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(String::as_bytes)
    }

    /// All of it as one text.
    pub fn into_text(mut self) -> String {
        match self.0.as_mut_slice() {
            [one] => std::mem::take(one),
            pieces => pieces.concat(),
        }
    }
}

/// All outputs of the settings, by name; the shaper file is there even if they do not name it.
pub fn outputs(settings: &Settings) -> BTreeMap<String, Output> {
    let mut outputs: BTreeMap<String, Output> = settings
        .outputs
        .iter()
        .map(|(name, output)| {
            let file = output.file.as_ref().map_or_else(|| format!("{name}.txt"), ToString::to_string);
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

/// The output called `name`, or the shaper file where none is named.
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
        None => format!("defined are: {}", names.join(", ")),
    };
    bail!("shapeline.yaml defines no output {}; {hint}", quoted(name))
}

/// Renders `output` from `table`.
///
/// # Errors
/// A finding that names the template, the line in it, and the subscriber.
pub fn render(table: &Arc<Table>, output: &Output) -> Result<Rendered, Box<Finding>> {
    if output.is_shaper_format() {
        return render_shaper(table);
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
    on_deep_stack(|| render_own(table, output, file))
}

fn render_own(table: &Arc<Table>, output: &Output, file: FileId) -> Result<Rendered, Box<Finding>> {
    let shared = Arc::new(Shared::new(table));
    let environment = environment(table);
    let mut text = Bounded { text: Vec::new(), room: ROOM + ROOM_A_LINE * table.len() };
    let rendered = environment
        .get_template(&output.template)
        .and_then(|template| template.render_captured_to(everything(&shared, output), &mut text).map(drop));
    let text = String::from_utf8(text.text).unwrap_or_default();
    rendered.map(|()| Rendered(vec![text])).map_err(|error| Box::new(template_finding(&error, file, &shared)))
}

fn render_shaper(table: &Arc<Table>) -> Result<Rendered, Box<Finding>> {
    let mut environment = bare_environment();
    // The built-in template is part of the program; a test renders it.
    let compiled = environment.add_template(SHAPER, SHAPER_TEMPLATE);
    let fail = |error: &minijinja::Error| {
        Box::new(Finding::new("template", Where::File(FileId::default()), error.to_string()))
    };
    compiled.map_err(|error| fail(&error))?;
    let template = environment.get_template(SHAPER).map_err(|error| fail(&error))?;
    let starts: Vec<usize> = (0..table.len()).step_by(CHUNK).collect();
    let chunks: Vec<String> = starts
        .into_par_iter()
        .map(|start| {
            let shared = Arc::new(Shared::new(table));
            let end = (start + CHUNK).min(table.len());
            template.render(context! { lines => lines(&shared, start, end) }).map_err(|error| fail(&error))
        })
        .collect::<Result<_, _>>()?;
    Ok(Rendered(chunks))
}

fn lines(shared: &Arc<Shared>, start: usize, end: usize) -> Value {
    let shared = shared.clone();
    lazy(end - start, move |at| {
        Value::from_object(LineValue { row: shared.table.rows()[start + at], shared: shared.clone() })
    })
}

/// What a repository's own template sees.
fn everything(shared: &Arc<Shared>, output: &Output) -> Value {
    let table = &shared.table;
    let mut first_rows: Vec<Row> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for row in table.rows() {
        if seen.insert(table.subscriber_number(*row)) {
            first_rows.push(*row);
        }
    }
    let of_subscribers = shared.clone();
    let subscribers = lazy(first_rows.len(), move |at| values::subscriber(&of_subscribers, first_rows[at]));
    let plans: BTreeMap<&str, Value> =
        table.repo().plans.iter().rev().map(|plan| (plan.value.name.as_str(), values::plan(&plan.value))).collect();
    let domains: BTreeMap<&str, Value> =
        table.domains().map(|domain| (domain.name.as_str(), values::domain(domain))).collect();
    context! {
        lines => lines(shared, 0, table.len()),
        subscribers => subscribers,
        plans => Value::from_pairs(plans),
        domains => Value::from_pairs(domains),
        date => table.today().to_string(),
        output => output.name.as_str(),
    }
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

/// An environment that knows the repository's templates, and only those.
fn environment(table: &Arc<Table>) -> Environment<'static> {
    let mut environment = bare_environment();
    environment.set_fuel(Some(STEPS + STEPS_A_LINE * table.len() as u64));
    // Not all of them beforehand: each of a thousand outputs has its own environment.
    let table = table.clone();
    environment.set_loader(move |path| {
        let repo = table.repo();
        Ok(repo.templates.get(path).map(|file| repo.sources.file(*file).text().to_owned()))
    });
    environment
}

/// Who is served, from data without errors; from other data, the errors.
///
/// # Errors
/// The findings that are errors.
pub fn sound_table(repo: &Arc<Repo>, today: Date) -> Result<Arc<Table>, Vec<Finding>> {
    let context = Context::new(repo, today, None);
    let errors: Vec<Finding> = rules::check(&context, template_findings(repo, &context))
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .collect();
    if errors.is_empty() { Ok(Arc::new(Table::new(repo, &context))) } else { Err(errors) }
}

/// What is wrong with the templates of `repo`: those that do not compile, and those of its
/// outputs that fail on the data. Costs nothing where there are none.
pub fn template_findings(repo: &Arc<Repo>, context: &Context<'_>) -> Vec<Finding> {
    if repo.templates.is_empty() {
        return Vec::new();
    }
    let too_large: Vec<Finding> = repo.templates.values().filter_map(|file| too_large(repo, *file)).collect();
    if !too_large.is_empty() {
        return too_large;
    }
    let table = Arc::new(Table::new(repo, context));
    on_deep_stack(|| findings_in(&table))
}

/// A template is a page or two. The limit bounds how deep its expressions can nest.
const MAX_TEMPLATE_BYTES: usize = 256 << 10;

fn too_large(repo: &Repo, file: FileId) -> Option<Finding> {
    let large = repo.sources.file(file).text().len() > MAX_TEMPLATE_BYTES;
    let message = format!("the template is larger than the {} KiB that are read", MAX_TEMPLATE_BYTES >> 10);
    large.then(|| Finding::new("template", Where::File(file), message).help("split it and include the parts"))
}

/// Runs something that compiles templates: the compiler calls itself for each level of an
/// expression, and a template may hold as many levels as bytes. Memory is taken only as used.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    const STACK: usize = 1 << 30;
    let work = std::sync::Mutex::new(Some(work));
    let take = || work.lock().ok().and_then(|mut work| work.take());
    let result = std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || take().map(|work| work()));
        match spawned.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No room for such a stack here: an ordinary template needs none.
            Err(_) => take().map(|work| work()),
        }
    });
    match result {
        Some(result) => result,
        None => unreachable!("the work is taken once, and whoever takes it does it"),
    }
}

fn findings_in(table: &Arc<Table>) -> Vec<Finding> {
    let repo = table.repo();
    let environment = environment(table);
    let shared = Arc::new(Shared::new(table));
    let mut findings: Vec<Finding> = repo
        .templates
        .iter()
        .filter_map(|(path, file)| {
            environment.get_template(path).err().map(|error| template_finding(&error, *file, &shared))
        })
        .collect();
    if findings.is_empty() {
        let own = outputs(&repo.settings).into_values().filter(|output| !output.is_shaper_format());
        findings.extend(
            own.filter(|output| repo.templates.contains_key(&output.template))
                .filter_map(|output| render(table, &output).err())
                .map(|finding| *finding),
        );
    }
    findings
}

fn template_finding(error: &minijinja::Error, file: FileId, shared: &Shared) -> Finding {
    let repo = shared.table.repo();
    // An included template's error names that template, not the one that was asked for.
    let file = error.name().and_then(|name| repo.templates.get(name)).copied().unwrap_or(file);
    let text = repo.sources.file(file).text();
    let range = error.range().filter(|range| text.get(range.clone()).is_some());
    let range = range.or_else(|| error.line().and_then(|line| line_range(text, line)));
    let at =
        range.map_or(Where::File(file), |range| Where::Span(file, Span::new(range.start as u32, range.end as u32)));
    let detail = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    let message = match error.kind() {
        minijinja::ErrorKind::OutOfFuel => "the template takes too many steps: does a loop never end?".to_owned(),
        minijinja::ErrorKind::WriteFailure => "the template writes too much: does a loop never end?".to_owned(),
        _ => detail.lines().collect::<Vec<_>>().join(" "),
    };
    let finding = Finding::new("template", at, message);
    match shared.last_subscriber().and_then(|at| repo.subscribers.get(at)) {
        Some(record) => finding.related(Where::Place(record.place()), "while writing this subscriber"),
        None => finding,
    }
}

fn line_range(text: &str, line: usize) -> Option<std::ops::Range<usize>> {
    let found = text.split_inclusive('\n').nth(line.checked_sub(1)?)?;
    let start = found.as_ptr() as usize - text.as_ptr() as usize;
    Some(start..start + found.trim_end().len())
}
