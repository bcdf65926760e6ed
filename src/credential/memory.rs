//! What the operator keeps in mind of one credential, in this process only. Losing it costs a few requests, nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    failure::{Failure, KeyFailure, Side, Subject, Trouble},
    identity::{Resolution, Round},
    now::Now,
    published::KeySource,
    schedule::Life,
    secret_meta::{SecretMeta, Version},
    target::Target,
};

/// One credential's memory. Secrets in it are wiped when replaced. What is seldom there is boxed: there are thousands of
/// these.
#[derive(Debug, Default)]
pub struct Memory {
    /// Whose: another uid of the same name starts anew.
    pub uid: String,
    /// The key as it was last read.
    pub key: Option<Key>,
    /// Why the key could not be loaded, and from which state of its Secret.
    pub key_failure: Option<Box<BadKey>>,
    /// The client secret in use.
    pub client_secret: Option<ClientSecretInHand>,
    /// The last issued token: published already, or on its way.
    pub token: Option<TokenInHand>,
    /// The answers about the identity so far.
    pub round: Round,
    /// The last conclusion from them.
    pub resolution: Option<Resolution>,
    /// Whether the next token is to be used to resolve anew, whatever the age of the resolution.
    pub resolve_anew: bool,
    /// What is known of the managed Secret's content.
    pub managed: Content,
    /// What is known of the client secret's Secret's content.
    pub client_secret_content: Content,
    /// When the key's Secret was last looked at (steady clock).
    pub key_looked_at: Option<Duration>,
    /// What holds up tokens.
    pub token_trouble: Option<Box<Trouble>>,
    /// What holds up the identity.
    pub identity_trouble: Option<Box<Trouble>>,
    /// What holds up reads and writes.
    pub cluster_trouble: Option<Box<Trouble>>,
    /// How often in a row the status could not be written.
    pub status_failures: u32,
    /// The last request for a renewal that was carried out.
    pub handled: Option<String>,
    /// When that was (steady clock).
    pub demanded_at: Option<Duration>,
    /// The states of Secrets, by name, whose token was read back, or should have been.
    pub recalled: BTreeMap<String, Version>,
    /// Names under which this process published; where Secrets are not watched, nothing else tells of them.
    pub names: BTreeSet<String>,
    /// What was found under names of earlier days, where Secrets are not watched.
    pub former: BTreeMap<String, Arc<SecretMeta>>,
    /// Names of earlier days under which nothing of the resource's is left, with what somebody else has there.
    pub cleared: BTreeMap<String, Option<Version>>,
}

/// A key, without the secret part, which is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name of the Secret.
    pub secret: String,
    /// Where in it, and in which state, it was read.
    pub source: KeySource,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The public half, PEM.
    pub public_key: String,
}

/// A key that could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadKey {
    /// The state of the Secret; `None` where there was none.
    pub version: Option<Version>,
    /// Which Secret and which entry.
    pub place: (String, String),
    /// Why.
    pub failure: KeyFailure,
}

/// A signed client secret.
#[derive(Debug)]
pub struct ClientSecretInHand {
    /// The JWT.
    pub jwt: SecretString,
    /// From when to when.
    pub life: Life,
    /// For which client and key.
    pub bundle: String,
    /// The state of its Secret when it was signed; `None` after a conflict: as it is seen now.
    pub fence: Option<Fence>,
}

/// An issued access token.
#[derive(Debug)]
pub struct TokenInHand {
    /// The token.
    pub value: SecretString,
    /// What tells it from others: [`super::published::thumbprint`].
    pub thumbprint: String,
    /// From when to when.
    pub life: Life,
    /// What the steady clock showed when it was asked for: a wall clock that is set back makes no token younger.
    pub asked_at: Duration,
    /// For which client and key.
    pub bundle: String,
    /// Whether an API accepted it.
    pub proof: Proof,
    /// The state of the managed Secret when the token was asked for; `None` after a conflict: as it is seen now.
    pub fence: Option<Fence>,
    /// Whether it stood in the managed Secret once: whoever replaced it since knew of it.
    pub was_published: bool,
}

/// What an API said of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Nothing yet; so many of the APIs were asked in this attempt.
    Awaited(usize),
    /// It works.
    Proved,
}

/// What a write expects to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fence {
    /// No Secret.
    Absent,
    /// The Secret in this state.
    At(Version),
}

/// What is known of a Secret's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The last state that was written or read.
    pub known: Option<Known>,
    /// A write met something unexpected: look before the next one.
    pub look_again: bool,
    /// When it was last looked at by name (steady clock).
    pub looked_at: Option<Duration>,
}

/// A state of a Secret that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Which state.
    pub version: Version,
    /// Whether it was as it should be.
    pub intact: bool,
    /// Whether it is the result of our own write.
    pub ours: bool,
    /// Whether it is of the type that the operator gives it.
    pub is_of_type: bool,
}

