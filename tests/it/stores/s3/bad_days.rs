//! Lost responses, and servers that differ from others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shapeline::store::s3::HttpPatience;
use shapeline::store::{ContentMark, Expect, open_fence};

use super::{environment, failure, open, open_with, with_keys};
use crate::servers::answers::{Answer, Request, plain, refusal, serve};
use crate::servers::moto::{KEY, SECRET};

const URL: &str = "s3://shaper/hre/shaper.txt";
const WRITE: &str = "x-amz-meta-shapeline-write";

/// A bucket in which only `shaper.txt` is worth a look: its bytes, its ETag, and who wrote it.
#[derive(Default)]
struct Bucket {
    file: Option<(Vec<u8>, String, String)>,
    /// The same of the file with which conditions are tried.
    probe: Option<(Vec<u8>, String, String)>,
    writes: usize,
}

impl Bucket {
    /// Does as an S3 service does.
    fn answer(&mut self, request: &Request) -> Answer {
        let is_file = request.path.ends_with("/hre/shaper.txt");
        let Bucket { file, probe, writes } = self;
        let there = if is_file { file } else { probe };
        let tag = |tag: &str| vec![("ETag".to_owned(), tag.to_owned())];
        match (request.method.as_str(), &there) {
            ("PUT", there_now) => {
                let now = there_now.as_ref().map(|(_, tag, _)| tag.as_str());
                let expected = request.header("if-match");
                if request.header("if-none-match").is_some() && now.is_some() || expected.is_some() && expected != now {
                    return refusal(412, "PreconditionFailed", "At least one of the conditions does not hold");
                }
                *writes += 1;
                let new = format!("\"{writes}\"");
                *there =
                    Some((request.body.clone(), new.clone(), request.header(WRITE).unwrap_or_default().to_owned()));
                Some((200, tag(&new), String::new()))
            }
            ("DELETE", _) => {
                *there = None;
                plain(204, "")
            }
            (_, Some((bytes, etag, by))) => {
                let mut headers = tag(etag);
                headers.push((WRITE.to_owned(), by.clone()));
                headers.push(("Last-Modified".to_owned(), "Sun, 01 Nov 2026 00:00:00 GMT".to_owned()));
                Some((200, headers, String::from_utf8(bytes.clone()).unwrap()))
            }
            (_, None) => refusal(404, "NoSuchKey", "There is none"),
        }
    }
}

/// A bucket, the service of which answers writes of `shaper.txt` in a way of its own: `spoil` is
/// given the number of the write, from 1, and what would be done.
fn bucket(
    spoil: impl Fn(usize, &mut dyn FnMut() -> Answer) -> Answer + Send + Sync + 'static,
) -> (String, Arc<Mutex<Bucket>>) {
    let bucket = Arc::new(Mutex::new(Bucket::default()));
    let (shared, writes) = (bucket.clone(), AtomicUsize::new(0));
    let endpoint = serve(move |request| {
        let mut answer = || shared.lock().unwrap().answer(request);
        if request.method == "PUT" && request.path.ends_with("/hre/shaper.txt") {
            return spoil(writes.fetch_add(1, Ordering::SeqCst) + 1, &mut answer);
        }
        answer()
    });
    (endpoint, bucket)
}

#[test]
fn a_write_whose_answer_was_lost_is_recognised_as_ours() {
    // The first is done and answered with an error; it is tried again, and refused.
    let (endpoint, bucket) = bucket(|number, answer| {
        let answer = answer();
        if number % 2 == 1 { plain(500, "") } else { answer }
    });
    let store = open(URL, with_keys(&endpoint)).unwrap();
    let one = store.put("shaper.txt", b"one", Expect::Nothing, &open_fence).unwrap().expect("it was ours");
    assert_eq!(store.read("shaper.txt").unwrap().unwrap().mark, one);
    store.put("shaper.txt", b"two", Expect::Content(&one), &open_fence).unwrap().expect("it was ours");
    assert_eq!(bucket.lock().unwrap().file.as_ref().unwrap().0, b"two");
}

