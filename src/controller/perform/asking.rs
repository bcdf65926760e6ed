//! What is asked of Apple.

use super::Doing;
use crate::{
    api::AdsApi,
    apple::error::Error as AppleError,
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

impl<C: Cluster, A: Apple> Doing<'_, C, A> {
    pub(super) async fn request_token(&self) -> Learned {
        let secret = self.seen.client_secret_in_hand(self.now);
        let Some((secret, ids)) = secret.zip(self.seen.object.client_ids()) else {
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

    fn note_throttling(&self, error: &AppleError) {
        if let Some((pause, ids)) = error.retry_after.zip(self.seen.object.client_ids()) {
            let host = error.endpoint.host();
            let steady = self.world.clock.now().steady;
            self.world.pacing().throttled(host, ids.client_id, pause, steady);
        }
    }
}
