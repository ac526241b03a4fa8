//! Known devices: a browser that has logged in to an account keeps a sealed cookie, which exempts
//! its logins to this account from the delay that strangers' failures cause (SR-269). The cookie
//! proves neither a session nor a password.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Ctx, links, oidc::fingerprint};
use crate::{
    domain::AuthError,
    server::{
        crypto::random,
        db::{self, users::Credentials},
    },
};

/// How long a device is known after its last login.
pub const LIFETIME_SECONDS: u32 = 365 * 24 * 60 * 60;

/// The content of a device cookie.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    pub user: Uuid,
    /// Random, and new with every login: a stolen copy has a rate limit of its own.
    pub id: Uuid,
    pub issued_at: i64,
    /// A fingerprint of what revokes the cookie when it changes: password, address and link
    /// generation.
    binding: String,
}

impl Device {
    /// Makes this device known to the account.
    pub async fn new(
        db: &impl db::Connection,
        found: &Credentials,
        now: i64,
    ) -> Result<Self, AuthError> {
        Ok(Self {
            user: found.user.id,
            id: random::uuid(),
            issued_at: now,
            binding: binding(db, found).await?,
        })
    }

    /// Whether nothing that revokes a cookie has changed between the two.
    pub fn has_same_binding(&self, other: &Self) -> bool {
        self.user == other.user && self.binding == other.binding
    }

    fn is_current(&self, now: i64) -> bool {
        now.saturating_sub(self.issued_at) < i64::from(LIFETIME_SECONDS)
    }
}

/// The device that the browser has shown for this user; not yet compared with the account.
pub fn presented<'a>(cx: &Ctx<'a>, user: Uuid) -> Option<&'a Device> {
    let mut devices = cx.client.devices.iter();
    devices.find(|device| device.user == user && device.is_current(cx.now()))
}

/// The device, if it is known to this account. Nothing is queried unless the browser has shown a
/// cookie of the account, so an address without an account causes the same queries (SR-020).
pub async fn find_known(
    cx: &Ctx<'_>,
    found: Option<&Credentials>,
) -> Result<Option<Uuid>, AuthError> {
    let shown = found.and_then(|found| Some((presented(cx, found.user.id)?, found)));
    let Some((device, found)) = shown else {
        return Ok(None);
    };
    let current = binding(&cx.state.db, found).await?;
    Ok((device.binding == current).then_some(device.id))
}

/// The device of a user who has just changed the password, which has revoked the cookie.
///
/// # Errors
/// `NotLoggedIn` if the user has been deleted.
pub async fn renew(cx: &Ctx<'_>, user: Uuid) -> Result<Device, AuthError> {
    let found = db::users::find_with_hash(&cx.state.db, user)
        .await?
        .ok_or(AuthError::NotLoggedIn)?;
    Device::new(&cx.state.db, &found, cx.now()).await
}

async fn binding(db: &impl db::Connection, found: &Credentials) -> Result<String, AuthError> {
    let binding = links::reset_binding(db, found).await?;
    Ok(fingerprint("device", &binding)[..32].to_owned())
}
