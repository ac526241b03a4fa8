use std::fmt;

use serde::{Deserialize, Serialize};

/// The unchecked token of a one-time link. It is a secret while the link is valid, so `Debug`
/// prints `***`.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct LinkToken(String);

impl LinkToken {
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// Returns the secret. Every call needs a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
