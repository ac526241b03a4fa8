use std::sync::Arc;

use super::{Provider, jwt, logout_token};
use crate::{
    domain::ProviderId,
    server::{clock::Clock, config::OpenIdConnect},
};

/// The configured providers, in the order of the configuration. Cheap to clone.
#[derive(Clone, Default)]
pub struct Providers(Arc<[Provider]>);

impl Providers {
    /// Prepares all of them; asks none of them anything.
    ///
    /// # Errors
    /// A sentence for the operator, about a `ca_file`.
    pub fn new(configs: &[OpenIdConnect], clock: &Clock) -> Result<Self, String> {
        configs
            .iter()
            .map(|config| Provider::new(config, clock.clone()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Provider> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only one that MediaManager's own frontend can show.
    pub fn first(&self) -> Option<&Provider> {
        self.0.first()
    }

    pub fn get(&self, id: &ProviderId) -> Option<&Provider> {
        self.iter().find(|provider| provider.config().id == *id)
    }

    /// The provider with this name in its redirect URI; compared exactly, as a URI is.
    pub fn by_name(&self, name: &str) -> Option<&Provider> {
        self.iter().find(|provider| provider.config().name == name)
    }

    /// The provider that a logout token claims to come from, else the first one, which refuses it
    /// with the reason.
    pub fn by_logout_token(&self, token: &str) -> Option<&Provider> {
        let token = jwt::read(token, &logout_token::ACCEPTED_TYPES).ok();
        token
            .and_then(|token| self.by_issuer(token.claimed_issuer()?))
            .or(self.first())
    }

    /// The provider with this issuer.
    pub fn by_issuer(&self, issuer: &str) -> Option<&Provider> {
        self.iter()
            .find(|provider| provider.config().is_issuer(issuer))
    }
}
