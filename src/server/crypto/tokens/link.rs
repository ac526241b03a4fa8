//! The tokens of one-time links (SR-042).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{InvalidToken, Keys, Tokens, derive};

/// The purpose of a link. Each has its own audience and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A password reset that the user requested by mail.
    Reset,
    /// A password reset that an administrator or the CLI creates, possible without mail settings.
    AdminReset,
    /// The first password of an account that an administrator created, by mail.
    Invitation,
    /// Verification of the account's address.
    EmailVerification,
    /// Verification of a new address, which then replaces the account's.
    EmailChange,
}

/// The claims of a link (SR-042).
#[derive(Serialize, Deserialize)]
struct LinkClaims {
    aud: [String; 1],
    sub: Uuid,
    iat: i64,
    exp: i64,
    /// The fingerprint of the value that the link replaces. When that value changes, the link is no
    /// longer valid.
    fpt: String,
}

impl Tokens {
    /// Signs the token of a link, valid for `lifetime` seconds from now and only while `replaces`
    /// is unchanged.
    pub fn sign_link(
        &self,
        purpose: Purpose,
        user: Uuid,
        replaces: &str,
        lifetime: u32,
    ) -> Result<String, InvalidToken> {
        let (keys, secret) = self.keys_for(purpose)?;
        let iat = self.clock.now();
        keys.sign(&LinkClaims {
            aud: [keys.audience.to_owned()],
            sub: user,
            iat,
            exp: iat + i64::from(lifetime),
            fpt: fingerprint(secret, replaces)?,
        })
    }

    /// Returns the user id and the fingerprint of a valid link token. The caller must also check
    /// the fingerprint with [`binding_matches`](Self::binding_matches).
    pub fn check_link(
        &self,
        purpose: Purpose,
        token: &str,
    ) -> Result<(Uuid, String), InvalidToken> {
        let (keys, _) = self.keys_for(purpose)?;
        let claims: LinkClaims = keys.check(token)?;
        if claims.exp > self.clock.now() {
            Ok((claims.sub, claims.fpt))
        } else {
            Err(InvalidToken)
        }
    }

    /// Whether a link's fingerprint belongs to the current value of `replaces`.
    pub fn binding_matches(&self, purpose: Purpose, read: &str, replaces: &str) -> bool {
        // Not in constant time: both sides are keyed hashes and the token is signed, so an attacker
        // cannot choose either.
        self.keys_for(purpose)
            .and_then(|(_, secret)| fingerprint(secret, replaces))
            .is_ok_and(|fingerprint| fingerprint == read)
    }

    fn keys_for(&self, purpose: Purpose) -> Result<(&Keys, &[u8; 32]), InvalidToken> {
        self.links
            .iter()
            .find(|(known, ..)| *known == purpose)
            .map(|(_, keys, secret)| (keys, secret))
            .ok_or(InvalidToken)
    }
}

pub(super) fn derive_keys(
    token_secret: &[u8],
    purpose: Purpose,
    audience: &'static str,
) -> Result<(Purpose, Keys, [u8; 32]), InvalidToken> {
    let key = derive::<32>(token_secret, audience)?;
    Ok((purpose, Keys::new(audience, &key), key))
}

/// Hashes `text` with a key, so that the token does not reveal it (SR-042).
fn fingerprint(key: &[u8; 32], text: &str) -> Result<String, InvalidToken> {
    let hash = derive::<16>(key, text)?;
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}
