//! The userinfo endpoint, for providers that keep the address out of the ID token (OIDC Core §5.3;
//! SR-068).

use openidconnect::http::header::{ACCEPT, AUTHORIZATION};
use serde_json::{Map, Value};

use super::{
    HINT_ENDPOINT_UNREACHABLE, HINT_PROVIDER_LOG, claims, discovery::Metadata, error::OidcFailure,
    http_client,
};
use crate::{
    domain::{ExternalUser, oidc_error::OidcError},
    server::strict_json,
};

/// The hint where the endpoint refuses the access token.
const HINT_SCOPES: &str =
    "allow the scopes openid, email and profile for this client at the provider";

/// The answer of the endpoint: claims, or a signed token (`application/jwt`) that is still to be
/// verified.
pub enum UserinfoResponse {
    Claims(Map<String, Value>),
    Signed(String),
}

/// Requests the claims of the access token's owner.
///
/// # Errors
/// `ProviderUnreachable`, `InvalidToken`.
pub async fn fetch(
    http: &http_client::HttpClient,
    metadata: &Metadata,
    access_token: &str,
) -> Result<UserinfoResponse, OidcFailure> {
    let endpoint = metadata.userinfo_endpoint.as_deref().unwrap_or_default();
    let headers = [
        (AUTHORIZATION, format!("Bearer {access_token}")),
        (ACCEPT, "application/json, application/jwt".to_owned()),
    ];
    let response = http_client::get(http, endpoint, &headers).await;
    let response = response.map_err(|why| {
        OidcFailure::new(
            OidcError::ProviderUnreachable,
            format!("the userinfo endpoint {endpoint} gives no answer: {why}"),
            match why.status {
                None => why.hint_or(HINT_ENDPOINT_UNREACHABLE),
                Some(status) if status.is_client_error() => HINT_SCOPES,
                Some(_) => HINT_PROVIDER_LOG,
            },
        )
        .of_request(why.kind())
    })?;
    if http_client::media_type(&response) == "application/jwt" {
        let token = String::from_utf8(response.into_body())
            .map_err(|_| claims::invalid_token("userinfo is not text", ""))?;
        return Ok(UserinfoResponse::Signed(token.trim().to_owned()));
    }
    let members = strict_json::object(response.body())
        .map_err(|failure| claims::invalid_token(format!("userinfo {failure}"), ""))?;
    Ok(UserinfoResponse::Claims(members))
}

/// Takes `email` and `email_verified` from userinfo, if its `sub` is the ID token's (OIDC Core
/// §5.3.2). An address of the ID token stays, and a flag of userinfo counts for it only if userinfo
/// names the same address.
pub fn merge(
    user: ExternalUser,
    members: &Map<String, Value>,
) -> Result<ExternalUser, OidcFailure> {
    if claims::subject(members)? != user.subject {
        return Err(claims::invalid_token(
            "userinfo is about somebody else than the ID token (sub)",
            "",
        ));
    }
    let (email, is_email_verified) = claims::email(members);
    let is_same = match (&user.email, &email) {
        (Some(known), Some(email)) => known.eq_ignore_ascii_case(email),
        (known, _) => known.is_none(),
    };
    Ok(ExternalUser {
        is_email_verified: is_same && is_email_verified,
        email: user.email.or(email),
        ..user
    })
}
