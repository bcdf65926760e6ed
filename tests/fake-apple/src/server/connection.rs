//! One connection: hyper reads the requests and writes what is well-behaved. Where an answer has to misbehave, the
//! socket is taken back from hyper.

use std::{error::Error, future::poll_fn, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;

use super::{control, wire, wire::Wire};
use crate::{
    fault::Delivery,
    message::{Answer, Message, Request},
    state::State,
};

/// The largest body that is read, in bytes: enough for a configuration with thousands of clients.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// Serves requests until the client closes the connection or a fault ends it.
pub(super) async fn serve<W: Wire>(stream: W, state: State) {
    let service = service_fn(|request| Box::pin(respond(request, &state)));
    let mut connection = http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service);
    let ended = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut stream = connection.into_parts().io.into_inner();
    // Either way the client may be gone already, and there is nobody to tell.
    let _ = match ended.as_ref().err().and_then(handed_over) {
        Some(answer) => wire::deliver(stream, answer).await,
        None => stream.shutdown().await,
    };
}

/// An answer that hyper cannot be asked to write. As the service's error it makes hyper give up the connection.
#[derive(Debug, thiserror::Error)]
#[error("the answer takes over the connection")]
struct HandOver(Answer);

fn handed_over(error: &hyper::Error) -> Option<Answer> {
    error.source()?.downcast_ref::<HandOver>().map(|handed| handed.0.clone())
}

async fn respond(request: hyper::Request<Incoming>, state: &State) -> Result<Response<Full<Bytes>>, HandOver> {
    let answer = match read(request).await {
        Ok(request) if request.path.starts_with("/control/") => {
            let mut message = control::handle(state, &request);
            message.set_header("Date", &state.date());
            Answer { message: Some(message), delay: Duration::ZERO, delivery: Delivery::Whole }
        }
        Ok(request) => state.answer(&request),
        Err(message) => Answer { message: Some(message), delay: Duration::ZERO, delivery: Delivery::Whole },
    };
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    let response = match &answer {
        Answer { message: Some(message), delivery: Delivery::Whole, .. } => response(message),
        _ => None,
    };
    response.ok_or(HandOver(answer))
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Message> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return Err(Message { status: 413, ..Message::default() });
    };
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Ok(Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers,
        body: body.to_bytes().to_vec(),
    })
}

/// None where status or headers are not HTTP, or say a length of their own: then they are written by hand.
fn response(message: &Message) -> Option<Response<Full<Bytes>>> {
    if message.frames_itself() {
        return None;
    }
    let mut response = Response::builder().status(message.status);
    for (name, value) in &message.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(message.body.clone()))).ok()
}
