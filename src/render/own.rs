//! A repository's own templates: compiled and rendered with their whole context, within limits on steps
//! and on the bytes written.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::{Environment, ErrorKind, Value, context};
use serde::{Deserialize, Serialize};

use super::free::readable;
use super::table::{ServedAddress, Table};
use super::values::{self, Shared, lazy};
use super::{Output, Rendered, bare_environment, help, lines};
use crate::finding::{Finding, Where};
use crate::repo::Repo;
use crate::source::{FileId, Span};
use crate::text::quote::harmless;

/// Limit on the steps of a template: a constant, and so many more for each line.
const STEPS: u64 = 10_000_000;
const STEPS_A_LINE: u64 = 5_000;

/// Limit on the bytes that a template writes: a constant, and so many more for each line.
const ROOM: u64 = 16 << 20;
const ROOM_A_LINE: u64 = 4 << 10;

/// Steps that a template may take over a table of `lines`.
fn steps(lines: usize) -> u64 {
    STEPS + STEPS_A_LINE * lines as u64
}

/// Bytes that a template may write over a table of `lines`.
pub(super) fn room(lines: usize) -> u64 {
    ROOM + ROOM_A_LINE * lines as u64
}

/// Outputs to render from a repository's own templates.
pub(super) struct RenderJob {
    /// The outputs to render.
    pub(super) outputs: Vec<Output>,
    /// Compile every template first, and only check that the outputs can be rendered.
    pub(super) checking: bool,
}

/// Why a template failed, in a form that can be sent to another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TemplateFailure {
    /// The path of the template at fault, which may be an included one.
    template: Option<String>,
    /// The bytes at fault.
    span: Option<(u32, u32)>,
    /// What is wrong.
    message: String,
    /// What to write instead.
    help: Option<String>,
    /// The subscriber that the template read last, by its index in [`Repo::subscribers`].
    subscriber: Option<u32>,
}

impl TemplateFailure {
    /// A failure of a template as a whole.
    pub(super) fn of(template: &str, message: impl Into<String>) -> Self {
        Self { template: Some(template.to_owned()), span: None, message: message.into(), help: None, subscriber: None }
    }

    /// The failure of a template that the job did not reach.
    pub(super) fn without_answer(template: &str) -> Self {
        Self::of(template, "it was not rendered, because the rendering of another template failed")
    }

    pub(super) fn writes_too_much(template: &str, lines: usize) -> Self {
        Self::of(template, too_much(lines))
    }

    fn new(error: &minijinja::Error, template: &str, shared: &Shared) -> Self {
        let repo = shared.table.repo();
        // The error of an included template names that template, not the output's.
        let known = error.name().and_then(|name| repo.templates.get_key_value(name));
        let (template, file) = match known.or_else(|| repo.templates.get_key_value(template)) {
            Some((path, file)) => (Some(path.clone()), Some(*file)),
            None => (None, None),
        };
        let text = file.map_or("", |file| repo.sources.file(file).text());
        let range = error.range().filter(|range| text.get(range.clone()).is_some());
        let range = range.or_else(|| error.line().and_then(|line| line_range(text, line)));
        let detail = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
        let lines = shared.table.len();
        let message = match error.kind() {
            ErrorKind::OutOfFuel => {
                format!("the template takes too many steps, more than {}: does a loop never end?", steps(lines))
            }
            ErrorKind::WriteFailure => too_much(lines),
            _ => readable(&detail).lines().collect::<Vec<_>>().join(" ").chars().take(LONGEST_MESSAGE).collect(),
        };
        let help = help::help(error.kind(), &detail, repo.templates.keys().map(String::as_str));
        let span = range.map(|range| (range.start as u32, range.end as u32));
        Self { template, span, message, help, subscriber: shared.last_subscriber() }
    }

    /// The finding; `file` is where it points if no template is named.
    pub(super) fn finding(self, repo: &Repo, file: FileId) -> Finding {
        let file = self.template.and_then(|path| repo.templates.get(&path)).copied().unwrap_or(file);
        let length = repo.sources.file(file).text().len();
        let span = self.span.filter(|(start, end)| start <= end && *end as usize <= length);
        let at = span.map_or(Where::File(file), |(start, end)| Where::Span(file, Span::new(start, end)));
        let finding = Finding { help: self.help, ..Finding::new("template", at, self.message) };
        match self.subscriber.and_then(|at| repo.subscribers.get(at as usize)) {
            Some(record) => finding.related(Where::Place(record.place()), "while writing this subscriber"),
            None => finding,
        }
    }
}

