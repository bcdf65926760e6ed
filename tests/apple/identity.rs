//! Organization and accounts, and what both APIs say instead.

use asa_operator::api::AdsApi;
use asa_operator::apple::ads::identity::{Acls, AdAccountRow, CampaignGroupRow, acls, me};
use asa_operator::apple::error::Class;

use crate::support::responder::Responder;
use crate::support::{access_token, base, http, now};

#[tokio::test]
async fn who_am_i_and_what_may_i_use() {
    let http = http();
    let ask_me = async |api, body: &str| {
        let apple = Responder::json(200, "", body);
        me(&http, &base(&apple.url()), api, &access_token(), now()).await.map(|reply| reply.value.org_id)
    };
    let ask_acls = async |api, body: &str| {
        let apple = Responder::json(200, "", body);
        acls(&http, &base(&apple.url()), api, &access_token(), now()).await.map(|reply| reply.value)
    };
    let (v1, v5) = (AdsApi::PlatformV1, AdsApi::CampaignManagementV5);

    assert_eq!(ask_me(v1, r#"{"result":{"userId":1,"orgId":2}}"#).await, Ok(Some(2)));
    assert_eq!(ask_me(v1, r#"{"result":{"userId":1}}"#).await, Ok(None));
    assert_eq!(ask_me(v5, r#"{"data":{"userId":1,"parentOrgId":"3"}}"#).await, Ok(Some(3)));
    assert_eq!(ask_me(v5, r#"{"data":{"userId":1,"parentOrgId":null}}"#).await, Ok(None));
    assert_eq!(
        ask_acls(v1, r#"{"result":{"acls":[{"adAccount":{"id":1,"name":"A","orgId":2},"roles":[]}]}}"#).await,
        Ok(Acls::Platform(vec![AdAccountRow { id: 1, name: Some("A".into()), org_id: Some(2) }]))
    );
    assert_eq!(
        ask_acls(v5, r#"{"data":[{"orgId":1,"orgName":"A","parentOrgId":2}],"error":null}"#).await,
        Ok(Acls::Campaign(vec![CampaignGroupRow { org_id: 1, name: Some("A".into()), parent_org_id: Some(2) }]))
    );

    // A page that says 200 to everything proves no token.
    for body in ["", "{}", "[]", "<html>", r#"{"result":null,"data":null}"#, r#"{"result":[1],"data":[1]}"#] {
        for api in [v1, v5] {
            let class = ask_me(api, body).await.unwrap_err().class;
            assert!(matches!(class, Class::Unintelligible(_)), "{api:?} {body:?}: {class}");
        }
    }
}

#[tokio::test]
async fn refusals_of_the_apis_carry_apples_code() {
    let http = http();
    let v5 = r#"{"data":null,"pagination":null,"error":{"errors":[{"messageCode":"NOPE","message":"m","field":""}]}}"#;
    let v1 = r#"{"error":{"code":"NOPE","message":"m","details":[]}}"#;
    let table = [
        (400, Class::Status(400), Some("NOPE")),
        (401, Class::Unauthorized, Some("NOPE")),
        (403, Class::Forbidden, Some("NOPE")),
        (404, Class::NotFound, Some("NOPE")),
        (410, Class::Gone, Some("NOPE")),
        (429, Class::Throttled, Some("NOPE")),
        (500, Class::Server(500), None),
    ];
    for (status, class, code) in table {
        for (api, body) in [(AdsApi::PlatformV1, v1), (AdsApi::CampaignManagementV5, v5)] {
            let apple = Responder::json(status, "", body);
            let error = acls(&http, &base(&apple.url()), api, &access_token(), now()).await.unwrap_err();
            assert_eq!((error.class, error.code.as_deref()), (class.clone(), code), "{status}");
        }
    }
}
