//! The two Ads APIs: shapes, tokens, contexts, limits.

use fake_apple::{Apple, Message, Request, Settings, WindowLimit};
use jiff::ToSpan;
use serde_json::{Value, json};

use crate::fixtures::{AD_ACCOUNT, KeyPair, ORG, apple, now, token, why};

/// An Apple and the header of a good token.
fn authorized() -> (Apple, String) {
    let (mut apple, key) = apple();
    let token = token(&mut apple, &key);
    (apple, format!("Bearer {token}"))
}

fn get(apple: &mut Apple, path: &str, headers: &[(&str, &str)]) -> Message {
    apple.get(path, headers, now()).message.unwrap()
}

fn good(apple: &mut Apple, path: &str, headers: &[(&str, &str)]) -> Value {
    let message = get(apple, path, headers);
    assert_eq!(message.status, 200, "{path}: {:?}", apple.refusals().last());
    message.body_json().unwrap()
}

#[test]
fn me_tells_the_user_and_the_organization() {
    let (mut apple, token) = authorized();
    let token = [("Authorization", token.as_str())];
    assert_eq!(good(&mut apple, "/v1/me", &token), json!({ "result": { "userId": 10_235_711, "orgId": ORG } }));
    assert_eq!(good(&mut apple, "/api/v5/me", &token), json!({ "data": { "userId": 10_235_711, "parentOrgId": ORG } }));
}

#[test]
fn acls_list_what_may_be_used() {
    let (mut apple, token) = authorized();
    let token = [("Authorization", token.as_str())];
    assert_eq!(
        good(&mut apple, "/v1/acls", &token),
        json!({ "result": { "acls": [{
            "adAccount": { "id": AD_ACCOUNT, "name": "Acme Europe", "orgId": ORG },
            "roles": ["API Account Manager"],
        }] } })
    );
    assert_eq!(
        good(&mut apple, "/api/v5/acls", &token),
        json!({
            "data": [{
                "orgId": ORG, "orgName": "Acme", "parentOrgId": ORG, "currency": "EUR", "timeZone": "Europe/Berlin",
                "paymentModel": "PAYG", "roleNames": ["API Account Manager"], "displayName": "Acme",
            }],
            "pagination": null,
            "error": null,
        })
    );
}

#[test]
fn a_client_without_accounts_gets_empty_lists() {
    let (mut apple, key) = apple();
    let token = format!("Bearer {}", token(&mut apple, &key));
    let mut client = key.client();
    client.ad_accounts.clear();
    client.organizations.clear();
    apple.register(client).unwrap();
    let token = [("Authorization", token.as_str())];
    assert_eq!(good(&mut apple, "/v1/acls", &token), json!({ "result": { "acls": [] } }));
    assert_eq!(good(&mut apple, "/api/v5/acls", &token)["data"], json!([]));
}

#[test]
fn an_organization_without_a_parent_says_null() {
    let (mut apple, key) = apple();
    let token = format!("Bearer {}", token(&mut apple, &key));
    let mut client = key.client();
    client.organizations[0].parent_org_id = None;
    apple.register(client).unwrap();
    let rows = good(&mut apple, "/api/v5/acls", &[("Authorization", &token)]);
    assert_eq!(rows["data"][0].get("parentOrgId"), Some(&Value::Null));
}

