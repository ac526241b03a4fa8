//! The authorization code flow with PKCE (RFC 6749 §4.1, RFC 7636). A code is redeemed once: a
//! second try would make the provider revoke the tokens of the first.

use std::{pin::Pin, sync::OnceLock};

use oauth2::{
    AsyncHttpClient, AuthType, AuthUrl, AuthorizationCode, Client as OAuthClient, ClientId,
    ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest,
    HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use openidconnect::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    AuthorizationSecrets, HINT_ENDPOINT_UNREACHABLE, HINT_PROVIDER_LOG,
    discovery::Metadata,
    error::{OidcFailure, RequestFailure, sanitize},
    http_client::{self, HttpError},
};
use crate::{
    domain::oidc_error::OidcError,
    server::{
        config::{OpenIdConnect, TokenAuthMethod},
        strict_json,
    },
};

/// The tokens that the token endpoint issued. Both are dropped when the login ends (SR-069).
pub struct TokenSet {
    pub access_token: String,
    pub id_token: String,
}

/// Why the token endpoint issued no tokens.
pub struct TokenEndpointError {
    /// The OAuth error code of the answer, if it has one (RFC 6749 §5.2).
    pub error: Option<BasicErrorResponseType>,
    pub failure: OidcFailure,
}

impl From<OidcFailure> for TokenEndpointError {
    fn from(failure: OidcFailure) -> Self {
        Self {
            error: None,
            failure,
        }
    }
}

/// The ID token as text: `jwt` reads it, because it is stricter than the library.
#[derive(Deserialize, Serialize)]
struct IdToken {
    #[serde(default)]
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

/// Written by hand, because it holds a token (SR-181).
impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// An HTTP client that records the status of the answer, which the library's errors lack, and reads
/// tokens strictly before the library does, which ignores bytes behind the JSON object.
struct StatusRecorder<'a> {
    http: &'a http_client::HttpClient,
    status: OnceLock<StatusCode>,
}

/// The members of a token response that are used. Others may have any type, and are dropped before
/// the library reads them (SR-069).
const TOKEN_MEMBERS: [&str; 3] = ["access_token", "token_type", "id_token"];

/// The token response reduced to [`TOKEN_MEMBERS`]; empty if it is not strict JSON, so that the
/// library refuses it.
fn read_strictly(body: &[u8]) -> Vec<u8> {
    let Ok(members) = strict_json::object(body) else {
        return Vec::new();
    };
    let used: Map<String, Value> = members
        .into_iter()
        .filter(|(name, _)| TOKEN_MEMBERS.contains(&name.as_str()))
        .collect();
    Value::Object(used).to_string().into_bytes()
}

impl<'c> AsyncHttpClient<'c> for StatusRecorder<'_> {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.http.call(request).await?;
            _ = self.status.set(answer.status());
            if answer.status() == StatusCode::OK {
                *answer.body_mut() = read_strictly(answer.body());
            }
            Ok(answer)
        })
    }
}

type Response = StandardTokenResponse<IdToken, BasicTokenType>;
/// The library's OAuth client with the provider's authorization and token endpoints.
type Client = OAuthClient<
    BasicErrorResponse,
    Response,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// The URL of the authorization request.
///
/// # Errors
/// `ProviderMisconfigured` when an endpoint is not a URL.
pub fn authorization_url(
    config: &OpenIdConnect,
    metadata: &Metadata,
    secrets: &AuthorizationSecrets,
    state: &str,
    scopes: &[String],
) -> Result<String, OidcFailure> {
    let client = client(config, metadata, &secrets.redirect_uri)?;
    let (url, _) = client
        .authorize_url(|| CsrfToken::new(state.to_owned()))
        .add_scopes(scopes.iter().cloned().map(Scope::new))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(
            &PkceCodeVerifier::new(secrets.verifier.clone()),
        ))
        .add_extra_param("nonce", secrets.nonce.as_str())
        .url();
    Ok(url.into())
}

