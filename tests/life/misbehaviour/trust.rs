//! Somebody answers in Apple's place, with a certificate of an unknown authority.

use std::time::Duration;

use asa_operator::api::{ConditionStatus, ConditionType, Reason};
use fake_apple::Endpoint;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;

use super::pace::{doubles, keeps_to_a_quarter, starts_in_time};
use super::table::{client_id, document, request};
use super::{
    first_without, has_recovered, is_complete_now, is_ready, life, said, since_ready, stays_ready, while_it_works,
};
use crate::support::credential::other_client;
use crate::support::eventually;
use crate::support::history::History;
use crate::support::secrets::entries;
use crate::support::stage::Stage;

/// The credential.
const ACME: &str = "acme";

/// Renewed after 18 to 20 s.
const LIFE: u32 = 40;

const WHY: &str = "no answer: TLS: its certificate is from an unknown authority";

/// Which of Apple's hosts is another: the option that names it, and the path of its base URL.
type Host = (&'static str, &'static str);

const APPLE_ID: Host = ("--apple-id-url", "");
const PLATFORM: Host = ("--ads-platform-url", "/v1");
const CAMPAIGN: Host = ("--ads-campaign-url", "/api/v5");

/// A stage on which Apple knows the client, with a history and no operator.
async fn stage() -> (Stage<'static>, History) {
    let stage = Stage::without_operator(cluster::shared().await).await;
    stage.create_key_secret().await;
    stage.register(other_client(&client_id(ACME), stage.key.public()).token_life(LIFE));
    let history = stage.history();
    (stage, history)
}

impl Stage<'_> {
    /// Starts the operator anew, with one host behind the unknown authority or with none.
    async fn restart_operator(&mut self, taken: Option<Host>) {
        self.kill_operator();
        let arguments = taken.map(|(option, path)| [option.to_owned(), self.apple.https_url() + path]);
        let arguments: Vec<&str> = arguments.iter().flatten().map(String::as_str).collect();
        self.start_operator(&arguments).await;
    }

    /// When the operator broke off a TLS handshake.
    fn broken_off(&self) -> Vec<Timestamp> {
        let calls = self.apple.state().calls().into_iter();
        calls.filter(|call| call.endpoint.is_none()).map(|call| call.at).collect()
    }

    /// Waits until it has done so so many times.
    async fn until_broken_off(&self, times: usize) -> Vec<Timestamp> {
        eventually("broken handshakes", async || {
            let times_seen = self.broken_off();
            if times_seen.len() >= times { Ok(times_seen) } else { Err(times_seen.len()) }
        })
        .await
    }
}

#[tokio::test]
async fn a_host_of_an_unknown_authority_is_told_nothing_and_what_works_stays() {
    let taken = [(APPLE_ID, Endpoint::Token), (PLATFORM, Endpoint::MeV1), (CAMPAIGN, Endpoint::MeV5)];
    join_all(taken.map(async |(host, endpoint)| {
        let (mut stage, history) = stage().await;
        stage.restart_operator(Some(host)).await;
        first_token(&stage, &history, endpoint).await;
        stage.restart_operator(None).await;
        history.until(ACME, "complete", is_complete_now).await;

        stage.restart_operator(Some(host)).await;
        let asked = stage.asked_at(&client_id(ACME), endpoint).len();
        renewal(&stage, &history, endpoint).await;
        assert_eq!(stage.asked_at(&client_id(ACME), endpoint).len(), asked, "{endpoint} was told something");
        stage.restart_operator(None).await;
        history.until(ACME, "renewed after a failure", has_recovered).await;

        stays_ready(endpoint.as_str(), &history.of(ACME));
        history.until_secrets_of(ACME, 2).await;
        let secrets = history.secrets_of(ACME);
        let tokens: Vec<_> = secrets.iter().map(|secret| entries(secret)["access_token"].clone()).collect();
        assert!(tokens.windows(2).all(|two| two[0] != two[1]), "{endpoint}");
    }))
    .await;
}

fn words(endpoint: Endpoint) -> String {
    format!("{}: {WHY}. It is tried again; if it lasts, check egress, proxy, DNS.", request(endpoint))
}

async fn first_token(stage: &Stage<'_>, history: &History, endpoint: Endpoint) {
    stage.apply(document(ACME, endpoint)).await;
    let attempts = stage.until_broken_off(4).await;
    doubles(endpoint.as_str(), &attempts, Duration::ZERO);
    assert!(stage.asked_at(&client_id(ACME), endpoint).is_empty(), "{endpoint} was told something");
    assert!(history.secrets_of(ACME).is_empty());
    let past = history.of(ACME);
    let failing = first_without(&past, ConditionType::Ready).unwrap();
    let words = words(endpoint);
    let no = Some((ConditionStatus::False, Reason::AppleUnreachable.as_str(), &*words));
    for type_ in [ConditionType::Ready, ConditionType::AccessTokenIssued, ConditionType::RenewalHealthy] {
        assert_eq!(said(failing, type_), no, "{endpoint}: {type_}");
    }
}

async fn renewal(stage: &Stage<'_>, history: &History, endpoint: Endpoint) {
    let before = stage.broken_off().len();
    let attempts = stage.until_broken_off(before + 3).await.split_off(before);
    let past = history.of(ACME);
    let (name, old) = (endpoint.as_str(), &since_ready(&past)[0]);
    starts_in_time(name, attempts[0], life(old));
    keeps_to_a_quarter(name, &attempts, Duration::ZERO, life(old).expires_at);
    let failing = first_without(since_ready(&past), ConditionType::RenewalHealthy).unwrap();
    let words = while_it_works(old, &words(endpoint));
    let no = Some((ConditionStatus::False, Reason::AppleUnreachable.as_str(), &*words));
    assert_eq!(said(failing, ConditionType::RenewalHealthy), no, "{endpoint}");
}

#[tokio::test]
async fn while_one_api_is_of_an_unknown_authority_the_other_proves_the_token_and_gives_its_ids() {
    const APIS: [&str; 2] = ["PlatformV1", "CampaignManagementV5"];
    join_all([(PLATFORM, APIS[0], APIS[1]), (CAMPAIGN, APIS[1], APIS[0])].map(async |(host, taken, other)| {
        let (mut stage, history) = stage().await;
        stage.restart_operator(Some(host)).await;
        stage.apply(document(ACME, Endpoint::Token).with("apis", json!([other, taken]))).await;
        let attempts = stage.until_broken_off(4).await;
        doubles(taken, &attempts, Duration::ZERO);

        let past = history.of(ACME);
        let now = past.last().unwrap();
        assert!(is_ready(now), "{taken}: {:?}", said(now, ConditionType::Ready));
        let words = format!("{taken} told no ids: {WHY}. It is asked again.");
        let no = Some((ConditionStatus::False, Reason::AppleUnreachable.as_str(), &*words));
        assert_eq!(said(now, ConditionType::OrganizationResolved), no);
        stage.restart_operator(None).await;
        history.until(ACME, "complete", is_complete_now).await;
    }))
    .await;
}
