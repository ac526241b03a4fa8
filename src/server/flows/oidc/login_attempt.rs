use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::LinkRequest;
use crate::domain::{ProviderId, ReturnTo};

/// How long the trip to the provider and back may take, in seconds (SR-051).
pub const ATTEMPT_LIFETIME_SECONDS: u32 = 10 * 60;

/// The record of an authorization request until its response. The browser keeps it in an encrypted
/// cookie, one for each attempt; the server stores nothing for attempts that may never come back
/// (SR-052).
#[derive(Clone, Serialize, Deserialize)]
pub struct LoginAttempt {
    /// Returned with the response, and finds this record (RFC 6749 §10.12).
    pub state: String,
    /// Returned inside the ID token (OIDC Core §3.1.2.1).
    pub nonce: String,
    /// The code verifier: proves that the code is redeemed by the client that asked for it
    /// (RFC 7636).
    pub verifier: String,
    pub provider: ProviderId,
    pub purpose: LoginPurpose,
    pub redirect_uri: String,
    /// Unix seconds.
    pub started_at: i64,
}

/// What an attempt is for. The response cannot change it (SR-121).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginPurpose {
    LogIn {
        return_to: Option<ReturnTo>,
    },
    /// A login of somebody who is logged in already: the provider must ask them again.
    Reauthenticate {
        return_to: Option<ReturnTo>,
    },
    /// Links the identity to an account, and logs nobody in (SR-058).
    Link(LinkRequest),
}

impl LoginPurpose {
    pub fn is_linking(&self) -> bool {
        matches!(self, Self::Link(_))
    }

    /// Where the login leads.
    pub fn into_return_to(self) -> Option<ReturnTo> {
        match self {
            Self::LogIn { return_to } | Self::Reauthenticate { return_to } => return_to,
            Self::Link(_) => None,
        }
    }
}

impl LoginAttempt {
    /// Whether the attempt is in time. One from the future is not: the clock has been set back.
    pub fn is_current(&self, now: i64) -> bool {
        is_current(self.started_at, now)
    }
}

/// Whether something that began at that time is within the [`ATTEMPT_LIFETIME_SECONDS`].
pub fn is_current(started_at: i64, now: i64) -> bool {
    (0..i64::from(ATTEMPT_LIFETIME_SECONDS)).contains(&now.saturating_sub(started_at))
}

/// The name under which something is stored that may be used once. It does not reveal the text.
pub fn fingerprint(purpose: &str, text: &str) -> String {
    let hash = Sha256::new()
        .chain_update(purpose)
        .chain_update([0])
        .chain_update(text)
        .finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Written by hand, because it holds secrets (SR-181).
impl std::fmt::Debug for LoginAttempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginAttempt")
            .field("started_at", &self.started_at)
            .finish_non_exhaustive()
    }
}
