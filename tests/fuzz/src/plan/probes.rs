//! What Apple says of an API key, to this resource or to another that uses the same key.

use std::time::Duration;

use asa_operator::{
    api::Program,
    apple::{Class, Endpoint, Error as AppleError, OAuthError},
    credential::probing::{Heard, Proof},
};

use super::{Scene, dice::Dice, troubles};

/// Apple answers once to five times, each time the same.
pub(super) fn answer(scene: &mut Scene, dice: &mut Dice<'_>) {
    let heard = Heard { result: result(dice), is_budget_low: dice.up_to(7) == 7 };
    for _ in 0..=dice.up_to(4) {
        scene.hear(heard.clone());
    }
}

fn result(dice: &mut Dice<'_>) -> Result<Proof, AppleError> {
    let endpoint = Endpoint::Probe(dice.one_of(&[Program::AppStore, Program::Enterprise]));
    match dice.up_to(4) {
        0 => Err(AppleError::new(endpoint, Class::Rejected(OAuthError::Other("NOT_AUTHORIZED".to_owned())))),
        1 => Ok(Proof::Accepted),
        2 => Ok(Proof::RoleTooNarrow),
        3 => Ok(Proof::AgreementMissing),
        _ => {
            let retry_after = dice.maybe(|dice| dice.length().clamp(Duration::from_secs(1), Duration::from_mins(10)));
            Err(AppleError { retry_after, ..AppleError::new(endpoint, troubles::class(endpoint, dice)) })
        }
    }
}

/// Somebody asks, or gets no answer.
pub(super) fn begin_or_end(scene: &mut Scene, dice: &mut Dice<'_>) {
    if dice.flip() { scene.end_asking() } else { scene.begin_asking() }
}
