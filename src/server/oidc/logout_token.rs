//! The logout token of back-channel logout (OpenID Connect Back-Channel Logout 1.0 §2.6).

use serde_json::Value;

use super::{
    claims::{self, invalid_token},
    error::OidcFailure,
    jwt::Verified,
};
use crate::server::config::OpenIdConnect;

/// Accepted values of `typ`, besides its absence. An ID token is also told apart by its claims.
pub const ACCEPTED_TYPES: [&str; 2] = ["logout+jwt", "jwt"];
/// The oldest accepted logout token, in seconds. Its `jti` is stored no longer, whatever its expiry.
const MAX_AGE: i64 = 60 * 60;
const BACKCHANNEL_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const MAX_JTI_BYTES: usize = 255;

/// Names the sessions that end: those of the subject, or those of one session at the provider,
/// which wins where both are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutToken {
    pub subject: Option<String>,
    pub session: Option<String>,
    /// `jti`: a token is accepted once.
    pub id: String,
    /// Unix seconds, leeway included: `jti` has to be stored until then.
    pub expires_at: i64,
}

/// Checks a logout token whose signature is verified.
///
/// # Errors
/// `InvalidToken`, with the claim that is wrong.
pub fn check(
    token: &Verified,
    issuer: &str,
    config: &OpenIdConnect,
    now: i64,
) -> Result<LogoutToken, OidcFailure> {
    let members = &token.claims;
    claims::issuer(members, issuer)?;
    claims::audience(members, &config.client_id, &config.trusted_audiences)?;
    let expires_at = claims::lifetime(members, now, MAX_AGE)? + claims::CLOCK_LEEWAY_SECONDS;
    if claims::has(members, "nonce") {
        return Err(invalid_token(
            "it has a nonce, so it is an ID token and no logout token",
            "",
        ));
    }
    let is_logout = members
        .get("events")
        .and_then(Value::as_object)
        .and_then(|events| events.get(BACKCHANNEL_EVENT))
        .is_some_and(Value::is_object);
    if !is_logout {
        return Err(invalid_token(
            "it does not announce a back-channel logout (events)",
            "",
        ));
    }
    let id = claims::text(members, "jti")?.filter(|id| (1..=MAX_JTI_BYTES).contains(&id.len()));
    let id = id
        .ok_or_else(|| invalid_token("it has no name of its own (jti)", ""))?
        .to_owned();
    let subject = claims::has(members, "sub")
        .then(|| claims::subject(members))
        .transpose()?;
    let session = claims::text(members, "sid")?
        .filter(|sid| !sid.is_empty())
        .map(ToOwned::to_owned);
    if subject.is_none() && session.is_none() {
        return Err(invalid_token(
            "it names neither a person (sub) nor a session (sid)",
            "",
        ));
    }
    Ok(LogoutToken {
        subject,
        session,
        id,
        expires_at,
    })
}
