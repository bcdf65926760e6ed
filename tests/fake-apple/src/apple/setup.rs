//! What tests and the control endpoint set and read.

use std::collections::BTreeMap;

use super::{Apple, Refusal, Registered};
use crate::{
    api_key::{ApiKey, Program, Standing},
    app_store_connect::ApiKeys,
    calls::Call,
    counts::Counts,
    fault::{Armed, Fault},
    jwt::BadKey,
    model::{Client, Config, Settings},
};

impl Apple {
    /// Registers a client, or replaces the one with the same id; its tokens go on.
    ///
    /// # Errors
    /// A public key is not what Apple's page would take. Nothing has changed then.
    pub fn register(&mut self, client: Client) -> Result<(), BadKey> {
        self.clients.insert(client.client_id.clone(), Registered::new(client)?);
        Ok(())
    }

    /// Removes a client, as when its user is deleted, and ends its tokens. Tells whether there was one.
    pub fn remove_client(&mut self, client_id: &str) -> bool {
        self.tokens.revoke(client_id);
        self.clients.remove(client_id).is_some()
    }

    /// The registered clients, sorted by id.
    pub fn clients(&self) -> Vec<Client> {
        self.clients.values().map(|known| known.client.clone()).collect()
    }

    /// Ends all tokens of a client, and tells how many.
    pub fn revoke_tokens(&mut self, client_id: &str) -> usize {
        self.tokens.revoke(client_id)
    }

    /// Settings, clients, keys and faults as they are now.
    pub fn config(&self) -> Config {
        Config {
            settings: self.settings.clone(),
            clients: self.clients(),
            api_keys: self.api_keys(),
            faults: self.faults(),
        }
    }

    /// Replaces settings, clients, keys and faults; tokens of clients that are no more end.
    ///
    /// # Errors
    /// A public key is not what Apple's page would take. Nothing has changed then.
    pub fn configure(&mut self, config: Config) -> Result<(), BadKey> {
        let api_keys = ApiKeys::of(config.api_keys)?;
        self.replace_clients(config.clients)?;
        self.api_keys = api_keys;
        self.settings = config.settings;
        self.faults = config.faults.into_iter().map(Armed::from).collect();
        Ok(())
    }

    /// Replaces all clients; tokens of those that are no more end.
    ///
    /// # Errors
    /// A public key is not what Apple's page would take. Nothing has changed then.
    pub fn replace_clients(&mut self, clients: Vec<Client>) -> Result<(), BadKey> {
        let next = clients
            .into_iter()
            .map(|client| Ok((client.client_id.clone(), Registered::new(client)?)))
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        for gone in self.clients.keys().filter(|id| !next.contains_key(*id)) {
            self.tokens.revoke(gone);
        }
        self.clients = next;
        Ok(())
    }

    /// Registers a key of App Store Connect or of the Enterprise Program, or replaces the one with the same id there; what
    /// it asked so far is forgotten.
    ///
    /// # Errors
    /// The public key is not a P-256 one, or an individual key is the Enterprise Program's. Nothing has changed then.
    pub fn register_api_key(&mut self, key: ApiKey) -> Result<(), BadKey> {
        self.api_keys.register(key)
    }

    /// Replaces all keys of App Store Connect and the Enterprise Program.
    ///
    /// # Errors
    /// As [`Apple::register_api_key`]. Nothing has changed then.
    pub fn replace_api_keys(&mut self, keys: Vec<ApiKey>) -> Result<(), BadKey> {
        self.api_keys = ApiKeys::of(keys)?;
        Ok(())
    }

    /// Forgets a key, so that its tokens name none. Tells whether there was one.
    pub fn remove_api_key(&mut self, program: Program, key_id: &str) -> bool {
        self.api_keys.remove(program, key_id)
    }

    /// Says what is against a key from now on. Tells whether there is one.
    pub fn set_standing(&mut self, program: Program, key_id: &str, standing: Standing) -> bool {
        self.api_keys.set_standing(program, key_id, standing)
    }

    /// The registered keys of App Store Connect and the Enterprise Program, sorted by program and id.
    pub fn api_keys(&self) -> Vec<ApiKey> {
        self.api_keys.all()
    }

    /// The settings as they are now.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Replaces the settings. Tokens keep the life they were issued with.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Adds a fault behind those that are there.
    pub fn fail(&mut self, fault: Fault) {
        self.faults.push(fault.into());
    }

    /// The faults that still act, with the number of requests that they have left.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.iter().filter(|armed| !armed.is_spent()).map(|armed| armed.fault.clone()).collect()
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Removes the faults that are for this client only.
    pub fn clear_faults_of(&mut self, client_id: &str) {
        self.faults.retain(|armed| armed.fault.client.as_deref() != Some(client_id));
    }

    /// What was asked since the beginning or the last reset.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Starts counting anew.
    pub fn reset_counts(&mut self) {
        self.counts = Counts::default();
    }

    /// The last ten thousand calls, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.all()
    }

    /// The last hundred refusals, oldest first. Answers that a fault made are not among them.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refusals.iter().cloned().collect()
    }
}
