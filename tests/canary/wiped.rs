//! Secrets are gone from memory as soon as they are replaced or dropped. Linux shows a process its memory as a file.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use asa_operator::apple::PrivateKey;
use asa_operator::apple::ads::AccessToken;
use asa_operator::credential::memory::Memory;
use secrecy::ExposeSecret as _;

use crate::needles::{WINDOW, scalar};
use crate::support::key::KeyPair;
use crate::types::{asc_token, client_secret, token_in_hand};

/// A place in memory.
#[derive(Clone, Copy)]
struct Place {
    address: u64,
    length: usize,
}

impl Place {
    fn of<T: ?Sized>(value: &T) -> Self {
        let address = std::ptr::from_ref(value).addr();
        Self { address: address.try_into().unwrap(), length: size_of_val(value) }
    }

    /// Whether any part of `secret` stands there. Memory that was given back to the system has nothing.
    fn has_any_of(self, secret: &[u8]) -> bool {
        let mut there = vec![0; self.length];
        let read = File::open("/proc/self/mem").unwrap().read_exact_at(&mut there, self.address);
        read.is_ok() && there.windows(WINDOW).any(|some| secret.windows(WINDOW).any(|window| window == some))
    }
}

/// Random, so that no other text in memory is like it.
fn token() -> String {
    KeyPair::new().private().lines().nth(1).unwrap().to_owned()
}

#[test]
fn a_token_is_wiped_when_another_takes_its_place_in_memory() {
    let (first, second) = (token(), token());
    let mut memory = Memory { token: Some(token_in_hand(&first)), ..Memory::default() };
    let place = Place::of(memory.token.as_ref().unwrap().value.expose_secret());
    assert!(place.has_any_of(first.as_bytes()), "the place is right");

    memory.token = Some(token_in_hand(&second));

    assert!(!place.has_any_of(first.as_bytes()));
}

#[test]
fn tokens_and_a_client_secret_are_wiped_when_they_are_dropped() {
    let text = token();
    let token = AccessToken::new(text.clone());
    let key = PrivateKey::parse(KeyPair::new().private().as_bytes()).unwrap();
    let (client_secret, asc_token) = (client_secret(&key), asc_token(&key));
    let jwts = [client_secret.expose().to_owned(), asc_token.expose().to_owned()];
    let places = [Place::of(token.expose()), Place::of(client_secret.expose()), Place::of(asc_token.expose())];
    let places: Vec<_> = places.into_iter().zip([text].into_iter().chain(jwts)).collect();
    assert!(places.iter().all(|(place, secret)| place.has_any_of(secret.as_bytes())), "the places are right");

    drop((token, client_secret, asc_token));

    assert!(places.iter().all(|(place, secret)| !place.has_any_of(secret.as_bytes())));
}

#[test]
fn a_key_is_wiped_when_it_is_dropped() {
    let pair = KeyPair::new();
    let key = Box::new(PrivateKey::parse(pair.private().as_bytes()).unwrap());
    let place = Place::of(&*key);
    // As the processor keeps numbers: least significant byte first.
    let scalar: Vec<u8> = scalar(pair.private()).into_iter().rev().collect();
    assert!(cfg!(target_endian = "big") || place.has_any_of(&scalar), "the place is right");

    drop(key);

    assert!(!place.has_any_of(&scalar));
}
