//! Organizations and ad accounts: chosen by the user where there are several, and never guessed.

use asa_operator::api::{ConditionType, Reason};
use fake_apple::Client;
use serde_json::json;

use crate::support::awaited::{Awaited, is_not, message, not_ready, ready};
use crate::support::credential::{AD_ACCOUNT, Credential, ORG, PARENT_ORG, client_without_access, credential};
use crate::support::stage::Stage;

const OTHER_ORG: i64 = 40_669_822;
const OTHER_ACCOUNT: i64 = 9002;

/// Apple knows the client with two campaign groups and one ad account.
fn two_organizations(stage: &Stage<'_>) -> Client {
    let client = client_without_access(&stage.key).organization(ORG, "Acme").organization(OTHER_ORG, "Acme Asia");
    client.ad_account(AD_ACCOUNT, "Acme Europe")
}

fn two_accounts(stage: &Stage<'_>) -> Client {
    let client = client_without_access(&stage.key).organization(ORG, "Acme");
    client.ad_account(AD_ACCOUNT, "Acme Europe").ad_account(OTHER_ACCOUNT, "Acme Asia")
}

async fn stage_with(client: impl Fn(&Stage<'_>) -> Client, document: Credential, until: Awaited) -> Stage<'static> {
    let stage = Stage::new().await;
    stage.register(client(&stage));
    stage.create_key_secret().await;
    stage.apply(document).await;
    stage.until(until).await;
    stage
}

#[tokio::test]
async fn among_two_organizations_none_is_guessed_and_the_choice_makes_it_ready() {
    let stage = stage_with(two_organizations, credential(), not_ready(Reason::Ambiguous)).await;
    let acme = stage.until(is_not(ConditionType::OrganizationResolved, Reason::Ambiguous)).await;
    assert!(
        message(&acme, ConditionType::Ready).contains("Set spec.organization.orgId to one of status.organizations")
    );
    let status = acme.status.unwrap();
    assert_eq!(
        json!(status.organizations),
        json!([
            {"orgId": ORG, "name": "Acme", "parentOrgId": PARENT_ORG},
            {"orgId": OTHER_ORG, "name": "Acme Asia", "parentOrgId": PARENT_ORG},
        ])
    );
    assert_eq!(status.organization, None);
    let published = stage.published().await;
    assert!(!published.contains_key("org_id") && !published.contains_key("x_ap_context_org"), "{:?}", published.keys());
    assert!(stage.call_platform(&published).await.0.is_success(), "the token is published all the same");
    let mark = stage.mark();

    stage.apply(credential().with("organization", json!({"orgId": OTHER_ORG}))).await;

    let acme = stage.until(ready()).await;
    assert_eq!(acme.status.unwrap().organization.unwrap().org_id, OTHER_ORG);
    let published = stage.published().await;
    assert_eq!(published["x_ap_context_org"], format!("orgId={OTHER_ORG}"));
    assert!(stage.call_campaign_management(&published).await.0.is_success());
    assert_eq!(stage.token_requests_since(&mark), 0, "the token in hand serves");
}

#[tokio::test]
async fn a_chosen_organization_that_is_not_there_is_told_with_those_that_are() {
    let elsewhere = credential().with("organization", json!({"orgId": 1}));
    let stage = stage_with(two_organizations, elsewhere, not_ready(Reason::NotFound)).await;

    let acme = stage.until(is_not(ConditionType::OrganizationResolved, Reason::NotFound)).await;
    assert_eq!(acme.status.unwrap().organizations.len(), 2);
    assert!(!stage.published().await.contains_key("org_id"));
}

#[tokio::test]
async fn among_two_ad_accounts_none_is_guessed_and_the_choice_makes_it_ready() {
    let stage = stage_with(two_accounts, credential(), not_ready(Reason::Ambiguous)).await;
    let acme = stage.credential().await;
    assert!(message(&acme, ConditionType::Ready).contains("Set spec.adAccount.id to one of status.adAccounts"));
    assert_eq!(
        json!(acme.status.unwrap().ad_accounts),
        json!([
            {"id": AD_ACCOUNT, "name": "Acme Europe", "orgId": PARENT_ORG},
            {"id": OTHER_ACCOUNT, "name": "Acme Asia", "orgId": PARENT_ORG},
        ])
    );
    assert!(!stage.published().await.contains_key("ad_account_id"));

    stage.apply(credential().with("adAccount", json!({"id": AD_ACCOUNT}))).await;

    stage.until(ready()).await;
    assert!(stage.call_platform(&stage.published().await).await.0.is_success());
}

#[tokio::test]
async fn another_choice_changes_the_published_ids_and_taking_it_back_takes_them_away() {
    let chosen = |org_id: i64| credential().with("organization", json!({"orgId": org_id}));
    let stage = stage_with(two_organizations, chosen(ORG), ready()).await;
    assert_eq!(stage.published().await["org_id"], ORG.to_string());

    stage.apply(chosen(OTHER_ORG)).await;
    stage.until(ready()).await;
    assert_eq!(stage.published().await["org_id"], OTHER_ORG.to_string());

    stage.apply(credential()).await;
    stage.until(not_ready(Reason::Ambiguous)).await;
    assert!(!stage.published().await.contains_key("org_id"));
}

#[tokio::test]
async fn access_that_was_given_later_is_found_on_request() {
    let stage = stage_with(|stage| client_without_access(&stage.key), credential(), not_ready(Reason::NotFound)).await;

    stage.upload_key();
    stage.request_renewal("access was given").await;

    stage.until(ready()).await;
    assert_eq!(stage.published().await["org_id"], ORG.to_string());
}

#[tokio::test]
async fn with_selection_any_it_is_ready_and_the_choices_lie_in_the_secret() {
    let any = credential().with("organization", json!({"selection": "Any"}));
    let stage = stage_with(two_organizations, any, ready()).await;
    let published = stage.published().await;
    assert!(!published.contains_key("org_id") && !published.contains_key("x_ap_context_org"), "{:?}", published.keys());
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&published["organizations.json"]).unwrap(),
        json!({"organizations": [
            {"orgId": ORG, "name": "Acme", "parentOrgId": PARENT_ORG},
            {"orgId": OTHER_ORG, "name": "Acme Asia", "parentOrgId": PARENT_ORG},
        ]})
    );
    assert!(stage.call_platform(&published).await.0.is_success());
    let mark = stage.mark();

    stage.apply(credential().with("organization", json!({"orgId": ORG}))).await;
    stage.until(ready()).await;
    let published = stage.published().await;
    assert_eq!(published["org_id"], ORG.to_string());
    assert!(!published.contains_key("organizations.json"));
    assert_eq!(stage.token_requests_since(&mark), 0);
}

