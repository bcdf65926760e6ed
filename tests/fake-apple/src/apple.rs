//! Apple as a value: everything is decided here, without I/O and without a clock.

mod setup;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimePrinter};
use serde::{Deserialize, Serialize};

use crate::{
    ads,
    api_key::Program,
    app_store_connect::{self, ApiKeys},
    calls::{Call, Calls},
    client_secret::Keys,
    counts::Counts,
    endpoint::{Endpoint, Host, Route},
    fault::{Armed, Fault},
    jwt::{self, BadKey},
    limit::Window,
    message::{Answer, Message, Request},
    model::{Client, Settings},
    oauth,
    tokens::Tokens,
};

/// How many refusals are remembered.
const REFUSALS: usize = 100;

/// Apple's side of the wire, as a value: pure, synchronous, with the time as an argument.
///
/// The HTTP server only translates to and from it; a simulation calls it under a virtual clock and reads the
/// [`Answer`], delays and lost connections included. Two values with the same seed that are asked the same give the
/// same answers.
///
/// ```
/// use fake_apple::Apple;
///
/// let now = "2026-09-01T12:00:00Z".parse()?;
/// let mut apple = Apple::with_seed(7);
/// let answer = apple.get("/v1/me", &[("Authorization", "Bearer unknown")], now);
/// assert_eq!(answer.received().map(|message| message.status), Some(401));
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Apple {
    settings: Settings,
    clients: BTreeMap<String, Registered>,
    api_keys: ApiKeys,
    tokens: Tokens,
    faults: Vec<Armed>,
    counts: Counts,
    calls: Calls,
    refusals: VecDeque<Refusal>,
}

/// A client and what goes with it.
#[derive(Clone, Debug)]
struct Registered {
    client: Client,
    keys: Keys,
    window: Window,
}

impl Registered {
    fn new(client: Client) -> Result<Self, BadKey> {
        let keys = Keys::of(&client)?;
        Ok(Self { client, keys, window: Window::default() })
    }
}

/// Why a request was refused: what Apple knows and does not say. For tests and for people, never on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The client id as the form or the bearer token names it, or the key id; none: unknown.
    pub client: Option<String>,
    /// What was asked.
    pub endpoint: Endpoint,
    /// The first rule that was broken. Never a byte of a client secret or a token.
    pub why: String,
}

impl Apple {
    /// No clients, no faults, default settings, tokens that nobody can foresee.
    pub fn new() -> Self {
        Self::with_random(fastrand::Rng::new())
    }

    /// Like [`Apple::new`], with tokens that are the same in every run.
    pub fn with_seed(seed: u64) -> Self {
        Self::with_random(fastrand::Rng::with_seed(seed))
    }

    fn with_random(random: fastrand::Rng) -> Self {
        Self {
            settings: Settings::default(),
            clients: BTreeMap::new(),
            api_keys: ApiKeys::default(),
            tokens: Tokens::new(random),
            faults: Vec::new(),
            counts: Counts::default(),
            calls: Calls::default(),
            refusals: VecDeque::new(),
        }
    }

    /// `POST /auth/oauth2/token` with this body, url-encoded, and the right content type.
    ///
    /// `now` is the time before [`Settings::clock_offset_seconds`], here and everywhere.
    pub fn token(&mut self, form: &str, now: Timestamp) -> Answer {
        let request = Request {
            method: "POST".to_owned(),
            path: "/auth/oauth2/token".to_owned(),
            headers: vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: form.as_bytes().to_vec(),
            ..Request::default()
        };
        self.answer(&request, now)
    }

    /// `GET` of a path, for instance `/v1/me` or `/api/v5/acls`.
    pub fn get(&mut self, path: &str, headers: &[(&str, &str)], now: Timestamp) -> Answer {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let request = Request {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Vec::new(),
        };
        self.answer(&request, now)
    }

