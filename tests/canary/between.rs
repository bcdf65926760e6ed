//! Who stands between the operator and a server: passes on what is asked, and spoils an answer where a test wants it.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// More than any request or answer here has.
const MOST_BYTES: usize = 1 << 20;

/// The server behind.
#[derive(Clone)]
pub(crate) enum Behind {
    ApiServer(kube::Client),
    /// At this URL.
    Apple(String, reqwest::Client),
}

/// A request that was asked.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What is answered.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    /// Only so many bytes of the body arrive; then the connection ends.
    pub(crate) arrives: Option<usize>,
}

/// What makes an answer of the request and of the true answer.
pub(crate) type Spoil = Box<dyn FnOnce(&Asked, Answer) -> Answer + Send>;

/// Spoils one answer.
pub(crate) struct Trick {
    pub(crate) name: String,
    /// To which request.
    pub(crate) to: Box<dyn Fn(&Asked) -> bool + Send>,
    /// Whether the server behind is asked all the same.
    pub(crate) has_effect: bool,
    pub(crate) spoil: Spoil,
}

/// What the server behind was asked and what it answered, but for endless answers.
pub(crate) type Listener = Box<dyn Fn(&Asked, &Answer) + Send + Sync>;

/// A server that runs until it is dropped.
pub(crate) struct Between {
    pub(crate) url: String,
    inner: Arc<Inner>,
    task: JoinHandle<io::Result<()>>,
}

struct Inner {
    behind: Behind,
    tricks: Mutex<Vec<Trick>>,
    listener: Listener,
    /// Changes when endless answers are to end.
    ends: watch::Sender<()>,
}

impl Between {
    /// Starts on a free port, by plain HTTP.
    pub(crate) async fn start(behind: Behind, listener: Listener) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let inner = Inner { behind, tricks: Mutex::default(), listener, ends: watch::Sender::new(()) };
        let inner = Arc::new(inner);
        let router = Router::new().fallback(pass).with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { axum::serve(socket, router).await });
        Self { url, inner, task }
    }

    /// Adds a trick; of those that fit a request the oldest is played, and only once.
    pub(crate) fn play(&self, trick: Trick) {
        self.inner.tricks.lock().unwrap().push(trick);
    }

    /// The tricks that were not played yet.
    pub(crate) fn unplayed(&self) -> Vec<String> {
        self.inner.tricks.lock().unwrap().iter().map(|trick| trick.name.clone()).collect()
    }

    /// Ends all watches, as servers do now and then.
    pub(crate) fn end_watches(&self) {
        self.inner.ends.send_replace(());
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Inner {
    fn trick_for(&self, asked: &Asked) -> Option<Trick> {
        let mut tricks = self.tricks.lock().unwrap();
        let place = tricks.iter().position(|trick| (trick.to)(asked))?;
        Some(tricks.remove(place))
    }

    async fn ask(&self, parts: Parts, body: Bytes) -> Response {
        match &self.behind {
            Behind::ApiServer(client) => {
                let answer = client.send(Request::from_parts(parts, body.to_vec().into())).await.unwrap();
                answer.map(Body::new)
            }
            Behind::Apple(url, client) => {
                let url = format!("{url}{}", parts.uri);
                let request = client.request(parts.method, url).headers(parts.headers).body(body);
                let mut answer = request.send().await.unwrap();
                let mut response = Response::builder().status(answer.status());
                std::mem::swap(response.headers_mut().unwrap(), answer.headers_mut());
                response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
            }
        }
    }
}

async fn pass(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, MOST_BYTES).await.unwrap();
    let asked = Asked {
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        headers: parts.headers.clone(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    // It names this server, not the one behind.
    parts.headers.remove(HOST);
    let trick = inner.trick_for(&asked);
    let answer = match &trick {
        Some(trick) if !trick.has_effect => Answer::default(),
        _ => {
            let mut response = inner.ask(parts, body).await;
            response.headers_mut().remove(TRANSFER_ENCODING);
            if asked.path.contains("watch=") {
                return until_the_end(response, inner.ends.subscribe());
            }
            whole(response).await
        }
    };
    (inner.listener)(&asked, &answer);
    match trick {
        Some(trick) => written((trick.spoil)(&asked, answer)),
        None => written(answer),
    }
}

fn until_the_end(response: Response, mut ends: watch::Receiver<()>) -> Response {
    let end = async move { drop(ends.changed().await) };
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(end))))
}

async fn whole(response: Response) -> Answer {
    let status = response.status().as_u16();
    let date = response.headers().get("date").map(|date| ("date", date.to_str().unwrap().to_owned()));
    let body = to_bytes(response.into_body(), MOST_BYTES).await.unwrap();
    Answer {
        status,
        headers: date.into_iter().chain([("content-type", "application/json".to_owned())]).collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        arrives: None,
    }
}

fn written(answer: Answer) -> Response {
    let Answer { status, headers, body, arrives } = answer;
    let mut response = Response::builder().status(status);
    let all = response.headers_mut().unwrap();
    for (name, value) in headers {
        all.append(name, HeaderValue::from_str(&value).unwrap());
    }
    all.insert(CONTENT_LENGTH, body.len().into());
    let Some(arrives) = arrives else { return response.body(body.into()).unwrap() };
    let begun = stream::iter([Ok(Bytes::copy_from_slice(&body.as_bytes()[..arrives]))]);
    // What was written is sent before the connection is given up.
    let broken = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    response.body(Body::from_stream(begun.chain(broken).into_stream())).unwrap()
}
