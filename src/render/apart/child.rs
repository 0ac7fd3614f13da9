//! The child process: applies the limits, reads the request, renders.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use super::limits::{HEADER, Limits};
use super::wire::{AnswerFrame, read_request, write_frame};
use crate::render::own::{TemplateFailure, compile, on_deep_stack, write};

/// The text of an output is sent in pieces of this size.
const PIECE: usize = 64 << 10;

/// Renders what standard input asks for.
pub(super) fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::from(2)
        }
    }
}

fn serve() -> Result<()> {
    let mut input = std::io::stdin().lock();
    let mut header = [0; HEADER];
    input.read_exact(&mut header).context("no request")?;
    let (limits, length) =
        Limits::parse(&header).context("the request is another version's: is an update under way?")?;
    limits.enforce().context("cannot limit this process")?;
    let mut request = Vec::with_capacity(length);
    input.take(length as u64).read_to_end(&mut request)?;
    let (table, job) = read_request(&request)?;
    drop(request);
    on_deep_stack(|| {
        // Without the buffer of standard output, which looks for line ends.
        let out = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
        let failures = if job.checking { compile(&table) } else { Vec::new() };
        for failure in &failures {
            write_frame(&out, &AnswerFrame::Failed(failure.clone()))?;
        }
        let outputs = if failures.is_empty() { job.outputs.as_slice() } else { &[] };
        for output in outputs {
            let answer = if job.checking {
                write(&table, output, &mut std::io::sink())
            } else {
                in_pieces(&out, |pieces| write(&table, output, pieces))
            };
            write_frame(&out, &answer.map_or_else(AnswerFrame::Failed, |()| AnswerFrame::Done))?;
        }
        Ok(())
    })
}

fn in_pieces(
    out: &File,
    work: impl FnOnce(&mut dyn Write) -> Result<(), TemplateFailure>,
) -> Result<(), TemplateFailure> {
    let mut pieces = std::io::BufWriter::with_capacity(PIECE, Pieces(out));
    let done = work(&mut pieces);
    // If the parent reads no more, no answer matters.
    let _ = pieces.flush();
    done
}

struct Pieces<'a>(&'a File);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // A single value may be larger than the pieces are otherwise.
        let piece = &bytes[..bytes.len().min(PIECE)];
        write_frame(self.0, &AnswerFrame::Text(piece))?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
