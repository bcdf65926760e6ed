//! Thousands of credentials in the middle of their lives, evenly spread over all phases between two renewals.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use asa_operator::{
    api::{AdAccount, Credential, Organization},
    apple::{
        PrivateKey,
        ads::{Client, ClientSecret, sign},
    },
    credential::{
        conditions::status,
        entries::{Choices, Entries, Parts},
        failure::{Failure, Side},
        identity::{Choice, Ids, Resolution, Verdict},
        memory::{Key, Known, Memory, whole_seconds},
        now::{Now, earlier, later},
        observed::Observed,
        published::{IdentityRecord, KeySource, Record, bundle, creation, thumbprint},
        schedule::{self, Life, Share},
        secret_meta::{SecretMeta, Version},
        sight::{Sight, Sights},
        target::Target,
    },
};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::world::{ACME_KEY, DAY, GOOD_KEY, HOUR, Simulation, credential, key_entry};

const IDS: Ids = Ids { org_id: Some(1), parent_org_id: Some(900), ad_account_id: Some(7) };

/// The client secret of one in so many becomes due within the hour. Left to chance it would be one of thousands.
const RESIGNING: u32 = 100;

/// What all of them share: reading a key takes long without optimization.
pub(crate) struct Founder {
    now: Now,
    private: PrivateKey,
    key: Key,
    client_secret: ClientSecret,
}

/// Their names, in the order in which their renewals are due.
pub(crate) fn names(size: u32) -> impl Iterator<Item = String> {
    (0..size).map(|number| format!("acme-{number:05}"))
}

/// So many credentials, each with all that an operator has given it, and no operator.
pub(crate) fn fleet(size: u32) -> Simulation {
    let simulation = Simulation::empty();
    simulation.cluster.apply_secret(ACME_KEY, "Opaque", key_entry(GOOD_KEY));
    let founder = Founder::of(&simulation, ACME_KEY);
    for (number, name) in (0..size).zip(names(size)) {
        simulation.cluster.apply_credential(credential(&name));
        founder.settle_in_mid_life(&simulation, &name, number, f64::from(size - number) / f64::from(size));
    }
    simulation
}

/// Shares of a whole, evenly spread over all numbers, and as evenly over any stretch of them.
pub(crate) fn scattered(number: u32) -> f64 {
    /// The golden ratio: its multiples keep furthest apart.
    const STEP: f64 = 0.618_033_988_75;
    (f64::from(number) * STEP).fract()
}

impl Founder {
    /// Knows the key in this Secret.
    pub(crate) fn of(simulation: &Simulation, key_secret: &str) -> Self {
        let private = PrivateKey::parse(&key_entry(GOOD_KEY)["private-key.pem"]).unwrap();
        let source = KeySource { version: look(simulation, key_secret).version, entry: "private-key.pem".to_owned() };
        let now = Now { wall: simulation.now(), ..simulation.clock.now() };
        let key = Key {
            secret: key_secret.to_owned(),
            source,
            fingerprint: private.fingerprint(),
            public_key: private.public_key_pem(),
        };
        let client_secret = sign_at(&private, now.wall);
        Self { now, private, key, client_secret }
    }

    /// `share` of the time from issue to renewal is over.
    fn settle_in_mid_life(&self, simulation: &Simulation, name: &str, number: u32, share: f64) {
        let object = simulation.cluster.credential(name);
        let whole = Life { issued_at: self.now.wall, expires_at: later(self.now.wall, HOUR) };
        let renewal = schedule::renewal(whole, Share::of(object.uid()), None);
        let until_renewal = renewal.duration_since(self.now.wall).unsigned_abs();
        let issued_at = earlier(self.now.wall, until_renewal.mul_f64(share));
        self.settle(simulation, name, number, issued_at, None);
    }

    /// Publishes both Secrets and the status. The last renewal failed like this, if it did.
    pub(crate) fn settle(
        &self,
        simulation: &Simulation,
        name: &str,
        number: u32,
        issued_at: Timestamp,
        failure: Option<Failure>,
    ) {
        let object = simulation.cluster.credential(name);
        let ads = object.ads().unwrap();
        let issued_at = whole_seconds(issued_at);
        let life = Life { issued_at, expires_at: later(issued_at, HOUR) };
        let token = SecretString::from(simulation.apple.issue(issued_at));
        let resolved_at = earlier(self.now.wall, DAY.mul_f64(scattered(number)));
        let identity = IdentityRecord { resolved_at, choice: Choice::of(ads), ids: IDS };
        let client_id = ads.client_ids().unwrap().client_id;
        let entries = Entries::managed(&Parts {
            client_id,
            token: &token,
            life,
            ids: IDS,
            apis: &ads.apis(),
            formats: &BTreeSet::new(),
            choices: Choices::default(),
        });
        let what_it_is = Some((identity.clone(), thumbprint(&token)));
        let managed = self.publish(simulation, Target::Managed, &object, &entries, life, what_it_is);
        let client_secret = if number.is_multiple_of(RESIGNING) {
            let due = later(self.now.wall, HOUR.mul_f64(scattered(number)));
            let end = later(due, ads.client_secret_renew_before());
            sign_at(&self.private, earlier(end, ads.client_secret_lifetime()))
        } else {
            self.client_secret.clone()
        };
        let life = Life { issued_at: client_secret.issued_at(), expires_at: client_secret.expires_at() };
        let entries = Entries::client_secret(client_id, &client_secret.expose().to_owned().into(), life);
        let client_secret = self.publish(simulation, Target::ClientSecret, &object, &entries, life, None);
        self.report(simulation, &object, identity, [managed, client_secret], failure);
    }

