use crate::{domain::oidc_error::OidcError, server::telemetry::metrics};

/// The longest piece of a stranger's text that is logged or shown, in characters (SR-055).
const MAX_QUOTE_CHARS: usize = 200;

/// Why something at the provider went wrong: what the person sees, and what the operator needs to
/// mend it. Neither holds a secret: no token, no code, no client secret ever gets into these texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcFailure {
    pub error: OidcError,
    /// What happened, in the words of an operator.
    pub reason: String,
    /// What to change, and where; empty when there is nothing to change.
    pub hint: String,
    /// The provider's own words for the person, where it answered with an error; short, and shown
    /// as text.
    pub provider_message: Option<String>,
    /// Whose account it is about, if that is known.
    pub user: Option<uuid::Uuid>,
}

impl OidcFailure {
    pub fn new(error: OidcError, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            error,
            reason: reason.into(),
            hint: fix.into(),
            provider_message: None,
            user: None,
        }
    }

    /// The same, about this user.
    #[must_use]
    pub fn for_user(self, user: uuid::Uuid) -> Self {
        Self {
            user: Some(user),
            ..self
        }
    }

    /// Writes it down, once, where it is handled.
    pub fn log(&self) {
        let Self {
            error,
            reason,
            hint: fix,
            ..
        } = self;
        metrics::record_provider_failure(error.code());
        tracing::warn!(
            event = "provider_error",
            code = error.code(),
            reason,
            hint = fix,
            "the provider, or what it says, could not be used"
        );
    }
}

/// A stranger's words in one bounded line without control characters (SR-182).
pub fn sanitize(text: &str) -> String {
    let mut quoted: String = text
        .chars()
        .take(MAX_QUOTE_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().count() > MAX_QUOTE_CHARS {
        quoted.push('…');
    }
    quoted
}