/// How many characters of an error are kept: some quote values that a template made.
const LONGEST_MESSAGE: usize = 2000;

fn too_much(lines: usize) -> String {
    format!("the template writes too much, more than {} MiB: does a loop never end?", room(lines) >> 20)
}

fn line_range(text: &str, line: usize) -> Option<std::ops::Range<usize>> {
    let found = text.split_inclusive('\n').nth(line.checked_sub(1)?)?;
    let start = found.as_ptr() as usize - text.as_ptr() as usize;
    Some(start..start + found.trim_end().len())
}

/// One answer for each output, in order; when checking, failures only. A template that does not
/// compile, or that breaks a limit of its process, leaves the outputs after it without an answer.
pub(super) fn carry_out(table: &Arc<Table>, job: &RenderJob) -> Vec<Result<Rendered, TemplateFailure>> {
    on_deep_stack(|| here(table, job))
}

fn here(table: &Arc<Table>, job: &RenderJob) -> Vec<Result<Rendered, TemplateFailure>> {
    if job.checking {
        let failures = compile(table);
        if !failures.is_empty() {
            return failures.into_iter().map(Err).collect();
        }
    }
    let render = |output: &Output| {
        let mut text = Vec::new();
        write(table, output, &mut text)?;
        Ok(Rendered::text(String::from_utf8(text).unwrap_or_default()))
    };
    job.outputs.iter().map(render).collect()
}

/// Compiles every template.
pub(super) fn compile(table: &Arc<Table>) -> Vec<TemplateFailure> {
    let environment = environment(table);
    let shared = Shared::new(table);
    let failure =
        |path: &String| environment.get_template(path).err().map(|error| TemplateFailure::new(&error, path, &shared));
    table.repo().templates.keys().filter_map(failure).collect()
}

/// Renders one output into `out`.
pub(super) fn write(table: &Arc<Table>, output: &Output, out: &mut dyn std::io::Write) -> Result<(), TemplateFailure> {
    let shared = Arc::new(Shared::new(table));
    let environment = environment(table);
    let mut out = BoundedWriter { out, room: room(table.len()) };
    // minijinja panics on a few expressions, such as `[][::-1]` of a filtered list; that is reported as
    // a failure of the template.
    let rendered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let template = environment.get_template(&output.template)?;
        template.render_captured_to(everything(&shared, output), &mut out).map(drop)
    }));
    match rendered {
        Ok(rendered) => rendered.map_err(|error| TemplateFailure::new(&error, &output.template, &shared)),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let said = harmless(said.unwrap_or("panic"), 300);
            let message = format!("minijinja cannot render this template: {said}");
            Err(TemplateFailure {
                subscriber: shared.last_subscriber(),
                ..TemplateFailure::of(&output.template, message)
            })
        }
    }
}

/// Forwards what is written, up to `room` bytes.
struct BoundedWriter<'a> {
    out: &'a mut dyn std::io::Write,
    room: u64,
}

impl std::io::Write for BoundedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.room = self
            .room
            .checked_sub(bytes.len() as u64)
            .ok_or_else(|| std::io::Error::other("the output grows without end"))?;
        self.out.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// The context of a repository's own template.
fn everything(shared: &Arc<Shared>, output: &Output) -> Value {
    let table = &shared.table;
    let mut first_rows: Vec<ServedAddress> = Vec::new();
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

/// An environment that knows the repository's templates, and only those.
fn environment(table: &Arc<Table>) -> Environment<'static> {
    let mut environment = bare_environment();
    environment.set_fuel(Some(steps(table.len())));
    // Loaded on demand: each of a thousand outputs has its own environment.
    let table = table.clone();
    environment.set_loader(move |path| {
        let repo = table.repo();
        Ok(repo.templates.get(path).map(|file| repo.sources.file(*file).text().to_owned()))
    });
    environment
}

/// The stack for templates: the compiler recurses for each level of an expression, and a template may
/// have as many levels as bytes. Memory is committed only as used.
pub(super) const STACK: usize = 1 << 30;

/// Runs work that compiles or renders templates on a thread with such a stack.
pub(super) fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let work = std::sync::Mutex::new(Some(work));
    let take = || work.lock().ok().and_then(|mut work| work.take());
    let result = std::thread::scope(|scope| {
        let spawned = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || take().map(|work| work()));
        match spawned.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No memory for such a stack: an ordinary template does not need it.
            Err(_) => take().map(|work| work()),
        }
    });
    match result {
        Some(result) => result,
        None => unreachable!("the work is taken once, and the thread that takes it does it"),
    }
}