#[test]
fn without_a_good_token_every_call_is_401_in_the_shape_of_its_api() {
    let (mut apple, token) = authorized();
    let twice = [("Authorization", token.as_str()), ("Authorization", token.as_str())];
    let bare = token.strip_prefix("Bearer ").unwrap();
    let lower = token.replace("Bearer", "bearer");
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[], "not exactly one header Authorization with a Bearer token"),
        (&twice, "not exactly one header Authorization with a Bearer token"),
        (&[("Authorization", bare)], "not exactly one header Authorization with a Bearer token"),
        (&[("Authorization", "Bearer ")], "not exactly one header Authorization with a Bearer token"),
        (&[("Authorization", &lower)], "not exactly one header Authorization with a Bearer token"),
        (&[("X-Token", &token)], "not exactly one header Authorization with a Bearer token"),
        (&[("Authorization", "Bearer x.y")], "the token is unknown or revoked"),
    ];
    for path in ["me", "acls", "campaigns"] {
        for (headers, reason) in cases {
            let platform = get(&mut apple, &format!("/v1/{path}"), headers);
            assert_eq!((platform.status, why(&apple).as_str()), (401, reason));
            let error = json!({ "code": "UNAUTHORIZED", "message": reason, "details": [] });
            assert_eq!(platform.body_json().unwrap(), json!({ "error": error }));

            let campaign = get(&mut apple, &format!("/api/v5/{path}"), headers);
            assert_eq!((campaign.status, why(&apple).as_str()), (401, reason));
            let error = json!({ "messageCode": "UNAUTHORIZED", "message": reason, "field": "" });
            assert_eq!(
                campaign.body_json().unwrap(),
                json!({ "data": null, "pagination": null, "error": { "errors": [error] } })
            );
        }
    }
}

#[test]
fn an_expired_token_is_401_and_still_counts_for_its_client() {
    let (mut apple, token) = authorized();
    let answer = apple.get("/v1/me", &[("Authorization", &token)], now() + 1.hour());
    assert_eq!(answer.message.unwrap().status, 401);
    let refusal = apple.refusals().pop().unwrap();
    assert_eq!((refusal.why.as_str(), refusal.client.is_some()), ("the token has expired", true));
}

#[test]
fn campaigns_of_the_platform_need_an_ad_account_of_the_client() {
    let (mut apple, token) = authorized();
    let token = ("Authorization", token.as_str());
    for context in ["adAccountId=9001", "adAccountId=9001;"] {
        let campaigns = good(&mut apple, "/v1/campaigns?limit=1", &[token, ("X-AP-Context", context)]);
        assert_eq!(campaigns["result"][0]["adAccountId"], AD_ACCOUNT);
    }
    let malformed = "X-AP-Context is not adAccountId=<digits>";
    let cases = [
        ("adAccountId=9002", "X-AP-Context names 9002, which this client may not use"),
        ("adAccountId=40669820", "X-AP-Context names 40669820, which this client may not use"),
        ("orgId=40669820", malformed),
        ("adAccountId=", malformed),
        ("adAccountId=09001", malformed),
        ("adAccountId=+9001", malformed),
        ("adAccountId=9001;;", malformed),
        ("adAccountId=9001; ", malformed),
        ("adAccountId=9001;orgId=1", malformed),
        ("adAccountId= 9001", malformed),
        ("adaccountid=9001", malformed),
    ];
    for (context, reason) in cases {
        let message = get(&mut apple, "/v1/campaigns", &[token, ("X-AP-Context", context)]);
        assert_eq!((message.status, why(&apple).as_str()), (403, reason));
        let error = json!({ "code": "FORBIDDEN", "message": reason, "details": [] });
        assert_eq!(message.body_json().unwrap(), json!({ "error": error }));
    }
    assert_eq!(get(&mut apple, "/v1/campaigns", &[token]).status, 403);
    assert_eq!(why(&apple), "not exactly one header X-AP-Context");
}

#[test]
fn campaigns_of_v5_need_an_organization_of_the_client() {
    let (mut apple, token) = authorized();
    let token = ("Authorization", token.as_str());
    let context = ("X-AP-Context", "orgId=40669820");
    let campaigns = good(&mut apple, "/api/v5/campaigns", &[token, context]);
    assert_eq!(campaigns["data"][0]["orgId"], ORG);
    assert_eq!(campaigns["error"], Value::Null);
    let malformed = "X-AP-Context is not orgId=<digits>";
    let cases = [
        ("orgId=1", "X-AP-Context names 1, which this client may not use"),
        ("orgId=40669820;", malformed),
        ("adAccountId=9001", malformed),
        ("40669820", malformed),
        ("orgId=-40669820", malformed),
        ("orgId=40669820;orgId=9", malformed),
    ];
    for (context, reason) in cases {
        let message = get(&mut apple, "/api/v5/campaigns", &[token, ("X-AP-Context", context)]);
        assert_eq!((message.status, why(&apple).as_str()), (403, reason));
        assert_eq!(message.body_json().unwrap()["error"]["errors"][0]["messageCode"], "FORBIDDEN");
    }
    assert_eq!(get(&mut apple, "/api/v5/campaigns", &[token, context, context]).status, 403);
}

