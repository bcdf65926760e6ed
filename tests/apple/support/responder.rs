//! A server that answers with exactly the bytes that it is given.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

type Script = dyn Fn(TcpStream) + Send + Sync;

/// Listens on a loopback port for as long as the test process lives.
pub(crate) struct Responder {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Responder {
    /// Answers each request with `bytes` and closes the connection.
    pub(crate) fn with(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::that(move |mut stream| {
            // A client that has seen enough closes first.
            let _ = stream.write_all(&bytes);
        })
    }

    /// Answers each request with a head, a length and `body`.
    pub(crate) fn json(status: u16, headers: &str, body: &str) -> Self {
        Self::with(answer(status, headers, body))
    }

    /// Hands each connection to `script` after a whole request has arrived.
    pub(crate) fn that(script: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        Self {
            requests,
            ..Self::raw(move |mut stream| {
                if let Some(request) = read_request(&mut stream) {
                    seen.lock().unwrap().push(request);
                    script(stream);
                }
            })
        }
    }

    /// Hands each connection to `script` as soon as it stands.
    pub(crate) fn raw(script: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let script = Arc::clone(&script);
                thread::spawn(move || script(stream));
            }
        });
        Self { port, requests: Arc::default() }
    }

    /// Where it listens, as a base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The requests so far, each with head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// An answer with a length, after which the connection ends; `headers` are whole lines, each with its line end.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}
