//! The claims of an ID token, checked one by one (OpenID Connect Core 1.0 §3.1.3.7; SR-065 to
//! SR-068, SR-073).

use serde_json::{Map, Value};

use super::{
    error::{OidcFailure, sanitize},
    jwt::Verified,
};
use crate::domain::{ExternalUser, oidc_error::OidcError};

/// The largest accepted difference between the provider's clock and ours, in seconds (SR-066).
pub const CLOCK_LEEWAY_SECONDS: i64 = 60;
/// The oldest accepted ID token, in seconds: it was issued a moment ago, for this login.
const MAX_AGE: i64 = 10 * 60;
const MAX_SUBJECT_BYTES: usize = 255;
/// A longer `sid` does not fit its column and is not stored; back-channel logout then goes by
/// `sub`.
const MAX_SID_BYTES: usize = 255;

/// The values that the claims of an ID token must have to belong to an attempt.
pub struct ExpectedClaims<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    /// Further accepted values of `aud`.
    pub trusted_audiences: &'a [String],
    pub nonce: &'a str,
    pub access_token: &'a str,
    /// Unix seconds.
    pub now: i64,
}

/// Checks an ID token whose signature is verified.
///
/// # Errors
/// `InvalidToken`, with the claim that is wrong.
pub fn external_user(
    token: &Verified,
    expected: &ExpectedClaims,
) -> Result<ExternalUser, OidcFailure> {
    let claims = &token.claims;
    issuer(claims, expected.issuer)?;
    audience(claims, expected.client_id, expected.trusted_audiences)?;
    lifetime(claims, expected.now, MAX_AGE)?;
    if text(claims, "nonce")? != Some(expected.nonce) {
        return Err(invalid_token(
            "its nonce is not this attempt's: it was made for another login",
            "",
        ));
    }
    if let Some(at_hash) = text(claims, "at_hash")? {
        // RFC 7515 allows no padding, so a hash has one spelling.
        if token.half_hash(expected.access_token).as_deref() != Ok(at_hash) {
            return Err(invalid_token(
                "its at_hash does not belong to the access token that came with it",
                "",
            ));
        }
    }
    let (email, is_email_verified) = email(claims);
    let session = claims
        .get("sid")
        .and_then(Value::as_str)
        .filter(|sid| is_session_id(sid))
        .map(ToOwned::to_owned);
    Ok(ExternalUser {
        issuer: expected.issuer.to_owned(),
        subject: subject(claims)?,
        email,
        is_email_verified,
        session,
    })
}

/// Whether a `sid` can be stored. The provider chooses it freely, and an unusual one is no reason
/// to refuse a login.
fn is_session_id(sid: &str) -> bool {
    (1..=MAX_SID_BYTES).contains(&sid.len()) && !sid.contains(char::is_control)
}

/// Checks `iss`, byte for byte.
///
/// # Errors
/// `InvalidToken`.
pub fn issuer(claims: &Map<String, Value>, expected: &str) -> Result<(), OidcFailure> {
    match text(claims, "iss")? {
        Some(issuer) if issuer == expected => Ok(()),
        found => Err(invalid_token(
            format!(
                "its issuer is {:?}, not {expected:?}",
                found.map(sanitize).unwrap_or_default()
            ),
            "",
        )),
    }
}

/// Checks `aud` and `azp` (OIDC Core §3.1.3.7 steps 3 to 5). `aud` names this client alone, or also
/// others if the operator trusts each of them and `azp` names this client.
///
/// # Errors
/// `InvalidToken`.
pub fn audience(
    claims: &Map<String, Value>,
    us: &str,
    trusted: &[String],
) -> Result<(), OidcFailure> {
    let audiences = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.as_slice(),
        Some(audience) => std::slice::from_ref(audience),
        None => &[],
    };
    let (own, others): (Vec<&Value>, Vec<&Value>) =
        audiences.iter().partition(|audience| **audience == us);
    if own.len() != 1 {
        return Err(invalid_token(
            "its audience (aud) is not auth.openid_connect.client_id",
            "compare client_id with the client at the provider",
        ));
    }
    let is_trusted = |other: &str| trusted.iter().any(|trusted| trusted == other);
    if let Some(stranger) = others
        .iter()
        .find(|other| !other.as_str().is_some_and(is_trusted))
    {
        let stranger = stranger.as_str().map(sanitize).unwrap_or_default();
        let reason = format!(
            "its audience (aud) is not auth.openid_connect.client_id alone, but also {stranger:?}"
        );
        let fix = "make the provider name this client alone; one that always names more, such as Zitadel with its project, needs all of them in policy.openid_connect.trusted_audiences";
        return Err(invalid_token(reason, fix));
    }
    match text(claims, "azp")? {
        None if others.is_empty() => Ok(()),
        None => Err(invalid_token(
            "its audience (aud) names others beside us, and it does not say for whom it was made (azp)",
            "make the provider name this client alone",
        )),
        Some(party) if party == us => Ok(()),
        Some(_) => Err(invalid_token(
            "its authorized party (azp) is another client",
            "compare auth.openid_connect.client_id with the client at the provider",
        )),
    }
}

