//! Apple asks for a pause.

use std::time::Duration;

use asa_operator::api::{AsaCredential, ConditionStatus, ConditionType, Reason};
use fake_apple::{Clock, Endpoint, Fault};
use futures::future::join_all;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::pace::{gaps, within};
use super::table::{api, client_id, document, request};
use super::{first_without, has_recovered, is_complete_now, life, said, since_ready, stays_ready, while_it_works};
use crate::support::awaited::{not_ready, ready};
use crate::support::credential::other_client;
use crate::support::history::History;
use crate::support::stage::Stage;

/// Renewed after 18 to 20 s, when a quarter of what is left is less than [`LATER`].
const LIFE: u32 = 40;
/// Without a token the next try would come after 1 s.
const FIRST: Duration = Duration::from_secs(4);
const LATER: Duration = Duration::from_secs(8);

/// How Apple asks.
#[derive(Clone, Copy, Debug)]
enum Asks {
    /// For so many seconds.
    Seconds,
    /// Until a date.
    Date,
    /// With a 503.
    Unavailable,
    /// With an answer that is as long in coming as the pause, which begins then.
    Late,
}

/// One stage each: no two clients of a stage are paused by the same host, which would pause all of its clients.
const STAGES: [[(Endpoint, Asks); 3]; 4] = [
    [(Endpoint::Token, Asks::Seconds), (Endpoint::MeV1, Asks::Seconds), (Endpoint::MeV5, Asks::Seconds)],
    [(Endpoint::Token, Asks::Date), (Endpoint::MeV1, Asks::Date), (Endpoint::MeV5, Asks::Date)],
    [(Endpoint::Token, Asks::Unavailable), (Endpoint::AclsV1, Asks::Seconds), (Endpoint::AclsV5, Asks::Date)],
    [(Endpoint::Token, Asks::Late), (Endpoint::AclsV1, Asks::Date), (Endpoint::AclsV5, Asks::Seconds)],
];

#[tokio::test]
async fn a_pause_that_apple_asks_for_is_kept_without_a_token_and_with_one_and_told() {
    join_all(STAGES.map(async |rows| {
        let stage = Stage::new().await;
        stage.create_key_secret().await;
        let history = stage.history();
        join_all(rows.map(|(endpoint, asks)| Row { endpoint, asks }.goes_through_pauses(&stage, &history))).await;
    }))
    .await;
}

/// One credential, named like the endpoint that asks for the pause.
struct Row {
    endpoint: Endpoint,
    asks: Asks,
}

impl Row {
    async fn goes_through_pauses(self, stage: &Stage<'_>, history: &History) {
        let name = self.endpoint.as_str();
        stage.register(other_client(&client_id(name), stage.key.public()).token_life(LIFE));
        let date = Clock::system().now() + FIRST;
        self.fail(stage, FIRST, date);
        stage.apply(document(name, self.endpoint)).await;

        history.until(name, "complete", is_complete_now).await;
        let past = history.of(name);
        let attempts = stage.asked_at(&client_id(name), self.endpoint);
        assert_eq!(attempts.len(), 2, "{name}: {attempts:?}");
        let seconds = self.is_kept(&attempts, FIRST, date);
        let failing = first_without(&past, ConditionType::Ready).unwrap_or_else(|| panic!("{name} never failed"));
        self.is_told(failing, ConditionType::Ready, &self.words(seconds));

        // Lists are not asked for with every token.
        if !matches!(self.endpoint, Endpoint::AclsV1 | Endpoint::AclsV5) {
            self.is_renewed_after_a_pause(stage, history).await;
        }
    }

