//! A toy Apple: tokens that live as long as told, under the simulation's clock, and outages.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use asa_operator::{
    api::{AdAccount, AdsApi, Organization},
    apple::{
        ads::ClientSecret,
        error::{Class, Endpoint, Error, OAuthError},
    },
    controller::{
        apple::{Apple, Issued, Listed},
        clock::Clock,
    },
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

struct State {
    token_life: Duration,
    issued: u32,
    tokens: BTreeMap<String, Timestamp>,
    requests: BTreeMap<String, u32>,
    client_secrets: Vec<String>,
    down: Option<Class>,
    apis_down: Option<Class>,
    is_registered: bool,
}

/// Apple; clones share it.
#[derive(Clone)]
pub(crate) struct ToyApple {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

impl ToyApple {
    pub(crate) fn new(clock: Clock) -> Self {
        let state = State {
            token_life: Duration::from_hours(1),
            issued: 0,
            tokens: BTreeMap::new(),
            requests: BTreeMap::new(),
            client_secrets: Vec::new(),
            down: None,
            apis_down: None,
            is_registered: true,
        };
        Self { clock, state: Arc::new(Mutex::new(state)) }
    }

    /// From now on every request ends like this; `None`: all is well again.
    pub(crate) fn set_down(&self, down: Option<Class>) {
        self.state.lock().unwrap().down = down;
    }

    /// Likewise for both APIs, while the token endpoint answers.
    pub(crate) fn set_apis_down(&self, down: Option<Class>) {
        self.state.lock().unwrap().apis_down = down;
    }

    /// Whether the key is the uploaded one.
    pub(crate) fn set_registered(&self, is_registered: bool) {
        self.state.lock().unwrap().is_registered = is_registered;
    }

    /// Whether a call with this token would work now.
    pub(crate) fn accepts(&self, token: &str) -> bool {
        check(&self.state.lock().unwrap(), &token.to_owned().into(), self.clock.now().wall).is_ok()
    }

    /// How often each endpoint was asked.
    pub(crate) fn requests(&self) -> BTreeMap<String, u32> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The different client secrets that were shown.
    pub(crate) fn client_secrets(&self) -> usize {
        self.state.lock().unwrap().client_secrets.len()
    }

    fn ask<T>(
        &self,
        endpoint: Endpoint,
        answer: impl FnOnce(&mut State, Timestamp) -> Result<T, Class>,
    ) -> Result<T, Error> {
        let mut state = self.state.lock().unwrap();
        *state.requests.entry(endpoint.to_string()).or_default() += 1;
        let of_api = state.apis_down.clone().filter(|_| endpoint != Endpoint::TokenEndpoint);
        let answered = match state.down.clone().or(of_api) {
            Some(class) => Err(class),
            None => answer(&mut state, self.clock.now().wall),
        };
        answered.map_err(|class| Error::new(endpoint, class))
    }
}

fn check(state: &State, token: &SecretString, now: Timestamp) -> Result<(), Class> {
    match state.tokens.get(token.expose_secret()) {
        Some(expires_at) if now < *expires_at => Ok(()),
        _ => Err(Class::Unauthorized),
    }
}

impl Apple for ToyApple {
    async fn request_token(&self, _: &str, client_secret: &SecretString, _: Timestamp) -> Result<Issued, Error> {
        self.ask(Endpoint::TokenEndpoint, |state, now| {
            let jwt = client_secret.expose_secret().to_owned();
            let shown = ClientSecret::from_published(jwt.clone()).unwrap();
            let too_long = shown.expires_at().duration_since(shown.issued_at()).as_hours() > 180 * 24;
            if shown.expires_at() <= now || too_long || !state.is_registered {
                return Err(Class::Rejected(OAuthError::InvalidClient));
            }
            if state.client_secrets.last() != Some(&jwt) {
                state.client_secrets.push(jwt);
            }
            state.issued += 1;
            let token = format!("token-{}", state.issued);
            let expires_at = now.saturating_add(state.token_life).unwrap();
            state.tokens.retain(|_, expires_at| *expires_at > now);
            state.tokens.insert(token.clone(), expires_at);
            Ok(Issued { token: token.into(), expires_in: state.token_life })
        })
    }

    async fn me(&self, api: AdsApi, token: &SecretString, _: Timestamp) -> Result<Option<i64>, Error> {
        self.ask(Endpoint::Me(api), |state, now| check(state, token, now).map(|()| Some(900)))
    }

    async fn acls(&self, api: AdsApi, token: &SecretString, _: Timestamp) -> Result<Listed, Error> {
        self.ask(Endpoint::Acls(api), |state, now| {
            check(state, token, now)?;
            Ok(match api {
                AdsApi::PlatformV1 => Listed::AdAccounts(vec![AdAccount { id: 7, name: None, org_id: Some(900) }]),
                AdsApi::CampaignManagementV5 => {
                    Listed::Organizations(vec![Organization { org_id: 1, name: None, parent_org_id: Some(900) }])
                }
            })
        })
    }
}
