//! Renders a repository's own templates in a separate process, with limits that the kernel enforces.
//!
//! minijinja's fuel counts steps, and one step may double a text. The child is this program again,
//! without environment: it reads a request from standard input, limits itself, renders, and writes
//! answers to standard output ([`child`]). The parent bounds how much it reads and how long it waits,
//! so a template can crash the child and nothing else.

mod child;
mod limits;
mod wire;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};

use super::own::{RenderJob, TemplateFailure, room};
use super::{Rendered, Table};
use limits::Limits;
use wire::AnswerFrame;

/// The hidden subcommand of the child.
const SUBCOMMAND: &str = "__render";

static PROGRAM: OnceLock<Program> = OnceLock::new();

/// The program to start as the child.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
}

/// For the first line of `main`. In a child, renders and returns the exit code; in any other process,
/// makes all further rendering start children. Without this call, as in tests of the library, templates
/// are rendered in the calling process.
pub fn start() -> Option<ExitCode> {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == SUBCOMMAND) {
        return Some(child::main());
    }
    // This name finds the program even after an update has replaced its file.
    let itself = Path::new("/proc/self/exe");
    let path = if itself.exists() { Ok(itself.to_path_buf()) } else { std::env::current_exe() };
    if let Ok(path) = path {
        through(path);
    }
    None
}

/// Makes all further rendering start the program at `path`; for programs that use the library.
pub fn through(path: PathBuf) {
    // The first call decides.
    let _ = PROGRAM.set(Program { path, arguments: vec![SUBCOMMAND.to_owned()] });
}

pub(super) fn program() -> Option<&'static Program> {
    PROGRAM.get()
}

/// Like [`super::own::carry_out`], in a child process.
pub(super) fn carry_out(
    program: &Program,
    table: &Arc<Table>,
    job: &RenderJob,
) -> Vec<Result<Rendered, TemplateFailure>> {
    if job.outputs.is_empty() && !job.checking {
        return Vec::new();
    }
    let first = job.outputs.first().map(|output| output.template.as_str()).unwrap_or_default();
    let request = match wire::request(table, job) {
        Ok(request) => request,
        Err(error) => {
            return vec![Err(TemplateFailure::of(first, format!("cannot hand the data to its process: {error}")))];
        }
    };
    let limits = Limits::of(request.len(), table.len(), job.outputs.len());
    run(program, &request, &limits, table, job).unwrap_or_else(|error| {
        vec![Err(TemplateFailure::of(first, format!("cannot start the process that renders it: {error}")))]
    })
}

fn run(
    program: &Program,
    request: &[u8],
    limits: &Limits,
    table: &Table,
    job: &RenderJob,
) -> std::io::Result<Vec<Result<Rendered, TemplateFailure>>> {
    let mut child = Command::new(&program.path)
        .args(&program.arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (Some(mut input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(std::io::Error::other("no pipe"));
    };
    let (answers, said, late) = std::thread::scope(|scope| {
        let (done, ended) = channel();
        let watch = scope.spawn(|| kill_when_late(&child, limits, ended));
        let said = scope.spawn(|| last_words(errors));
        scope.spawn(move || {
            // A child that ends early stops reading; its exit status says why.
            let _ = input.write_all(&limits.header(request.len())).and_then(|()| input.write_all(request));
        });
        let answers = read_answers(output, table, job);
        if !answers.complete {
            kill(&child);
        }
        drop(done);
        (answers, said.join().unwrap_or_default(), watch.join().unwrap_or_default())
    });
    let status = child.wait()?;
    let mut given = answers.given;
    if let Some(failure) = answers.broken {
        given.push(Err(failure));
    } else if late || !status.success() || (given.len() < job.outputs.len() && given.iter().all(Result::is_ok)) {
        let template = answers.at.unwrap_or_default();
        given.push(Err(TemplateFailure::of(&template, limits.broken(late, status, &said))));
    }
    Ok(given)
}

/// Kills the child if it is not done in time, and returns whether it did.
fn kill_when_late(child: &Child, limits: &Limits, ended: Receiver<()>) -> bool {
    let late = ended.recv_timeout(limits.wall) == Err(RecvTimeoutError::Timeout);
    if late {
        kill(child);
    }
    late
}

/// Until `wait` is called, which is after all calls of this, no other process can get the child's id.
fn kill(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// The beginning of the child's standard error.
fn last_words(errors: impl Read) -> String {
    let mut said = Vec::new();
    // An error is harmless: the text only explains a failure.
    let _ = errors.take(8192).read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// The answers of a child.
#[derive(Default)]
struct Answers {
    given: Vec<Result<Rendered, TemplateFailure>>,
    /// The template at work when the answers ended.
    at: Option<String>,
    /// Why no more was read.
    broken: Option<TemplateFailure>,
    /// All was read.
    complete: bool,
}

fn read_answers(mut from: impl Read, table: &Table, job: &RenderJob) -> Answers {
    let mut answers = Answers::default();
    let mut frame = Vec::new();
    let room = room(table.len());
    let mut text: Vec<u8> = Vec::new();
    let mut outputs = job.outputs.iter().map(|output| output.template.clone());
    answers.at = outputs.next();
    loop {
        let at = answers.at.clone().unwrap_or_default();
        let answer = match wire::read_frame(&mut from, &mut frame) {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                answers.complete = true;
                return answers;
            }
            Err(error) => {
                answers.broken = Some(TemplateFailure::of(&at, format!("its process gave no proper answer: {error}")));
                return answers;
            }
        };
        match answer {
            AnswerFrame::Text(piece) if text.len() as u64 + piece.len() as u64 > room => {
                answers.broken = Some(TemplateFailure::writes_too_much(&at, table.len()));
                return answers;
            }
            AnswerFrame::Text(piece) => text.extend_from_slice(piece),
            AnswerFrame::Done => {
                let whole = String::from_utf8(std::mem::take(&mut text)).unwrap_or_default();
                answers.given.push(Ok(Rendered::text(whole)));
                answers.at = outputs.next();
            }
            AnswerFrame::Failed(failure) => {
                text.clear();
                answers.given.push(Err(failure));
                answers.at = outputs.next();
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
