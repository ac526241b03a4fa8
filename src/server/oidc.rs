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

use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};
use url::Url;

use self::{
    cache::{METADATA_MAX_AGE, ProviderCache},
    jwks::ALGORITHMS,
    jwt::{Verified, VerifyError},
    logout_token::LogoutToken,
    userinfo::UserinfoResponse,
};
use crate::{
    domain::{ExternalUser, oidc_error::OidcError},
    server::{clock::Clock, config::OpenIdConnect},
};

pub use discovery::Metadata;
pub use error::{OidcFailure, sanitize};
pub use http_client::{REQUEST_TIMEOUT, causes};
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
        let failure = |reason: String| Err(OidcFailure::new(OidcError::IssuerMismatch, reason, ""));
        match issuer {
            Some(issuer) if issuer == metadata.issuer => Ok(()),
            Some(issuer) => failure(format!(
                "the answer names the issuer {:?}, the provider's is {:?}",
                sanitize(issuer),
                metadata.issuer
            )),
            None if metadata.iss_parameter_supported => failure(
                "the answer does not name its issuer, although the provider announces that all do"
                    .to_owned(),
            ),
            None => Ok(()),
        }
    }

    /// Redeems the code, checks the ID token, and reads the address from userinfo where the ID
    /// token lacks it.
    ///
    /// # Errors
    /// Every reason for which the answer cannot be used.
    pub async fn redeem(
        &self,
        code: String,
        secrets: AuthorizationSecrets,
    ) -> Result<ExternalUser, OidcFailure> {
        let redeemed = self.exchange_and_verify(code, secrets).await;
        if redeemed
            .as_ref()
            .is_err_and(|failure| failure.error == OidcError::ProviderUnreachable)
        {
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
    ) -> Result<ExternalUser, OidcFailure> {
        let Inner {
            config,
            clock,
            http,
            ..
        } = &*self.0;
        let metadata = self.metadata(i64::MAX).await?;
        let issued = authorization_code::redeem(http, config, &metadata, &code, &secrets)
            .await
            .map_err(|refused| refused.failure)?;
        let id_token = self
            .verify(&issued.id_token, &["jwt"], &metadata, &metadata.algorithms)
            .await?;
        let expected = claims::ExpectedClaims {
            issuer: &metadata.issuer,
            client_id: &config.client_id,
            trusted_audiences: &config.trusted_audiences,
            nonce: &secrets.nonce,
            access_token: &issued.access_token,
            now: clock.now(),
        };
        let external = claims::external_user(&id_token, &expected)?;
        if external.email.is_some() {
            Ok(external)
        } else {
            self.merge_userinfo(external, &metadata, &issued.access_token)
                .await
        }
    }

    /// Takes `email` and `email_verified` from userinfo, if its `sub` is the ID token's (OIDC Core
    /// §5.3.2).
    async fn merge_userinfo(
        &self,
        external: ExternalUser,
        metadata: &Metadata,
        access_token: &str,
    ) -> Result<ExternalUser, OidcFailure> {
        let members = match userinfo::fetch(&self.0.http, metadata, access_token).await? {
            None => return Ok(external),
            Some(UserinfoResponse::Claims(members)) => members,
            Some(UserinfoResponse::Signed(token)) => {
                let all: Vec<String> = ALGORITHMS
                    .into_iter()
                    .map(|(name, _)| name.to_owned())
                    .collect();
                let members = self
                    .verify(&token, &["jwt", "application/jwt"], metadata, &all)
                    .await?
                    .claims;
                // Signed answers should have `iss` and `aud` (OIDC Core §5.3.2); where given, they
                // must be right.
                if members.contains_key("iss") {
                    claims::issuer(&members, &metadata.issuer)?;
                }
                if members.contains_key("aud") {
                    claims::audience(
                        &members,
                        &self.0.config.client_id,
                        &self.0.config.trusted_audiences,
                    )?;
                }
                members
            }
        };
        if claims::subject(&members)? != external.subject {
            return Err(claims::invalid_token(
                "userinfo is about somebody else than the ID token (sub)",
                "",
            ));
        }
        let (email, is_email_verified) = claims::email(&members);
        Ok(ExternalUser {
            email,
            is_email_verified,
            ..external
        })
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
    /// Logout 1.0 §2), if the provider has one.
    pub fn end_session_url(&self, post_logout_redirect_uri: &str) -> Option<String> {
        let endpoint = self
            .cache()
            .metadata
            .as_ref()?
            .end_session_endpoint
            .clone()?;
        let mut url = Url::parse(&endpoint).ok()?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.0.config.client_id)
            .append_pair("post_logout_redirect_uri", post_logout_redirect_uri);
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
            Err(VerifyError::UnknownKid) => self.refetch_keys(metadata).await,
        }
        let keys = self.cache().keys.clone();
        match read()?.verify(&keys, allowed) {
            Ok(verified) => Ok(verified),
            Err(VerifyError::Rejected(why)) => Err(refuse(why)),
            Err(VerifyError::UnknownKid) => Err(refuse(
                "is signed with a key that the provider does not publish".to_owned(),
            )),
        }
    }
}

/// Bounds work that waits for the provider, so that a person gets an answer within ten seconds
/// (SR-084).
///
/// # Errors
/// `ProviderUnreachable` at the deadline, or the error of the work.
pub async fn with_deadline<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, OidcFailure>>,
) -> Result<T, OidcFailure> {
    let late = OidcFailure::new(
        OidcError::ProviderUnreachable,
        "the provider did not finish answering within 10 seconds",
        "",
    );
    timeout_at(deadline, work).await.unwrap_or(Err(late))
}