#[test]
fn the_same_bytes_by_another_writer_are_not_ours() {
    // Another writer puts the same bytes there while our first try gets lost.
    let (endpoint, bucket) = bucket(|number, answer| if number == 2 { plain(500, "") } else { answer() });
    let (ours, other) = (open(URL, with_keys(&endpoint)).unwrap(), open(URL, with_keys(&endpoint)).unwrap());
    other.put("shaper.txt", b"same", Expect::Nothing, &open_fence).unwrap().unwrap();
    assert_eq!(ours.put("shaper.txt", b"same", Expect::Nothing, &open_fence).unwrap(), None);
    assert_eq!(bucket.lock().unwrap().writes, 3, "one of the file, one probe of each writer");
}

#[test]
fn a_service_that_cannot_decide_is_asked_again_through_the_fence() {
    let conflict = || refusal(409, "ConditionalRequestConflict", "A conflicting operation is under way");
    let (endpoint, _) = bucket(move |number, answer| if number < 3 { conflict() } else { answer() });
    let asked = AtomicUsize::new(0);
    let fence = || {
        asked.fetch_add(1, Ordering::SeqCst);
        Ok(())
    };
    let store = open(URL, with_keys(&endpoint)).unwrap();
    store.put("shaper.txt", b"one", Expect::Nothing, &fence).unwrap().expect("the third try is through");
    assert_eq!(asked.load(Ordering::SeqCst), 3);

    let (endpoint, _) = bucket(move |_, _| conflict());
    let store = open(URL, with_keys(&endpoint)).unwrap();
    let error = failure(store.put("shaper.txt", b"one", Expect::Nothing, &open_fence));
    assert!(error.contains(URL) && error.contains("could not decide between several writers"), "{error}");
}

#[test]
fn a_service_that_ignores_conditions_is_refused() {
    for ignored in ["if-none-match", "if-match"] {
        let state = Arc::new(Mutex::new(Bucket::default()));
        let shared = state.clone();
        let endpoint = serve(move |request| shared.lock().unwrap().answer(&request.without(ignored)));
        let store = open(URL, with_keys(&endpoint)).unwrap();
        for expect in [Expect::Nothing, Expect::Content(&ContentMark("\"1\"".to_owned()))] {
            let error = failure(store.put("shaper.txt", b"x", expect, &open_fence));
            assert!(error.contains(URL) && error.contains("takes no notice of If-"), "{error}");
            assert!(error.to_lowercase().contains(&format!("{ignored},")), "{error}");
        }
        let state = state.lock().unwrap();
        assert!(state.file.is_none() && state.probe.is_none(), "nothing is written, and nothing left");
    }
    let endpoint = serve(|request| match request.header("if-none-match") {
        Some(_) => {
            refusal(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        }
        None => plain(200, ""),
    });
    let store = open(URL, with_keys(&endpoint)).unwrap();
    let error = failure(store.put("shaper.txt", b"x", Expect::Nothing, &open_fence));
    assert!(error.contains("use one that honours conditional writes"), "{error}");
}

#[test]
fn conditions_are_tried_once_for_a_store() {
    let (endpoint, bucket) = bucket(|_, answer| answer());
    let store = open(URL, with_keys(&endpoint)).unwrap();
    let mut mark = store.put("shaper.txt", b"0", Expect::Nothing, &open_fence).unwrap().unwrap();
    for _ in 0..5 {
        mark = store.put("shaper.txt", b"1", Expect::Content(&mark), &open_fence).unwrap().unwrap();
    }
    assert_eq!(bucket.lock().unwrap().writes, 7, "six of the file and one probe");
    assert!(bucket.lock().unwrap().probe.is_none());
}

#[test]
fn a_refusal_says_what_to_do_and_no_secret() {
    let token = "a-session-token-that-is-never-shown";
    for (status, code, advice) in [
        (403, "AccessDenied", "s3:ListBucket"),
        (403, "RequestTimeTooSkewed", "clock"),
        (400, "ExpiredToken", "AWS_SESSION_TOKEN"),
        (400, "AuthorizationHeaderMalformed", "AWS_REGION"),
        (301, "PermanentRedirect", "AWS_REGION"),
        (418, "SomethingNew", "status 418 (SomethingNew: the token"),
        (503, "SlowDown", "try again"),
    ] {
        let endpoint = serve(move |_| refusal(status, code, &format!("the token {token}\u{1b}[2J\n::error::x")));
        let mut variables = with_keys(&endpoint);
        variables.insert("AWS_SESSION_TOKEN".to_owned(), token.to_owned());
        let store = open(URL, variables).unwrap();
        for error in
            [failure(store.read("shaper.txt")), failure(store.put("shaper.txt", b"", Expect::Anything, &open_fence))]
        {
            assert!(error.contains(URL) && error.contains(advice), "{code}: {error}");
            assert!(!error.contains(token) && !error.contains(['\u{1b}', '\n']), "{code}: {error}");
        }
    }
}

#[test]
fn what_is_signed_for_one_server_is_not_sent_to_another() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let elsewhere = serve(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        plain(200, "")
    });
    let location = vec![("Location".to_owned(), format!("{elsewhere}/shaper"))];
    let endpoint = serve(move |_| Some((307, location.clone(), String::new())));
    let store = open(URL, with_keys(&endpoint)).unwrap();
    for error in [
        failure(store.read("shaper.txt")),
        failure(store.list("")),
        failure(store.put("shaper.txt", b"x", Expect::Anything, &open_fence)),
    ] {
        assert!(error.contains("not in the region us-east-1"), "{error}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let patience = HttpPatience {
        connect: Duration::from_secs(5),
        stall: Duration::from_millis(500),
        retry: Duration::from_millis(900),
    };
    let endpoint = serve(|_| None);
    let store = open_with(URL, with_keys(&endpoint), patience).unwrap();
    for error in [
        failure(store.read("shaper.txt")),
        failure(store.list("")),
        failure(store.remove("shaper.txt")),
        failure(store.put("shaper.txt", b"x", Expect::Anything, &open_fence)),
        failure(store.put("shaper.txt", b"x", Expect::Nothing, &open_fence)),
    ] {
        assert!(error.contains("s3://shaper/hre") && error.contains("does not answer"), "{error}");
    }
}

