//! What holds a secret cannot print it, and wipes it.

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::time::Duration;

use asa_operator::api::{Program, SecretFormat};
use asa_operator::apple::PrivateKey;
use asa_operator::apple::ads::{AccessToken, Client, ClientSecret, IssuedToken, sign};
use asa_operator::apple::app_store_connect::{self, ApiKey, Token};
use asa_operator::controller::apple::Issued;
use asa_operator::controller::cluster::SecretContent;
use asa_operator::credential::entries::{Choices, Entries, Parts};
use asa_operator::credential::identity::Ids;
use asa_operator::credential::memory::{ClientSecretInHand, Memory, Proof, TokenInHand};
use asa_operator::credential::published::{Body, thumbprint};
use asa_operator::credential::schedule::Life;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Serialize;
use zeroize::ZeroizeOnDrop;

use crate::needles::Needles;
use crate::support::key::KeyPair;

/// Does not compile where the type has one of the traits: then there are two functions to call.
macro_rules! has_none_of {
    ($type:ty: $($trait:path),+) => {$(
        const _: fn() = || {
            trait Called<Which> {
                fn call() {}
            }
            struct OnlyWithTheTrait;
            impl<T: ?Sized> Called<()> for T {}
            impl<T: ?Sized + $trait> Called<OnlyWithTheTrait> for T {}
            let _ = <$type as Called<_>>::call;
        };
    )+};
}

has_none_of!(PrivateKey: Display, Serialize, Clone);
has_none_of!(ClientSecret: Display, Serialize);
has_none_of!(AccessToken: Display, Serialize);
has_none_of!(IssuedToken: Display, Serialize);
has_none_of!(Token: Display, Serialize);
has_none_of!(Issued: Display, Serialize, Debug);
has_none_of!(SecretContent: Display, Serialize, Debug);
has_none_of!(Entries: Display, Serialize, Debug);
has_none_of!(Body: Display);
has_none_of!(ClientSecretInHand: Display, Serialize);
has_none_of!(TokenInHand: Display, Serialize);
has_none_of!(Memory: Display, Serialize);
has_none_of!(SecretString: Display, Serialize);

const TOKEN: &str = "eyJhbGciOiJkaXIifQ..Zm9ydHktdHdv.c29tZS10aGluZ3MtYXJlLWJldHRlci1ub3Qtc2FpZA";

fn life() -> Life {
    let issued_at = Timestamp::UNIX_EPOCH;
    Life { issued_at, expires_at: issued_at + SignedDuration::from_hours(1) }
}

pub(crate) fn token_in_hand(token: &str) -> TokenInHand {
    TokenInHand {
        thumbprint: thumbprint(&token.to_owned().into()),
        value: token.to_owned().into(),
        life: life(),
        asked_at: Duration::ZERO,
        bundle: "a bundle".to_owned(),
        proof: Proof::Proved,
        fence: None,
        was_published: false,
    }
}

pub(crate) fn client_secret(key: &PrivateKey) -> ClientSecret {
    let id = |text: &str| text.to_owned();
    let client = Client { client_id: id("SEARCHADS.a"), team_id: id("SEARCHADS.b"), key_id: id("c") };
    sign(key, &client, Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1), Duration::from_hours(1)).unwrap()
}

pub(crate) fn asc_token(key: &PrivateKey) -> Token {
    let by = ApiKey { program: Program::AppStore, key_id: "2X9R4HXF34", issuer_id: None };
    let (lifetime, now) = (Duration::from_mins(20), Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1));
    app_store_connect::sign(key, &by, &[], lifetime, now).unwrap()
}

#[test]
fn debug_output_names_the_type_and_no_secret() {
    let pair = KeyPair::new();
    let key = PrivateKey::parse(pair.private().as_bytes()).unwrap();
    let (client_secret, asc_token) = (client_secret(&key), asc_token(&key));
    let mut needles = Needles::default();
    needles.key("the key", pair.private());
    needles.token("the client secret", client_secret.expose());
    needles.token("the token", TOKEN);
    needles.token("the token of App Store Connect", asc_token.expose());
    let issued = IssuedToken { token: AccessToken::new(TOKEN.to_owned()), expires_in: Duration::from_secs(1) };
    let jwt = client_secret.expose().to_owned().into();
    let client_secret_in_hand = ClientSecretInHand { jwt, life: life(), bundle: String::new(), fence: None };
    let memory =
        Memory { client_secret: Some(client_secret_in_hand), token: Some(token_in_hand(TOKEN)), ..Memory::default() };

    let told: [(&str, &dyn Debug); 6] = [
        ("PrivateKey", &key),
        ("ClientSecret", &client_secret),
        ("IssuedToken", &issued),
        ("Token", &asc_token),
        ("ClientSecretInHand", &memory),
        ("TokenInHand", &memory),
    ];

    for (name, value) in told {
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert!(text.contains(name), "{text}");
            assert_eq!(needles.find(&text), None);
        }
    }
}

#[test]
fn what_is_kept_in_mind_is_of_types_that_wipe_it() {
    fn is_wiped(_: &impl ZeroizeOnDrop) {}
    let TokenInHand { value, .. } = token_in_hand(TOKEN);
    is_wiped(&value);
    let in_hand = ClientSecretInHand { jwt: value, life: life(), bundle: String::new(), fence: None };
    is_wiped(&in_hand.jwt);
    let Issued { token, .. } = Issued { token: in_hand.jwt, expires_in: Duration::ZERO };
    is_wiped(&token);
    let entries = Entries::managed(&Parts {
        client_id: "a",
        token: &token,
        life: life(),
        ids: Ids::default(),
        apis: &[],
        formats: &BTreeSet::from([SecretFormat::Json, SecretFormat::Dotenv]),
        choices: Choices::default(),
    });
    assert_eq!(entries.get("access_token"), Some(TOKEN));
}
