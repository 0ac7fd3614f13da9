//! Folders in buckets.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use shapeline::model::Access;
use shapeline::store::open::open_file;
use shapeline::store::s3::{HttpPatience, S3Store, Surroundings};
use shapeline::store::{Expect, Store, open_fence};

use crate::servers::moto::{KEY, Moto, SECRET, environment};
use crate::servers::s3s::S3s;

mod bad_days;
mod hostile;

/// A store of the folder of `url`, the service of which is in `variables`.
fn open(url: &str, variables: BTreeMap<String, String>) -> anyhow::Result<Box<dyn Store>> {
    let patience = HttpPatience { retry: Duration::from_secs(2), ..HttpPatience::default() };
    open_with(url, variables, patience)
}

fn open_with(url: &str, variables: BTreeMap<String, String>, patience: HttpPatience) -> anyhow::Result<Box<dyn Store>> {
    let url = url.parse().unwrap();
    let access = Access::of(&url);
    let around = Surroundings { environment: variables, patience };
    Ok(Box::new(S3Store::open_in(&access, url.folder_and_file().0, &around)?))
}

fn with_keys(endpoint: &str) -> BTreeMap<String, String> {
    environment(&[("AWS_ENDPOINT_URL", endpoint), ("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)])
}

/// The error with all its causes.
fn failure<T>(result: anyhow::Result<T>) -> String {
    format!("{:#}", result.err().expect("it fails"))
}

#[test]
fn a_bucket_keeps_every_promise() {
    let Some(moto) = Moto::start() else { return };
    super::check_laws(&|| open("s3://shaper/hre/1/shaper.txt", moto.environment()).unwrap());
    let left = moto.keys();
    assert!(left.contains(&"hre/1/shaper.txt".to_owned()), "{left:?}");
    assert!(left.iter().all(|key| !key.contains("tmp")), "nothing is left: {left:?}");
}

#[test]
fn the_bucket_itself_is_a_folder_too() {
    let Some(moto) = Moto::start() else { return };
    super::check_laws(&|| open("s3://shaper/shaper.txt", moto.environment()).unwrap());
    assert!(moto.keys().contains(&"shaper.txt".to_owned()));
}

#[test]
fn of_many_writers_who_read_the_same_one_succeeds() {
    let Some(moto) = Moto::start() else { return };
    let store = || open("s3://shaper/shaper.txt", moto.environment()).unwrap();
    let mut mark = store().put("shaper.txt", b"0", Expect::Nothing, &open_fence).unwrap().unwrap();
    for round in 0..10 {
        // All with the same bytes: the winner must not be derived from the content.
        let text = format!("round {round}");
        let won: Vec<_> = std::thread::scope(|scope| {
            let write = || store().put("shaper.txt", text.as_bytes(), Expect::Content(&mark), &open_fence).unwrap();
            let writers: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
            writers.into_iter().filter_map(|writer| writer.join().unwrap()).collect()
        });
        assert_eq!(won.len(), 1, "round {round}");
        mark = won[0].clone();
        let now = store().read("shaper.txt").unwrap().unwrap();
        assert_eq!((now.bytes.as_slice(), now.mark), (text.as_bytes(), mark.clone()));
    }
}

#[test]
fn a_folder_of_any_length_is_listed() {
    let Some(moto) = Moto::start() else { return };
    let store = open("s3://shaper/hre/shaper.txt", moto.environment()).unwrap();
    let put = |name: &str| store.put(name, b"x", Expect::Anything, &open_fence).unwrap().unwrap();
    let names: Vec<String> = (0..1203).map(|number| format!("{number:08}")).collect();
    std::thread::scope(|scope| {
        for part in names.chunks(400) {
            scope.spawn(move || part.iter().for_each(|name| drop(put(&format!("log/{name}")))));
        }
    });
    put("log/deeper/00000000");
    put("log.txt");
    put("logs/00000000");
    moto.put("hre/log/", "a folder as other programs make one");
    assert_eq!(store.list("log").unwrap(), names);
    assert_eq!(store.list("").unwrap(), ["log.txt"]);
}

#[test]
fn a_signature_is_checked_and_no_secret_shown() {
    let Some(s3s) = S3s::start() else { return };
    let store = open("s3://shaper/hre/shaper.txt", with_keys(s3s.endpoint())).unwrap();
    assert!(store.read("shaper.txt").unwrap().is_none());
    let one = store.put("shaper.txt", b"one", Expect::Nothing, &open_fence).unwrap().expect("there is none");
    assert_eq!(store.put("shaper.txt", b"two", Expect::Nothing, &open_fence).unwrap(), None);
    let two = store.put("shaper.txt", b"two", Expect::Content(&one), &open_fence).unwrap().expect("it is one");
    assert_eq!(store.put("shaper.txt", b"three", Expect::Content(&one), &open_fence).unwrap(), None);
    let read = store.read("shaper.txt").unwrap().unwrap();
    assert_eq!((read.bytes.as_slice(), &read.mark), (b"two".as_slice(), &two));
    assert_eq!(store.list("").unwrap(), ["shaper.txt"]);
    store.remove("shaper.txt").unwrap();
    assert_eq!(store.list("").unwrap(), Vec::<String>::new());

    let mut wrong = with_keys(s3s.endpoint());
    wrong.insert("AWS_SECRET_ACCESS_KEY".to_owned(), "quite-another-secret".to_owned());
    let store = open("s3://shaper/hre/shaper.txt", wrong).unwrap();
    for error in [
        failure(store.read("shaper.txt")),
        failure(store.list("")),
        failure(store.put("shaper.txt", b"x", Expect::Nothing, &open_fence)),
        failure(store.remove("shaper.txt")),
    ] {
        assert!(error.contains("s3://shaper/hre") && error.contains("correct AWS_SECRET_ACCESS_KEY"), "{error}");
        assert!(!error.contains("another-secret") && !error.contains(SECRET), "{error}");
    }
    let mut unknown = with_keys(s3s.endpoint());
    unknown.insert("AWS_ACCESS_KEY_ID".to_owned(), "nobody".to_owned());
    let store = open("s3://shaper/hre/shaper.txt", unknown).unwrap();
    assert!(failure(store.read("shaper.txt")).contains("AWS_ACCESS_KEY_ID"));
}

#[test]
fn what_is_missing_is_reported() {
    let Some(moto) = Moto::start() else { return };
    let store = open("s3://nowhere/shaper.txt", moto.environment()).unwrap();
    for error in [
        failure(store.read("shaper.txt")),
        failure(store.list("")),
        failure(store.put("shaper.txt", b"x", Expect::Anything, &open_fence)),
        failure(store.put("shaper.txt", b"x", Expect::Nothing, &open_fence)),
    ] {
        assert!(error.contains("s3://nowhere/") && error.contains("there is no bucket nowhere: make it"), "{error}");
    }
}

#[test]
fn without_credentials_requests_end_soon() {
    let endpoint = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let error = |variables: &[(&str, &str)]| {
        let opened = open("s3://shaper/shaper.txt", environment(variables));
        failure(opened.and_then(|store| store.read("shaper.txt")))
    };
    let none = error(&[endpoint, ("AWS_EC2_METADATA_DISABLED", "true")]);
    assert!(none.contains("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"), "{none}");
    // A secret that a workflow names and the repository does not have comes as nothing.
    let empty = error(&[endpoint, ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_ACCESS_KEY_ID", "")]);
    assert!(empty.contains("there are no credentials"), "{empty}");
    let no_machine = error(&[endpoint, ("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9")]);
    assert!(no_machine.contains("there are no credentials"), "{no_machine}");
    let half = error(&[endpoint, ("AWS_ACCESS_KEY_ID", KEY)]);
    assert!(half.contains("AWS_SECRET_ACCESS_KEY is not: set both"), "{half}");
    let pasted = error(&[endpoint, ("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", "with-a-line-end\n")]);
    assert!(pasted.contains("AWS_SECRET_ACCESS_KEY holds") && !pasted.contains("with-a-line"), "{pasted}");
    let nobody = error(&[endpoint, ("AWS_ACCESS_KEY_ID", KEY), ("AWS_SECRET_ACCESS_KEY", SECRET)]);
    assert!(nobody.contains("no connection to http://127.0.0.1:9") && nobody.contains("refused"), "{nobody}");
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let url = "s3://shaper/shaper.txt".parse().unwrap();
    for (endpoint, region, why) in [
        ("s3.ispcustomer.co.zw", None, "write it as https://"),
        ("https://me:hunter2@s3.ispcustomer.co.zw", None, "remove it"),
        ("http://127.0.0.1:9", Some("x.ispcustomer.co.zw/"), "no region"),
    ] {
        let region = region.map(|text: &str| text.parse().unwrap());
        let access = Access { region: region.as_ref(), ..Access::of(&url) };
        let around = Surroundings { environment: with_keys(endpoint), patience: HttpPatience::default() };
        let error = failure(S3Store::open_in(&access, "/", &around));
        assert!(error.contains("s3://shaper/shaper.txt") && error.contains(why), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

/// Runs itself again, as what is trusted is read from the environment of a process.
#[test]
fn a_certificate_must_be_trusted() {
    const CHILD: &str = "SHAPELINE_TEST_TLS_ENDPOINT";
    if let Ok(endpoint) = std::env::var(CHILD) {
        let url = "s3://shaper/hre/shaper.txt".parse().unwrap();
        let endpoint = endpoint.parse().unwrap();
        let access = Access { endpoint: Some(&endpoint), ..Access::of(&url) };
        let (store, file) = open_file(&access).unwrap();
        assert_eq!(file, "shaper.txt");
        println!("OVER TLS: {:?}", store.read(&file).map_err(|error| format!("{error:#}")));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = (dir.path().join("certificate.pem"), dir.path().join("key.pem"));
    let Some(python) = crate::servers::tool("moto/bin/python", "scripts/test-tools-s3") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/servers/write_certificate.py");
    assert!(Command::new(python).arg(script).arg(dir.path()).status().unwrap().success());
    let Some(moto) = Moto::start_tls(&certificate, &key) else { return };
    let run = |trusted: bool| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["stores::s3::a_certificate_must_be_trusted", "--exact", "--nocapture"]);
        child.envs(moto.environment()).env(CHILD, moto.endpoint());
        if trusted {
            child.env("SSL_CERT_FILE", &certificate).env_remove("SSL_CERT_DIR");
        }
        let out = child.output().unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(out.status.success(), "{text}\n{}", String::from_utf8_lossy(&out.stderr));
        text.lines().find_map(|line| line.split_once("OVER TLS: ")).expect("it says so").1.to_owned()
    };
    let distrusted = run(false);
    assert!(
        distrusted.contains("the certificate of https://127.0.0.1") && distrusted.contains("SSL_CERT_FILE"),
        "{distrusted}"
    );
    let trusted = run(true);
    assert!(trusted.contains("there is no bucket shaper"), "the service itself answers: {trusted}");
}
