use std::fmt;

use serde::{Deserialize, Serialize};

/// The token of a link that somebody opened: for setup, a new password, or an address. A secret as
/// long as the link is good, so nothing shows it when it is printed. What it is worth is decided on
/// the server.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct LinkToken(String);

impl LinkToken {
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The secret itself. Every call is a place to look at in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
