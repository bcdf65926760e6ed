//! What is asked of Apple.

use std::time::Duration;

use super::{
    Doing,
    key::{KeyInHand, api_key},
};
use crate::{
    api::{AdsApi, AsaCredential, Credential, Program},
    apple::{app_store_connect::sign, error::Error as AppleError},
    controller::{apple::Apple, cluster::Cluster, learned::Learned},
    credential::{
        failure::{Failure, Side},
        memory::{Proof, TokenInHand, whole_seconds},
        now::later,
        published::thumbprint,
        schedule::Life,
        target::Target,
    },
};

/// A probe's token is used at once.
const PROBE_LIFETIME: Duration = Duration::from_mins(5);

impl<C: Cluster, A: Apple> Doing<'_, C, A> {
    pub(super) async fn request_token(&self) -> Learned {
        let secret = self.seen.client_secret_in_hand(self.now);
        let Some((secret, ids)) = secret.zip(self.seen.object.ads().and_then(AsaCredential::client_ids)) else {
            return Learned::Conflict(Target::ClientSecret);
        };
        match self.world.apple.request_token(ids.client_id, &secret.jwt, self.now.wall).await {
            Ok(issued) => {
                self.world.metrics.token_issued();
                let issued_at = whole_seconds(self.now.wall);
                Learned::Token(TokenInHand {
                    thumbprint: thumbprint(&issued.token),
                    value: issued.token,
                    life: Life { issued_at, expires_at: later(issued_at, issued.expires_in) },
                    asked_at: self.now.steady,
                    bundle: secret.bundle.clone(),
                    proof: Proof::Awaited(0),
                    fence: Some(self.seen.fence(Target::Managed)),
                    was_published: false,
                })
            }
            Err(error) => {
                self.note_throttling(&error);
                Learned::Failed(Side::Token, Failure::Apple(error))
            }
        }
    }

    pub(super) async fn verify(&self, api: AdsApi) -> Learned {
        let Some(token) = self.seen.token_in_hand(self.now) else { return Learned::Conflict(Target::Managed) };
        match self.world.apple.me(api, &token.value, self.now.wall).await {
            Ok(org_id) => Learned::Proved(api, org_id),
            Err(error) => {
                self.note_throttling(&error);
                Learned::NotProved(error)
            }
        }
    }

    pub(super) async fn resolve(&self, api: AdsApi) -> Learned {
        let Some(token) = self.seen.token_in_hand(self.now) else { return Learned::Conflict(Target::Managed) };
        let said = self.world.apple.acls(api, &token.value, self.now.wall).await;
        if let Err(error) = &said {
            self.note_throttling(error);
        }
        Learned::Heard(api, said)
    }

    /// Asks about the key with a token of its own: the published one may have a scope, and a refusal counts only of a fresh
    /// one.
    pub(super) async fn probe(&self, program: Program, hand: &mut KeyInHand) -> Learned {
        let Some(private) = self.key_in_hand(hand) else { return self.load_key(hand).await };
        let (Some(object), Some(key)) = (self.seen.object.app_store_connect(), self.seen.api_key()) else {
            return Learned::Asked;
        };
        let Ok(token) = sign(private, &api_key(object), &[], PROBE_LIFETIME, self.now.wall) else {
            return Learned::Failed(Side::Cluster, Failure::Signing);
        };
        let Some(asking) = self.world.begin_probe(key) else { return Learned::Asked };
        let heard = self.world.apple.probe(program, token.secret(), self.now.wall).await;
        if let Err(error) = &heard.result {
            self.note_throttling(error);
        }
        self.world.end_probe(&asking, heard, self.world.clock.now());
        Learned::Asked
    }

    fn note_throttling(&self, error: &AppleError) {
        let client = match self.seen.object {
            Credential::Ads(ads) => ads.client_ids().map(|ids| ids.client_id),
            Credential::AppStoreConnect(_) => self.seen.api_key(),
        };
        if let Some((pause, client)) = error.retry_after.zip(client) {
            let host = error.endpoint.host();
            let steady = self.world.clock.now().steady;
            self.world.pacing().throttled(host, client, pause, steady);
        }
    }
}
