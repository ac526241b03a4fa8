use crate::{domain::oidc_error::OidcError, server::telemetry::metrics};

/// The longest piece of a stranger's text that is logged or shown, in characters (SR-055).
const MAX_QUOTE_CHARS: usize = 200;

/// Why something at the provider went wrong: what the person sees, and what the operator needs to mend it. Neither holds a
/// secret: no token, no code, no client secret ever gets into these texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub refusal: OidcError,
    /// What happened, in the words of an operator.
    pub reason: String,
    /// What to change, and where; empty when there is nothing to change.
    pub fix: String,
    /// The provider's own words for the person, where it answered with an error; short, and shown as text.
    pub said: Option<String>,
    /// Whose account it is about, if that is known.
    pub about: Option<uuid::Uuid>,
}

impl Fault {
    #[must_use]
    pub fn new(refusal: OidcError, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { refusal, reason: reason.into(), fix: fix.into(), said: None, about: None }
    }

    /// The same, about this user.
    #[must_use]
    pub fn about(self, user: uuid::Uuid) -> Self {
        Self { about: Some(user), ..self }
    }

    /// Writes it down, once, where it is handled.
    pub fn log(&self) {
        let Self { refusal, reason, fix, .. } = self;
        metrics::record_provider_failure(refusal.code());
        tracing::warn!(event = "provider_error", code = refusal.code(), reason, hint = fix, "the provider, or what it says, could not be used");
    }
}

/// A stranger's words in one bounded line without control characters (SR-182).
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted: String = text.chars().take(MAX_QUOTE_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() > MAX_QUOTE_CHARS {
        quoted.push('…');
    }
    quoted
}
