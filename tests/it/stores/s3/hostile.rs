//! Servers that lie, drip, stall and never end. Each operation ends within its time, with an error that
//! names the file, and with little memory.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use shapeline::store::s3::HttpPatience;
use shapeline::store::{ContentMark, Expect, Store, open_fence};

use super::{environment, failure, open_with, with_keys};
use crate::stores::{assert_little_memory, is_alone};

const URL: &str = "s3://shaper/hre/shaper.txt";

/// Short enough for a test; what a busy machine adds does not matter.
const SHORT: HttpPatience = HttpPatience {
    connect: Duration::from_secs(5),
    stall: Duration::from_millis(300),
    retry: Duration::from_millis(600),
};

/// No operation may take longer, whatever the server does. The limits themselves are some two seconds;
/// what they replace are minutes to hours.
const DEADLINE: Duration = Duration::from_secs(60);

const HEAD: &str = "HTTP/1.1 200 OK\r\nLast-Modified: Sun, 01 Nov 2026 00:00:00 GMT\r\nETag: \"1\"\r\n";

/// Serves every connection with `answer`, after the head of the request.
fn serve(answer: impl Fn(&str, &mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
                    request.push(byte[0]);
                }
                // Errors are the client's going away, which is what is wanted.
                let _ = answer(&String::from_utf8_lossy(&request), &mut stream);
            });
        }
    });
    endpoint
}

fn open(endpoint: &str) -> Box<dyn Store> {
    open_with(URL, with_keys(endpoint), SHORT).unwrap()
}

/// The errors of all that is asked of a store.
fn errors(store: &dyn Store) -> Vec<String> {
    let began = Instant::now();
    let errors = vec![
        failure(store.read("shaper.txt")),
        failure(store.list(".shaper.txt.shapeline/log")),
        failure(store.put("shaper.txt", b"x", Expect::Anything, &open_fence)),
        failure(store.put("shaper.txt", b"x", Expect::Content(&ContentMark("\"1\"".to_owned())), &open_fence)),
        failure(store.remove("shaper.txt")),
    ];
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    for error in &errors {
        assert!(error.contains("s3://shaper/hre/"), "{error}");
        assert!(error.len() < 2_000, "{} bytes", error.len());
    }
    errors
}

#[test]
fn a_length_of_a_tebibyte_is_refused_before_anything_is_reserved() {
    for status in ["200 OK", "403 Forbidden", "500 Internal Server Error"] {
        let endpoint = serve(move |_, stream| {
            let head = HEAD.replace("200 OK", status);
            // Two pieces, so that they have to be put together.
            write!(stream, "{head}Content-Length: 1099511627776\r\n\r\n<Error>")?;
            stream.flush()?;
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(b"<Code>")?;
            std::thread::sleep(DEADLINE);
            Ok(())
        });
        for error in errors(open(&endpoint).as_ref()) {
            assert!(error.contains("it is larger than"), "{status}: {error}");
        }
    }
}

