//! What to do next for one credential, given all that is known.

use jiff::Timestamp;

use super::{
    failure::Side,
    memory::{Proof, TokenInHand},
    now::{Now, between, earlier},
    observed::Observed,
    published::Record,
    schedule::Life,
    sight::{Obstacle, Sight},
    target::Target,
};
use crate::{
    api::{AdsApi, Program},
    apple::error::{Endpoint, Host},
};

/// One step; after it, one looks again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Fetch the metadata of one of the two Secrets.
    Look(Target),
    /// Fetch the metadata of the key's Secret.
    LookAtKey,
    /// Fetch the metadata of a Secret under a name of earlier days.
    LookBack(String),
    /// Read one of the two Secrets and judge its content.
    Inspect(Target),
    /// Read the key.
    LoadKey,
    /// Make a key pair, in a Secret that is not there yet.
    GenerateKey,
    /// Sign a client secret.
    SignClientSecret,
    /// Sign a token, where Apple issues none.
    SignToken,
    /// Ask Apple whether it knows the key.
    Probe(Program),
    /// Take the token that stands in this Secret of ours in hand again.
    Recall(String),
    /// Ask Apple for a token.
    RequestToken,
    /// Ask this API whether the token in hand works.
    Verify(AdsApi),
    /// Ask this API about organizations or ad accounts.
    Resolve(AdsApi),
    /// Write one of the two Secrets.
    Publish(Target),
    /// Set owner, labels and annotations of one of the two Secrets.
    Restore(Target),
    /// Delete a Secret of ours under a name of earlier days.
    Remove(String),
    /// Report, and wait.
    Wait(Until),
}

/// Until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until something changes.
    Changed,
    /// Until something changes or this time comes.
    At(Timestamp),
}

impl Step {
    /// Apple's host that it asks.
    #[must_use]
    pub fn host(&self) -> Option<Host> {
        match self {
            Self::RequestToken => Some(Endpoint::TokenEndpoint.host()),
            Self::Verify(api) => Some(Endpoint::Me(*api).host()),
            Self::Resolve(api) => Some(Endpoint::Acls(*api).host()),
            Self::Probe(program) => Some(Endpoint::Probe(*program).host()),
            _ => None,
        }
    }

    /// Which failures hold it up.
    #[must_use]
    pub fn side(&self) -> Option<Side> {
        match self {
            Self::RequestToken | Self::Verify(_) => Some(Side::Token),
            Self::Resolve(_) => Some(Side::Identity),
            Self::Wait(_) => None,
            // A probe too: what Apple says is no failure of this credential's, but the key has to be read for it.
            _ => Some(Side::Cluster),
        }
    }
}

