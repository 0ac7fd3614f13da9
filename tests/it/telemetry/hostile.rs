//! Sources that answer with something else than what was asked for.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::{Place, ran};

/// A server that answers every request with `answer`, given its path. Ends with the test's process.
fn server(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + Copy + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap_or(0);
                let text = String::from_utf8_lossy(&head[..read]).into_owned();
                answer(text.split(' ').nth(1).unwrap_or_default(), &mut stream);
            });
        }
    });
    url
}

fn json(stream: &mut TcpStream, body: &str) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

/// A round against the server: what the journal says.
fn collected(place: &Place, kind: &str, url: &str) -> (Option<i32>, String) {
    let settings =
        format!("  sources:\n  - {{name: s, kind: {kind}, url: '{url}', timeout: 2s, window: 1h, delay: 0s}}\n");
    let settings = if kind == "devices" { settings.replace(", window: 1h, delay: 0s", "") } else { settings };
    let (code, _, stderr) = place.collect(&settings, &["--once"]);
    (code, stderr)
}

fn refused(kind: &str, url: &str, why: &str) {
    let place = Place::sqlite();
    let (code, stderr) = collected(&place, kind, url);
    assert!(code == Some(2) && stderr.contains(why), "{why}: {code:?} {stderr}");
    assert!(stderr.lines().all(|line| line.len() < 400 && !line.contains('\u{1b}')), "{stderr}");
    assert_eq!(place.number("SELECT COUNT(*) FROM samples"), Some(0));
    assert_eq!(place.number("SELECT COUNT(*) FROM series WHERE traffic_until IS NOT NULL"), Some(0));
}

#[test]
fn answers_without_an_end_or_a_sense_are_refused() {
    for kind in ["netbeam", "devices"] {
        let endless = server(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n[");
            while stream.write_all(&[b' '; 65_536]).is_ok() {}
        });
        let started = std::time::Instant::now();
        let place = Place::sqlite();
        let (code, stderr) = collected(&place, kind, &endless);
        assert!(code == Some(2) && started.elapsed().as_secs() < 60, "{stderr}");
        refused(kind, &server(|_, stream| drop(stream.write_all(b"\x1b[2J\n"))), "s: ");
        refused(kind, &server(|_, stream| json(stream, "\u{1b}[31m{")), "its answer is not what was asked for");
        refused(kind, &server(|_, stream| json(stream, &"[".repeat(100_000))), "its answer is not what was asked for");
        let elsewhere = |_: &str, stream: &mut TcpStream| {
            let _ = stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n");
        };
        refused(kind, &server(elsewhere), "it redirects with 302 Found, which is not followed");
        let broken = |_: &str, stream: &mut TcpStream| {
            let _ = stream.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        };
        refused(kind, &server(broken), "it answers 500");
        // Not an empty list, which would say that everything is gone.
        let nothing = |_: &str, stream: &mut TcpStream| {
            let _ = stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        };
        refused(kind, &server(nothing), "it has no list");
        // Silence, until the time limit.
        let silent = |_: &str, stream: &mut TcpStream| drop(stream.read(&mut [0]));
        refused(kind, &server(silent), "s: ");
    }
}

