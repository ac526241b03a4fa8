use crate::{
    domain::oidc_error::OidcError,
    server::oidc::{OidcFailure, Provider, sanitize},
};

/// A response that cannot be read in one way only, or has a code that no provider issues.
pub fn malformed_callback() -> OidcFailure {
    OidcFailure::new(
        OidcError::MalformedCallback,
        "the answer has a parameter twice, a code and an error, neither, or a code that no provider issues",
        "",
    )
}

/// A browser that the provider has sent to a path that is not served.
pub fn wrong_redirect_uri(provider: &Provider) -> OidcFailure {
    OidcFailure::new(
        OidcError::WrongRedirectUri,
        "the provider has sent the browser to a path that does not exist here",
        format!(
            "register exactly this redirect URI for the client at the provider: {}",
            provider.config().redirect_uri
        ),
    )
}

/// The provider's own error, in its own words for the log and the page (SR-055).
pub(super) fn provider_error(code: &str, description: Option<&str>) -> OidcFailure {
    let error = if code == "access_denied" {
        OidcError::AccessDenied
    } else {
        OidcError::ProviderError
    };
    let said = sanitize(
        description
            .filter(|text| !text.trim().is_empty())
            .unwrap_or(code),
    );
    let fix = match code {
        "invalid_scope" => {
            "allow the scopes openid, email and profile for this client at the provider"
        }
        "unauthorized_client" | "unsupported_response_type" => {
            "allow the authorization code flow for this client at the provider"
        }
        _ => "",
    };
    OidcFailure {
        provider_message: Some(said.clone()),
        ..OidcFailure::new(
            error,
            format!("the provider answers {:?}: {said:?}", sanitize(code)),
            fix,
        )
    }
}
