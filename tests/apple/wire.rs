//! Answers that break HTTP, or never end.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use asa_operator::apple::error::Class;

use crate::support::responder::{Responder, answer};
use crate::support::{TOKEN, http, token, token_class};

#[tokio::test]
async fn answers_that_are_hardly_http() {
    let http = http();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let cut = Class::Unreachable("the connection ended before the answer did");
    let table = [
        ("", cut.clone()),
        ("HTTP/1.1 200", cut.clone()),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", cut.clone()),
        (&format!("{chunked}5\r\n{{\"acc"), cut.clone()),
        (&format!("{chunked}zz\r\n"), cut.clone()),
        ("nonsense\r\n\r\n", Class::Unintelligible("not HTTP")),
        ("HTTP/1.1 2000 OK\r\n\r\n", Class::Unintelligible("not HTTP")),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Class::Unintelligible("not HTTP")),
        ("SSH-2.0-OpenSSH_9.6\r\n", Class::Unintelligible("not HTTP")),
        // Without a length the end of the connection is the end of the body.
        ("HTTP/1.1 200 OK\r\n\r\n{\"acc", Class::Unintelligible("JSON that ends too early")),
        ("HTTP/1.1 204 No Content\r\n\r\n", Class::Status(204)),
        ("HTTP/1.1 304 Not Modified\r\n\r\n", Class::Redirected),
    ];
    for (bytes, class) in table {
        let apple = Responder::with(bytes);
        assert_eq!(token_class(&http, &apple).await, class, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_as_good() {
    let http = http();
    let chunks = format!("{:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", 10, &TOKEN[..10], TOKEN.len() - 10, &TOKEN[10..]);
    for bytes in [
        format!("HTTP/1.1 200 OK\r\n\r\n{TOKEN}"),
        format!("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n{TOKEN}"),
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{TOKEN}"),
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n\r\n{TOKEN}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"),
    ] {
        let apple = Responder::with(bytes.clone());
        let issued = token(&http, &apple.url()).await.unwrap_or_else(|error| panic!("{error}: {bytes}"));
        assert_eq!(issued.value.token.expose(), "t");
    }
}

#[tokio::test]
async fn an_answer_that_stops_at_any_byte_is_an_error() {
    let http = http();
    let whole = answer(200, "Content-Type: application/json\r\n", TOKEN);
    for length in 0..whole.len() {
        let apple = Responder::with(&whole.as_bytes()[..length]);
        let class = token_class(&http, &apple).await;
        assert_eq!(class, Class::Unreachable("the connection ended before the answer did"), "{length} bytes");
    }
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    let http = http();
    let apple = Responder::with("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x08");
    assert_eq!(token_class(&http, &apple).await, Class::Unintelligible("a compressed body, not asked for"));
}

#[tokio::test]
async fn a_body_without_end_is_left_at_256_kib() {
    let http = http();
    let announced = Responder::with("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
    assert_eq!(token_class(&http, &announced).await, Class::TooLarge);

    for status in [200, 400] {
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        let apple = Responder::that(move |mut stream| {
            let _ = write!(stream, "HTTP/1.1 {status} X\r\n\r\n{{\"error\":\"");
            while stream.write_all(&[b' '; 16 * 1024]).is_ok() {
                counter.fetch_add(16 * 1024, Ordering::Relaxed);
            }
        });
        let expected = if status == 200 { Class::TooLarge } else { Class::Status(400) };
        assert_eq!(token_class(&http, &apple).await, expected);
        // The rest is what two kernels' socket buffers hold.
        let taken = taken.load(Ordering::Relaxed);
        assert!(taken < 16 * 1024 * 1024, "{taken} bytes were taken");
    }

    let just_fits = format!("{TOKEN}{}", " ".repeat(256 * 1024 - TOKEN.len()));
    assert!(token(&http, &Responder::json(200, "", &just_fits).url()).await.is_ok());
    let one_more = format!("{just_fits} ");
    assert_eq!(token_class(&http, &Responder::json(200, "", &one_more)).await, Class::TooLarge);
    assert_eq!(
        token_class(&http, &Responder::with(format!("HTTP/1.1 200 OK\r\n\r\n{one_more}"))).await,
        Class::TooLarge
    );
}

#[tokio::test]
async fn headers_without_end_are_left_too() {
    let http = http();
    let apple = Responder::that(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-Again: and again\r\n").is_ok() {}
    });
    assert_eq!(token_class(&http, &apple).await, Class::Unintelligible("not HTTP"));
}

#[tokio::test]
async fn a_reset_a_refusal_and_an_unknown_name_are_told_apart() {
    let http = http();
    // Closing a socket that has unread bytes resets it.
    let resets = Responder::raw(|stream| {
        let mut seen = [0; 1];
        let _ = stream.peek(&mut seen);
    });
    assert_eq!(token_class(&http, &resets).await, Class::Unreachable("the connection was reset"));

    let unused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let error = token(&http, &unused).await.unwrap_err();
    assert_eq!(error.class, Class::Unreachable("the connection was refused"));
    assert_eq!((error.skew, error.retry_after), (None, None));

    // Reserved for names that do not exist (RFC 6761 § 6.4); where there is no resolver to say so, that takes its time.
    let error = token(&http, "https://secret-name.invalid").await.unwrap_err();
    assert!(matches!(error.class, Class::Unreachable("the name does not resolve") | Class::TimedOut), "{error}");
    assert!(!error.to_string().contains("secret-name"), "{error}");
}
