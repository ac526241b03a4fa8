use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::LinkRequest;
use crate::domain::ReturnTo;

/// How long the trip to the provider and back may take, in seconds (SR-051).
pub const ATTEMPT_LIFETIME_SECONDS: u32 = 10 * 60;

/// What must survive the trip to the provider and back. The browser carries it, encrypted, one for
/// each attempt; the program remembers nothing of attempts that may never come back (SR-052).
#[derive(Clone, Serialize, Deserialize)]
pub struct LoginAttempt {
    /// Comes back with the answer, and finds this record.
    pub state: String,
    /// Comes back inside the ID token.
    pub nonce: String,
    /// Proves that whoever redeems the code is who asked for it (RFC 7636).
    pub verifier: String,
    pub redirect_uri: String,
    /// Where to go afterwards; checked when it was written, and the answer cannot change it
    /// (SR-121).
    return_to: Option<String>,
    /// The account that shall be connected, for an attempt that logs nobody in (SR-058).
    #[serde(default)]
    pub link: Option<LinkRequest>,
    pub started_at: i64,
}

impl LoginAttempt {
    pub fn new(
        [state, nonce, verifier]: [String; 3],
        redirect_uri: String,
        return_to: Option<&ReturnTo>,
        connects: Option<LinkRequest>,
        started_at: i64,
    ) -> Self {
        Self {
            state,
            nonce,
            verifier,
            redirect_uri,
            return_to: return_to.map(|target| target.as_str().to_owned()),
            link: connects,
            started_at,
        }
    }

    /// Where the person wanted to go.
    pub fn return_to(&self) -> Option<ReturnTo> {
        self.return_to.as_deref().and_then(ReturnTo::parse)
    }

    /// Whether it is still in time. One from the future is not: the clock has been set back.
    pub fn is_current(&self, now: i64) -> bool {
        is_current(self.started_at, now)
    }
}

/// Whether something that began then is within the [`ATTEMPT_LIFETIME_SECONDS`].
pub fn is_current(started_at: i64, now: i64) -> bool {
    (0..i64::from(ATTEMPT_LIFETIME_SECONDS)).contains(&now.saturating_sub(started_at))
}

/// A name for something that may be used once, which says nothing of it.
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
        f.debug_struct("Handshake")
            .field("started_at", &self.started_at)
            .finish_non_exhaustive()
    }
}
