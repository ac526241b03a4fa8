//! The provider's metadata (OpenID Connect Discovery 1.0 §3 and §4; SR-080, SR-085).

use serde_json::{Map, Value};
use url::Url;

use super::{
    error::{OidcFailure, sanitize},
    jwks::ALGORITHMS,
};
use crate::{
    domain::oidc_error::OidcError,
    server::{config::OpenIdConnect, strict_json},
};

/// The length of the issuer's column.
const MAX_ISSUER_BYTES: usize = 512;
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// The part of the metadata that is used.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Exactly as published, with or without a slash at the end.
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: Option<String>,
    pub jwks_uri: String,
    pub end_session_endpoint: Option<String>,
    /// The accepted ones of the algorithms that ID tokens are signed with. Never empty.
    pub algorithms: Vec<String>,
    /// The authentication methods of the token endpoint; empty means `client_secret_basic`
    /// (Discovery §3).
    pub token_auth_methods: Vec<String>,
    /// Every authorization response names its issuer, so one that does not is refused (RFC 9207).
    pub iss_parameter_supported: bool,
}

/// Reads the discovery document and compares it with the configuration.
///
/// # Errors
/// `ProviderMisconfigured`, in one precise line.
pub fn read(document: &[u8], config: &OpenIdConnect) -> Result<Metadata, OidcFailure> {
    let members = strict_json::object(document).map_err(|failure| {
        misconfigured(
            format!("the discovery document {failure}"),
            HINT_WRONG_ENDPOINT,
        )
    })?;
    let required = |name: &str| {
        text(&members, name).ok_or_else(|| {
            misconfigured(
                format!("the discovery document has no {name}"),
                HINT_WRONG_ENDPOINT,
            )
        })
    };
    let issuer = required("issuer")?;
    if issuer.len() > MAX_ISSUER_BYTES {
        let fix = "give the provider a shorter public address, and write it into auth.openid_connect.configuration_endpoint";
        return Err(misconfigured(
            "the provider's issuer is longer than 512 bytes",
            fix,
        ));
    }
    let (presumed, configured) = (
        format!(
            "{}{WELL_KNOWN}",
            issuer.strip_suffix('/').unwrap_or(&issuer)
        ),
        config.discovery_url.as_str(),
    );
    if presumed != configured {
        let reason = format!(
            "the provider says its issuer is {:?}, so its discovery document belongs at {:?}, but auth.openid_connect.configuration_endpoint is {configured:?}",
            sanitize(&issuer),
            sanitize(&presumed)
        );
        return Err(misconfigured(
            reason,
            format!(
                "write configuration_endpoint = {:?}, or set the provider's own public address to the one configured",
                sanitize(&presumed)
            ),
        ));
    }
    let metadata = Metadata {
        authorization_endpoint: required("authorization_endpoint")?,
        token_endpoint: required("token_endpoint")?,
        userinfo_endpoint: text(&members, "userinfo_endpoint"),
        jwks_uri: required("jwks_uri")?,
        end_session_endpoint: text(&members, "end_session_endpoint"),
        algorithms: algorithms(&members)?,
        token_auth_methods: list(&members, "token_endpoint_auth_methods_supported"),
        iss_parameter_supported: members.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
        issuer,
    };
    let endpoints = [
        &metadata.authorization_endpoint,
        &metadata.token_endpoint,
        &metadata.jwks_uri,
    ];
    for endpoint in endpoints
        .into_iter()
        .chain(&metadata.userinfo_endpoint)
        .chain(&metadata.end_session_endpoint)
    {
        check_endpoint(endpoint, &config.configuration_endpoint)?;
    }
    Ok(metadata)
}

const HINT_WRONG_ENDPOINT: &str = "open auth.openid_connect.configuration_endpoint in a browser: it must show the provider's OpenID configuration";

/// The announced algorithms that are safe (SR-062).
fn algorithms(members: &Map<String, Value>) -> Result<Vec<String>, OidcFailure> {
    let member = "id_token_signing_alg_values_supported";
    let announced = list(members, member);
    if announced.is_empty() {
        return Err(misconfigured(
            format!("the discovery document has no {member}"),
            HINT_WRONG_ENDPOINT,
        ));
    }
    let accepted: Vec<String> = ALGORITHMS
        .into_iter()
        .map(|(name, _)| name.to_owned())
        .filter(|name| announced.contains(name))
        .collect();
    if accepted.is_empty() {
        let reason = format!(
            "the provider signs ID tokens with {}, of which none is accepted",
            sanitize(&announced.join(", "))
        );
        return Err(misconfigured(
            reason,
            "choose an asymmetric signing key for this client at the provider (RS256, ES256 or EdDSA; in Authentik: Signing Key)",
        ));
    }
    Ok(accepted)
}

/// Checks that an endpoint of an https provider is https, and that it has neither credentials nor a
/// fragment (SR-083).
fn check_endpoint(endpoint: &str, configuration_endpoint: &Url) -> Result<(), OidcFailure> {
    let url = Url::parse(endpoint).ok();
    let is_good = url.is_some_and(|url| {
        let is_secure = url.scheme() == "https"
            || (url.scheme() == "http"
                && configuration_endpoint.scheme() == "http"
                && crate::server::config::is_private(&url));
        is_secure
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    });
    if is_good {
        return Ok(());
    }
    let reason = format!(
        "the discovery document names the endpoint {:?}, which is not https",
        sanitize(endpoint)
    );
    Err(misconfigured(
        reason,
        "set the provider's own public address to https, and let its proxy tell it (X-Forwarded-Proto)",
    ))
}

fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .map(ToOwned::to_owned)
}

/// The strings of a list; other values are ignored.
fn list(members: &Map<String, Value>, name: &str) -> Vec<String> {
    let items = members
        .get(name)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .map(ToOwned::to_owned)
        .collect()
}

fn misconfigured(reason: impl Into<String>, fix: impl Into<String>) -> OidcFailure {
    OidcFailure::new(OidcError::ProviderMisconfigured, reason, fix)
}
