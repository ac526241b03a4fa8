//! The client of an OpenID provider. It decides nothing about accounts.
//!
//! ```text
//! providers           the configured providers
//! cache               metadata and keys, kept in memory
//! discovery           the metadata, compared with the configuration
//! jwks                the public keys
//! authorization_code  the authorization request, and redeeming the code
//! userinfo            claims that the ID token lacks
//! jwt                 a token, parsed strictly and its signature verified
//! claims              an ID token, checked claim by claim
//! logout_token        the same for back-channel logout
//! http_client         bounded requests to the provider
//! diagnostics         live checks for the operator
//! ```
//!
//! The library does the cryptography, PKCE and the request to the token endpoint. The claims are
//! checked here, because the library does not check `azp`, `iat`, `nbf` and `at_hash`, refuses a
//! whole token for an unusual claim that is not needed, and accepts a member given twice (SR-067,
//! SR-220).

mod authorization_code;
mod cache;
pub mod claims;
mod diagnostics;
mod discovery;
mod error;
mod http_client;
pub mod jwks;
pub mod jwt;
mod logout_token;
mod providers;
mod userinfo;

use std::sync::{Arc, RwLock};

use serde_json::{Map, Value};
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use self::{
    cache::{METADATA_MAX_AGE, ProviderCache},
    jwks::ALGORITHMS,
    jwt::{Verified, VerifyError},
    userinfo::UserinfoResponse,
};
use crate::{
    domain::{ExternalUser, oidc_error::OidcError},
    server::{clock::Clock, config::OpenIdConnect},
};

pub use discovery::Metadata;
pub use error::{OidcFailure, RequestFailure, sanitize};
pub use http_client::{REQUEST_TIMEOUT, causes};
pub use logout_token::LogoutToken;
pub use providers::Providers;

/// The hint for a provider that does not answer.
const HINT_UNREACHABLE: &str = "open auth.openid_connect.configuration_endpoint from this machine; for a private certificate authority set policy.openid_connect.ca_file";
/// The hint where only the provider knows the reason.
pub const HINT_PROVIDER_LOG: &str = "look at the provider's own log";
/// The hint for an endpoint that does not answer; the provider publishes its address.
const HINT_ENDPOINT_UNREACHABLE: &str = "open that address from this machine; the provider names it in auth.openid_connect.configuration_endpoint, after its own \
     public address; for a private certificate authority set policy.openid_connect.ca_file";

/// A configured provider. Cheap to clone. Its state is a copy of what the provider publishes, so
/// several instances need not share it.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    config: OpenIdConnect,
    clock: Clock,
    http: http_client::HttpClient,
    known: RwLock<ProviderCache>,
    /// Held during a request for the metadata, so that many visitors cause one request.
    asking: Mutex<()>,
}

/// A redeemed code.
pub struct Redeemed {
    pub user: ExternalUser,
    /// Only for the hint of a logout at the provider; dropped otherwise (SR-069).
    pub id_token: String,
}

/// The secrets of one attempt that are sent to the provider, with its redirect URI.
pub struct AuthorizationSecrets {
    pub nonce: String,
    /// The code verifier (RFC 7636); only its hash is sent with the browser.
    pub verifier: String,
    pub redirect_uri: String,
}

impl Provider {
    /// Creates the client without a request: the program starts whether or not the provider answers
    /// (SR-081).
    ///
    /// # Errors
    /// A sentence for the operator, about `ca_file`.
    pub fn new(config: &OpenIdConnect, clock: Clock) -> Result<Self, String> {
        let http = http_client::new(config)?;
        Ok(Self(Arc::new(Inner {
            config: config.clone(),
            clock,
            http,
            known: RwLock::default(),
            asking: Mutex::new(()),
        })))
    }

    pub fn config(&self) -> &OpenIdConnect {
        &self.0.config
    }

    /// Why nobody can log in with the provider right now, as far as is known without a request.
    pub fn last_error(&self) -> Option<OidcFailure> {
        self.cache().failure.clone()
    }

    /// The metadata for a new attempt, no older than [`METADATA_MAX_AGE`].
    ///
    /// # Errors
    /// `ProviderUnreachable`, `ProviderMisconfigured`.
    pub async fn current_metadata(&self) -> Result<Arc<Metadata>, OidcFailure> {
        self.metadata(METADATA_MAX_AGE).await
    }

