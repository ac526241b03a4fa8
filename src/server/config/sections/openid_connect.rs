use std::path::PathBuf;

use url::Url;

use super::{MAX_NAME_CHARS, read_file_path};
use crate::{
    domain::{ProviderId, external_user::ProviderRules},
    server::config::{Secret, reader::Reader, urls},
};

const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// `[auth.openid_connect]`, shared with MediaManager, and our `[policy.openid_connect]` (SR-205).
#[derive(Clone, Debug)]
pub struct OpenIdConnect {
    /// Names the provider inside the program.
    pub id: ProviderId,
    /// `client_id`, as the provider shows it.
    pub client_id: String,
    /// `client_secret`, as the provider shows it.
    pub client_secret: Secret,
    /// `configuration_endpoint`: the provider's address that ends in
    /// `/.well-known/openid-configuration` (SR-206).
    pub configuration_endpoint: Url,
    /// `configuration_endpoint` as the operator wrote it, without a slash at the end. The
    /// provider's issuer is compared with it byte for byte (SR-080), which a normalised URL would
    /// break.
    pub discovery_url: String,
    /// `name`: the text of the button, and a case-sensitive segment of the redirect URI. A new name
    /// requires a new registration at the provider.
    pub name: String,
    /// `policy.openid_connect.redirect_uri`, default
    /// `{frontend_url}/api/v1/auth/cookie/{name}/callback`: the redirect URI to register at the
    /// provider.
    pub redirect_uri: String,
    /// Whether `policy.openid_connect.redirect_uri` is set. If so, it is the only one sent.
    pub redirect_uri_is_configured: bool,
    /// What the provider may decide.
    pub rules: ProviderRules,
    /// `policy.openid_connect.trusted_audiences`, default none: values that an ID token's `aud` may
    /// hold beside our client id, if its `azp` is our client id.
    pub trusted_audiences: Vec<String>,
    /// `policy.openid_connect.ca_file`: a PEM file with the provider's private certificate
    /// authority.
    pub ca_file: Option<PathBuf>,
    /// `policy.openid_connect.token_endpoint_auth_method`, default by the provider's metadata: how
    /// the client authenticates at the token endpoint.
    pub token_auth_method: Option<TokenAuthMethod>,
    /// `policy.openid_connect.post_logout_redirect`, default where the ID token is sent as a hint:
    /// whether the logout at the provider asks it to send the browser back here.
    pub post_logout_redirect: Option<bool>,
}

/// An authentication method with a client secret (OpenID Connect Core 1.0 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAuthMethod {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
}

impl TokenAuthMethod {
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

impl OpenIdConnect {
    pub(super) fn read(reader: &mut Reader, frontend_url: Option<&Url>) -> Option<Self> {
        // A blank from the clipboard is not part of either.
        let trim = |text: String| text.trim().to_owned();
        let client_id = reader
            .required("auth.openid_connect.client_id", "copy it from the provider")
            .map(trim);
        let client_secret = reader
            .required(
                "auth.openid_connect.client_secret",
                "copy it from the provider",
            )
            .map(trim)
            .map(Secret::new);
        let configuration_endpoint = read_configuration_endpoint(reader);
        let name = read_provider_name(reader);
        let redirect_uri_is_configured = !reader.is_blank("policy.openid_connect.redirect_uri");
        let redirect_uri = if !redirect_uri_is_configured {
            frontend_url.zip(name.as_deref()).map(|(base, name)| {
                urls::join(
                    base,
                    &format!(
                        "/api/v1/auth/cookie/{}/callback",
                        urls::percent_encode(name)
                    ),
                )
            })
        } else {
            let fix = "write the address that is registered at the provider, or remove the key";
            // Kept unchanged, because the provider compares it byte for byte.
            let parse = |text: &str| urls::parse_http_url(text).map(|_| text.to_owned());
            reader.parsed(
                "policy.openid_connect.redirect_uri",
                "",
                parse,
                "is not a web address (http or https, without user, query and fragment)",
                fix,
            )
        };
        if let (true, Some(uri), Some(base), Some(name)) = (
            redirect_uri_is_configured,
            redirect_uri.as_deref(),
            frontend_url,
            name.as_deref(),
        ) {
            warn_of_redirect_uri(reader, uri, base, name);
        }
        let rules = ProviderRules {
            trust_unverified_email: reader
                .boolean("policy.openid_connect.trust_unverified_email", false),
        };
        let parse_client_name = |text: &str| {
            (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_owned())
        };
        let fix = r#"write the project id and clients that the provider names beside this one, like ["123456789@media"], or remove the key"#;
        let trusted_audiences = reader.list(
            "policy.openid_connect.trusted_audiences",
            parse_client_name,
            "a name",
            fix,
        );
        let ca_file = read_file_path(reader, "policy.openid_connect.ca_file");
        let token_auth_method = read_token_auth_method(reader);
        let post_logout_redirect = (!reader.is_blank("policy.openid_connect.post_logout_redirect"))
            .then(|| reader.boolean("policy.openid_connect.post_logout_redirect", false));
        let (configuration_endpoint, discovery_url) = configuration_endpoint?;
        Some(Self {
            id: ProviderId::new("openid_connect"),
            client_id: client_id?,
            client_secret: client_secret?,
            configuration_endpoint,
            discovery_url,
            name: name?,
            redirect_uri: redirect_uri?,
            redirect_uri_is_configured,
            rules,
            trusted_audiences,
            ca_file,
            token_auth_method: token_auth_method?,
            post_logout_redirect,
        })
    }