fn client(
    config: &OpenIdConnect,
    metadata: &Metadata,
    redirect_uri: &str,
) -> Result<Client, OidcFailure> {
    let fix = "open auth.openid_connect.configuration_endpoint in a browser, and correct the provider's own public address";
    let bad = |_| {
        OidcFailure::new(
            OidcError::ProviderMisconfigured,
            "an endpoint of the provider is not an address",
            fix,
        )
    };
    Ok(OAuthClient::new(ClientId::new(config.client_id.clone()))
        .set_client_secret(ClientSecret::new(config.client_secret.expose().to_owned()))
        .set_auth_type(match auth_method(config, metadata) {
            TokenAuthMethod::Post => AuthType::RequestBody,
            TokenAuthMethod::Basic => AuthType::BasicAuth,
        })
        .set_auth_uri(AuthUrl::new(metadata.authorization_endpoint.clone()).map_err(bad)?)
        .set_token_uri(TokenUrl::new(metadata.token_endpoint.clone()).map_err(bad)?)
        .set_redirect_uri(RedirectUrl::new(redirect_uri.to_owned()).map_err(bad)?))
}

/// How to authenticate: as configured, else with `client_secret_post` only where
/// `client_secret_basic` is not offered (SR-060).
fn auth_method(config: &OpenIdConnect, metadata: &Metadata) -> TokenAuthMethod {
    let offers = |method: &str| {
        metadata
            .token_auth_methods
            .iter()
            .any(|offered| offered == method)
    };
    let only_post = offers("client_secret_post") && !offers("client_secret_basic");
    config.token_auth_method.unwrap_or(if only_post {
        TokenAuthMethod::Post
    } else {
        TokenAuthMethod::Basic
    })
}

