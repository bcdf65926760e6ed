use super::{BaseUrl, BaseUrlError, Http, SetupError};

#[test]
fn a_base_url_is_https_or_a_literal_loopback_address() {
    let table = [
        ("https://appleid.apple.com", Ok("https://appleid.apple.com")),
        ("https://appleid.apple.com/", Ok("https://appleid.apple.com")),
        ("https://api.ads.apple.com/v1", Ok("https://api.ads.apple.com/v1")),
        (" https://api.searchads.apple.com/api/v5// ", Ok("https://api.searchads.apple.com/api/v5")),
        ("HTTPS://Example.COM:8443/a", Ok("https://example.com:8443/a")),
        ("https://localhost:8443", Ok("https://localhost:8443")),
        ("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080")),
        ("http://127.9.9.9", Ok("http://127.9.9.9")),
        ("http://[::1]:8080/v1", Ok("http://[::1]:8080/v1")),
        ("http://localhost:8080", Err(BaseUrlError::PlainHttp)),
        ("http://127.0.0.1.example.com", Err(BaseUrlError::PlainHttp)),
        ("http://appleid.apple.com", Err(BaseUrlError::PlainHttp)),
        ("http://0.0.0.0", Err(BaseUrlError::PlainHttp)),
        ("http://[::ffff:127.0.0.1]", Err(BaseUrlError::PlainHttp)),
        ("http://169.254.169.254", Err(BaseUrlError::PlainHttp)),
        ("ftp://appleid.apple.com", Err(BaseUrlError::Scheme)),
        ("file:///etc/passwd", Err(BaseUrlError::NotAUrl)),
        ("unix:/run/apple.sock", Err(BaseUrlError::NotAUrl)),
        ("appleid.apple.com", Err(BaseUrlError::NotAUrl)),
        ("", Err(BaseUrlError::NotAUrl)),
        ("https://", Err(BaseUrlError::NotAUrl)),
        ("https://user@appleid.apple.com", Err(BaseUrlError::Credentials)),
        ("https://:pass@appleid.apple.com", Err(BaseUrlError::Credentials)),
        ("https://appleid.apple.com?a=b", Err(BaseUrlError::Query)),
        ("https://appleid.apple.com/#a", Err(BaseUrlError::Query)),
    ];
    for (text, expected) in table {
        let parsed = text.parse::<BaseUrl>().map(|base| base.to_string());
        assert_eq!(parsed.as_deref(), expected.as_ref().map(|text| *text), "{text:?}");
    }
}

#[test]
fn a_path_is_joined_below_the_base() {
    let table = [
        ("https://appleid.apple.com", "/auth/oauth2/token", "https://appleid.apple.com/auth/oauth2/token"),
        ("https://appleid.apple.com/", "/auth/oauth2/token", "https://appleid.apple.com/auth/oauth2/token"),
        ("https://api.ads.apple.com/v1", "/me", "https://api.ads.apple.com/v1/me"),
        ("http://[::1]:1/api/v5/", "/acls", "http://[::1]:1/api/v5/acls"),
        (
            "https://api.appstoreconnect.apple.com",
            "/v1/apps?limit=1",
            "https://api.appstoreconnect.apple.com/v1/apps?limit=1",
        ),
        ("http://127.0.0.1:1/a/", "/v1/apps?limit=1", "http://127.0.0.1:1/a/v1/apps?limit=1"),
    ];
    for (base, path, expected) in table {
        assert_eq!(BaseUrl::parse(base).unwrap().join(path).as_str(), expected);
    }
}

#[test]
fn a_ca_bundle_without_a_certificate_is_refused() {
    assert!(matches!(Http::new(Some(b"")), Err(SetupError::NoRoots)));
    assert!(matches!(Http::new(Some(b"no certificate")), Err(SetupError::NoRoots)));
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(Http::new(Some(broken)), Err(SetupError::Tls(_))));
    let open = b"-----BEGIN CERTIFICATE-----\nAA!A\n-----END CERTIFICATE-----\n";
    assert!(matches!(Http::new(Some(open)), Err(SetupError::Roots(_))));
}
