//! Answers that no HTTP library would write, byte by byte.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use crate::{
    fault::Delivery,
    message::{Answer, Message},
};

/// What an endless body goes on with: blanks, so that what came before stays valid JSON to the end.
const FILLER: [u8; 16 * 1024] = [b' '; 16 * 1024];

/// A connection whose socket is known.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// The socket beneath.
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Wire for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Sends an answer as its delivery says, and ends the connection.
pub(super) async fn deliver(mut stream: impl Wire, answer: Answer) -> io::Result<()> {
    let Answer { message, delivery, .. } = answer;
    match (delivery, message) {
        (Delivery::Reset | Delivery::Lost, _) => reset(&stream),
        (Delivery::Silent, _) | (_, None) => wait_for_end(&mut stream).await,
        (Delivery::Whole, Some(message)) => truncated(&mut stream, &message, usize::MAX).await,
        (Delivery::Truncated { after }, Some(message)) => truncated(&mut stream, &message, after).await,
        (Delivery::Endless, Some(message)) => endless(&mut stream, &message).await,
        (Delivery::Dripping { every_millis }, Some(message)) => {
            dripping(&mut stream, &message, Duration::from_millis(every_millis)).await
        }
    }
}

/// Makes the closing of the socket, which follows, an RST.
fn reset(stream: &impl Wire) -> io::Result<()> {
    stream.socket().set_zero_linger()
}

/// Reads on, so that the client's end is noticed.
async fn wait_for_end(stream: &mut impl Wire) -> io::Result<()> {
    tokio::io::copy(stream, &mut tokio::io::sink()).await.map(|_| ())
}

async fn truncated(stream: &mut impl Wire, message: &Message, after: usize) -> io::Result<()> {
    stream.write_all(&head(message, &length(message))).await?;
    stream.write_all(&message.body[..after.min(message.body.len())]).await?;
    stream.shutdown().await
}

async fn endless(stream: &mut impl Wire, message: &Message) -> io::Result<()> {
    stream.write_all(&head(message, "Transfer-Encoding: chunked")).await?;
    let mut chunk = message.body.as_slice();
    loop {
        if !chunk.is_empty() {
            stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).await?;
            stream.write_all(chunk).await?;
            stream.write_all(b"\r\n").await?;
            stream.flush().await?;
        }
        chunk = &FILLER;
    }
}

async fn dripping(stream: &mut impl Wire, message: &Message, interval: Duration) -> io::Result<()> {
    stream.write_all(&head(message, &length(message))).await?;
    for byte in &message.body {
        stream.flush().await?;
        tokio::time::sleep(interval).await;
        stream.write_all(&[*byte]).await?;
    }
    stream.shutdown().await
}

fn length(message: &Message) -> String {
    format!("Content-Length: {}", message.body.len())
}

/// Status line and headers, written as they are given, right or wrong.
fn head(message: &Message, framing: &str) -> Vec<u8> {
    let phrase = hyper::StatusCode::from_u16(message.status).ok().and_then(|status| status.canonical_reason());
    let mut lines = vec![format!("HTTP/1.1 {} {}", message.status, phrase.unwrap_or_default())];
    lines.extend(message.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    if !message.frames_itself() {
        lines.push(framing.to_owned());
    }
    lines.push("Connection: close\r\n\r\n".to_owned());
    lines.join("\r\n").into_bytes()
}
