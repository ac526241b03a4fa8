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
    /// What the failed request to the provider says about who is at fault.
    pub request: RequestFailure,
}

/// How a request to the provider failed. Visitors choose the code that is sent, so they must not
/// be able to choose a failure that costs them nothing (SR-022, SR-173).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestFailure {
    /// No request failed, or the provider's answer decides nothing here.
    #[default]
    None,
    /// No HTTP response arrived: no connection, no TLS, or no answer in time.
    NoResponse,
    /// The provider answered with a server error.
    ServerError,
    /// The token endpoint rejected the code with a status of 4xx.
    CodeRejected,
}

impl OidcFailure {
    pub fn new(error: OidcError, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            error,
            reason: reason.into(),
            hint: fix.into(),
            provider_message: None,
            user: None,
            request: RequestFailure::None,
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

    /// The same failure of this request.
    #[must_use]
    pub fn of_request(self, request: RequestFailure) -> Self {
        Self { request, ..self }
    }

    /// Whether no HTTP response arrived, so that the failure costs no visitor anything.
    pub fn has_no_response(&self) -> bool {
        self.request == RequestFailure::NoResponse
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

/// Turns untrusted text into one bounded line without control characters (SR-182) and without
/// characters that change the direction of the text around them.
pub fn sanitize(text: &str) -> String {
    let mut quoted: String = text
        .chars()
        .take(MAX_QUOTE_CHARS)
        .map(|c| {
            if c.is_control() || is_invisible(c) {
                ' '
            } else {
                c
            }
        })
        .collect();
    if text.chars().count() > MAX_QUOTE_CHARS {
        quoted.push('…');
    }
    quoted
}

/// Bidirectional controls (Unicode Standard Annex #9 §2), line separators and zero-width characters.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::sanitize;

    #[test]
    fn words_of_a_provider_cannot_turn_the_text_around() {
        for control in [
            '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200e}', '\u{200f}', '\u{61c}',
            '\u{2028}', '\u{2029}', '\u{feff}', '\u{200b}', '\0', '\n',
        ] {
            assert_eq!(sanitize(&format!("a{control}b")), "a b", "{control:?}");
        }
        assert_eq!(sanitize("naïve שלום"), "naïve שלום");
    }
}