/// Redeems the code at the token endpoint.
///
/// # Errors
/// `InvalidClient`, `InvalidGrant`, `InvalidToken`, `ProviderMisconfigured` or
/// `ProviderUnreachable`.
pub async fn redeem(
    http: &http_client::HttpClient,
    config: &OpenIdConnect,
    metadata: &Metadata,
    code: &str,
    secrets: &AuthorizationSecrets,
) -> Result<TokenSet, TokenEndpointError> {
    let redirect_uri = &secrets.redirect_uri;
    let client = client(config, metadata, redirect_uri)?;
    let request = client
        .exchange_code(AuthorizationCode::new(code.to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(secrets.verifier.clone()));
    let http = StatusRecorder {
        http,
        status: OnceLock::new(),
    };
    let response: Response = request.request_async(&http).await.map_err(|err| {
        // Some providers repeat the request in their error.
        let secrets = [code, &secrets.verifier, config.client_secret.expose()];
        let quote_safely = |text: &str| {
            sanitize(
                &secrets
                    .iter()
                    .fold(text.to_owned(), |text, secret| text.replace(secret, "***")),
            )
        };
        let error = if let RequestTokenError::ServerResponse(answer) = &err {
            Some(answer.error().clone())
        } else {
            None
        };
        TokenEndpointError {
            error,
            failure: explain(
                err,
                http.status.get().copied().unwrap_or_default(),
                config,
                metadata,
                redirect_uri,
                &quote_safely,
            ),
        }
    })?;
    if *response.token_type() != BasicTokenType::Bearer {
        return Err(super::claims::invalid_token(
            "the access token is of another kind than Bearer",
            "",
        )
        .into());
    }
    let Some(id_token) = response.extra_fields().id_token.clone() else {
        let fix = "allow the scope openid for this client at the provider, and make sure that it is an OpenID Connect client and not a plain OAuth one";
        return Err(
            super::claims::invalid_token("the token endpoint gave no ID token", fix).into(),
        );
    };
    Ok(TokenSet {
        access_token: response.access_token().secret().clone(),
        id_token,
    })
}

/// Turns the provider's error into ours, with the setting to change.
fn explain(
    err: RequestTokenError<HttpError, BasicErrorResponse>,
    status: StatusCode,
    config: &OpenIdConnect,
    metadata: &Metadata,
    redirect_uri: &str,
    quote_safely: &dyn Fn(&str) -> String,
) -> OidcFailure {
    use BasicErrorResponseType::{
        Extension, InvalidClient, InvalidGrant, InvalidRequest, InvalidScope, UnauthorizedClient,
        UnsupportedGrantType,
    };
    let endpoint = &metadata.token_endpoint;
    let request = match status {
        _ if status.is_client_error() => RequestFailure::CodeRejected,
        _ if status.is_server_error() => RequestFailure::ServerError,
        _ => RequestFailure::None,
    };
    let (kind, reason) = match err {
        RequestTokenError::ServerResponse(answer) => {
            let (kind, said) = (
                answer.error().clone(),
                answer
                    .error_description()
                    .map(|said| quote_safely(said))
                    .unwrap_or_default(),
            );
            let reason = format!(
                "the token endpoint answers {status}, {:?}: {said:?}",
                quote_safely(kind.as_ref())
            );
            (Some(kind), reason)
        }
        RequestTokenError::Request(no_answer) => {
            return OidcFailure::new(
                OidcError::ProviderUnreachable,
                format!("the token endpoint {endpoint} gives no answer: {no_answer}"),
                no_answer.hint_or(HINT_ENDPOINT_UNREACHABLE),
            )
            .of_request(no_answer.kind());
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) if status == StatusCode::OK => {
            let reason =
                format!("the answer of the token endpoint {endpoint} is no token that can be read");
            return super::claims::invalid_token(reason, HINT_PROVIDER_LOG);
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => (
            None,
            format!("the token endpoint {endpoint} answers with {status} and no OAuth error"),
        ),
    };
    let own_log = HINT_PROVIDER_LOG.to_owned();
    let (error, fix) = match kind {
        _ if status == StatusCode::TOO_MANY_REQUESTS => (
            OidcError::ProviderUnreachable,
            "the provider limits requests: wait, or raise its limit for the address of this machine"
                .to_owned(),
        ),
        Some(InvalidGrant) => (
            OidcError::InvalidGrant,
            format!(
                "register exactly this redirect URI for client {:?}: {redirect_uri}",
                config.client_id
            ),
        ),
        Some(InvalidScope) => (
            OidcError::ProviderMisconfigured,
            "allow the scopes openid, email and profile for this client at the provider".to_owned(),
        ),
        Some(UnsupportedGrantType) => (
            OidcError::ProviderMisconfigured,
            "allow the authorization code flow for this client at the provider".to_owned(),
        ),
        Some(InvalidRequest) => (
            OidcError::ProviderMisconfigured,
            format!(
                "start again, because some providers (Dex) answer so to a used or expired code; if it happens every time, allow PKCE with S256 for this client at the provider; else {own_log}"
            ),
        ),
        Some(InvalidClient | UnauthorizedClient) => {
            (OidcError::InvalidClient, auth_method_hint(config, metadata))
        }
        Some(Extension(kind))
            if ["server_error", "temporarily_unavailable"].contains(&kind.as_str()) =>
        {
            (OidcError::ProviderUnreachable, own_log)
        }
        _ if status == StatusCode::UNAUTHORIZED => (
            OidcError::InvalidClient,
            format!(
                "start again, because some providers (Rauthy) answer so to an expired or unknown code; if it happens every time, {}",
                auth_method_hint(config, metadata)
            ),
        ),
        Some(Extension(_)) if status.is_client_error() => {
            (OidcError::ProviderMisconfigured, own_log)
        }
        _ => (OidcError::ProviderUnreachable, own_log),
    };
    OidcFailure::new(error, reason, fix).of_request(request)
}

pub(super) fn auth_method_hint(config: &OpenIdConnect, metadata: &Metadata) -> String {
    let used = auth_method(config, metadata).name();
    let offered = if metadata.token_auth_methods.is_empty() {
        "client_secret_basic".to_owned()
    } else {
        sanitize(&metadata.token_auth_methods.join(", "))
    };
    format!(
        "compare auth.openid_connect.client_id and client_secret with the provider; the secret was sent with {used}, discovery offers {offered}: allow {used} for this client, or set policy.openid_connect.token_endpoint_auth_method to the one that it is registered with (client_secret_post also where the provider does not decode a secret with special characters, as Authentik and Rauthy do not)"
    )
}
