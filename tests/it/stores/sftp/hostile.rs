//! Servers that lie, drip, stall and never end. Each operation ends within its time, with an error that
//! names the file, and with little memory. In the place of `ssh` there is a script that connects to the
//! test, which answers the packets of SFTP itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shapeline::model::Access;
use shapeline::store::sftp::{SftpStore, SshClient};
use shapeline::store::{Expect, Store, open_fence};

use crate::stores::{assert_little_memory, is_alone};

const URL: &str = "sftp://noc@shaper.example/srv/shaper.txt";

/// No operation may take longer, whatever the server does. Their own limits are a second or two; what
/// they replace are minutes to hours.
const DEADLINE: Duration = Duration::from_secs(60);

const INIT: u8 = 1;
const OPEN: u8 = 3;
const READ: u8 = 5;
const READDIR: u8 = 12;
const STAT: u8 = 17;

/// What the server does instead of a correct response.
enum Lie {
    None,
    Send(Vec<u8>),
    Drip,
    Half,
    Stall,
    Close,
    /// The same again and again.
    Flood(Vec<u8>),
}

/// What is asked for: the number of the packet from 0, its type, and its id.
#[derive(Clone, Copy)]
struct Asked {
    number: usize,
    kind: u8,
    id: u32,
}

fn packet(kind: u8, id: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 5).unwrap();
    [&length.to_be_bytes()[..], &[kind], &id.to_be_bytes(), body].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

fn status(id: u32, code: u32) -> Vec<u8> {
    packet(101, id, &[&code.to_be_bytes()[..], &text("said"), &text("")].concat())
}

fn attributes(size: u64, mode: u32) -> Vec<u8> {
    let flags = 1u32 | 2 | 4;
    [&flags.to_be_bytes()[..], &size.to_be_bytes(), &[0; 8], &mode.to_be_bytes()].concat()
}

fn names(id: u32, names: &[String]) -> Vec<u8> {
    let mut body = u32::try_from(names.len()).unwrap().to_be_bytes().to_vec();
    for name in names {
        body.extend([text(name), text(""), attributes(1, 0o100_644)].concat());
    }
    packet(104, id, &body)
}

/// As a server answers that has one folder `/srv` with one file in it, of five bytes.
fn honest(asked: Asked, body: &[u8], listed: &mut bool) -> Vec<u8> {
    let id = asked.id;
    let argument = body.get(4..).and_then(|rest| rest.get(..usize::from(body[3]))).unwrap_or_default();
    let is_folder = !argument.ends_with(b".txt") && !argument.ends_with(b"tmp") && !argument.ends_with(b"1");
    let of_path = attributes(5, if is_folder { 0o040_755 } else { 0o100_644 });
    match asked.kind {
        INIT => {
            let extensions = ["posix-rename@openssh.com", "hardlink@openssh.com", "fsync@openssh.com"];
            let body: Vec<u8> = extensions.iter().flat_map(|name| [text(name), text("1")].concat()).collect();
            packet(2, 3, &body)
        }
        OPEN | 11 => {
            *listed = false;
            packet(102, id, &text("h"))
        }
        READ => match body.get(12) {
            Some(0) => packet(103, id, &text("old\n\n")),
            _ => status(id, 1),
        },
        7 | STAT => packet(105, id, &of_path),
        8 => packet(105, id, &attributes(5, 0o100_644)),
        READDIR if !std::mem::replace(listed, true) => names(id, &["00000001".to_owned()]),
        READDIR => status(id, 1),
        16 => names(id, &["/srv".to_owned()]),
        _ => status(id, 0),
    }
}

fn converse(mut stream: TcpStream, lie: &dyn Fn(Asked) -> Lie) -> std::io::Result<()> {
    let mut listed = false;
    for number in 0.. {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut packet = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut packet)?;
        let id = packet.get(1..5).map_or(0, |id| u32::from_be_bytes(id.try_into().unwrap()));
        let asked = Asked { number, kind: packet[0], id };
        let answer = honest(asked, packet.get(5..).unwrap_or_default(), &mut listed);
        match lie(asked) {
            Lie::None => stream.write_all(&answer)?,
            Lie::Send(bytes) => stream.write_all(&bytes)?,
            Lie::Half => {
                stream.write_all(&answer[..answer.len() / 2])?;
                return Ok(());
            }
            Lie::Drip => {
                for byte in answer {
                    std::thread::sleep(Duration::from_millis(150));
                    stream.write_all(&[byte])?;
                }
            }
            Lie::Stall => std::thread::sleep(DEADLINE),
            Lie::Close => return Ok(()),
            Lie::Flood(bytes) => loop {
                stream.write_all(&bytes)?;
            },
        }
    }
    Ok(())
}

