//! A toy Apple: tokens that live as long as told, under its own clock, and outages.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use asa_operator::{
    api::{AdAccount, AdsApi, AsaCredential, Organization, Program},
    apple::{
        ads::ClientSecret,
        error::{Class, Endpoint, Error, Host, OAuthError},
    },
    controller::{
        apple::{Apple, Issued, Listed},
        clock::Clock,
    },
    credential::{
        now::later,
        probing::{Heard, Proof},
    },
};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{faults::Wire, toy_cluster::namespace_of, world::HOUR};

/// How long one waits for an Apple that does not answer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// What Apple knows.
#[derive(Clone)]
pub(crate) struct State {
    issued: u32,
    tokens: HashMap<String, Timestamp>,
    /// In the order of their ends.
    ends: VecDeque<(Timestamp, String)>,
    asked: BTreeMap<String, u32>,
    client_secrets: Vec<String>,
    refusals: u32,
    down: Option<Class>,
    apis_down: Option<Class>,
    token_life: Duration,
    is_registered: bool,
    unregistered_tenant: Option<String>,
    hanging: Option<Host>,
    /// Who may ask with which key; empty: everybody.
    uploads: Vec<Upload>,
    /// The API keys that it knows, with their keyIds; empty: all.
    api_keys: Vec<(String, DecodingKey)>,
    organizations: i64,
    latency: Duration,
    visits: Vec<Visit>,
}

/// An API user whose public key was uploaded.
#[derive(Clone)]
struct Upload {
    client_id: String,
    team_id: String,
    key_id: String,
    public_key: DecodingKey,
}

/// A request to Apple.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) host: Host,
    /// When it was sent.
    pub(crate) at: Timestamp,
    /// When it was answered.
    pub(crate) until: Timestamp,
    /// Whose token was asked for, at the token endpoint.
    pub(crate) client_id: Option<String>,
}

/// Apple; clones share it.
#[derive(Clone)]
pub(crate) struct ToyApple {
    clock: Clock,
    state: Arc<Mutex<State>>,
    wire: Wire,
}

impl ToyApple {
    pub(crate) fn new(clock: Clock) -> Self {
        let state = State {
            issued: 0,
            tokens: HashMap::new(),
            ends: VecDeque::new(),
            asked: BTreeMap::new(),
            client_secrets: Vec::new(),
            refusals: 0,
            down: None,
            apis_down: None,
            token_life: HOUR,
            is_registered: true,
            unregistered_tenant: None,
            hanging: None,
            uploads: Vec::new(),
            api_keys: Vec::new(),
            organizations: 1,
            latency: Duration::ZERO,
            visits: Vec::new(),
        };
        Self { clock, state: Arc::new(Mutex::new(state)), wire: Wire::default() }
    }

    /// Its state, to be set up again by [`ToyApple::in_state`].
    pub(crate) fn freeze(&self) -> State {
        self.state().clone()
    }

    /// Apple as it was, at the time that `clock` shows.
    pub(crate) fn in_state(state: State, clock: Clock) -> Self {
        Self { state: Arc::new(Mutex::new(state)), ..Self::new(clock) }
    }

    /// The same Apple, reached over `wire`.
    pub(crate) fn over(&self, wire: &Wire) -> Self {
        Self { wire: wire.clone(), ..self.clone() }
    }

    /// The clock by which it judges tokens.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// From now on every request ends like this; `None`: all is well again.
    pub(crate) fn set_down(&self, down: Option<Class>) {
        self.state().down = down;
    }

    /// Likewise for both APIs, while the token endpoint answers.
    pub(crate) fn set_apis_down(&self, down: Option<Class>) {
        self.state().apis_down = down;
    }

    /// Every token lives so long. To be said before the first one is issued.
    pub(crate) fn set_token_life(&self, token_life: Duration) {
        self.state().token_life = token_life;
    }

    /// Whether the key is the uploaded one.
    pub(crate) fn set_registered(&self, is_registered: bool) {
        self.state().is_registered = is_registered;
    }

    /// Whatever its keys, the clients of this tenant are rejected.
    pub(crate) fn set_unregistered(&self, tenant: &str) {
        self.state().unregistered_tenant = Some(tenant.to_owned());
    }

    /// This host answers nothing, and one waits for it until the deadline.
    pub(crate) fn set_hanging(&self, host: Host) {
        self.state().hanging = Some(host);
    }

