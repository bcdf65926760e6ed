//! App Store Connect and the Enterprise Program: what is asked with a token, and what each answer says of its key.

mod answers;
mod faults;
mod stand_in;

use std::time::Duration;

use asa_operator::api::Program;
use asa_operator::apple::app_store_connect::{ApiKey, Probed, Token, probe, sign};
use asa_operator::apple::error::{Class, Error, OAuthError};
use asa_operator::apple::http::{Http, Reply};

use crate::support::{base, key, now};

const PROGRAMS: [Program; 2] = [Program::AppStore, Program::Enterprise];

/// What a key signs for twenty minutes.
fn token(by: &ApiKey<'_>) -> Token {
    sign(key(), by, &[], Duration::from_mins(20), now()).unwrap()
}

async fn ask(http: &Http, url: &str, program: Program, token: &Token) -> Result<Reply<Probed>, Error> {
    probe(http, &base(url), program, token.secret(), now()).await
}

fn refused(code: &str) -> Class {
    Class::Rejected(OAuthError::Other(code.to_owned()))
}

/// Where the stand-in serves it.
fn path(program: Program) -> &'static str {
    match program {
        Program::AppStore => "/app-store-connect",
        Program::Enterprise => "/enterprise",
    }
}
