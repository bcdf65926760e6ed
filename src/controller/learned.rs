//! What a step taught, and how it enters the memory.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;

use super::apple::Listed;
use crate::{
    api::{AdsApi, ClientSecretMode},
    apple::error::{Class, Endpoint, Error as AppleError},
    credential::{
        failure::{Failure, Side, Subject},
        identity::{Choice, Resolution, resolve},
        memory::{BadKey, ClientSecretInHand, Inputs, Key, Known, Memory, Proof, TokenInHand},
        now::Now,
        observed::Observed,
        schedule::Life,
        secret_meta::{SecretMeta, Version},
        target::Target,
    },
};

/// What a step taught.
pub(super) enum Learned {
    /// One of our Secrets was looked at.
    Looked(Target),
    /// The key's Secret was looked at.
    LookedAtKey,
    /// One of our Secrets was read in this state; the client secret in it, where there is a good one.
    Inspected { target: Target, known: Known, jwt: Option<(SecretString, Life, String)> },
    /// One of our Secrets lies under this name of earlier days.
    Found(String, Arc<SecretMeta>),
    /// One of our Secrets, of this name, was read in this state for the token in it.
    Recalled(String, Version, Option<TokenInHand>),
    /// The key was read.
    Key(Key),
    /// There is no key.
    NoKey(BadKey),
    /// A client secret was signed.
    Signed(ClientSecretInHand),
    /// Apple issued a token.
    Token(TokenInHand),
    /// Apple was asked about the key, by this run or another.
    Asked,
    /// An API accepted the token, and told whose it is.
    Proved(AdsApi, Option<i64>),
    /// An API refused the token, or gave no answer.
    NotProved(AppleError),
    /// An API told what the user may use, or did not.
    Heard(AdsApi, Result<Listed, AppleError>),
    /// A key pair was made.
    MadeKey,
    /// One of our Secrets was written; it is now in this state.
    Wrote(Target, Version),
    /// Only owner, labels and annotations of one of our Secrets were.
    Restored(Target, Version),
    /// Nothing of ours is left under this name; what is there is in this state.
    Removed(String, Option<Version>),
    /// A write met something else than was seen.
    Conflict(Target),
    /// The step failed.
    Failed(Side, Failure),
}

impl Learned {
    /// What went wrong, for the log.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::NotProved(error) | Self::Heard(_, Err(error)) => Some(error.to_string()),
            Self::Failed(_, failure) => Some(failure.to_string()),
            Self::NoKey(bad) => Some(format!("Secret {}, entry {}: {}", bad.place.0, bad.place.1, bad.failure)),
            _ => None,
        }
    }
}

/// What held when the step was planned.
pub(super) struct Context {
    now: Now,
    over: Now,
    inputs: Inputs,
    published: Option<Life>,
    left: Duration,
    choice: Option<Choice>,
    previous: Option<Resolution>,
    demand: Option<String>,
    is_ephemeral: bool,
    names: Vec<String>,
}

impl Context {
    pub(super) fn of(seen: &Observed<'_>, now: Now) -> Self {
        Self {
            now,
            over: now,
            inputs: seen.inputs(now),
            published: seen.published_life(),
            left: seen.published_left(now),
            choice: seen.choice(),
            previous: seen.resolution().cloned().or_else(|| seen.recalled_resolution()),
            demand: seen.open_demand(now),
            is_ephemeral: seen.object.ads().is_some_and(|ads| ads.client_secret_mode() == ClientSecretMode::Ephemeral),
            names: seen.targets().filter_map(|target| target.name(seen.object)).collect(),
        }
    }

    /// Enters what was learned into `memory`, now that the step is `over`.
    pub(super) fn remember(mut self, memory: &mut Memory, learned: Learned, over: Now) {
        self.over = over;
        if matches!(learned, Learned::Token(_) | Learned::Asked | Learned::Failed(Side::Token, _)) {
            self.asked(memory);
        }
        match learned {
            Learned::Looked(target) => {
                let content = memory.content_mut(target);
                content.look_again = false;
                content.looked_at = Some(self.now.steady);
                memory.succeeded_with(Subject::Target(target));
            }
            Learned::LookedAtKey => {
                memory.key_looked_at = Some(self.now.steady);
                memory.succeeded_with(Subject::Key);
            }
            Learned::Inspected { target, known, jwt } => {
                memory.content_mut(target).known = Some(known);
                if let Some((jwt, life, bundle)) = jwt {
                    memory.client_secret = Some(ClientSecretInHand { jwt, life, bundle, fence: None });
                }
                memory.succeeded_with(Subject::Target(target));
            }
            Learned::Found(name, meta) => {
                memory.former.insert(name, meta);
                memory.succeeded_with(Subject::Target(Target::Managed));
            }
            Learned::Recalled(name, version, token) => {
                // What changed since it was looked at is looked at again, or the same token would be read for ever.
                if memory.former.get(&name).is_some_and(|meta| meta.version != version) {
                    memory.former.remove(&name);
                }
                memory.recalled.insert(name, version);
                if token.is_some() {
                    memory.token = token;
                }
                memory.succeeded_with(Subject::Target(Target::Managed));
            }
            Learned::MadeKey => memory.succeeded_with(Subject::Key),
            Learned::Key(key) => {
                memory.key = Some(key);
                memory.key_failure = None;
                memory.key_looked_at = Some(self.now.steady);
                memory.succeeded_with(Subject::Key);
            }
            Learned::NoKey(bad) => {
                memory.key = None;
                memory.key_failure = Some(Box::new(bad));
                memory.key_looked_at = Some(self.now.steady);
                memory.succeeded_with(Subject::Key);
            }
            Learned::Signed(secret) => {
                memory.client_secret = Some(secret);
                memory.succeeded_with(Subject::Key);
            }
            Learned::Token(token) => {
                memory.resolve_anew |= self.demand.is_some();
                memory.round = crate::credential::identity::Round::default();
                memory.token = Some(token);
            }
            // What is known of a key is no single credential's.
            Learned::Asked => {}
            Learned::Proved(api, org_id) => Self::proved(memory, api, org_id),
            Learned::NotProved(error) => self.not_proved(memory, error),
            Learned::Heard(api, said) => self.heard(memory, api, said),
            Learned::Wrote(target, version) => {
                memory.former.retain(|name, _| !self.names.contains(name));
                memory.cleared.retain(|name, _| !self.names.contains(name));
                memory.names.extend(self.names);
                Self::wrote(memory, target, version);
            }
            Learned::Restored(target, version) => {
                let content = memory.content_mut(target);
                let intact = content.known.as_ref().is_none_or(|known| known.intact);
                content.known = Some(Known { version, intact, ours: true, is_of_type: true });
                memory.succeeded_with(Subject::Target(target));
            }
            Learned::Removed(name, theirs) => {
                memory.former.remove(&name);
                memory.cleared.insert(name, theirs);
                memory.succeeded_with(Subject::Target(Target::Managed));
            }
            Learned::Conflict(target) => memory.met_conflict(target),
            Learned::Failed(side, failure) => self.failed(memory, side, failure),
        }
    }

