//! The control endpoint, over HTTP with the very types that tests use in process.

use fake_apple::{
    ApiKey, Call, Client, Config, Counts, Delivery, Endpoint, FakeApple, Fault, Program, Refusal, Settings, Standing,
};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    fixtures::{CLIENT, KeyPair, now},
    server::{http, request_token, start},
};

/// Sends a control request; returns status and body.
async fn send(apple: &FakeApple, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, String) {
    let mut request = http(apple).request(method, format!("{}/control/{path}", apple.url()));
    if let Some(body) = body {
        request = request.body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn get<T: DeserializeOwned>(apple: &FakeApple, path: &str) -> T {
    let (status, body) = send(apple, Method::GET, path, None).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

async fn change(apple: &FakeApple, method: Method, path: &str, body: Option<Value>) {
    let (status, body) = send(apple, method, path, body.as_ref()).await;
    assert_eq!((status.as_u16(), body.as_str()), (204, ""));
}

#[tokio::test]
async fn clients_are_added_replaced_and_removed() {
    let apple = FakeApple::start().await.unwrap();
    let client = KeyPair::new().client().token_life(5);
    change(&apple, Method::POST, "clients", Some(json!(client))).await;
    assert_eq!(get::<Vec<Client>>(&apple, "clients").await, std::slice::from_ref(&client));
    let renamed = Client { team_id: "SEARCHADS.new".to_owned(), ..client.clone() };
    change(&apple, Method::POST, "clients", Some(json!(renamed))).await;
    assert_eq!(apple.state().clients(), [renamed]);
    change(&apple, Method::PUT, "clients", Some(json!([]))).await;
    assert!(apple.state().clients().is_empty());
    apple.state().register(client).unwrap();
    let path = format!("clients/{CLIENT}");
    change(&apple, Method::DELETE, &path, None).await;
    assert_eq!(send(&apple, Method::DELETE, &path, None).await.0, 404);
}

#[tokio::test]
async fn a_client_needs_only_ids_and_keys() {
    let apple = FakeApple::start().await.unwrap();
    let key = KeyPair::new();
    let smallest = json!({
        "clientId": "SEARCHADS.a", "teamId": "SEARCHADS.a", "keys": [{ "keyId": "k", "publicKey": key.public_pem() }],
    });
    change(&apple, Method::POST, "clients", Some(smallest)).await;
    assert_eq!(apple.state().clients(), [Client::new("SEARCHADS.a", "SEARCHADS.a", "k", key.public_pem())]);
}

#[tokio::test]
async fn keys_are_added_replaced_revoked_and_removed() {
    let apple = FakeApple::start().await.unwrap();
    let public = KeyPair::new().public_pem();
    let (team, enterprise) = (ApiKey::team("A", "i", &public), ApiKey::enterprise("A", "i", &public));
    change(&apple, Method::POST, "api-keys", Some(json!(team))).await;
    change(&apple, Method::POST, "api-keys", Some(json!(enterprise))).await;
    assert_eq!(get::<Vec<ApiKey>>(&apple, "api-keys").await, [team.clone(), enterprise.clone()]);
    let smallest = json!({ "keyId": "A", "publicKey": public });
    change(&apple, Method::POST, "api-keys", Some(smallest)).await;
    assert_eq!(apple.state().api_keys(), [ApiKey::individual("A", &public), enterprise.clone()]);

    change(&apple, Method::PUT, "api-keys/enterprise/A/standing", Some(json!("revoked-as-forbidden"))).await;
    let revoked = enterprise.standing(Standing::RevokedAsForbidden);
    assert_eq!(apple.state().api_keys()[1], revoked);
    change(&apple, Method::DELETE, "api-keys/app-store/A", None).await;
    assert_eq!(apple.state().api_keys(), [revoked]);
    assert!(!apple.state().set_standing(Program::AppStore, "A", Standing::Good));
    for path in ["api-keys/app-store/A", "api-keys/nowhere/A"] {
        assert_eq!(send(&apple, Method::DELETE, path, None).await.0, 404, "{path}");
        let standing = format!("{path}/standing");
        assert_eq!(send(&apple, Method::PUT, &standing, Some(&json!("good"))).await.0, 404, "{path}");
    }
    change(&apple, Method::PUT, "api-keys", Some(json!([team]))).await;
    assert_eq!(apple.state().api_keys(), [team]);
}

#[tokio::test]
async fn tokens_of_a_client_are_revoked() {
    let (apple, key) = start().await;
    request_token(&http(&apple), &apple.url(), &key).await.unwrap();
    let (status, body) = send(&apple, Method::DELETE, &format!("clients/{CLIENT}/tokens"), None).await;
    assert_eq!((status.as_u16(), body.as_str()), (200, r#"{"revoked":1}"#));
}

#[tokio::test]
async fn a_patch_of_settings_changes_only_what_it_names() {
    let (apple, _) = start().await;
    change(&apple, Method::PATCH, "settings", Some(json!({ "tokenLifeSeconds": 20 }))).await;
    change(&apple, Method::PATCH, "settings", Some(json!({ "clockOffsetSeconds": -90 }))).await;
    let expected = Settings { token_life_seconds: 20, clock_offset_seconds: -90, ..Settings::default() };
    assert_eq!(get::<Settings>(&apple, "settings").await, expected);
    apple.state().set_token_life(30);
    apple.state().set_clock_offset(0);
    assert_eq!(apple.state().settings(), Settings { token_life_seconds: 30, ..Settings::default() });
}

#[tokio::test]
async fn faults_are_added_listed_and_removed() {
    let (apple, key) = start().await;
    let faults = [
        Fault::at(Endpoint::Token).times(2).status(429).header("Retry-After", "3").body("{}"),
        Fault::everywhere().of(CLIENT).set("expires_in", json!(0)).remove("scope").delivery(Delivery::DRIPPING),
        Fault::at(Endpoint::MeV5).delivery(Delivery::Truncated { after: 3 }),
    ];
    for fault in &faults {
        change(&apple, Method::POST, "faults", Some(json!(fault))).await;
    }
    assert_eq!(get::<Vec<Fault>>(&apple, "faults").await, faults);
    assert_eq!(request_token(&http(&apple), &apple.url(), &key).await.unwrap().status(), 429);
    assert_eq!(get::<Vec<Fault>>(&apple, "faults").await[0].times, Some(1));
    change(&apple, Method::DELETE, &format!("clients/{CLIENT}/faults"), None).await;
    assert_eq!(apple.state().faults().len(), 2);
    change(&apple, Method::DELETE, "faults", None).await;
    assert!(apple.state().faults().is_empty());
}

#[tokio::test]
async fn faults_read_as_the_readme_writes_them() {
    let apple = FakeApple::start().await.unwrap();
    let cases = [
        (json!({ "client": "*", "endpoint": "*", "delivery": "reset" }), Fault::everywhere().delivery(Delivery::Reset)),
        (json!({ "endpoint": "me-v1", "delivery": "lost" }), Fault::at(Endpoint::MeV1).delivery(Delivery::Lost)),
        (
            json!({ "delivery": { "truncated": { "after": 10 } } }),
            Fault::everywhere().delivery(Delivery::Truncated { after: 10 }),
        ),
        (
            json!({ "delivery": { "dripping": { "everyMillis": 1000 } } }),
            Fault::everywhere().delivery(Delivery::DRIPPING),
        ),
        (json!({ "set": { "expires_in": 0 } }), Fault::everywhere().set("expires_in", json!(0))),
        (json!({ "endpoint": "apps", "every": 3, "status": 401 }), Fault::at(Endpoint::Apps).every(3).status(401)),
    ];
    for (document, fault) in cases {
        change(&apple, Method::POST, "faults", Some(document)).await;
        assert_eq!(apple.state().faults().pop(), Some(fault));
    }
}

#[tokio::test]
async fn counts_calls_and_refusals_are_told_and_control_is_not_counted() {
    let (apple, key) = start().await;
    request_token(&http(&apple), &apple.url(), &key).await.unwrap();
    http(&apple).get(format!("{}/v1/me", apple.url())).send().await.unwrap();
    let counts: Counts = get(&apple, "counts").await;
    assert_eq!(counts, apple.state().counts());
    assert_eq!(
        get::<Value>(&apple, "counts").await,
        json!([
            { "client": null, "endpoint": "me-v1", "status": 401, "requests": 1 },
            { "client": CLIENT, "endpoint": "token", "status": 200, "requests": 1 },
        ])
    );
    let calls: Vec<Call> = get(&apple, "calls").await;
    let call = |client: Option<&str>, endpoint, status| Call {
        at: now(),
        client: client.map(str::to_owned),
        endpoint: Some(endpoint),
        status: Some(status),
    };
    assert_eq!(calls, [call(Some(CLIENT), Endpoint::Token, 200), call(None, Endpoint::MeV1, 401)]);
    let why = "not exactly one header Authorization with a Bearer token".to_owned();
    let refusals: Vec<Refusal> = get(&apple, "refusals").await;
    assert_eq!(refusals, [Refusal { client: None, endpoint: Endpoint::MeV1, why }]);
    change(&apple, Method::DELETE, "counts", None).await;
    assert_eq!(apple.state().counts().total(), 0);
}

#[tokio::test]
async fn the_whole_configuration_is_one_document() {
    let (apple, _) = start().await;
    apple.state().fail(Fault::everywhere().status(500));
    apple.state().register_api_key(ApiKey::individual("A", KeyPair::new().public_pem())).unwrap();
    let config: Config = get(&apple, "config").await;
    assert_eq!(config, apple.state().config());
    let other = FakeApple::start().await.unwrap();
    change(&other, Method::PUT, "config", Some(json!(config))).await;
    assert_eq!(other.state().config(), config);
    change(&other, Method::PUT, "config", Some(json!({}))).await;
    assert_eq!(other.state().config(), Config::default());
}

#[tokio::test]
async fn nonsense_is_refused_with_a_word_about_it_and_changes_nothing() {
    let (apple, _) = start().await;
    let before = apple.state().config();
    let mut keyless = KeyPair::new().client();
    keyless.keys[0].public_key = "no key".to_owned();
    let individual = ApiKey { issuer_id: None, ..ApiKey::enterprise("A", "i", KeyPair::new().public_pem()) };
    let cases = [
        (Method::POST, "faults", json!({ "statsu": 500 }), "unknown field `statsu`"),
        (Method::POST, "faults", json!({ "endpoint": "me" }), "unknown variant `me`"),
        (Method::POST, "faults", json!({ "delivery": { "truncated": {} } }), "missing field `after`"),
        (Method::POST, "clients", json!({ "clientId": "x" }), "missing field `teamId`"),
        (Method::POST, "clients", json!(keyless), "is not a P-256"),
        (Method::PUT, "clients", json!([KeyPair::new().client(), keyless]), "is not a P-256"),
        (Method::PUT, "config", json!({ "client": [] }), "unknown field `client`"),
        (Method::PUT, "config", json!({ "apiKeys": [{ "keyId": "A", "publicKey": "x" }] }), "is not a P-256"),
        (Method::POST, "api-keys", json!({ "keyId": "A", "publicKey": "x" }), "is not a P-256"),
        (Method::POST, "api-keys", json!(individual), "is an individual one"),
        (Method::POST, "api-keys", json!({ "keyId": "A" }), "missing field `publicKey`"),
        (Method::PATCH, "settings", json!({ "tokenLife": 1 }), "unknown field `tokenLife`"),
        (Method::PATCH, "settings", json!({ "tokenLifeSeconds": -1 }), "invalid value"),
        (Method::PATCH, "settings", json!(7), "settings are changed by a JSON object"),
    ];
    for (method, path, document, words) in cases {
        let (status, body) = send(&apple, method, path, Some(&document)).await;
        assert_eq!(status, 400, "{document}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["error"].as_str().unwrap().contains(words), "{body}");
    }
    for (method, path) in [(Method::GET, "nothing"), (Method::POST, "counts"), (Method::DELETE, "config")] {
        assert_eq!(send(&apple, method, path, None).await.0, 404, "{path}");
    }
    assert_eq!(apple.state().config(), before);
}
