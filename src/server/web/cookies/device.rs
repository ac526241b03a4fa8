//! The sealed cookies of known devices (SR-269): one for each account, named after it.

use std::borrow::Cow;

use axum::{
    extract::Request,
    http::{HeaderValue, Method},
};
use uuid::Uuid;

use super::{SealedCookie, surplus};
use crate::server::{
    AppState,
    crypto::tokens::Tokens,
    flows::{
        devices::{Device, LIFETIME_SECONDS},
        oidc::fingerprint,
    },
};

/// The most accounts that know one browser; a further one drops the oldest.
const MAX_DEVICES: usize = 5;
const PREFIX: &str = "device-";

/// The devices that the browser shows. Read only for requests that can end in a login: forms, and
/// the provider's callback.
pub fn presented(state: &AppState, request: &Request) -> Vec<Device> {
    let may_log_in =
        *request.method() == Method::POST || request.uri().path().contains("/callback");
    if !may_log_in {
        return Vec::new();
    }
    let cookies = cookie(Cow::Borrowed(PREFIX)).all(state, request.headers());
    cookies
        .into_iter()
        .filter(|(found, device)| *found == name(device.user))
        .map(|(_, device)| device)
        .collect()
}

/// The cookies that make the device known, and drop the oldest of the `presented` ones beyond the
/// limit.
pub fn set(state: &AppState, presented: &[Device], device: &Device) -> Vec<HeaderValue> {
    let others = presented
        .iter()
        .filter(|other| other.user != device.user)
        .map(|other| (other.issued_at, name(other.user)))
        .collect();
    let dropped = surplus(others, MAX_DEVICES).map(|name| cookie(Cow::Owned(name)).clear(state));
    let kept = cookie(Cow::Owned(name(device.user))).set(state, device);
    dropped.chain([kept]).flatten().collect()
}

fn cookie(name: Cow<'static, str>) -> SealedCookie<Device> {
    SealedCookie::new(name, Tokens::device_cookie_key, LIFETIME_SECONDS)
}

/// Not the user's id itself, because cookie names end up in more logs than values do.
fn name(user: Uuid) -> String {
    format!(
        "{PREFIX}{}",
        &fingerprint("device", &user.to_string())[..16]
    )
}
