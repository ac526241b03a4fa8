//! The provider's metadata and keys, kept in memory and fetched again when they are stale.

use std::sync::{Arc, PoisonError, RwLockReadGuard};

use tokio::time::Instant;

use super::{
    HINT_ENDPOINT_UNREACHABLE, HINT_UNREACHABLE, Metadata, OidcFailure, Provider, discovery,
    http_client::{self, HttpClient, HttpError},
    jwks::{self, Key},
};
use crate::{domain::oidc_error::OidcError, server::config::OpenIdConnect};

/// The largest age of the metadata, in seconds (SR-081 allows a day). It is short, so that an
/// unreachable provider is noticed before a browser is sent there.
pub(super) const METADATA_MAX_AGE: i64 = 60;
/// The longest pause between two requests to a provider that does not answer, in seconds. The first
/// pause is one second.
const MAX_RETRY_DELAY: i64 = 60;
/// The shortest time between two fetches of the keys for an unknown `kid`, in seconds, because
/// anybody can send tokens with an invented one (SR-064).
const MIN_JWKS_REFETCH_INTERVAL: i64 = 30;

/// The lines that the page about the provider's failure may write in a minute.
const MAX_LOGGED_PAGES: u32 = 20;
/// In seconds.
const PAGE_LOG_WINDOW: i64 = 60;

#[derive(Default)]
pub(super) struct ProviderCache {
    pub(super) metadata: Option<Arc<Metadata>>,
    pub(super) keys: Arc<Vec<Key>>,
    pub(super) read_at: i64,
    keys_refetched_at: i64,
    /// Why the last refetch of the keys failed.
    keys_failure: Option<OidcFailure>,
    failures: u32,
    failed_at: i64,
    /// Why the provider cannot be used right now.
    pub(super) failure: Option<OidcFailure>,
    /// When the current window of [`Provider::may_log_page`] began, and the lines in it.
    logged_pages: (i64, u32),
}

impl Provider {
    /// Fetches the keys again for an unknown `kid`, unless that was done a moment ago.
    ///
    /// # Errors
    /// `ProviderUnreachable`: the token may be signed with a key that cannot be fetched now.
    pub(super) async fn refetch_keys(&self, metadata: &Metadata) -> Result<(), OidcFailure> {
        let _one = self.0.asking.lock().await;
        let now = self.0.clock.now();
        // A time in the future was stored before the clock was set back, and does not count.
        if (0..MIN_JWKS_REFETCH_INTERVAL)
            .contains(&now.saturating_sub(self.cache().keys_refetched_at))
        {
            return self.cache().keys_failure.clone().map_or(Ok(()), Err);
        }
        self.update_cache(|known| known.keys_refetched_at = now);
        // The cached keys stay in use.
        let fetched = fetch_keys(&self.0.http, metadata).await;
        self.update_cache(|known| {
            known.keys_failure = fetched.as_ref().err().cloned();
            if let Ok(keys) = &fetched {
                known.keys = keys.clone();
            }
        });
        fetched.map(|_| ())
    }