    /// An attempt to get a token was made: what it was made for is handled, and what serves one use has served.
    fn asked(&self, memory: &mut Memory) {
        if let Some(demand) = &self.demand {
            memory.served(demand.clone(), self.now);
        }
        if self.is_ephemeral {
            memory.client_secret = None;
        }
    }

    /// A failure is waited out from its end on: an answer may take ten seconds, and a pause that Apple asks for begins
    /// with it.
    fn failed(self, memory: &mut Memory, side: Side, failure: Failure) {
        let left = self.left.saturating_sub(self.over.steady.saturating_sub(self.now.steady));
        memory.failed(side, failure, left, self.inputs, self.over);
    }

    fn proved(memory: &mut Memory, api: AdsApi, org_id: Option<i64>) {
        if let Some(token) = &mut memory.token {
            token.proof = Proof::Proved;
        }
        if api == AdsApi::PlatformV1 || memory.round.org_id.is_none() {
            memory.round.org_id = org_id;
        }
        memory.succeeded(Side::Token);
    }

    /// The next API is asked; after the last one, or after a refusal, there is a pause.
    fn not_proved(self, memory: &mut Memory, error: AppleError) {
        let Some(token) = &mut memory.token else { return };
        let asked = match token.proof {
            Proof::Awaited(asked) => asked + 1,
            Proof::Proved => return,
        };
        if error.class == Class::Unauthorized {
            let was_published = self.published == Some(token.life);
            memory.token = None;
            if was_published && let Some(known) = &mut memory.managed.known {
                known.intact = false;
            }
        } else if asked < self.choice.as_ref().map_or(0, |choice| choice.apis.len()) {
            token.proof = Proof::Awaited(asked);
            return;
        } else {
            token.proof = Proof::Awaited(0);
        }
        self.failed(memory, Side::Token, Failure::Apple(error));
    }

    fn heard(self, memory: &mut Memory, api: AdsApi, said: Result<Listed, AppleError>) {
        let Some(choice) = &self.choice else { return };
        let error = said.as_ref().err().cloned();
        match said {
            Ok(Listed::AdAccounts(rows)) => memory.round.ad_accounts = Some(Ok(rows)),
            Ok(Listed::Organizations(rows)) => memory.round.organizations = Some(Ok(rows)),
            Err(error) => match api {
                AdsApi::PlatformV1 => memory.round.ad_accounts = Some(Err(error.class)),
                AdsApi::CampaignManagementV5 => memory.round.organizations = Some(Err(error.class)),
            },
        }
        if memory.round.next(&choice.apis).is_some() {
            return;
        }
        let previous = self.previous.as_ref().filter(|previous| previous.choice == *choice);
        let resolution = resolve(&memory.round, choice.clone(), previous, self.now.wall);
        match resolution.passing_failure() {
            Some((api, class)) => {
                let here = error.filter(|error| error.endpoint == Endpoint::Acls(api));
                let error = here.unwrap_or_else(|| AppleError::new(Endpoint::Acls(api), class.clone()));
                self.failed(memory, Side::Identity, Failure::Apple(error));
            }
            None => memory.succeeded(Side::Identity),
        }
        memory.resolved(resolution);
    }

    fn wrote(memory: &mut Memory, target: Target, version: Version) {
        let content = memory.content_mut(target);
        content.known = Some(Known { version, intact: true, ours: true, is_of_type: true });
        memory.succeeded_with(Subject::Target(target));
        match target {
            Target::Managed => {
                if let Some(token) = &mut memory.token {
                    token.fence = None;
                    token.was_published = true;
                }
            }
            Target::ClientSecret => {
                if let Some(secret) = &mut memory.client_secret {
                    secret.fence = None;
                }
            }
        }
    }
}