    /// From now on only those whose key was uploaded get tokens; this is one of them, with the key of this seed.
    pub(crate) fn upload(&self, object: &AsaCredential, seed: u8) {
        let ids = object.client_ids().unwrap();
        self.state().uploads.push(Upload {
            client_id: ids.client_id.to_owned(),
            team_id: ids.team_id.to_owned(),
            key_id: ids.key_id.to_owned(),
            public_key: public_key(seed),
        });
    }

    /// From now on only API keys that were uploaded are known; the key of this seed is one of them.
    pub(crate) fn upload_api_key(&self, key_id: &str, seed: u8) {
        self.state().api_keys.push((key_id.to_owned(), public_key(seed)));
    }

    /// The API user may use so many organizations: 1, 2 and so on.
    pub(crate) fn set_organizations(&self, organizations: i64) {
        self.state().organizations = organizations;
    }

    /// When this token ends, if it is known still.
    pub(crate) fn end_of(&self, token: &str) -> Option<Timestamp> {
        self.state().tokens.get(token).copied()
    }

    /// When the last token ends that was issued.
    pub(crate) fn last_end(&self) -> Option<Timestamp> {
        self.state().ends.back().map(|(end, _)| *end)
    }

    /// Every answer takes so long.
    pub(crate) fn set_latency(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// A token that was issued at this time.
    pub(crate) fn issue(&self, at: Timestamp) -> String {
        self.state().issue(at)
    }

    /// All requests, in their order.
    pub(crate) fn visits(&self) -> Vec<Visit> {
        self.state().visits.clone()
    }

    /// Whether a call with this token would work now.
    pub(crate) fn accepts(&self, token: &str) -> bool {
        let (state, now) = (self.state(), self.clock.now().wall);
        state.check(token, now).is_ok() || state.is_of_known_key(token, now)
    }

    /// How often the operator asked each endpoint.
    pub(crate) fn requests(&self) -> BTreeMap<String, u32> {
        self.state().asked.clone()
    }

    /// The different client secrets that were shown.
    pub(crate) fn client_secrets(&self) -> usize {
        self.state().client_secrets.len()
    }

    /// How often it gave no token to who asked, as it does not know the client.
    pub(crate) fn refusals(&self) -> u32 {
        self.state().refusals
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn ask<T: Send + 'static>(
        &self,
        endpoint: Endpoint,
        client_id: Option<&str>,
        mut answer: impl FnMut(&mut State, Timestamp) -> Result<T, Class> + Send + 'static,
    ) -> Result<T, Error> {
        let latency = self.state().receive(endpoint, client_id, self.clock.now().wall);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        let (apple, clock) = (Arc::clone(&self.state), self.clock.clone());
        let effect = move || {
            let mut state = apple.lock().unwrap();
            let of_api = state.apis_down.clone().filter(|_| endpoint != Endpoint::TokenEndpoint);
            let hangs = (state.hanging == Some(endpoint.host())).then_some(Class::TimedOut);
            let answered = match state.down.clone().or(of_api).or(hangs) {
                Some(class) => Err(class),
                None => answer(&mut state, clock.now().wall),
            };
            answered.map_err(|class| Error::new(endpoint, class))
        };
        self.wire.carry(endpoint.to_string(), || Error::new(endpoint, Class::Unreachable("reset")), effect).await
    }
}

impl State {
    /// Somebody asks. Gives how long the answer takes.
    fn receive(&mut self, endpoint: Endpoint, client_id: Option<&str>, at: Timestamp) -> Duration {
        *self.asked.entry(endpoint.to_string()).or_default() += 1;
        let host = endpoint.host();
        let latency = if self.hanging == Some(host) { DEADLINE } else { self.latency };
        self.visits.push(Visit { host, at, until: later(at, latency), client_id: client_id.map(ToOwned::to_owned) });
        latency
    }

    fn issue(&mut self, now: Timestamp) -> String {
        self.issued += 1;
        let token = format!("token-{}", self.issued);
        let expires_at = now.saturating_add(self.token_life).unwrap();
        while let Some((_, ended)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            self.tokens.remove(&ended);
        }
        self.tokens.insert(token.clone(), expires_at);
        self.ends.push_back((expires_at, token.clone()));
        token
    }

    fn check(&self, token: &str, now: Timestamp) -> Result<(), Class> {
        match self.tokens.get(token) {
            Some(expires_at) if now < *expires_at => Ok(()),
            _ => Err(Class::Unauthorized),
        }
    }