    async fn is_renewed_after_a_pause(&self, stage: &Stage<'_>, history: &History) {
        let name = self.endpoint.as_str();
        let old = since_ready(&history.of(name))[0].clone();
        let date = life(&old).renewal_time + LATER;
        self.fail(stage, LATER, date);

        history.until(name, "renewed after a failure", has_recovered).await;
        let past = history.of(name);
        // Two were for the first token.
        let attempts = stage.asked_at(&client_id(name), self.endpoint).split_off(2);
        let seconds = self.is_kept(&attempts, LATER, date);
        stays_ready(name, &past);
        let failing = first_without(since_ready(&past), ConditionType::RenewalHealthy).unwrap();
        self.is_told(failing, ConditionType::RenewalHealthy, &while_it_works(&old, &self.words(seconds)));
    }

    /// The next request is told to pause so long, or until this date.
    fn fail(&self, stage: &Stage<'_>, pause: Duration, date: Timestamp) {
        let fault = Fault::at(self.endpoint).of(client_id(self.endpoint.as_str())).times(1);
        let seconds = fault.clone().header("Retry-After", pause.as_secs().to_string());
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap();
        stage.apple.state().fail(match self.asks {
            Asks::Seconds => seconds.status(429),
            Asks::Date => fault.header("Retry-After", date).status(429),
            Asks::Unavailable => seconds.status(503),
            Asks::Late => seconds.status(429).delay(pause),
        });
    }

    /// Between the request that was told to pause and the next one. How many seconds it was told.
    fn is_kept(&self, attempts: &[Timestamp], pause: Duration, date: Timestamp) -> u64 {
        let name = self.endpoint.as_str();
        let seconds = match self.asks {
            // Reckoned from the answer's own date, which like this one has no fraction of a second.
            Asks::Date => (date.as_second() - attempts[0].as_second()).try_into().unwrap(),
            _ => pause.as_secs(),
        };
        let delay = if let Asks::Late = self.asks { pause } else { Duration::ZERO };
        let wait = delay + Duration::from_secs(seconds);
        within(name, gaps(attempts)[0], wait, wait);
        seconds
    }

    fn is_told(&self, state: &AsaCredential, type_: ConditionType, words: &str) {
        let reason = if let Asks::Unavailable = self.asks { Reason::AppleUnavailable } else { Reason::Throttled };
        let no = Some((ConditionStatus::False, reason.as_str(), words));
        assert_eq!(said(state, type_), no, "{} {:?}", self.endpoint, self.asks);
    }

    fn words(&self, seconds: u64) -> String {
        let request = request(self.endpoint);
        match (self.endpoint, self.asks) {
            (_, Asks::Unavailable) => format!("{request}: 503, trouble at Apple. It is tried again."),
            (Endpoint::AclsV1 | Endpoint::AclsV5, _) => {
                let api = api(self.endpoint).unwrap();
                format!("{api} told no ids: 429, too many requests. It is asked again.")
            }
            _ => format!("Apple asked for a pause for {seconds} s ({request}: 429). It is tried again."),
        }
    }
}

#[tokio::test]
async fn two_clients_that_are_told_to_pause_within_a_minute_speak_for_the_host_and_a_third_waits_with_them() {
    const PAUSE: Duration = Duration::from_secs(6);
    let stage = Stage::new().await;
    stage.create_key_secret().await;
    for name in ["first", "second", "third"] {
        stage.register(other_client(&client_id(name), stage.key.public()));
    }
    for name in ["first", "second"] {
        let fault = Fault::at(Endpoint::Token).of(client_id(name)).times(1).status(429);
        stage.apple.state().fail(fault.header("Retry-After", PAUSE.as_secs().to_string()));
        stage.apply(document(name, Endpoint::Token)).await;
        let throttled = |credential: &AsaCredential| not_ready(Reason::Throttled).holds(credential);
        stage.until_named(name, "throttled", throttled).await;
    }
    let told = stage.asked_at(&client_id("second"), Endpoint::Token)[0];

    stage.apply(document("third", Endpoint::Token)).await;

    stage.until_named("third", "Ready", |credential| ready().holds(credential)).await;
    let asked = stage.asked_at(&client_id("third"), Endpoint::Token);
    assert_eq!(asked.len(), 1);
    within("third", gaps(&[told, asked[0]])[0], PAUSE, PAUSE);
}
