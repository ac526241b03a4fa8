use serde::{Deserialize, Serialize};

/// Names a configured provider inside this program, for example in the record of a login attempt.
/// It is the provider's key in the configuration and not the name on its button, so a renamed
/// button costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderId(String);

impl ProviderId {
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