#[tokio::test]
async fn with_selection_any_for_ad_accounts_likewise() {
    let any = credential().with("adAccount", json!({"selection": "Any"}));
    let stage = stage_with(two_accounts, any, ready()).await;
    let published = stage.published().await;
    assert!(!published.contains_key("ad_account_id"));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&published["organizations.json"]).unwrap(),
        json!({"adAccounts": [
            {"id": AD_ACCOUNT, "name": "Acme Europe", "orgId": PARENT_ORG},
            {"id": OTHER_ACCOUNT, "name": "Acme Asia", "orgId": PARENT_ORG},
        ]})
    );
    assert!(stage.call_campaign_management(&published).await.0.is_success());
}

#[tokio::test]
async fn choices_survive_a_restart_and_a_renewal_without_being_asked_for_again() {
    let any = credential().with("organization", json!({"selection": "Any"}));
    let mut stage = stage_with(two_organizations, any, ready()).await;
    let before = stage.published().await;
    stage.kill_operator();
    stage.start_operator(&[]).await;
    let mark = stage.mark();

    stage.request_renewal("after the restart").await;

    stage.token_other_than(&before["access_token"]).await;
    assert_eq!(stage.published().await["organizations.json"], before["organizations.json"]);
    assert_eq!(stage.token_requests_since(&mark), 1);
}
