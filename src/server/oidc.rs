//! The OpenID provider, as a tool: what it is, whether it is there, and what it says of a person.
//! Decides nothing about accounts.
//!
//! ```text
//! discovery     the metadata, compared with the configuration
//! keys          its public keys
//! code          the authorization code, asked for and redeemed
//! userinfo      claims that the ID token lacks
//! jwt           a token read strictly and its signature verified
//! claims        an ID token checked claim by claim
//! logout_token  the same for back-channel logout
//! client        the way out over HTTP, bounded
//! ```
//!
//! The library does the cryptography, the request to the token endpoint and PKCE. The claims are
//! checked here, because it does not check `azp`, `iat`, `nbf` and `at_hash`, refuses a whole token
//! for an odd claim that nobody asked for, and takes a member given twice (SR-067, SR-220).

mod authorization_code;
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

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};
use url::Url;

use self::{
    jwks::{ALGORITHMS, Key},
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

/// How old the metadata gets, in seconds (SR-081 allows a day): a provider that has gone is noticed
/// before the browser is sent to it, and its button says so while nobody sets out.
const METADATA_MAX_AGE: i64 = 60;
/// The longest pause between two tries to reach a provider that does not answer, in seconds. The
/// first is one second.
const MAX_RETRY_DELAY: i64 = 60;
/// Between two looks at the keys because of an unknown `kid`, in seconds: anybody could send tokens
/// with invented ones (SR-064).
const MIN_JWKS_REFETCH_INTERVAL: i64 = 30;

/// What to do about a provider that does not answer.
const HINT_UNREACHABLE: &str = "open auth.openid_connect.configuration_endpoint from this machine; for a private certificate authority set policy.openid_connect.ca_file";
/// What to do where only the provider knows.
pub const HINT_PROVIDER_LOG: &str = "look at the provider's own log";
/// What to do about a part of it that does not answer: where that is, the provider says itself.
const HINT_ENDPOINT_UNREACHABLE: &str = "open that address from this machine; the provider names it in auth.openid_connect.configuration_endpoint, after its own \
     public address; for a private certificate authority set policy.openid_connect.ca_file";

/// The configured provider. Cheap to clone. Holds no more than a copy of what the provider
/// publishes, so several instances need not share it.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    config: OpenIdConnect,
    clock: Clock,
    http: http_client::HttpClient,
    known: RwLock<ProviderCache>,
    /// Held while the provider is asked, so that many visitors make one request.
    asking: Mutex<()>,
}

#[derive(Default)]
struct ProviderCache {
    metadata: Option<Arc<Metadata>>,
    keys: Arc<Vec<Key>>,
    read_at: i64,
    keys_refetched_at: i64,
    failures: u32,
    failed_at: i64,
    /// Why the provider cannot be used right now.
    failure: Option<OidcFailure>,
}

/// The secrets of one attempt that the provider is told in the beginning or in the end.
pub struct AuthorizationSecrets {
    pub nonce: String,
    /// RFC 7636; only its hash is sent with the browser.
    pub verifier: String,
    pub redirect_uri: String,
}

impl Provider {
    /// Prepares to ask, and asks nothing yet: the program starts whatever the provider does
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

    /// Why nobody can log in with it right now, as far as is known without asking.
    pub fn last_error(&self) -> Option<OidcFailure> {
        self.cache().failure.clone()
    }

    /// The metadata, no older than [`METADATA_MAX_AGE`], for setting out.
    ///
    /// # Errors
    /// `ProviderUnreachable`, `ProviderUnusable`.
    pub async fn current_metadata(&self) -> Result<Arc<Metadata>, OidcFailure> {
        self.metadata(METADATA_MAX_AGE).await
    }

    /// Where to send the browser.
    ///
    /// # Errors
    /// `ProviderUnusable` when an endpoint is no address.
    pub fn authorization_url(
        &self,
        metadata: &Metadata,
        secrets: &AuthorizationSecrets,
        state: &str,
        scopes: &[String],
    ) -> Result<String, OidcFailure> {
        authorization_code::authorization_url(&self.0.config, metadata, secrets, state, scopes)
    }

    /// Whether an answer that names this issuer, or none, may be the provider's (RFC 9207 §2.4;
    /// SR-054).
    ///
    /// # Errors
    /// `IssuerMixUp`.
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

    /// Who has just logged in there: the code redeemed, the ID token checked, and the address asked
    /// for if it is not in there.
    ///
    /// # Errors
    /// Everything that can be wrong.
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
            // What is known is old news: the next look is due at once, and decides whether the
            // provider is away.
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

    /// The address from userinfo, together with its flag, if it is about the same person (OIDC Core
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
                // Signed answers should name both (OIDC Core §5.3.2); what they name must be right.
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

    /// Whose sessions the provider says are over.
    ///
    /// # Errors
    /// `TokenRefused`, or the provider's keys cannot be had.
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

    /// Where the browser ends its session at the provider (OpenID Connect RP-Initiated Logout 1.0
    /// §2), if there is such a place.
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

    /// Asks again when it is time to. Called every second; most calls do nothing.
    pub async fn refresh_if_stale(&self) {
        // A failure is logged and kept, and the next call tries again when its pause is over.
        let _ = self.metadata(METADATA_MAX_AGE).await;
    }

    /// Verifies a signature; for a key that is not known, after one more look at the published
    /// ones.
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

    async fn refetch_keys(&self, metadata: &Metadata) {
        let _one = self.0.asking.lock().await;
        let now = self.0.clock.now();
        // A last time that is still to come is from before the clock was set back.
        if (0..MIN_JWKS_REFETCH_INTERVAL)
            .contains(&now.saturating_sub(self.cache().keys_refetched_at))
        {
            return;
        }
        self.update_cache(|known| known.keys_refetched_at = now);
        match fetch_keys(&self.0.http, metadata).await {
            Ok(keys) => self.update_cache(|known| known.keys = keys),
            // The known keys go on working.
            Err(failure) => failure.log(),
        }
    }

