//! Apple Ads: one authentication for two APIs.
//!
//! [`client_secret`] is signed from the private key, [`oauth`] turns it into an access token, [`identity`] says for whom.

pub mod client_secret;
pub mod identity;
pub mod oauth;

pub use client_secret::{Client, ClientSecret, PublishedError, SigningError, sign};
pub use identity::{Acls, AdAccountRow, CampaignGroupRow, Me, acls, acls_in, me, me_in};
pub use oauth::{AccessToken, IssuedToken, request_token, token_in};