    /// The metadata, fetched if the cached one is older than `max_age` seconds. One request fetches
    /// it and the others wait; after a failure no request is made until the pause is over.
    pub(super) async fn metadata(&self, max_age: i64) -> Result<Arc<Metadata>, OidcFailure> {
        if let Some(answer) = self.cached(max_age) {
            return answer;
        }
        // One deadline for the lock and the request. Reaching it is a failure like every other, so
        // that the person is told the reason (SR-084).
        let deadline = Instant::now() + http_client::REQUEST_TIMEOUT;
        let url = &self.0.config.configuration_endpoint;
        let endpoint = format!("the discovery document {url}, or the keys that it names,");
        let one = http_client::with_deadline(deadline, &endpoint, async {
            Ok(self.0.asking.lock().await)
        })
        .await;
        if let Some(answer) = self.cached(max_age) {
            return answer;
        }
        let asked = match &one {
            Ok(_) => {
                http_client::with_deadline(deadline, &endpoint, fetch(&self.0.http, &self.0.config))
                    .await
            }
            Err(late) => Err(late.clone()),
        };
        let now = self.0.clock.now();
        match asked {
            Ok((metadata, keys)) => {
                let metadata = Arc::new(metadata);
                let keys_failure = keys.as_ref().err().cloned();
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
                self.log_unusable_logout(&metadata);
                self.update_cache(|known| {
                    *known = ProviderCache {
                        metadata: Some(metadata.clone()),
                        keys,
                        read_at: now,
                        keys_refetched_at: known.keys_refetched_at,
                        keys_failure,
                        logged_pages: known.logged_pages,
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

    /// Logs why the logout at the provider is off, once and not at every refresh.
    fn log_unusable_logout(&self, metadata: &Metadata) {
        let is_known = self
            .cache()
            .metadata
            .as_ref()
            .is_some_and(|known| known.unusable_logout == metadata.unusable_logout);
        if let Some(failure) = metadata.unusable_logout.as_ref().filter(|_| !is_known) {
            tracing::warn!(
                event = "provider_logout_off",
                reason = failure.reason,
                hint = failure.hint,
                "the logout at the provider is not offered"
            );
        }
    }

    /// Whether the page about the provider's failure may write its line to the log: a reload must
    /// not flood it.
    pub fn may_log_page(&self) -> bool {
        let now = self.0.clock.now();
        let mut may_log = false;
        self.update_cache(|known| {
            let (since, lines) = &mut known.logged_pages;
            if !(0..PAGE_LOG_WINDOW).contains(&now.saturating_sub(*since)) {
                (*since, *lines) = (now, 0);
            }
            may_log = *lines < MAX_LOGGED_PAGES;
            *lines += u32::from(may_log);
        });
        may_log
    }

    /// The cached keys stay in use while the provider cannot deliver them (SR-064), if they are
    /// from the same `jwks_uri`.
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

    /// Stores a failure, and logs it once and not at every try, because a provider may be
    /// unreachable for days.
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

    /// The result that is known without a request.
    fn cached(&self, max_age: i64) -> Option<Result<Arc<Metadata>, OidcFailure>> {
        let (known, now) = (self.cache(), self.0.clock.now());
        // Metadata from the future counts as stale: after the clock was set back it would stay
        // fresh for ever.
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

    pub(super) fn cache(&self) -> RwLockReadGuard<'_, ProviderCache> {
        // A poisoned lock is harmless: nothing panics while it is held, and its value is replaced
        // whole.
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn update_cache(&self, change: impl FnOnce(&mut ProviderCache)) {
        change(&mut self.0.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Fetches the metadata, and the keys if they can be fetched.
async fn fetch(
    http: &HttpClient,
    config: &OpenIdConnect,
) -> Result<(Metadata, Result<Arc<Vec<Key>>, OidcFailure>), OidcFailure> {
    let url = &config.configuration_endpoint;
    let unreachable = |why: HttpError| {
        OidcFailure::new(
            OidcError::ProviderUnreachable,
            format!("the discovery document {url} cannot be read: {why}"),
            why.hint_or(HINT_UNREACHABLE),
        )
        .of_request(why.kind())
    };
    let response = http_client::get(http, url.as_str(), &[])
        .await
        .map_err(unreachable)?;
    let metadata = discovery::read(response.body(), config)?;
    let keys = fetch_keys(http, &metadata).await;
    Ok((metadata, keys))
}

pub(super) async fn fetch_keys(
    http: &HttpClient,
    metadata: &Metadata,
) -> Result<Arc<Vec<Key>>, OidcFailure> {
    let url = &metadata.jwks_uri;
    let failure = |why: &str, hint| {
        OidcFailure::new(
            OidcError::ProviderUnreachable,
            format!("the provider's keys {url} cannot be read: {why}"),
            hint,
        )
    };
    let response = http_client::get(http, url, &[]).await.map_err(|why| {
        failure(&why.to_string(), why.hint_or(HINT_ENDPOINT_UNREACHABLE)).of_request(why.kind())
    })?;
    jwks::read(response.body())
        .map(Arc::new)
        .map_err(|why| failure(&why, HINT_ENDPOINT_UNREACHABLE))
}
