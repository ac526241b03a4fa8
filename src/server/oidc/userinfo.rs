//! The userinfo endpoint, for providers that keep the address out of the ID token (OIDC Core §5.3;
//! SR-068).

use openidconnect::http::header::{ACCEPT, AUTHORIZATION};
use serde_json::{Map, Value};

use super::{discovery::Metadata, error::OidcFailure, http_client};
use crate::{domain::oidc_error::OidcError, server::strict_json};

/// The answer of the endpoint: claims, or a signed token (`application/jwt`) that is still to be
/// verified.
pub enum UserinfoResponse {
    Claims(Map<String, Value>),
    Signed(String),
}

/// Requests the claims of the access token's owner; `None` when the provider has no such endpoint.
///
/// # Errors
/// `ProviderUnreachable`, `InvalidToken`.
pub async fn fetch(
    http: &http_client::HttpClient,
    metadata: &Metadata,
    access_token: &str,
) -> Result<Option<UserinfoResponse>, OidcFailure> {
    let Some(endpoint) = &metadata.userinfo_endpoint else {
        return Ok(None);
    };
    let headers = [
        (AUTHORIZATION, format!("Bearer {access_token}")),
        (ACCEPT, "application/json, application/jwt".to_owned()),
    ];
    let response = http_client::get(http, endpoint, &headers).await;
    let response = response.map_err(|why| {
        OidcFailure::new(
            OidcError::ProviderUnreachable,
            format!("the userinfo endpoint {endpoint} gives no answer: {why}"),
            "",
        )
    })?;
    if http_client::media_type(&response) == "application/jwt" {
        let token = String::from_utf8(response.into_body())
            .map_err(|_| super::claims::invalid_token("userinfo is not text", ""))?;
        return Ok(Some(UserinfoResponse::Signed(token.trim().to_owned())));
    }
    let claims = strict_json::object(response.body())
        .map_err(|failure| super::claims::invalid_token(format!("userinfo {failure}"), ""))?;
    Ok(Some(UserinfoResponse::Claims(claims)))
}