    /// The URL of the authorization request.
    ///
    /// # Errors
    /// `ProviderMisconfigured` when an endpoint is not a URL.
    pub fn authorization_url(
        &self,
        metadata: &Metadata,
        secrets: &AuthorizationSecrets,
        state: &str,
        scopes: &[String],
    ) -> Result<String, OidcFailure> {
        authorization_code::authorization_url(&self.0.config, metadata, secrets, state, scopes)
    }

    /// Checks the `iss` parameter of an authorization response (RFC 9207 §2.4; SR-054).
    ///
    /// # Errors
    /// `IssuerMismatch`.
    pub async fn check_issuer(&self, issuer: Option<&str>) -> Result<(), OidcFailure> {
        let metadata = self.metadata(i64::MAX).await?;
        let failure = |reason: String, hint: &str| {
            Err(OidcFailure::new(OidcError::IssuerMismatch, reason, hint))
        };
        match issuer {
            Some(issuer) if issuer == metadata.issuer => Ok(()),
            Some(issuer) => failure(
                format!(
                    "the answer names the issuer {:?}, the provider's is {:?}",
                    sanitize(issuer),
                    metadata.issuer
                ),
                "",
            ),
            None if metadata.iss_parameter_supported => failure(
                "the answer does not name its issuer, although the provider announces that all do"
                    .to_owned(),
                "let the provider name its issuer (iss) in every answer; in Keycloak switch off \"Exclude Issuer From Authentication Response\" for this client",
            ),
            None => Ok(()),
        }
    }

    /// Redeems the code, checks the ID token, and reads the address from userinfo where the ID
    /// token lacks it or its verified flag.
    ///
    /// # Errors
    /// Every reason for which the answer cannot be used.
    pub async fn redeem(
        &self,
        code: String,
        secrets: AuthorizationSecrets,
        deadline: Instant,
    ) -> Result<Redeemed, OidcFailure> {
        let redeemed = self.exchange_and_verify(code, secrets, deadline).await;
        let is_provider_down = |failure: &OidcFailure| {
            [RequestFailure::NoResponse, RequestFailure::ServerError].contains(&failure.request)
        };
        // Any other answer may be the answer to a code that the visitor has chosen.
        if redeemed.as_ref().is_err_and(is_provider_down) {
            // The cached metadata counts as stale from now on, so that the next refresh finds out
            // whether the provider is unreachable.
            self.update_cache(|known| known.read_at = 0);
        }
        redeemed
    }