    fn judge(&mut self, jwt: &str, now: Timestamp) -> Result<Proof, Class> {
        if self.is_of_known_key(jwt, now) {
            return Ok(Proof::Accepted);
        }
        self.refusals += 1;
        Err(Class::Rejected(OAuthError::Other("NOT_AUTHORIZED".to_owned())))
    }

    /// Whether this is a live token that an API key signed which is known.
    fn is_of_known_key(&self, jwt: &str, now: Timestamp) -> bool {
        let Ok(shown) = ClientSecret::from_published(jwt.to_owned()) else { return false };
        let is_live = shown.issued_at() <= now && now < shown.expires_at();
        let is_of = |(key_id, public_key): &(String, DecodingKey)| {
            let shown = jsonwebtoken::decode::<Value>(jwt, public_key, &any_time());
            shown.is_ok_and(|shown| shown.header.kid.as_ref() == Some(key_id))
        };
        is_live && self.is_registered && (self.api_keys.is_empty() || self.api_keys.iter().any(is_of))
    }

    /// Whether this client secret is of somebody whose key was uploaded, and signed with that key.
    fn knows(&self, jwt: &str) -> bool {
        self.uploads.is_empty()
            || self.uploads.iter().any(|upload| {
                let shown = jsonwebtoken::decode::<Value>(jwt, &upload.public_key, &any_time());
                shown.is_ok_and(|shown| {
                    shown.header.kid.as_ref() == Some(&upload.key_id)
                        && shown.claims["sub"] == *upload.client_id
                        && shown.claims["iss"] == *upload.team_id
                })
            })
    }

    fn exchange(&mut self, client_id: &str, jwt: &str, now: Timestamp) -> Result<Issued, Class> {
        let shown = ClientSecret::from_published(jwt.to_owned()).unwrap();
        let too_long = shown.expires_at().duration_since(shown.issued_at()).as_hours() > 180 * 24;
        let tenant = client_id.strip_prefix("SEARCHADS.").map(namespace_of);
        let is_registered = self.is_registered && (tenant.is_none() || tenant != self.unregistered_tenant.as_deref());
        if shown.expires_at() <= now || too_long || !is_registered || !self.knows(jwt) {
            self.refusals += 1;
            return Err(Class::Rejected(OAuthError::InvalidClient));
        }
        if self.client_secrets.last().is_none_or(|last| last != jwt) {
            self.client_secrets.push(jwt.to_owned());
        }
        Ok(Issued { token: self.issue(now).into(), expires_in: self.token_life })
    }
}

impl Apple for ToyApple {
    async fn request_token(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        _: Timestamp,
    ) -> Result<Issued, Error> {
        let (client, jwt) = (client_id.to_owned(), client_secret.expose_secret().to_owned());
        self.ask(Endpoint::TokenEndpoint, Some(client_id), move |state, now| state.exchange(&client, &jwt, now)).await
    }

    async fn me(&self, api: AdsApi, token: &SecretString, _: Timestamp) -> Result<Option<i64>, Error> {
        let token = token.expose_secret().to_owned();
        self.ask(Endpoint::Me(api), None, move |state, now| state.check(&token, now).map(|()| Some(900))).await
    }

    async fn acls(&self, api: AdsApi, token: &SecretString, _: Timestamp) -> Result<Listed, Error> {
        let token = token.expose_secret().to_owned();
        self.ask(Endpoint::Acls(api), None, move |state, now| {
            state.check(&token, now)?;
            Ok(match api {
                AdsApi::PlatformV1 => Listed::AdAccounts(vec![AdAccount { id: 7, name: None, org_id: Some(900) }]),
                AdsApi::CampaignManagementV5 => {
                    let one = |org_id| Organization { org_id, name: None, parent_org_id: Some(900) };
                    Listed::Organizations((1..=state.organizations).map(one).collect())
                }
            })
        })
        .await
    }

    async fn probe(&self, program: Program, token: &SecretString, _: Timestamp) -> Heard {
        let jwt = token.expose_secret().to_owned();
        let result = self.ask(Endpoint::Probe(program), None, move |state, now| state.judge(&jwt, now)).await;
        Heard { result, is_budget_low: false }
    }
}

/// What is checked of a JWT: its signature. Times are a matter of the toy's own clock.
fn any_time() -> Validation {
    let mut validation = Validation::new(Algorithm::ES256);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    validation
}

fn public_key(seed: u8) -> DecodingKey {
    DecodingKey::from_ec_der(&p256::SecretKey::from_slice(&[seed; 32]).unwrap().public_key().to_sec1_bytes())
}