    /// What becomes of any request. It is counted, and unless a fault prevents it, it has its effect.
    pub fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        let route = Route::of(&request.path);
        let client = self.client_of(route, request);
        let fault = self.next_fault(client.as_deref(), route.endpoint).unwrap_or_default();
        let mut message = if fault.swallows() {
            None
        } else {
            Some(fault.replacement().unwrap_or_else(|| self.decide(route, request, client.as_deref(), now)))
        };
        if let Some(message) = &mut message {
            self.stamp(message, route.host, client.as_deref(), now);
            fault.edit(message);
        }
        let status = message.as_ref().map(|message| message.status);
        self.calls.add(Call { at: now, client: client.clone(), endpoint: Some(route.endpoint), status });
        self.counts.add(client, route.endpoint, status);
        Answer { message, delay: Duration::from_millis(fault.delay_millis), delivery: fault.delivery }
    }

    /// A client that does not know the authority of our certificate said nothing more.
    pub(crate) fn hung_up_on(&mut self, at: Timestamp) {
        self.calls.add(Call { at, client: None, endpoint: None, status: None });
    }

    fn client_of(&self, route: Route, request: &Request) -> Option<String> {
        match route {
            Route { endpoint: Endpoint::Token, .. } => oauth::claimed_client(request),
            Route { host: Host::AppStoreConnect(_), .. } => ads::bearer(request).and_then(jwt::claimed_key_id),
            _ => ads::bearer(request).and_then(|token| self.tokens.client(token)).map(str::to_owned),
        }
    }

    fn next_fault(&mut self, client: Option<&str>, endpoint: Endpoint) -> Option<Fault> {
        self.faults.retain(|armed| !armed.is_spent());
        let armed = self.faults.iter_mut().find_map(|armed| armed.meets(client, endpoint).then_some(armed))?;
        Some(armed.fault.clone())
    }

    fn decide(&mut self, route: Route, request: &Request, client: Option<&str>, now: Timestamp) -> Message {
        let (why, message) = match route.host {
            Host::AppleId if route.endpoint == Endpoint::Token => match self.issue(request, now) {
                Ok(message) => return message,
                Err(refused) => (refused.to_string(), refused.message()),
            },
            Host::AppStoreConnect(program) => match self.call_api(program, route, request, now) {
                Ok(message) => return message,
                Err(refused) => (refused.to_string(), refused.message()),
            },
            host => match self.call(route, request, now) {
                Ok(message) => return message,
                Err(refused) => (refused.to_string(), refused.message(host)),
            },
        };
        if self.refusals.len() == REFUSALS {
            self.refusals.pop_front();
        }
        self.refusals.push_back(Refusal { client: client.map(str::to_owned), endpoint: route.endpoint, why });
        message
    }

    fn issue(&mut self, request: &Request, now: Timestamp) -> Result<Message, oauth::Refused> {
        let apples_now = self.apples_time(now);
        let form = oauth::Form::read(request)?;
        let known = self.clients.get_mut(&form.client_id).ok_or(oauth::Refused::UnknownClient)?;
        known.keys.check(&form.client_secret, &known.client, apples_now)?;
        form.check_scope()?;
        let life = known.client.token_life_seconds.unwrap_or(self.settings.token_life_seconds);
        Ok(oauth::issued(&self.tokens.issue(&form.client_id, life, now), life))
    }

    fn call(&mut self, route: Route, request: &Request, now: Timestamp) -> Result<Message, ads::Refused> {
        if route.host == Host::AppleId {
            return Err(ads::Refused::NotFound);
        }
        let token = ads::bearer(request).ok_or(ads::Refused::NoToken)?;
        let client_id = self.tokens.client(token).ok_or(ads::Refused::UnknownToken)?;
        if self.tokens.expired(token, now) {
            return Err(ads::Refused::ExpiredToken);
        }
        let known = self.clients.get_mut(client_id).ok_or(ads::Refused::UnknownToken)?;
        if route.host == Host::Platform && !known.window.take(self.settings.platform_limit, now) {
            return Err(ads::Refused::Throttled(known.window.reset_seconds(now)));
        }
        if route.endpoint == Endpoint::Other {
            return Err(ads::Refused::NotFound);
        }
        if request.method != route.method {
            return Err(ads::Refused::Method(route.method));
        }
        if route.method == "POST" {
            ads::check_query_body(request)?;
        }
        ads::answer(route.endpoint, &known.client, request)
    }

    fn call_api(
        &mut self,
        program: Program,
        route: Route,
        request: &Request,
        now: Timestamp,
    ) -> Result<Message, app_store_connect::Refused> {
        let times = (self.apples_time(now), now);
        self.api_keys.call((program, route), request, &self.settings, times)
    }

    /// What every answer carries: Apple's date, and where there is one the state of the rate limit.
    fn stamp(&self, message: &mut Message, host: Host, client: Option<&str>, now: Timestamp) {
        message.set_header("Date", &self.date(now));
        if host == Host::Platform {
            let window = client.and_then(|id| self.clients.get(id)).map_or_else(Window::default, |known| known.window);
            window.announce(message, self.settings.platform_limit, now);
        }
        if let Host::AppStoreConnect(program) = host {
            self.api_keys.announce((program, client), message, self.settings.hourly_limit, now);
        }
    }

    /// What Apple's clock shows, as HTTP writes it.
    pub fn date(&self, now: Timestamp) -> String {
        // A year that HTTP cannot write does not come from any clock; an empty date beats a panic.
        DateTimePrinter::new().timestamp_to_rfc9110_string(&self.apples_time(now)).unwrap_or_default()
    }

    fn apples_time(&self, now: Timestamp) -> Timestamp {
        let offset = SignedDuration::from_secs(self.settings.clock_offset_seconds);
        now.saturating_add(offset).unwrap_or(now)
    }
}

impl Default for Apple {
    fn default() -> Self {
        Self::new()
    }
}