/// A server that runs as long as the process, and the program used as `ssh`.
struct Server {
    dir: tempfile::TempDir,
}

impl Server {
    fn start(lie: impl Fn(Asked) -> Lie + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let lie = Arc::new(lie);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let lie = lie.clone();
                // Errors are the client's going away, which is what is wanted.
                std::thread::spawn(move || converse(stream, lie.as_ref()));
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let script =
            format!("#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/{port}\ncat <&0 >&3 2>/dev/null &\nexec cat <&3\n");
        let ssh = dir.path().join("ssh");
        fs::write(&ssh, script).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
        Server { dir }
    }

    fn open(&self, stall: Duration) -> anyhow::Result<SftpStore> {
        let url = URL.parse().unwrap();
        let access = Access::of(&url);
        let client = SshClient { program: self.dir.path().join("ssh"), connect: stall, stall };
        Ok(SftpStore::open_with(&access, "/srv", Some("shaper.txt"), &client)?.0)
    }
}

/// Everything that is asked of a store, until something goes wrong.
fn use_all(server: &Server, stall: Duration) -> anyhow::Result<()> {
    let store = server.open(stall)?;
    store.read("shaper.txt")?;
    store.list(".shaper.txt.shapeline/log")?;
    store.put("shaper.txt", b"new", Expect::Anything, &open_fence)?;
    store.put("new.txt", b"new", Expect::Nothing, &open_fence)?;
    store.sweep("", None)?;
    store.remove("shaper.txt")
}

/// The first error that a server provokes.
fn error_of(server: &Server, stall: Duration) -> String {
    let began = Instant::now();
    let error = format!("{:#}", use_all(server, stall).expect_err("it fails"));
    assert!(began.elapsed() < DEADLINE, "{:?}: {error}", began.elapsed());
    assert!(error.contains("sftp://noc@shaper.example/srv"), "{error}");
    assert!(error.len() < 2_000 && !error.contains('\n'), "{error}");
    error
}

/// Long enough for an honest answer on a busy machine.
const STALL: Duration = Duration::from_secs(2);

fn error(lie: impl Fn(Asked) -> Lie + Send + Sync + 'static) -> String {
    error_of(&Server::start(lie), STALL)
}

#[test]
fn the_server_of_these_tests_is_a_good_one_if_it_does_not_lie() {
    let store = Server::start(|_| Lie::None).open(DEADLINE).unwrap();
    assert_eq!(store.read("shaper.txt").unwrap().unwrap().bytes, b"old\n\n");
    assert_eq!(store.list(".shaper.txt.shapeline/log").unwrap(), ["00000001"]);
    store.put("shaper.txt", b"new", Expect::Anything, &open_fence).unwrap().unwrap();
}

#[test]
fn a_server_that_closes_or_stalls_at_any_point_is_given_up() {
    for number in 0..30 {
        let closed = error_at(number, || Lie::Close);
        let Some(closed) = closed else {
            assert!(number > 15, "only {number} packets");
            break;
        };
        assert!(!closed.is_empty());
        error_at(number, || Lie::Half).unwrap();
    }
    for number in [0, 1, 4, 6, 9, 14] {
        let error = error_at(number, || Lie::Stall).unwrap();
        assert!(error.contains("no answer for 2 seconds"), "{number}: {error}");
    }
}

/// The error, if there is a packet with that number.
fn error_at(number: usize, lie: fn() -> Lie) -> Option<String> {
    let met = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = met.clone();
    let server = Server::start(move |asked| {
        if asked.number != number {
            return Lie::None;
        }
        seen.store(true, std::sync::atomic::Ordering::SeqCst);
        lie()
    });
    let done = use_all(&server, STALL);
    if !met.load(std::sync::atomic::Ordering::SeqCst) {
        return None;
    }
    // A file that cannot be removed at the end is left for the next run.
    let error = format!("{:#}", done.err()?);
    assert!(error.contains("sftp://noc@shaper.example/srv"), "{number}: {error}");
    Some(error)
}