#[test]
fn another_clients_context_is_forbidden() {
    let (mut apple, token) = authorized();
    let mut stranger = KeyPair::new().client().organization(77, "Rival").ad_account(78, "Rival");
    stranger.client_id = "SEARCHADS.rival".to_owned();
    apple.register(stranger).unwrap();
    let token = ("Authorization", token.as_str());
    assert_eq!(get(&mut apple, "/api/v5/campaigns", &[token, ("X-AP-Context", "orgId=77")]).status, 403);
    assert_eq!(get(&mut apple, "/v1/campaigns", &[token, ("X-AP-Context", "adAccountId=78")]).status, 403);
}

#[test]
fn apples_own_library_queries_campaigns_by_post() {
    let (mut apple, token) = authorized();
    let query = Request {
        method: "POST".to_owned(),
        path: "/v1/campaigns/query".to_owned(),
        query: None,
        headers: [
            ("Authorization", token.as_str()),
            ("X-AP-Context", "adAccountId=9001;"),
            ("Content-Type", "application/json"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        body: br#"{"filters":[]}"#.to_vec(),
    };
    assert_eq!(apple.answer(&query, now()).message.unwrap().status, 200);
    for broken in [
        Request { body: b"[]".to_vec(), ..query.clone() },
        Request { headers: query.headers[..2].to_vec(), ..query.clone() },
    ] {
        assert_eq!(apple.answer(&broken, now()).message.unwrap().status, 400);
    }
    assert_eq!(apple.answer(&Request { method: "GET".to_owned(), ..query }, now()).message.unwrap().status, 405);
}

#[test]
fn other_methods_and_paths_are_refused() {
    let (mut apple, token) = authorized();
    let request = |method: &str, path: &str| Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![("Authorization".to_owned(), token.clone())],
        ..Request::default()
    };
    let cases = [
        ("POST", "/v1/me", 405),
        ("DELETE", "/api/v5/acls", 405),
        ("GET", "/v1/me/", 404),
        ("GET", "/v1/orgs/1", 404),
        ("GET", "/api/v4/me", 404),
        ("GET", "/me", 404),
        ("GET", "/auth/oauth2/token/", 404),
    ];
    for (method, path, status) in cases {
        assert_eq!(apple.answer(&request(method, path), now()).message.unwrap().status, status, "{method} {path}");
    }
}

#[test]
fn the_platform_counts_down_its_limit_and_then_throttles() {
    let (mut apple, token) = authorized();
    let platform_limit = WindowLimit { requests: 2, window_seconds: 60 };
    apple.set_settings(Settings { platform_limit, ..Settings::default() });
    let token = [("Authorization", token.as_str())];
    let limits = |message: &Message| {
        ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]
            .map(|name| message.header(name).unwrap().parse::<u32>().unwrap())
    };
    assert_eq!(limits(&get(&mut apple, "/v1/me", &[])), [2, 2, 60]);
    assert_eq!(limits(&get(&mut apple, "/v1/me", &token)), [2, 1, 60]);
    let second = apple.get("/v1/acls", &token, now() + 20.seconds()).message.unwrap();
    assert_eq!((second.status, limits(&second)), (200, [2, 0, 40]));
    let third = apple.get("/v1/me", &token, now() + 45.seconds()).message.unwrap();
    assert_eq!((third.status, limits(&third)), (429, [2, 0, 15]));
    assert_eq!(third.header("Retry-After"), Some("15"));
    let v5 = apple.get("/api/v5/me", &token, now() + 45.seconds()).message.unwrap();
    assert_eq!((v5.status, v5.header("RateLimit-Limit")), (200, None));
    let next_window = apple.get("/v1/me", &token, now() + 60.seconds()).message.unwrap();
    assert_eq!((next_window.status, limits(&next_window)), (200, [2, 1, 60]));
}
