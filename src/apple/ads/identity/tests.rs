use super::*;

fn platform(body: &str) -> Result<Vec<AdAccountRow>, Class> {
    json::read(body.as_bytes(), "amiss")
        .map(|PlatformAcls { result: Object(PlatformRows { acls: OneOrMany(rows) }) }| rows)
}

fn campaign(body: &str) -> Result<Vec<CampaignGroupRow>, Class> {
    json::read(body.as_bytes(), "amiss").map(|CampaignAcls { data: OneOrMany(rows) }| rows)
}

fn account(id: i64, name: Option<&str>, org_id: Option<i64>) -> AdAccountRow {
    AdAccountRow { id, name: name.map(str::to_owned), org_id }
}

fn group(org_id: i64, name: Option<&str>, parent_org_id: Option<i64>) -> CampaignGroupRow {
    CampaignGroupRow { org_id, name: name.map(str::to_owned), parent_org_id }
}

#[test]
fn ad_accounts_are_read_in_every_form() {
    let table = [
        (r#"{"result":{"acls":[]}}"#, vec![]),
        (
            r#"{"result":{"acls":[{"adAccount":{"id":9001,"name":"Acme","orgId":55},"roles":["API"]}]}}"#,
            vec![account(9001, Some("Acme"), Some(55))],
        ),
        (
            r#"{"result":{"acls":{"adAccount":{"id":"9001","orgId":"55"}},"n":1},"x":[]}"#,
            vec![account(9001, None, Some(55))],
        ),
        (
            r#"{"result":{"acls":[{"adAccount":{"id":1,"name":" \u001b[1m ","orgId":null}},
                                  {"adAccount":{"id":2,"name":7,"orgId":-3}}]}}"#,
            vec![account(1, Some("[1m"), None), account(2, None, None)],
        ),
    ];
    for (body, rows) in table {
        assert_eq!(platform(body), Ok(rows), "{body}");
    }
}

#[test]
fn campaign_groups_are_read_in_every_form() {
    let table = [
        (r#"{"data":[],"pagination":null,"error":null}"#, vec![]),
        (
            r#"{"data":[{"orgName":"Acme","orgId":40669820,"currency":"USD","paymentModel":"","roleNames":["API"],
                "parentOrgId":null,"displayName":"A"},{"orgId":2,"parentOrgId":3}]}"#,
            vec![group(40_669_820, Some("Acme"), None), group(2, None, Some(3))],
        ),
        // As on Apple's page: one object, the parent as text.
        (r#"{"data":{"orgName":"Acme","orgId":1,"parentOrgId":"2"}}"#, vec![group(1, Some("Acme"), Some(2))]),
        (r#"{"data":[{"orgId":9007199254740991}]}"#, vec![group(9_007_199_254_740_991, None, None)]),
    ];
    for (body, rows) in table {
        assert_eq!(campaign(body), Ok(rows), "{body}");
    }
}

#[test]
fn one_row_without_an_id_spoils_the_list() {
    for id in [
        "0",
        "-1",
        "1.5",
        "null",
        "\"\"",
        "\"1a\"",
        "\"+1\"",
        "\" 1\"",
        "\"1;orgId=2\"",
        "[1]",
        "true",
        "9007199254740992",
        "9223372036854775808",
        "\"99999999999999999999\"",
    ] {
        let body = format!(r#"{{"data":[{{"orgId":1}},{{"orgId":{id}}}]}}"#);
        assert_eq!(campaign(&body), Err(Class::Unintelligible("amiss")), "{id}");
        let body = format!(r#"{{"result":{{"acls":[{{"adAccount":{{"id":{id}}}}}]}}}}"#);
        assert_eq!(platform(&body), Err(Class::Unintelligible("amiss")), "{id}");
    }
    for body in [
        "{}",
        r#"{"result":null}"#,
        r#"{"result":{}}"#,
        r#"{"result":{"acls":null}}"#,
        r#"{"result":[[]]}"#,
        r#"{"result":{"acls":[null]}}"#,
        r#"{"result":{"acls":[{}]}}"#,
        r#"{"result":{"acls":[{"adAccount":5}]}}"#,
        r#"{"result":{"acls":"none"}}"#,
    ] {
        assert_eq!(platform(body), Err(Class::Unintelligible("amiss")), "{body}");
    }
    for body in ["{}", r#"{"data":null}"#, r#"{"data":5}"#, r#"{"data":[5]}"#, r#"{"data":[[1]]}"#] {
        assert_eq!(campaign(body), Err(Class::Unintelligible("amiss")), "{body}");
    }
}

#[test]
fn depth_and_size_are_no_trouble() {
    let deep = format!(r#"{{"data":[{{"orgId":1,"x":{}{}}}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(campaign(&deep).unwrap().len(), 1);
    let deep = format!(r#"{{"data":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(campaign(&deep), Err(Class::Unintelligible("amiss")));
    let deep = format!(r#"{{"data":{{"orgId":{}}}}}"#, r#"{"a":"#.repeat(100_000));
    assert!(campaign(&deep).is_err());
    let wide = format!(r#"{{"data":[{{"orgId":1,"x":[{}0]}}]}}"#, "0,".repeat(100_000));
    assert_eq!(campaign(&wide).unwrap().len(), 1);
}

#[test]
fn names_are_cut() {
    let body = format!(r#"{{"data":[{{"orgId":1,"orgName":"{}"}}]}}"#, "ä".repeat(101));
    assert_eq!(campaign(&body).unwrap()[0].name.as_ref().unwrap().chars().count(), 100);
}

#[test]
fn a_refusal_says_what_apple_calls_it() {
    let token = AccessToken::new("canary-canary-canary".into());
    let table = [
        (
            r#"{"data":null,"error":{"errors":[{"messageCode":"UNAUTHORIZED","message":"m","field":""}]}}"#,
            Some("UNAUTHORIZED"),
        ),
        (r#"{"error":{"errors":{"messageCode":"ONE"}}}"#, Some("ONE")),
        (r#"{"error":{"code":"FORBIDDEN","message":"m","details":[]}}"#, Some("FORBIDDEN")),
        (r#"{"code":"NOT_FOUND","message":"m"}"#, Some("NOT_FOUND")),
        (r#"{"code":"A\r\nB\u001b[0m"}"#, Some("AB[0m")),
        (r#"{"error":{"errors":[]}}"#, None),
        (r#"{"error":{"errors":[{"messageCode":5}]}}"#, None),
        (r#"{"error":"forbidden"}"#, None),
        (r#"{"code":"no canary-canary-canary"}"#, None),
        ("<html>", None),
        ("", None),
    ];
    for (body, expected) in table {
        assert_eq!(code(body.as_bytes(), &token).as_deref(), expected, "{body}");
    }
    let long = format!(r#"{{"code":"{}"}}"#, "X".repeat(1000));
    assert_eq!(code(long.as_bytes(), &token).unwrap().len(), 64);
}