#[test]
fn a_server_that_drips_is_given_up() {
    if !is_alone("stores::sftp::hostile::a_server_that_drips_is_given_up") {
        return;
    }
    for kind in [INIT, STAT, READ, READDIR, OPEN] {
        let error = error(move |asked| if asked.kind == kind { Lie::Drip } else { Lie::None });
        assert!(error.contains("no answer for 2 seconds"), "{kind}: {error}");
    }
    // Each answer is a byte of the file, at once, and the file has a gibibyte.
    let stat = |id| packet(105, id, &attributes(1 << 30, 0o100_644));
    let error = error(move |asked| match asked.kind {
        8 => Lie::Send(stat(asked.id)),
        READ => {
            std::thread::sleep(Duration::from_millis(20));
            Lie::Send(packet(103, asked.id, &text("x")))
        }
        _ => Lie::None,
    });
    assert!(error.contains("it moved only") && error.contains("cannot read"), "{error}");
    assert_little_memory();
}

#[test]
fn a_size_that_is_a_lie_costs_nothing() {
    for (size, why) in
        [(1 << 40, "larger than 1024 MiB"), (u64::MAX, "larger than 1024 MiB"), (4, "more than was asked for")]
    {
        let lie = move |asked: Asked| match asked.kind {
            // Of the file, not of the folder.
            STAT if asked.number > 4 => Lie::Send(packet(105, asked.id, &attributes(size, 0o100_644))),
            8 => Lie::Send(packet(105, asked.id, &attributes(size, 0o100_644))),
            _ => Lie::None,
        };
        let server = Server::start(lie);
        let store = server.open(DEADLINE).unwrap();
        let error = format!("{:#}", store.read("shaper.txt").unwrap_err());
        assert!(
            error.contains(URL) && (error.contains(why) || error.contains("its size cannot be")),
            "{size}: {error}"
        );
    }
    let error = error(|asked| match asked.kind {
        READ => Lie::Send(packet(103, asked.id, &text(&"x".repeat(40_000)))),
        _ => Lie::None,
    });
    assert!(error.contains("more than was asked for"), "{error}");
}

#[test]
fn a_list_that_does_not_end_is_refused() {
    if !is_alone("stores::sftp::hostile::a_list_that_does_not_end_is_refused") {
        return;
    }
    let long: Vec<String> = (0..2_000).map(|number| format!("{number:0200}")).collect();
    let server = Server::start(move |asked| match asked.kind {
        READDIR => Lie::Send(names(asked.id, &long)),
        _ => Lie::None,
    });
    let error = format!("{:#}", server.open(DEADLINE).unwrap().list("log").unwrap_err());
    assert!(error.contains("cannot list sftp://") && error.contains("more files than are listed"), "{error}");
    assert_little_memory();
    let nothing = |asked: Asked| if asked.kind == READDIR { Lie::Send(names(asked.id, &[])) } else { Lie::None };
    let server = Server::start(nothing);
    // An empty answer ends a list or is waited for: it must not be for ever.
    let began = Instant::now();
    let _ = server.open(STALL).and_then(|store| store.list("log"));
    assert!(began.elapsed() < DEADLINE);
}

#[test]
fn packets_of_nonsense_are_refused() {
    if !is_alone("stores::sftp::hostile::packets_of_nonsense_are_refused") {
        return;
    }
    type Nonsense = fn(u32) -> Vec<u8>;
    let nonsense: [Nonsense; 9] = [
        |_| b"Welcome to our server\n".to_vec(),
        |_| vec![0; 4],
        |_| vec![0xff; 64],
        |id| packet(103, id.wrapping_add(77), &text("x")),
        |id| packet(99, id, &[]),
        |id| packet(104, id, &[0xff; 4]),
        |id| packet(105, id, &[0xff; 200]),
        |id| packet(101, id, &[0xff; 3]),
        |id| [&0x0010_0000u32.to_be_bytes()[..], &[103], &id.to_be_bytes()].concat(),
    ];
    for (number, nonsense) in nonsense.into_iter().enumerate() {
        for kind in [INIT, STAT, READ, READDIR] {
            let error = error(move |asked| if asked.kind == kind { Lie::Send(nonsense(asked.id)) } else { Lie::None });
            assert!(!error.contains("panicked"), "{number}: {error}");
        }
    }
    error(
        |asked| {
            if asked.kind == READ { Lie::Flood(packet(103, asked.id, &text(&"x".repeat(32_000)))) } else { Lie::None }
        },
    );
    assert_little_memory();
}
