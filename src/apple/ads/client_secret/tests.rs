use super::*;

/// A key that is made here: a PKCS#8 of a scalar that anybody can guess.
fn key(scalar: u8) -> PrivateKey {
    use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
    let pem = p256::SecretKey::from_slice(&[scalar; 32]).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap();
    PrivateKey::parse(pem.as_bytes()).unwrap()
}

fn client() -> Client {
    Client {
        client_id: "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577".into(),
        team_id: "SEARCHADS.27478e71-3bb0-4588-998c-182e2b405577".into(),
        key_id: "bacaebda-e219-41ee-a907-e2c25b24d1b2".into(),
    }
}

fn now() -> Timestamp {
    "2026-09-01T12:00:00.75Z".parse().unwrap()
}

const DAY: u64 = 24 * 3600;

#[test]
fn it_is_dated_back_and_never_lives_for_more_than_180_days() {
    let now = now().as_second();
    let table = [
        (1, now + 1),
        (300, now + 300),
        (179 * DAY, now + 179 * 24 * 3600),
        (180 * DAY - 61, now + 180 * 24 * 3600 - 61),
        (180 * DAY - 60, now + 180 * 24 * 3600 - 60),
        (180 * DAY - 59, now + 180 * 24 * 3600 - 60),
        (180 * DAY, now + 180 * 24 * 3600 - 60),
        (1000 * DAY, now + 180 * 24 * 3600 - 60),
        (u64::MAX, now + 180 * 24 * 3600 - 60),
    ];
    for (lifetime, expires_at) in table {
        let secret = sign(&key(1), &client(), super::tests::now(), Duration::from_secs(lifetime)).unwrap();
        assert_eq!(secret.issued_at().as_second(), now - 60, "{lifetime}");
        assert_eq!(secret.expires_at().as_second(), expires_at, "{lifetime}");
        assert_eq!(secret.expires_at().subsec_nanosecond(), 0);
    }
}

#[test]
fn times_that_cannot_be_written_are_errors() {
    let day = Duration::from_secs(DAY);
    let at = |now| sign(&key(1), &client(), now, day).unwrap_err();
    assert_eq!(at(Timestamp::MIN), SigningError::OutOfTime);
    assert_eq!(at(Timestamp::MAX), SigningError::OutOfTime);
    let short = sign(&key(1), &client(), now(), Duration::from_millis(999));
    assert_eq!(short.unwrap_err(), SigningError::TooShort);
}

#[test]
fn what_was_published_reads_as_what_was_signed() {
    let signed = sign(&key(1), &client(), now(), Duration::from_secs(DAY)).unwrap();
    assert!((300..500).contains(&signed.expose().len()), "{} bytes", signed.expose().len());
    let read = ClientSecret::from_published(signed.expose().to_owned()).unwrap();
    assert_eq!(read.expose(), signed.expose());
    assert_eq!(read.issued_at(), signed.issued_at());
    assert_eq!(read.expires_at(), signed.expires_at());
}

#[test]
fn what_is_no_client_secret_is_refused() {
    let jwt = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    let table = [
        (String::new(), PublishedError::NotAJwt),
        ("a.b".into(), PublishedError::NotAJwt),
        ("a.b.c.d".into(), PublishedError::NotAJwt),
        ("e30.!!.c2ln".into(), PublishedError::NotAJwt),
        (format!("{}\n", jwt(r#"{"iat":1,"exp":2}"#)), PublishedError::NotAJwt),
        (jwt(&format!(r#"{{"iat":1,"exp":2,"x":"{}"}}"#, "x".repeat(4096))), PublishedError::NotAJwt),
        (jwt("{}"), PublishedError::NoLife),
        (jwt("[]"), PublishedError::NoLife),
        (jwt("nonsense"), PublishedError::NoLife),
        (jwt(r#"{"iat":"1","exp":2}"#), PublishedError::NoLife),
        (jwt(r#"{"iat":2,"exp":2}"#), PublishedError::NoLife),
        (jwt(r#"{"iat":3,"exp":2}"#), PublishedError::NoLife),
        (jwt(r#"{"iat":1,"exp":9223372036854775807}"#), PublishedError::NoLife),
    ];
    for (text, expected) in table {
        assert_eq!(ClientSecret::from_published(text.clone()).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn it_does_not_show_itself() {
    let signed = sign(&key(1), &client(), now(), Duration::from_secs(DAY)).unwrap();
    let shown = format!("{signed:?} {signed:#?}");
    for window in signed.expose().as_bytes().windows(12) {
        assert!(!shown.contains(std::str::from_utf8(window).unwrap()));
    }
}
