//! One [`Apple`] shared by the HTTP server and the test beside it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    api_key::{ApiKey, Program, Standing},
    apple::{Apple, Refusal},
    calls::Call,
    clock::Clock,
    counts::Counts,
    fault::Fault,
    jwt::BadKey,
    message::{Answer, Request},
    model::{Client, Config, Settings},
};

/// A handle to a running Apple: sets what it knows, tells what it was asked. Clones share it.
///
/// What the methods do is told at those of [`Apple`] with the same names.
#[derive(Clone, Debug)]
pub struct State {
    apple: Arc<Mutex<Apple>>,
    clock: Clock,
    /// Changes with every request, for [`State::until`].
    asked: watch::Sender<()>,
}

impl State {
    /// Wraps an Apple that goes by this clock.
    pub fn new(apple: Apple, clock: Clock) -> Self {
        Self { apple: Arc::new(Mutex::new(apple)), clock, asked: watch::Sender::new(()) }
    }

    /// What becomes of a request at the present time.
    pub fn answer(&self, request: &Request) -> Answer {
        let answer = self.apple().answer(request, self.now());
        self.asked.send_replace(());
        answer
    }

    /// Notes a TLS handshake that the client broke off, and when it began.
    pub(crate) fn hung_up_on(&self, at: Timestamp) {
        self.apple().hung_up_on(at);
    }

    /// Waits until the counts satisfy a condition. Without end: the caller sets the deadline.
    pub async fn until(&self, condition: impl Fn(&Counts) -> bool) {
        let mut asked = self.asked.subscribe();
        while !condition(&self.counts()) {
            // An error would mean that the sender is gone, and `self` holds it.
            let _ = asked.changed().await;
        }
    }

    /// Registers or replaces a client.
    pub fn register(&self, client: Client) -> Result<(), BadKey> {
        self.apple().register(client)
    }

    /// Removes a client with its tokens.
    pub fn remove_client(&self, client_id: &str) -> bool {
        self.apple().remove_client(client_id)
    }

    /// Replaces all clients.
    pub fn replace_clients(&self, clients: Vec<Client>) -> Result<(), BadKey> {
        self.apple().replace_clients(clients)
    }

    /// The registered clients.
    pub fn clients(&self) -> Vec<Client> {
        self.apple().clients()
    }

    /// Ends all tokens of a client.
    pub fn revoke_tokens(&self, client_id: &str) -> usize {
        self.apple().revoke_tokens(client_id)
    }

    /// Registers or replaces a key of App Store Connect or of the Enterprise Program.
    pub fn register_api_key(&self, key: ApiKey) -> Result<(), BadKey> {
        self.apple().register_api_key(key)
    }

    /// Replaces all keys of App Store Connect and the Enterprise Program.
    pub fn replace_api_keys(&self, keys: Vec<ApiKey>) -> Result<(), BadKey> {
        self.apple().replace_api_keys(keys)
    }

    /// Forgets a key.
    pub fn remove_api_key(&self, program: Program, key_id: &str) -> bool {
        self.apple().remove_api_key(program, key_id)
    }

    /// Says what is against a key from now on: revokes it, narrows its role, and takes it back.
    pub fn set_standing(&self, program: Program, key_id: &str, standing: Standing) -> bool {
        self.apple().set_standing(program, key_id, standing)
    }

    /// The registered keys of App Store Connect and the Enterprise Program.
    pub fn api_keys(&self) -> Vec<ApiKey> {
        self.apple().api_keys()
    }

    /// Everything that can be set.
    pub fn config(&self) -> Config {
        self.apple().config()
    }

    /// Sets everything that can be set.
    pub fn configure(&self, config: Config) -> Result<(), BadKey> {
        self.apple().configure(config)
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        self.apple().settings().clone()
    }

    /// Replaces the settings.
    pub fn set_settings(&self, settings: Settings) {
        self.apple().set_settings(settings);
    }

    /// Sets the life of tokens issued from now on, for clients without a life of their own.
    pub fn set_token_life(&self, seconds: u32) {
        let mut apple = self.apple();
        let settings = Settings { token_life_seconds: seconds, ..apple.settings().clone() };
        apple.set_settings(settings);
    }

    /// Sets how far Apple's clock is ahead (or, negative, behind).
    pub fn set_clock_offset(&self, seconds: i64) {
        let mut apple = self.apple();
        let settings = Settings { clock_offset_seconds: seconds, ..apple.settings().clone() };
        apple.set_settings(settings);
    }

    /// Adds a fault behind those that are there.
    pub fn fail(&self, fault: Fault) {
        self.apple().fail(fault);
    }

    /// The faults that still act.
    pub fn faults(&self) -> Vec<Fault> {
        self.apple().faults()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.apple().clear_faults();
    }

    /// Removes the faults of one client.
    pub fn clear_faults_of(&self, client_id: &str) {
        self.apple().clear_faults_of(client_id);
    }

    /// What was asked since the beginning or the last reset.
    pub fn counts(&self) -> Counts {
        self.apple().counts().clone()
    }

    /// Starts counting anew.
    pub fn reset_counts(&self) {
        self.apple().reset_counts();
    }

    /// The last calls and their times.
    pub fn calls(&self) -> Vec<Call> {
        self.apple().calls()
    }

    /// The last refusals and their reasons.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.apple().refusals()
    }

    /// What Apple's clock shows, as HTTP writes it.
    pub(crate) fn date(&self) -> String {
        self.apple().date(self.now())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A panic of another holder leaves at worst one request uncounted: going on is right.
    fn apple(&self) -> MutexGuard<'_, Apple> {
        self.apple.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
