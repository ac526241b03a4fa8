use crate::{domain::oidc_error::OidcError, server::telemetry::metrics};

/// The longest part of untrusted text that is logged or shown, in characters (SR-055).
const MAX_QUOTE_CHARS: usize = 200;

/// A failure of the provider or of its answer: the error that the person sees, and the reason for
/// the operator. Its texts never hold a token, a code or the client secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcFailure {
    pub error: OidcError,
    /// The reason, for the operator.
    pub reason: String,
    /// The setting to change; empty when there is none.
    pub hint: String,
    /// The provider's own error message; short, and shown as text.
    pub provider_message: Option<String>,
    /// The account that was to log in, if it is known.
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

    /// The same failure for this user.
    #[must_use]
    pub fn for_user(self, user: uuid::Uuid) -> Self {
        Self {
            user: Some(user),
            ..self
        }
    }

    /// Logs the failure, once, where it is handled.
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

/// Turns untrusted text into one bounded line without control characters (SR-182).
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