/// Checks `exp`, `iat` and `nbf` within the leeway, and that the token is not older than `max_age`.
/// Returns the time in Unix seconds from which on it is refused, without the leeway.
///
/// # Errors
/// `InvalidToken`, with the seconds.
pub fn lifetime(claims: &Map<String, Value>, now: i64, max_age: i64) -> Result<i64, OidcFailure> {
    let clock = "set the clocks of this machine and of the provider (NTP)";
    let (exp, iat) = (date(claims, "exp")?, date(claims, "iat")?);
    let exp = exp.ok_or_else(|| invalid_token("it has no expiry (exp)", ""))?;
    let iat = iat.ok_or_else(|| invalid_token("it has no time of issue (iat)", ""))?;
    if exp + CLOCK_LEEWAY_SECONDS <= now {
        return Err(invalid_token(
            format!("it expired {} seconds ago", now - exp),
            clock,
        ));
    }
    if iat > now + CLOCK_LEEWAY_SECONDS {
        return Err(invalid_token(
            format!("it was issued {} seconds in the future", iat - now),
            clock,
        ));
    }
    if now - iat > max_age + CLOCK_LEEWAY_SECONDS {
        return Err(invalid_token(
            format!("it was issued {} seconds ago, which is too long", now - iat),
            clock,
        ));
    }
    match date(claims, "nbf")? {
        Some(nbf) if nbf > now + CLOCK_LEEWAY_SECONDS => Err(invalid_token(
            format!("it is not valid for another {} seconds (nbf)", nbf - now),
            clock,
        )),
        _ => Ok(exp.min(iat + max_age)),
    }
}

/// Reads `sub`: 1 to 255 ASCII characters, compared exactly (SR-067).
///
/// # Errors
/// `InvalidToken`.
pub fn subject(claims: &Map<String, Value>) -> Result<String, OidcFailure> {
    let is_good = |sub: &&str| {
        (1..=MAX_SUBJECT_BYTES).contains(&sub.len())
            && sub
                .bytes()
                .all(|byte| byte.is_ascii() && !byte.is_ascii_control())
    };
    let subject = text(claims, "sub")?.filter(is_good);
    subject.map(ToOwned::to_owned).ok_or_else(|| {
        invalid_token(
            "its subject (sub) is missing, or not 1 to 255 ASCII characters",
            "",
        )
    })
}

/// Reads `email` and `email_verified`. Only `true` counts as verified, and the string `"true"`,
/// which some providers send (SR-073).
pub fn email(claims: &Map<String, Value>) -> (Option<String>, bool) {
    let email = claims
        .get("email")
        .and_then(Value::as_str)
        .filter(|email| !email.is_empty());
    let is_verified = claims
        .get("email_verified")
        .is_some_and(|flag| *flag == true || *flag == "true");
    (email.map(ToOwned::to_owned), email.is_some() && is_verified)
}

/// A claim that is there. Some providers write an absent claim as `null`.
fn present<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).filter(|value| !value.is_null())
}

/// Whether a claim is there.
pub fn has(claims: &Map<String, Value>, name: &str) -> bool {
    present(claims, name).is_some()
}

/// Reads an optional string claim.
///
/// # Errors
/// `InvalidToken` for a claim of another type.
pub fn text<'a>(
    claims: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, OidcFailure> {
    match present(claims, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid_token(format!("its {name} is not text"), "")),
    }
}

/// Reads a NumericDate (RFC 7519 §2) in whole seconds. A date after the year 9999 is refused,
/// because it could overflow a calculation.
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, OidcFailure> {
    const YEAR_9999: f64 = 253_402_300_799.0;
    let Some(value) = present(claims, name) else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range is checked just before"
    )]
    let seconds = value
        .as_f64()
        .filter(|seconds| (0.0..=YEAR_9999).contains(seconds))
        .map(|seconds| seconds as i64);
    seconds
        .map(Some)
        .ok_or_else(|| invalid_token(format!("its {name} is not a time"), ""))
}

/// The failure of a token that must not be used.
pub fn invalid_token(what: impl std::fmt::Display, fix: impl Into<String>) -> OidcFailure {
    OidcFailure::new(
        OidcError::InvalidToken,
        format!("the provider's token is refused: {what}"),
        fix,
    )
}
