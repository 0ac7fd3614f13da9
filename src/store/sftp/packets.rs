//! What a server sends, looked at before the library does: it believes every length and count, and
//! would ask the system for as much memory as a hostile server likes, which ends the program.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Four times what OpenSSH sends at most, and many times what it is asked for.
const MOST: usize = 1 << 20;

/// Length, type and number of a packet, and the count or length that follows.
const HEAD: usize = 13;

const DATA: u8 = 103;
const NAME: u8 = 104;

/// Hands on what it reads, as long as every packet is what it says.
pub struct Packets<R> {
    from: R,
    seen: PacketPosition,
}

impl<R> Packets<R> {
    pub fn new(from: R) -> Packets<R> {
        Packets { from, seen: PacketPosition::default() }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Packets<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.from).poll_read(cx, buffer))?;
        let seen = this.seen.look(&buffer.filled()[before..]);
        if seen.is_err() {
            buffer.set_filled(before);
        }
        Poll::Ready(seen)
    }
}

/// How far into a packet we are.
#[derive(Default)]
struct PacketPosition {
    head: Vec<u8>,
    /// What comes after the head of the packet.
    left: usize,
}

impl PacketPosition {
    fn look(&mut self, mut bytes: &[u8]) -> Result<()> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let passed = self.left.min(bytes.len());
                self.left -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            let Some(length) = number(&self.head, 0) else { continue };
            if !(5..=MOST).contains(&length) {
                return Err(Error::new(ErrorKind::InvalidData, "a packet has an impossible length"));
            }
            if self.head.len() == HEAD.min(4 + length) {
                if !is_possible(&self.head, length) {
                    return Err(Error::new(ErrorKind::InvalidData, "a packet holds less than it says"));
                }
                self.left = 4 + length - self.head.len();
                self.head.clear();
            }
        }
        Ok(())
    }
}

fn is_possible(head: &[u8], length: usize) -> bool {
    match (head.get(4), number(head, 9)) {
        (Some(&DATA), it) => it.is_some(),
        // Two lengths and a set of flags at least, each of four bytes.
        (Some(&NAME), count) => count.is_some_and(|count| count <= (length - 9) / 12),
        _ => true,
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 5).unwrap();
        [&length.to_be_bytes()[..], &[kind], &[0, 0, 0, 7], body].concat()
    }

    /// However it is cut.
    fn passes(bytes: &[u8]) -> bool {
        let results: Vec<bool> = (1..=bytes.len())
            .map(|size| {
                let mut seen = PacketPosition::default();
                bytes.chunks(size).try_for_each(|chunk| seen.look(chunk)).is_ok()
            })
            .collect();
        assert!(results.iter().all(|it| *it == results[0]), "{bytes:?}");
        results[0]
    }

    #[test]
    fn packets_that_hold_what_they_say_pass() {
        let status = packet(101, &[0; 12]);
        let data = packet(DATA, b"\0\0\0\x02ab");
        let names = packet(NAME, &[&[0, 0, 0, 2][..], &[0; 24]].concat());
        let version = [0, 0, 0, 5, 2, 0, 0, 0, 3];
        assert!(passes(&[&version[..], &data, &names, &status, &packet(102, b""), &data].concat()));
    }

    #[test]
    fn others_do_not() {
        assert!(!passes(b"Welcome to our server"));
        assert!(!passes(&[0, 0, 0, 4, 101, 0, 0, 0, 0]));
        assert!(!passes(&packet(DATA, b"")));
        assert!(!passes(&packet(NAME, b"\0\0")));
        assert!(!passes(&packet(NAME, &[&[0xff; 4][..], &[0; 24]].concat())));
        assert!(!passes(&packet(NAME, &[&[0, 0, 0, 3][..], &[0; 24]].concat())));
        let good = packet(101, &[0; 12]);
        assert!(!passes(&[&good[..], &good, &packet(NAME, &[0xff; 4])].concat()), "later ones are looked at too");
    }
}
