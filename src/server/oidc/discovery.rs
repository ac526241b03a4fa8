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
    /// `None` also if the published one cannot be used.
    pub end_session_endpoint: Option<String>,
    /// Why the published `end_session_endpoint` cannot be used. It is optional, so only the logout
    /// at the provider is off.
    pub unusable_logout: Option<OidcFailure>,
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
            issuer_hint(&issuer, &presumed, configured),
        ));
    }
    let logout = text(&members, "end_session_endpoint");
    let unusable_logout = logout.as_ref().map_or_else(
        // A value of another type.
        || {
            members
                .get("end_session_endpoint")
                .filter(|value| !value.is_null() && **value != "")
                .map(|_| {
                    misconfigured(
                        "the discovery document names an end_session_endpoint that is not text",
                        HINT_PUBLIC_ADDRESS,
                    )
                })
        },
        |endpoint| {
            check_endpoint(
                "end_session_endpoint",
                endpoint,
                &config.configuration_endpoint,
            )
            .err()
        },
    );
    let metadata = Metadata {
        authorization_endpoint: required("authorization_endpoint")?,
        token_endpoint: required("token_endpoint")?,
        userinfo_endpoint: text(&members, "userinfo_endpoint"),
        jwks_uri: required("jwks_uri")?,
        end_session_endpoint: logout.filter(|_| unusable_logout.is_none()),
        unusable_logout,
        algorithms: algorithms(&members)?,
        token_auth_methods: list(&members, "token_endpoint_auth_methods_supported"),
        iss_parameter_supported: members.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
        issuer,
    };
    let userinfo = metadata.userinfo_endpoint.as_ref();
    for (name, endpoint) in [
        ("authorization_endpoint", &metadata.authorization_endpoint),
        ("token_endpoint", &metadata.token_endpoint),
        ("jwks_uri", &metadata.jwks_uri),
    ]
    .into_iter()
    .chain(userinfo.map(|endpoint| ("userinfo_endpoint", endpoint)))
    {
        check_endpoint(name, endpoint, &config.configuration_endpoint)?;
    }
    Ok(metadata)
}

/// What to change where the provider's issuer is not the one of the configured address.
fn issuer_hint(issuer: &str, presumed: &str, configured: &str) -> String {
    if issuer.contains("{tenantid}") {
        return "write the tenant id of your directory into configuration_endpoint, in place of common, organizations or consumers".to_owned();
    }
    if configured.contains("/application/o/") && !issuer.contains("/application/o/") {
        return "in Authentik set the provider's Issuer mode to \"Each provider has a different issuer, based on the application slug\"".to_owned();
    }
    format!(
        "write configuration_endpoint = {:?}, or set the provider's own public address to the one configured",
        sanitize(presumed)
    )
}

const HINT_PUBLIC_ADDRESS: &str = "set the provider's own public address to https, and let its proxy tell it (X-Forwarded-Proto); in Pocket ID remove INTERNAL_APP_URL, or make it https";

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
fn check_endpoint(
    name: &str,
    endpoint: &str,
    configuration_endpoint: &Url,
) -> Result<(), OidcFailure> {
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
        "the discovery document names the {name} {:?}, which is not https",
        sanitize(endpoint)
    );
    Err(misconfigured(reason, HINT_PUBLIC_ADDRESS))
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