    /// The metadata, asked for if what is known is older than `max_age` seconds. One visitor asks,
    /// the others wait for the answer; after a failure nobody asks until the pause is over.
    async fn metadata(&self, max_age: i64) -> Result<Arc<Metadata>, OidcFailure> {
        if let Some(answer) = self.cached(max_age) {
            return answer;
        }
        // One deadline for both, whose end is a failure like every other: a visitor who is turned
        // away finds out why (SR-084).
        let deadline = Instant::now() + http_client::REQUEST_TIMEOUT;
        let one = with_deadline(deadline, async { Ok(self.0.asking.lock().await) }).await;
        if let Some(answer) = self.cached(max_age) {
            return answer;
        }
        let asked = match &one {
            Ok(_) => with_deadline(deadline, fetch(&self.0.http, &self.0.config)).await,
            Err(late) => Err(late.clone()),
        };
        let now = self.0.clock.now();
        match asked {
            Ok((metadata, keys)) => {
                let metadata = Arc::new(metadata);
                let keys = match keys.or_else(|failure| self.cached_keys_for(&metadata, failure)) {
                    Ok(keys) => keys,
                    Err(failure) => return Err(self.record_failure(failure, now)),
                };
                if self.last_error().is_some() {
                    tracing::info!(
                        event = "provider_recovered",
                        "the provider can be used again"
                    );
                }
                self.update_cache(|known| {
                    *known = ProviderCache {
                        metadata: Some(metadata.clone()),
                        keys,
                        read_at: now,
                        keys_refetched_at: known.keys_refetched_at,
                        ..ProviderCache::default()
                    }
                });
                Ok(metadata)
            }
            Err(failure) => {
                let failure = self.record_failure(failure, now);
                self.cache()
                    .metadata
                    .clone()
                    .filter(|_| max_age == i64::MAX)
                    .ok_or(failure)
            }
        }
    }

    /// The keys that are known go on working while the provider cannot give them (SR-064), if they
    /// are from the same place.
    fn cached_keys_for(
        &self,
        metadata: &Metadata,
        failure: OidcFailure,
    ) -> Result<Arc<Vec<Key>>, OidcFailure> {
        let known = self.cache();
        let is_same_place = known
            .metadata
            .as_ref()
            .is_some_and(|known| known.jwks_uri == metadata.jwks_uri);
        if !is_same_place {
            return Err(failure);
        }
        failure.log();
        Ok(known.keys.clone())
    }

    /// Notes a failure, and says it once and not at every try: a provider may be away for days.
    fn record_failure(&self, failure: OidcFailure, now: i64) -> OidcFailure {
        if self.last_error().as_ref() != Some(&failure) {
            failure.log();
        }
        self.update_cache(|known| {
            known.failure = Some(failure.clone());
            known.failures = known.failures.saturating_add(1);
            known.failed_at = now;
        });
        failure
    }

    /// What can be answered without asking.
    fn cached(&self, max_age: i64) -> Option<Result<Arc<Metadata>, OidcFailure>> {
        let (known, now) = (self.cache(), self.0.clock.now());
        // A clock that was set back makes everything look fresh for ever; then better ask.
        let age = now.saturating_sub(known.read_at);
        let is_fresh =
            (0..=max_age).contains(&age) && (known.failure.is_none() || max_age == i64::MAX);
        if let Some(metadata) = known.metadata.as_ref().filter(|_| is_fresh) {
            return Some(Ok(metadata.clone()));
        }
        let failure = known.failure.as_ref()?;
        let pause = MAX_RETRY_DELAY.min(1 << known.failures.saturating_sub(1).min(6));
        (0..pause)
            .contains(&now.saturating_sub(known.failed_at))
            .then(|| Err(failure.clone()))
    }

    fn cache(&self) -> RwLockReadGuard<'_, ProviderCache> {
        // Nothing panics while it is held, and what is in it is replaced whole.
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn update_cache(&self, change: impl FnOnce(&mut ProviderCache)) {
        change(&mut self.0.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Gives up on work that waits for the provider, so that a person gets an answer within ten seconds
/// (SR-084).
///
/// # Errors
/// `ProviderUnreachable`, or the work's own.
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

/// The metadata, and the keys if they can be had.
async fn fetch(
    http: &http_client::HttpClient,
    config: &OpenIdConnect,
) -> Result<(Metadata, Result<Arc<Vec<Key>>, OidcFailure>), OidcFailure> {
    let url = &config.configuration_endpoint;
    let unreachable = |why| {
        OidcFailure::new(
            OidcError::ProviderUnreachable,
            format!("the discovery document {url} cannot be read: {why}"),
            HINT_UNREACHABLE,
        )
    };
    let response = http_client::get(http, url.as_str(), &[])
        .await
        .map_err(unreachable)?;
    let metadata = discovery::read(response.body(), config)?;
    let keys = fetch_keys(http, &metadata).await;
    Ok((metadata, keys))
}

async fn fetch_keys(
    http: &http_client::HttpClient,
    metadata: &Metadata,
) -> Result<Arc<Vec<Key>>, OidcFailure> {
    let url = &metadata.jwks_uri;
    let failure = |why: String| {
        OidcFailure::new(
            OidcError::ProviderUnreachable,
            format!("the provider's keys {url} cannot be read: {why}"),
            HINT_ENDPOINT_UNREACHABLE,
        )
    };
    let response = http_client::get(http, url, &[])
        .await
        .map_err(|why| failure(why.to_string()))?;
    jwks::read(response.body()).map(Arc::new).map_err(failure)
}
