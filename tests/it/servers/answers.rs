//! A server with scripted responses, for faults that are rare with real servers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The same as a server reads it that takes no notice of the header `name`.
    pub fn without(&self, name: &str) -> Request {
        let mut request = self.clone();
        request.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        request
    }
}

/// Status, headers, body. Without one, no answer is given, and the connection stays open.
pub type Answer = Option<(u16, Vec<(String, String)>, String)>;

/// An answer without headers.
pub fn plain(status: u16, body: &str) -> Answer {
    Some((status, Vec::new(), body.to_owned()))
}

/// An S3 service's way to say no.
pub fn refusal(status: u16, code: &str, message: &str) -> Answer {
    plain(status, &format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

/// Serves for as long as the process runs. Gives its URL.
pub fn serve(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer: Arc<dyn Fn(&Request) -> Answer + Send + Sync> = Arc::new(answer);
    std::thread::spawn(move || {
        let mut unanswered = Vec::new();
        for stream in listener.incoming().flatten() {
            // Kept, so that no connection is closed that was not answered.
            unanswered.push(stream.try_clone().unwrap());
            let answer = answer.clone();
            std::thread::spawn(move || while converse(&stream, answer.as_ref()).is_some() {});
        }
    });
    endpoint
}

/// Answers one request; nothing when there is no more to be done on the connection.
fn converse(mut stream: &TcpStream, answer: &dyn Fn(&Request) -> Answer) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Request { method, path, headers, body: Vec::new() };
    let length: u64 = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    reader.take(length).read_to_end(&mut request.body).ok()?;
    let (status, headers, body) = answer(&request)?;
    let mut text = format!("HTTP/1.1 {status} Said\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !text.contains("Content-Length: ") {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    if request.method != "HEAD" {
        text.push_str(&body);
    }
    stream.write_all(text.as_bytes()).ok()
}