/// Points so close together that a window of them is too long for an answer.
#[test]
fn a_window_with_too_many_points_is_asked_for_in_parts() {
    let url = server(|path, stream| {
        if path.ends_with("/interfaces") {
            return json(stream, r#"[{"name": "a", "resource": "a"}]"#);
        }
        let of = |name: &str| path.split(name).nth(1)?.split('&').next()?.parse::<i64>().ok();
        let (begin, end) = (of("begin=").unwrap(), of("end=").unwrap());
        if !path.contains("/traffic") {
            return json(stream, r#"{"points": []}"#);
        }
        let space = " ".repeat(600);
        let point = |at: i64| format!("[{at},{space}1, 2]");
        let first = begin + (1000 - begin.rem_euclid(1000)) % 1000;
        let points: Vec<String> = (first..=end).step_by(1000).map(point).collect();
        json(stream, &format!("{{\"points\": [{}]}}", points.join(",")));
    });
    let place = Place::sqlite();
    let (code, stderr) = collected(&place, "netbeam", &url);
    assert_eq!(code, Some(0), "{stderr}");
    // Of an hour, 3600 points of more than 600 bytes: a half is less than 2 MiB.
    let found = place.number("SELECT COUNT(*) FROM samples");
    assert!((1799..=1801).contains(&found.unwrap()), "{found:?} {stderr}");
    let (_, stderr) = collected(&place, "netbeam", &url);
    assert!(place.number("SELECT COUNT(*) FROM samples") >= Some(3600), "from there on: {stderr}");
}

/// One interface whose points cannot be read does not hold up the others, and stays where it is.
#[test]
fn one_bad_series_does_not_hold_up_the_others() {
    let url = server(|path, stream| {
        if path.ends_with("/interfaces") {
            let list = r#"[{"name": "bad\u001b[2J", "resource": "bad"}, {"name": "good", "resource": "good"},
                           {"name": "up", "resource": "../../etc"}, {"name": "none", "resource": "none"}]"#;
            return json(stream, list);
        }
        let begin = path.split("begin=").nth(1).and_then(|rest| rest.split('&').next()).unwrap_or("0");
        if path.contains("/bad/") {
            json(stream, "{\"points\": 5}");
        } else if path.contains("/good/") {
            json(stream, &format!("{{\"points\": [[{begin}, 5, 6], [{begin}, -1, 2], [1, 2, 3], [{begin}0, 1, 1]]}}"));
        } else {
            let _ = stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let place = Place::sqlite();
    let (code, stderr) = collected(&place, "netbeam", &url);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("s, values: 8 or more are refused"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "{stderr}");
    assert_eq!(place.number("SELECT COUNT(*) FROM samples"), Some(3));
    let moved = |name: &str| {
        let moved = "traffic_until IS NOT NULL AND errors_until IS NOT NULL AND discards_until IS NOT NULL";
        place.number(&format!("SELECT COUNT(*) FROM series WHERE name LIKE '{name}%' AND {moved}")).unwrap()
    };
    assert_eq!((moved("good"), moved("none"), moved("bad"), moved("up")), (1, 1, 0, 0));
}

#[test]
fn a_device_with_a_bad_value_is_still_listed() {
    let place = Place::sqlite();
    let url = server(|path, stream| {
        let rate = path.split('/').nth(1).unwrap_or_default();
        let device = r#""mac_address": "02:00:5e:00:53:01", "download_speed": 2, "active_connection": true"#;
        json(stream, &format!(r#"[{{{device}, "upload_speed": {rate}}}]"#));
    });
    for rate in ["1", "-1", "null", "[]"] {
        let (code, stderr) = collected(&place, "devices", &url.replace("/api", &format!("/{rate}")));
        assert!(code == Some(0) && stderr.contains("1 or more are refused") == (rate != "1"), "{rate}: {stderr}");
    }
    assert_eq!(place.number("SELECT COUNT(*) FROM samples"), Some(1));
    assert_eq!(place.number("SELECT COUNT(*) FROM series_events"), Some(1), "it appeared, and never left");
}

#[test]
fn settings_that_would_do_nothing_are_refused() {
    let place = Place::sqlite();
    for (source, why) in [
        ("kind: devices, url: 'http://127.0.0.1:1', reverse: true", "there is no setting `reverse`"),
        ("kind: simulate, reverse: true", "there is no setting `reverse`"),
        ("kind: simulate, timeout: 5s", "there is no setting `timeout`"),
        ("kind: simulate, window: 0s", "window is less than 1s"),
    ] {
        let settings = format!("  sources:\n  - {{name: s, {source}}}\n");
        let (code, _, stderr) = place.collect(&settings, &["--once"]);
        assert!(code == Some(2) && stderr.contains(why), "{source}: {stderr}");
    }
}

#[test]
fn what_is_too_old_is_deleted_by_the_settings_alone() {
    let place = Place::sqlite();
    let (code, _, stderr) = ran(&mut place.command(&["collect", "--clean"]));
    assert!(code == Some(2) && stderr.contains("--clean needs --settings"), "{stderr}");
    let sources = "  sources: [{name: s, kind: simulate, interval: 1s}]\n";
    let (code, _, stderr) = place.collect(sources, &["--clean"]);
    assert!(code == Some(2) && stderr.contains("there are no samples"), "{stderr}");
    assert!(!std::path::Path::new(&place.store).exists(), "and none are made");
    assert_eq!(place.collect(sources, &["--once"]).0, Some(0));
    assert_eq!(place.collect(sources, &["--clean"]).0, Some(0));
}