    /// Whether this issuer publishes its metadata where `configuration_endpoint` points (OpenID
    /// Connect Discovery 1.0 §4).
    pub fn is_issuer(&self, issuer: &str) -> bool {
        self.discovery_url
            .strip_prefix(issuer.trim_end_matches('/'))
            .is_some_and(|rest| rest == DISCOVERY_PATH)
    }
}

fn read_configuration_endpoint(reader: &mut Reader) -> Option<(Url, String)> {
    let key = "auth.openid_connect.configuration_endpoint";
    let fix = "write the provider's https address that ends in /.well-known/openid-configuration";
    let typed = reader.required(key, fix)?;
    let text = typed.trim();
    let without_slash = text.strip_suffix('/').unwrap_or(text);
    let Some(url) = urls::parse_http_url(without_slash) else {
        reader.problem(
            key,
            "is not a web address (https, without user, query and fragment)",
            fix,
        );
        return None;
    };
    if url.scheme() == "http" && !urls::is_private(&url) {
        reader.problem(
            key,
            "is http, which is only accepted on this machine and in private networks",
            fix,
        );
        return None;
    }
    if url.scheme() == "http" {
        reader.warn(format!("{key} is http: who listens on the way to the provider can log in as anyone. Write https if the provider has it."));
    }
    if without_slash != text {
        reader.warn(format!("{key} ends in a slash, which is dropped."));
    }
    if !url.path().ends_with(DISCOVERY_PATH) {
        reader.warn(format!(
            "{key} does not end in {DISCOVERY_PATH}; did you mean {}?",
            urls::join(&url, DISCOVERY_PATH)
        ));
    }
    Some((url, without_slash.to_owned()))
}

fn read_token_auth_method(reader: &mut Reader) -> Option<Option<TokenAuthMethod>> {
    let parse = |text: &str| match text {
        "" => Some(None),
        "client_secret_basic" => Some(Some(TokenAuthMethod::Basic)),
        "client_secret_post" => Some(Some(TokenAuthMethod::Post)),
        _ => None,
    };
    reader.parsed(
        "policy.openid_connect.token_endpoint_auth_method",
        "",
        parse,
        "is not supported",
        "write client_secret_basic or client_secret_post, or remove the key",
    )
}

/// Warns of a configured redirect URI at which no login can end: its browser would come back without
/// the cookie of its attempt, or to a path that is not served.
fn warn_of_redirect_uri(reader: &mut Reader, uri: &str, base: &Url, name: &str) {
    let key = "policy.openid_connect.redirect_uri";
    let Some(url) = urls::parse_http_url(uri) else {
        return;
    };
    let fix = "Write {frontend_url}/api/v1/auth/oauth/callback, or remove the key.";
    if url.origin() != base.origin() {
        reader.warn(format!(
            "{key} is at another origin than misc.frontend_url, so nobody can log in with the provider. {fix}"
        ));
        return;
    }
    let decode = |path: &str| percent_encoding::percent_decode_str(path).collect::<Vec<u8>>();
    let is_served = ["oauth", &format!("cookie/{name}")].iter().any(|callback| {
        let path = format!("/api/v1/auth/{callback}/callback");
        decode(url.path())
            == [decode(base.path().trim_end_matches('/')), path.into_bytes()].concat()
    });
    if !is_served {
        reader.warn(format!(
            "{key} has a path that is not served here, so nobody can log in with the provider. {fix}"
        ));
    }
}

fn read_provider_name(reader: &mut Reader) -> Option<String> {
    let key = "auth.openid_connect.name";
    let fix = "write what the button shall say, such as Authentik";
    let name = reader.required(key, fix)?;
    // The name is a path segment, and `.` and `..` would be resolved as dot segments.
    let is_segment = name != "."
        && name != ".."
        && !name.contains(|c: char| c.is_control() || "/\\?#".contains(c));
    if is_segment && name.chars().count() <= MAX_NAME_CHARS {
        return Some(name);
    }
    reader.problem(
        key,
        r"must have at most 64 characters and none of / \ ? # or control characters",
        fix,
    );
    None
}