/// What an attempt depends on: where it changes, waiting after a failure ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// `metadata.generation`
    pub generation: i64,
    /// The key's Secret, as far as it is seen.
    pub key: Option<Version>,
    /// The annotation that asks for a renewal.
    pub demand: Option<String>,
}

impl Memory {
    /// An empty memory of the credential with this uid.
    #[must_use]
    pub fn of(uid: &str) -> Self {
        Self { uid: uid.to_owned(), ..Self::default() }
    }

    /// Whether there is nothing in it that a new process would not know as well.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        let is_blank =
            |content: &Content| content.known.is_none() && !content.look_again && content.looked_at.is_none();
        let has_in_hand = self.key.is_some() || self.client_secret.is_some() || self.token.is_some();
        let has_resolved = self.resolution.is_some() || self.resolve_anew;
        let was_asked = self.handled.is_some() || self.demanded_at.is_some() || !self.recalled.is_empty();
        let knows_names = !self.names.is_empty() || !self.former.is_empty() || !self.cleared.is_empty();
        let has_published = knows_names || self.key_looked_at.is_some();
        let has_learned = self.has_trouble() || has_in_hand || has_resolved || was_asked || has_published;
        !has_learned && is_blank(&self.managed) && is_blank(&self.client_secret_content)
    }

    /// What is known of `target`'s content.
    #[must_use]
    pub fn content(&self, target: Target) -> &Content {
        match target {
            Target::Managed => &self.managed,
            Target::ClientSecret => &self.client_secret_content,
        }
    }

    /// Likewise, to change it.
    pub fn content_mut(&mut self, target: Target) -> &mut Content {
        match target {
            Target::Managed => &mut self.managed,
            Target::ClientSecret => &mut self.client_secret_content,
        }
    }

    /// What holds up `side`.
    #[must_use]
    pub fn trouble(&self, side: Side) -> Option<&Trouble> {
        match side {
            Side::Token => self.token_trouble.as_deref(),
            Side::Identity => self.identity_trouble.as_deref(),
            Side::Cluster => self.cluster_trouble.as_deref(),
        }
    }

    /// Everything that holds something up.
    pub fn troubles(&self) -> impl Iterator<Item = &Trouble> {
        [Side::Token, Side::Identity, Side::Cluster].into_iter().filter_map(|side| self.trouble(side))
    }

    /// Whether anything holds something up.
    #[must_use]
    pub fn has_trouble(&self) -> bool {
        self.troubles().next().is_some() || self.key_failure.is_some() || self.status_failures > 0
    }

    /// Remembers that an attempt failed, while the published token has so much life `left`.
    pub fn failed(&mut self, side: Side, failure: Failure, left: Duration, inputs: Inputs, now: Now) {
        let trouble = Trouble::after(self.trouble(side), failure, left, inputs, now);
        *self.trouble_mut(side) = Some(Box::new(trouble));
    }

    /// Remembers that an attempt was made on demand.
    pub fn served(&mut self, demand: String, now: Now) {
        self.demanded_at = Some(now.steady);
        self.handled = Some(demand);
    }

    /// Remembers that an attempt succeeded.
    pub fn succeeded(&mut self, side: Side) {
        *self.trouble_mut(side) = None;
    }

    /// Remembers that a request about this Secret succeeded: what failed with it before is over.
    pub fn succeeded_with(&mut self, subject: Subject) {
        let same = |trouble: &Trouble| match &trouble.failure {
            Failure::Cluster(failure) => failure.subject == subject,
            Failure::Signing | Failure::Generating => subject == Subject::Key,
            Failure::Apple(_) => false,
        };
        if self.cluster_trouble.as_deref().is_some_and(same) {
            self.cluster_trouble = None;
        }
    }

    /// The next write of `target` looks first.
    pub fn met_conflict(&mut self, target: Target) {
        self.content_mut(target).look_again = true;
        match target {
            Target::Managed => {
                if let Some(token) = &mut self.token {
                    token.fence = None;
                }
            }
            Target::ClientSecret => {
                if let Some(client_secret) = &mut self.client_secret {
                    client_secret.fence = None;
                }
            }
        }
    }

    /// Takes a finished round for the identity.
    pub fn resolved(&mut self, resolution: Resolution) {
        self.round = Round { org_id: self.round.org_id, ..Round::default() };
        self.resolve_anew = false;
        self.resolution = Some(resolution);
    }

    fn trouble_mut(&mut self, side: Side) -> &mut Option<Box<Trouble>> {
        match side {
            Side::Token => &mut self.token_trouble,
            Side::Identity => &mut self.identity_trouble,
            Side::Cluster => &mut self.cluster_trouble,
        }
    }
}

impl TokenInHand {
    /// Whether an API accepted it.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.proof == Proof::Proved
    }
}

/// Whether `looked_at` is at least `than` ago, or never was.
#[must_use]
pub fn is_older(than: Duration, looked_at: Option<Duration>, now: Now) -> bool {
    looked_at.is_none_or(|then| now.steady.saturating_sub(then) >= than)
}

/// `time` without its fraction of a second, as Kubernetes writes times.
#[must_use]
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
