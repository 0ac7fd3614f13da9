//! Resource limits of a child process.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use crate::render::own::STACK;
use crate::text::quote::harmless;

/// Memory: a constant, and a multiple of the request, which is the data.
const MEMORY: u64 = 512 << 20;
const MEMORY_A_BYTE: u64 = 16;

/// Address space that is reserved without being used: the stack, and the allocator's arenas.
const RESERVED: u64 = STACK as u64 + (256 << 20);

/// Processor time of one output: a constant, and one more second for so many lines.
const SECONDS: u64 = 10;
const LINES_A_SECOND: u64 = 10_000;

/// Wall time as a multiple of the processor time: a busy machine must not fail a template.
const PATIENCE: u32 = 6;

/// The first bytes of a header; the last of them is the version of the protocol.
const MAGIC: [u8; 8] = *b"shplrnd\x01";

/// The length of a header.
pub(super) const HEADER: usize = 32;

/// Resource limits of a child process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Bytes.
    pub(super) memory: u64,
    /// Seconds of processor time.
    pub(super) seconds: u64,
    /// How long the parent waits.
    pub(super) wall: Duration,
}

impl Limits {
    /// The limits for a request of `request` bytes over a table of `lines`.
    pub(super) fn of(request: usize, lines: usize, outputs: usize) -> Self {
        let seconds = (SECONDS + lines as u64 / LINES_A_SECOND) * outputs.max(1) as u64;
        let wall = Duration::from_secs(seconds) * PATIENCE;
        Self { memory: MEMORY + MEMORY_A_BYTE * request as u64, seconds, wall }
    }

    /// The header that the child reads first: the limits, and the length of the request.
    pub(super) fn header(&self, request: usize) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..8].copy_from_slice(&MAGIC);
        header[8..16].copy_from_slice(&self.memory.to_le_bytes());
        header[16..24].copy_from_slice(&self.seconds.to_le_bytes());
        header[24..].copy_from_slice(&(request as u64).to_le_bytes());
        header
    }

    /// The limits and the request's length; `None` if another version wrote the header.
    pub(super) fn parse(header: &[u8; HEADER]) -> Option<(Self, usize)> {
        let number = |at: usize| header.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        let limits = Self { memory: number(8)?, seconds: number(16)?, wall: Duration::MAX };
        (header[..8] == MAGIC).then_some((limits, usize::try_from(number(24)?).ok()?))
    }

    /// Sets the limits of the current process.
    pub(super) fn enforce(&self) -> std::io::Result<()> {
        let limit = |resource, most: u64, hard: u64| {
            // A limit of the caller's own may be lower, and cannot be raised.
            let before = rustix::process::getrlimit(resource);
            let least = |new: u64, old: Option<u64>| Some(old.map_or(new, |old| old.min(new)));
            let new = Rlimit {
                current: least(
                    most,
                    before.maximum.map(|old| old.min(before.current.unwrap_or(old))).or(before.current),
                ),
                maximum: least(hard, before.maximum),
            };
            setrlimit(resource, new)
        };
        let space = self.memory.saturating_add(RESERVED);
        limit(Resource::As, space, space)?;
        // The soft limit ends the process with SIGXCPU, which identifies the cause.
        limit(Resource::Cpu, self.seconds, self.seconds + 1)?;
        limit(Resource::Core, 0, 0)?;
        Ok(())
    }

    /// Explains why a child failed.
    pub(super) fn broken(&self, late: bool, status: ExitStatus, said: &str) -> String {
        let megabytes = self.memory >> 20;
        let cause = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        if late {
            return format!("the template was not rendered within {} s", self.wall.as_secs());
        }
        match status.signal() {
            Some(signal) if signal == Signal::XCPU.as_raw() => {
                format!("the template needs more than the {} s of processor time that it may have", self.seconds)
            }
            Some(_) if said.contains("memory allocation") => {
                format!("the template needs more than the {megabytes} MiB of memory that it may have")
            }
            Some(_) if said.contains("overflowed its stack") => {
                format!("the template nests deeper than the {} MiB of stack that it may have", STACK >> 20)
            }
            Some(signal) => format!("the process that renders the template was ended by signal {signal}"),
            None => format!("the process that renders the template failed: {}", harmless(cause, 300)),
        }
    }
}