    /// The status of one that never got a token: its last request failed like this.
    pub(crate) fn report_failure(&self, simulation: &Simulation, name: &str, failure: Failure) {
        let object = simulation.cluster.credential(name);
        let mut memory = Memory::of(object.uid());
        memory.key = Some(self.key.clone());
        self.write_status(simulation, &object, memory, (Sight::Absent, Sight::Absent), Some(failure));
    }

    fn publish(
        &self,
        simulation: &Simulation,
        target: Target,
        object: &Credential,
        entries: &Entries,
        life: Life,
        token: Option<(IdentityRecord, String)>,
    ) -> SecretMeta {
        let (identity, thumbprint) = token.unzip();
        let record = Record {
            secret: target.name(object).unwrap(),
            issued_at: life.issued_at,
            expires_at: life.expires_at,
            bundle: bundle(object, &self.key.fingerprint).unwrap(),
            key: self.key.source.clone(),
            fingerprint: self.key.fingerprint.clone(),
            identity,
            formats: BTreeSet::new(),
            thumbprint,
            verified_at: None,
            unverified: false,
            digest: entries.digest(),
        };
        let body = serde_json::to_value(creation(target, object, entries, &record)).unwrap();
        simulation.cluster.stored().create(&body).unwrap()
    }

    /// The status that an operator would have written.
    fn report(
        &self,
        simulation: &Simulation,
        object: &Credential,
        identity: IdentityRecord,
        secrets: [SecretMeta; 2],
        failure: Option<Failure>,
    ) {
        let known =
            |version: &Version| Some(Known { version: version.clone(), intact: true, ours: true, is_of_type: true });
        let mut memory = Memory::of(object.uid());
        memory.key = Some(self.key.clone());
        memory.managed.known = known(&secrets[0].version);
        memory.client_secret_content.known = known(&secrets[1].version);
        memory.resolution = Some(Resolution {
            at: identity.resolved_at,
            choice: identity.choice,
            ids: identity.ids,
            organization: IDS.org_id.map(|org_id| Organization {
                org_id,
                name: None,
                parent_org_id: IDS.parent_org_id,
            }),
            ad_account: IDS.ad_account_id.map(|id| AdAccount { id, name: None, org_id: IDS.parent_org_id }),
            organizations: vec![],
            ad_accounts: vec![],
            verdict: Verdict::Resolved,
        });
        let [managed, client_secret] = secrets.map(|meta| Sight::Present(Arc::new(meta)));
        self.write_status(simulation, object, memory, (managed, client_secret), failure);
    }

    fn write_status(
        &self,
        simulation: &Simulation,
        object: &Credential,
        mut memory: Memory,
        (managed, client_secret): (Sight, Sight),
        failure: Option<Failure>,
    ) {
        let key_secret = Sight::Present(Arc::new(look(simulation, &self.key.secret)));
        let sights = Sights { key_secret, managed, client_secret, ..Sights::default() };
        if let Some(failure) = failure {
            let inputs = Observed::new(object, sights.clone(), None, &memory).inputs(self.now);
            memory.failed(Side::Token, failure, Duration::ZERO, inputs, self.now);
        }
        let seen = Observed::new(object, sights, None, &memory);
        simulation.cluster.stored().write_status(object, &status(&seen, self.now)).unwrap();
    }
}

fn look(simulation: &Simulation, name: &str) -> SecretMeta {
    simulation.cluster.stored().look(name).unwrap()
}

/// A client secret that was signed at this time, and lives for as long as one does by default.
fn sign_at(private: &PrivateKey, time: Timestamp) -> ClientSecret {
    let client = Client { client_id: "c".into(), team_id: "t".into(), key_id: "k".into() };
    sign(private, &client, time, credential("acme").client_secret_lifetime()).unwrap()
}