#[test]
fn an_answer_that_never_ends_is_cut_off() {
    if !is_alone("stores::s3::hostile::an_answer_that_never_ends_is_cut_off") {
        return;
    }
    let endpoint = serve(|request, stream| {
        write!(stream, "{HEAD}Transfer-Encoding: chunked\r\n\r\n")?;
        // A file may be a gibibyte, which takes too long for a test: it drips instead.
        let piece = if request.contains("list-type") || !request.starts_with("GET") { 60_000 } else { 1 };
        loop {
            write!(stream, "{piece:x}\r\n{}\r\n", "x".repeat(piece))?;
            if piece == 1 {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    });
    let errors = errors(open(&endpoint).as_ref());
    assert!(errors[0].contains("bytes of its answer came in"), "{}", errors[0]);
    assert!(errors[1].contains("larger than 16 MiB"), "{}", errors[1]);
    assert!(errors[4].contains("larger than 1 MiB"), "{}", errors[4]);
    assert_little_memory();
}

#[test]
fn who_drips_or_stalls_is_given_up_at_every_byte() {
    let page = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let whole = format!("{HEAD}Content-Length: {}\r\n\r\n{page}", page.len());
    for (stop, drips) in [(0, false), (9, false), (60, true), (whole.len() - 1, false), (whole.len() - 20, true)] {
        let whole = whole.clone();
        let endpoint = serve(move |_, stream| {
            stream.write_all(&whole.as_bytes()[..stop])?;
            for byte in whole.as_bytes()[stop..].iter().take(if drips { usize::MAX } else { 0 }) {
                std::thread::sleep(Duration::from_millis(200));
                stream.write_all(&[*byte])?;
            }
            std::thread::sleep(DEADLINE);
            Ok(())
        });
        for error in errors(open(&endpoint).as_ref()) {
            assert!(error.contains("does not answer"), "{stop}: {error}");
        }
    }
}

#[test]
fn who_closes_at_any_byte_is_no_empty_answer() {
    let page = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let whole = format!("{HEAD}Content-Length: {}\r\n\r\n{page}", page.len());
    for stop in [0, 1, 17, whole.len() - page.len() - 1, whole.len() - page.len(), whole.len() - 1] {
        let whole = whole.clone();
        let endpoint = serve(move |_, stream| stream.write_all(&whole.as_bytes()[..stop]));
        let store = open(&endpoint);
        for error in [failure(store.read("shaper.txt")), failure(store.list("x"))] {
            assert!(error.contains("s3://shaper/hre/"), "{stop}: {error}");
        }
    }
}

#[test]
fn heads_of_any_size_are_refused() {
    for (name, count, length) in [("one", 1, 10_000_000), ("many", 100_000, 10)] {
        let endpoint = serve(move |_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            for number in 0..count {
                write!(stream, "x-{number}: {}\r\n", "y".repeat(length))?;
            }
            write!(stream, "Content-Length: 0\r\n\r\n")
        });
        let store = open(&endpoint);
        for error in [failure(store.read("shaper.txt")), failure(store.list("x")), failure(store.remove("shaper.txt"))]
        {
            assert!(error.contains("s3://shaper/hre/") && error.len() < 2_000, "{name}: {error}");
        }
    }
    // Answers before the answer, without end.
    let endpoint = serve(|_, stream| {
        loop {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
    });
    errors(open(&endpoint).as_ref());
}

fn page(token: Option<&str>, keys: &str) -> String {
    let token = token.map(|token| format!("<NextContinuationToken>{token}</NextContinuationToken>"));
    let page =
        format!("<?xml version=\"1.0\"?><ListBucketResult>{keys}{}</ListBucketResult>", token.unwrap_or_default());
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}", page.len())
}

#[test]
fn a_list_that_does_not_end_is_refused() {
    let endpoint = serve(|_, stream| stream.write_all(page(Some("same"), "").as_bytes()));
    let error = failure(open(&endpoint).list("x"));
    assert!(error.contains("cannot list s3://shaper/hre/x") && error.contains("the same page"), "{error}");

    let number = std::sync::atomic::AtomicUsize::new(0);
    let endpoint = serve(move |_, stream| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        stream.write_all(page(Some(&number.to_string()), "").as_bytes())
    });
    let store = open_with(URL, with_keys(&endpoint), HttpPatience { retry: DEADLINE, ..SHORT }).unwrap();
    let error = failure(store.list("x"));
    assert!(error.contains("does not end"), "{error}");

    // A few pages are as they should be.
    let number = std::sync::atomic::AtomicUsize::new(0);
    let endpoint = serve(move |_, stream| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let next = (number + 1).to_string();
        let key = format!(
            "<Contents><Key>hre/x/{number}</Key><LastModified>2026-11-01T00:00:00Z</LastModified><Size>1</Size></Contents>"
        );
        stream.write_all(page((number < 3).then_some(&next), &key).as_bytes())
    });
    assert_eq!(open(&endpoint).list("x").unwrap(), ["0", "1", "2", "3"]);
}

#[test]
fn hostile_xml_costs_nothing() {
    let entity = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>";
    let documents = [
        "<a>".repeat(3_000_000),
        format!("<ListBucketResult>{}", "<Contents>".repeat(1_000_000)),
        format!("{entity}<ListBucketResult><Name>{}</Name></ListBucketResult>", "&b;".repeat(1_000_000)),
        format!("<ListBucketResult {}/>", "a='b' ".repeat(1_000_000)),
        format!("<ListBucketResult>{}</ListBucketResult>", "<Contents/>".repeat(1_000_000)),
        "\u{0}".repeat(1_000_000),
        String::new(),
    ];
    for (number, document) in documents.into_iter().enumerate() {
        let length = document.len();
        let endpoint = serve(move |_, stream| {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")?;
            stream.write_all(document.as_bytes())
        });
        let began = Instant::now();
        let store = open_with(URL, with_keys(&endpoint), HttpPatience { stall: DEADLINE, ..SHORT }).unwrap();
        match store.list("x") {
            Err(error) => assert!(format!("{error:#}").contains("cannot list s3://shaper/hre/x"), "{error:#}"),
            Ok(names) => assert!(names.is_empty(), "{number}: {} names", names.len()),
        }
        assert!(began.elapsed() < DEADLINE, "{number}: {:?}", began.elapsed());
    }
}

#[test]
fn nonsense_in_a_head_is_no_panic() {
    for line in [
        "Content-Range: bytes 0-18446744073709551615/18446744073709551615",
        "Content-Length: -1",
        "Content-Length: 18446744073709551616",
        "Last-Modified: never",
        "ETag: \u{e9}",
        "ETag: ",
        "x-amz-meta-shapeline-write: \u{1}",
        "Transfer-Encoding: chunked, chunked",
        "Location: http://192.0.2.1/",
    ] {
        for status in ["200 OK", "206 Partial Content", "301 Moved", "999 X", "100 Continue"] {
            let endpoint =
                serve(move |_, stream| write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{line}\r\n\r\nshort"));
            let store = open(&endpoint);
            for result in [
                store.read("shaper.txt").map(drop),
                store.list("x").map(drop),
                store.put("shaper.txt", b"x", Expect::Nothing, &open_fence).map(drop),
            ] {
                let shown = result.err().map(|error| format!("{error:#}")).unwrap_or_default();
                assert!(shown.is_empty() || shown.contains("s3://shaper/hre/"), "{line}: {shown}");
                assert!(!shown.contains(['\n', '\u{1}']), "{line}: {shown}");
            }
        }
    }
}

#[test]
fn a_token_that_is_a_pipe_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("token");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", pipe.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/shaper"),
    ];
    let error = failure(open_with(URL, environment(&variables), SHORT));
    assert!(error.contains("AWS_WEB_IDENTITY_TOKEN_FILE") && error.contains("not a regular file"), "{error}");
}