#[test]
fn a_server_that_takes_nothing_is_given_up() {
    // It never reads: what is sent fills the buffers between, and goes no further.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let patience = HttpPatience {
        connect: Duration::from_secs(5),
        stall: Duration::from_millis(500),
        retry: Duration::from_millis(900),
    };
    let store = open_with(URL, with_keys(&endpoint), patience).unwrap();
    let large = vec![b'x'; 64 << 20];
    let started = std::time::Instant::now();
    let error = failure(store.put("shaper.txt", &large, Expect::Anything, &open_fence));
    assert!(error.contains(URL) && error.contains("127.0.0.1"), "{error}");
    // It takes two seconds. Without our own limit the HTTP library would wait for half a minute.
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let headers = |length: u64| {
        let pairs = [("ETag", "\"1\"".to_owned()), ("Content-Length", length.to_string())];
        let mut headers: Vec<_> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        headers.push(("Last-Modified".to_owned(), "Sun, 01 Nov 2026 00:00:00 GMT".to_owned()));
        headers
    };
    let endpoint = serve(move |_| Some((200, headers((1 << 30) + 1), "the first bytes".to_owned())));
    let error = failure(open(URL, with_keys(&endpoint)).unwrap().read("shaper.txt"));
    assert!(error.contains("larger than 1024 MiB"), "{error}");
}

#[test]
fn nonsense_from_those_who_give_credentials_is_no_panic() {
    let page = "<html>\r\n<p>Log in to the network\u{e9} first</p>\n</html>";
    let portal =
        serve(move |_| Some((200, vec![("Content-Type".to_owned(), "text/html".to_owned())], page.to_owned())));
    let none = environment(&[("AWS_ENDPOINT_URL", &portal), ("AWS_METADATA_ENDPOINT", &portal)]);
    let error = failure(open(URL, none).unwrap().read("shaper.txt"));
    assert!(error.contains("there are no credentials"), "{error}");
    let keys = [("AWS_ENDPOINT_URL", portal.as_str()), ("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let store = open(URL, environment(&keys)).unwrap();
    assert!(failure(store.list("")).contains("a web page came back"));
    assert!(failure(store.read("shaper.txt")).contains(URL));
    assert!(failure(store.put("shaper.txt", b"x", Expect::Anything, &open_fence)).contains(URL));
}
