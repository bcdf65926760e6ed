//! What tests and the control endpoint set and read.

use std::collections::BTreeMap;

use super::{Apple, Refusal, Registered};
use crate::{
    calls::Call,
    client_secret::BadKey,
    counts::Counts,
    fault::Fault,
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

    /// Settings, clients and faults as they are now.
    pub fn config(&self) -> Config {
        Config { settings: self.settings.clone(), clients: self.clients(), faults: self.faults() }
    }

    /// Replaces settings, clients and faults; tokens of clients that are no more end.
    ///
    /// # Errors
    /// A public key is not what Apple's page would take. Nothing has changed then.
    pub fn configure(&mut self, config: Config) -> Result<(), BadKey> {
        self.replace_clients(config.clients)?;
        self.settings = config.settings;
        self.faults = config.faults;
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
        self.faults.push(fault);
    }

    /// The faults that still act, with the number of requests that they have left.
    pub fn faults(&self) -> Vec<Fault> {
        self.faults.iter().filter(|fault| fault.times != Some(0)).cloned().collect()
    }

    /// Removes all faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Removes the faults that are for this client only.
    pub fn clear_faults_of(&mut self, client_id: &str) {
        self.faults.retain(|fault| fault.client.as_deref() != Some(client_id));
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