    async fn exchange_and_verify(
        &self,
        code: String,
        secrets: AuthorizationSecrets,
        deadline: Instant,
    ) -> Result<Redeemed, OidcFailure> {
        let Inner {
            config,
            clock,
            http,
            ..
        } = &*self.0;
        let metadata = self.metadata(i64::MAX).await?;
        let endpoint = format!("the token endpoint {}", metadata.token_endpoint);
        let issued = http_client::with_deadline(deadline, &endpoint, async {
            authorization_code::redeem(http, config, &metadata, &code, &secrets)
                .await
                .map_err(|refused| refused.failure)
        })
        .await?;
        let keys = format!("the provider's keys {}", metadata.jwks_uri);
        let verified = http_client::with_deadline(
            deadline,
            &keys,
            self.verify(&issued.id_token, &["jwt"], &metadata, &metadata.algorithms),
        )
        .await?;
        let expected = claims::ExpectedClaims {
            issuer: &metadata.issuer,
            client_id: &config.client_id,
            trusted_audiences: &config.trusted_audiences,
            nonce: &secrets.nonce,
            access_token: &issued.access_token,
            now: clock.now(),
        };
        let mut user = claims::external_user(&verified, &expected)?;
        // The flag is as needed as the address (SR-068).
        let is_complete = user.email.is_some() && claims::has(&verified.claims, "email_verified");
        if let Some(endpoint) = metadata.userinfo_endpoint.as_ref().filter(|_| !is_complete) {
            let endpoint = format!("the userinfo endpoint {endpoint}");
            let asked = self.fetch_userinfo(&metadata, &issued.access_token);
            match http_client::with_deadline(deadline, &endpoint, asked).await {
                Ok(members) => user = userinfo::merge(user, &members)?,
                // An address without a flag is usable: it counts as unverified.
                Err(failure)
                    if user.email.is_some() && failure.error == OidcError::ProviderUnreachable =>
                {
                    failure.log();
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(Redeemed {
            user,
            id_token: issued.id_token,
        })
    }

    /// The claims of the userinfo endpoint, with the signature verified where there is one.
    async fn fetch_userinfo(
        &self,
        metadata: &Metadata,
        access_token: &str,
    ) -> Result<Map<String, Value>, OidcFailure> {
        let token = match userinfo::fetch(&self.0.http, metadata, access_token).await? {
            UserinfoResponse::Claims(members) => return Ok(members),
            UserinfoResponse::Signed(token) => token,
        };
        let all: Vec<String> = ALGORITHMS
            .into_iter()
            .map(|(name, _)| name.to_owned())
            .collect();
        let members = self.verify(&token, &["jwt"], metadata, &all).await?.claims;
        // Signed answers should have `iss` and `aud` (OIDC Core §5.3.2); where given, they must be
        // right.
        if claims::has(&members, "iss") {
            claims::issuer(&members, &metadata.issuer)?;
        }
        if claims::has(&members, "aud") {
            let config = &self.0.config;
            claims::audience(&members, &config.client_id, &config.trusted_audiences)?;
        }
        Ok(members)
    }

    /// Verifies a logout token. Returns its issuer and the sessions that it names.
    ///
    /// # Errors
    /// `InvalidToken`, or the provider's keys cannot be fetched.
    pub async fn check_logout_token(
        &self,
        token: &str,
    ) -> Result<(String, LogoutToken), OidcFailure> {
        let metadata = self.metadata(i64::MAX).await?;
        let verified = self
            .verify(
                token,
                &logout_token::ACCEPTED_TYPES,
                &metadata,
                &metadata.algorithms,
            )
            .await?;
        let token = logout_token::check(
            &verified,
            &metadata.issuer,
            &self.0.config,
            self.0.clock.now(),
        )?;
        Ok((metadata.issuer.clone(), token))
    }

    /// The URL where the browser ends its session at the provider (OpenID Connect RP-Initiated
    /// Logout 1.0 §2), if the provider has one. Several providers refuse a redirect back without a
    /// hint and leave the session alive, so by default it is only sent along with one.
    pub fn end_session_url(
        &self,
        id_token_hint: Option<&str>,
        post_logout_redirect_uri: &str,
    ) -> Option<String> {
        let config = &self.0.config;
        let metadata = self.cache().metadata.clone()?;
        let mut url = Url::parse(metadata.end_session_endpoint.as_ref()?).ok()?;
        let comes_back = config
            .post_logout_redirect
            .unwrap_or(id_token_hint.is_some());
        url.query_pairs_mut()
            .append_pair("client_id", &config.client_id)
            .extend_pairs(id_token_hint.map(|hint| ("id_token_hint", hint)))
            .extend_pairs(
                comes_back.then_some(("post_logout_redirect_uri", post_logout_redirect_uri)),
            );
        Some(url.into())
    }

    /// Fetches stale metadata again. Called every second; most calls do nothing.
    pub async fn refresh_if_stale(&self) {
        // A failure is logged and stored, and a later call tries again after the pause.
        let _ = self.metadata(METADATA_MAX_AGE).await;
    }

    /// Verifies a signature. An unknown `kid` makes it fetch the keys once more.
    async fn verify(
        &self,
        token: &str,
        types: &[&str],
        metadata: &Metadata,
        allowed: &[String],
    ) -> Result<Verified, OidcFailure> {
        let read = || {
            jwt::read(token, types).map_err(|why| claims::invalid_token(format!("it {why}"), ""))
        };
        let refuse = |why: String| {
            let is_symmetric =
                why.contains("HS256") || why.contains("HS384") || why.contains("HS512");
            claims::invalid_token(
                format!("it {why}"),
                if is_symmetric {
                    "choose an asymmetric signing key for this client at the provider (in Authentik: Signing Key)"
                } else {
                    ""
                },
            )
        };
        let keys = self.cache().keys.clone();
        match read()?.verify(&keys, allowed) {
            Ok(verified) => return Ok(verified),
            Err(VerifyError::Rejected(why)) => return Err(refuse(why)),
            Err(VerifyError::UnknownKid) => {}
        }
        let refetched = self.refetch_keys(metadata).await;
        let keys = self.cache().keys.clone();
        match read()?.verify(&keys, allowed) {
            Ok(verified) => Ok(verified),
            Err(VerifyError::Rejected(why)) => Err(refuse(why)),
            // The keys may have been rotated while they cannot be fetched.
            Err(VerifyError::UnknownKid) => Err(refetched.err().unwrap_or_else(|| {
                refuse("is signed with a key that the provider does not publish".to_owned())
            })),
        }
    }
}