/// The questions, in the order of the data's way. The first that asks for a step which no failure holds up decides.
const QUESTIONS: [fn(&Observed<'_>, Now) -> Option<Step>; 11] =
    [what_to_look_at, key, adoption, verdict, token, proof, identity, publication, marks, remains, check];

/// What to do next for one credential, given all that is known at `now`.
#[must_use]
pub fn plan(seen: &Observed<'_>, now: Now) -> Step {
    if seen.is_going() {
        return Step::Wait(Until::Changed);
    }
    if seen.object.is_suspended() {
        return suspended(seen, now);
    }
    let may_start = |step: &Step| step.side().is_none_or(|side| !seen.is_held(side, now));
    let step = QUESTIONS.iter().find_map(|question| question(seen, now).filter(may_start));
    step.unwrap_or_else(|| Step::Wait(until(seen, now)))
}

/// Nothing is done, but what is told of a token and its key has to be known: where Secrets are not watched, each is looked
/// at once.
fn suspended(seen: &Observed<'_>, now: Now) -> Step {
    let unseen = seen.targets().find(|target| *seen.sight(*target) == Sight::Unknown).map(Step::Look);
    let knows_key = seen.published_life().is_none() || seen.sights.key_secret != Sight::Unknown;
    if let Some(step) = unseen.or((!knows_key).then_some(Step::LookAtKey)) {
        return if seen.is_held(Side::Cluster, now) { Step::Wait(until(seen, now)) } else { step };
    }
    let end = seen.published_life().map(|life| life.expires_at).filter(|end| *end > now.wall);
    Step::Wait(end.map_or(Until::Changed, Until::At))
}

/// Whether a step of this side is to be taken, be it held up or not. Where none is, what failed before is over: the write
/// whose answer was lost had its effect, for example.
#[must_use]
pub fn is_wanted(seen: &Observed<'_>, side: Side, now: Now) -> bool {
    QUESTIONS.iter().filter_map(|question| question(seen, now)).any(|step| step.side() == Some(side))
}

/// Before Apple is bothered: is it known what lies at the targets?
fn what_to_look_at(seen: &Observed<'_>, now: Now) -> Option<Step> {
    if seen.must_look_at_key(now) {
        return Some(Step::LookAtKey);
    }
    let unseen = seen.targets().find(|&target| seen.must_look(target, now));
    let unjudged = || seen.targets().find(|&target| seen.is_suspicious(target));
    // The token there may serve, and the record tells of which key it is.
    let former = || seen.sights.strays.iter().find(|stray| stray.meta.is_none());
    let former = || former().map(|stray| Step::LookBack(stray.name.clone()));
    unseen.map(Step::Look).or_else(former).or_else(|| unjudged().map(Step::Inspect))
}

/// Is the key known, and its public half told?
fn key(seen: &Observed<'_>, _: Now) -> Option<Step> {
    if seen.may_generate_key() {
        return Some(Step::GenerateKey);
    }
    let is_known = seen.key().is_some_and(|key| seen.knows_public_half(key));
    (!is_known && seen.bad_key().is_none()).then_some(Step::LoadKey)
}

/// Is there a Secret that nobody owns and that the user wants taken over?
fn adoption(seen: &Observed<'_>, _: Now) -> Option<Step> {
    match seen.obstacle()? {
        Obstacle::ToInspect(target) => Some(Step::Inspect(target)),
        Obstacle::ToAdopt(target) => Some(Step::Restore(target)),
        _ => None,
    }
}

/// Is a token needed, and is there a client secret to ask for it with?
fn token(seen: &Observed<'_>, now: Now) -> Option<Step> {
    if !seen.knows_targets() || seen.obstacle().is_some() || !seen.needs_token(now) {
        return None;
    }
    Some(if let Some(secret) = seen.recallable(now) {
        Step::Recall(secret)
    } else if seen.ads().is_none() {
        Step::SignToken
    } else if seen.client_secret_in_hand(now).is_some() {
        Step::RequestToken
    } else if seen.client_secret_published(now).is_some() {
        Step::Inspect(Target::ClientSecret)
    } else {
        Step::SignClientSecret
    })
}

/// Does Apple know the key? Before the first token is published, and where it was last refused.
fn verdict(seen: &Observed<'_>, now: Now) -> Option<Step> {
    if !seen.knows_targets() || seen.obstacle().is_some() {
        return None;
    }
    seen.awaits_verdict(now).map(Step::Probe)
}

/// Does Apple still know the key?
fn check(seen: &Observed<'_>, now: Now) -> Option<Step> {
    seen.obstacle().is_none().then(|| seen.awaits_check(now))?.map(Step::Probe)
}

/// Does the token in hand work?
fn proof(seen: &Observed<'_>, now: Now) -> Option<Step> {
    let ads = seen.ads()?;
    let token = wanted(seen, now)?;
    let Proof::Awaited(asked) = token.proof else { return None };
    if seen.is_last_chance(now) {
        return None;
    }
    let apis = ads.apis();
    // From the first again where the spec was changed meanwhile, and names fewer than were asked.
    apis.get(asked).or(apis.first()).copied().map(Step::Verify)
}

/// Whose is it?
fn identity(seen: &Observed<'_>, now: Now) -> Option<Step> {
    let token = wanted(seen, now).filter(|token| token.is_proved())?;
    seen.next_to_resolve(token).map(Step::Resolve)
}

/// Do the Secrets hold what they should?
fn publication(seen: &Observed<'_>, now: Now) -> Option<Step> {
    if seen.obstacle().is_some() || seen.needs_token(now) {
        return None;
    }
    let token = wanted(seen, now);
    let publishable = token.filter(|token| seen.may_publish(token, now));
    let bundle = seen.bundle()?;
    let proved_before = || seen.published(Target::Managed).is_some_and(|record| record.bundle == bundle);
    if (publishable.is_some() || proved_before())
        && let Some(step) = client_secret_publication(seen, now)
    {
        return Some(step);
    }
    let token = publishable?;
    let (_, record) = seen.managed_to_publish(token)?;
    let serves = |there: &Record| there.serves_as(&record) || seen.yields_to(token, there, &record, now);
    let serves = seen.published(Target::Managed).is_some_and(serves);
    (!serves).then_some(Step::Publish(Target::Managed))
}

fn client_secret_publication(seen: &Observed<'_>, now: Now) -> Option<Step> {
    Target::ClientSecret.name(seen.object)?;
    let published = seen.published(Target::ClientSecret);
    let Some(in_hand) = seen.client_secret_in_hand(now) else {
        // One that is due is replaced with the next token, and not before.
        let serves = published.is_some_and(|record| {
            Some(record.bundle.as_str()) == seen.bundle() && seen.has_lifetime_asked_for(record.life())
        });
        return (!serves).then_some(Step::SignClientSecret);
    };
    let (_, record) = seen.client_secret_to_publish(in_hand)?;
    let serves = published.is_some_and(|there| there.serves_as(&record));
    (!serves).then_some(Step::Publish(Target::ClientSecret))
}

/// Do the Secrets carry the marks of ownership, and the labels and annotations of the spec?
fn marks(seen: &Observed<'_>, _: Now) -> Option<Step> {
    seen.targets().find(|target| !seen.is_in_step(*target)).map(Step::Restore)
}

/// Is anything left under a name of earlier days?
fn remains(seen: &Observed<'_>, now: Now) -> Option<Step> {
    seen.obstacle().is_none().then(|| seen.to_remove(now))?.map(|stray| Step::Remove(stray.name.clone()))
}

/// The token in hand, if nothing forbids to publish it.
fn wanted<'a>(seen: &'a Observed<'_>, now: Now) -> Option<&'a TokenInHand> {
    seen.token_in_hand(now).filter(|_| seen.obstacle().is_none() && !seen.needs_token(now))
}

/// The next moment at which the plan may say something else although nothing changes.
fn until(seen: &Observed<'_>, now: Now) -> Until {
    let retries = seen.memory.troubles().map(|trouble| now.wall_at(trouble.next_try));
    let demands = seen.waiting_demand().map(|due| now.wall_at(due));
    let in_hand = seen.token_in_hand(now).map(|token| token.life);
    // Where the wall clock was set back, a token's times come that much earlier on it.
    let on_the_wall = |life: Life, time: Timestamp| earlier(time, between(now.wall, seen.time_for(life, now)));
    let lives = in_hand.into_iter().chain(seen.published_life());
    let renewals = lives.map(|life| on_the_wall(life, seen.renewal(life)));
    let last_chance = seen.published_life().filter(|_| seen.ads().is_some()).map(|life| (life, life.last_chance_at()));
    let end = seen.published_life().map(|life| (life, life.expires_at));
    let ends = last_chance.into_iter().chain(end).map(|(life, time)| on_the_wall(life, time));
    let probe = seen.next_probe(now).map(|due| now.wall_at(due));
    let polls = seen.next_look().map(|look| now.wall_at(look));
    let times =
        retries.chain(demands).chain(renewals).chain(ends).chain(polls).chain(probe).filter(|&time| time > now.wall);
    times.min().map_or(Until::Changed, Until::At)
}

#[cfg(test)]
mod tests;
