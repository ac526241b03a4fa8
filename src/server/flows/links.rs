//! The links that the program gives out, in mails and to administrators. A link is a stateless
//! signed token, bound to the state that it replaces. Its host comes from the configuration only, so
//! that no request header can change it (SR-043).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    app::paths::{self, Page},
    domain::{AuthError, Email, User},
    server::{
        AppState,
        crypto::tokens::Purpose,
        db::{self, users::Credentials},
    },
};

/// Lifetime of a link to choose the first password.
pub const INVITATION_LIFETIME_SECONDS: u32 = 72 * 60 * 60;
/// Lifetime of a link that verifies an address.
const EMAIL_LIFETIME_SECONDS: u32 = 24 * 60 * 60;

/// The login page.
pub fn login_url(state: &AppState) -> String {
    state.config.link(paths::LOGIN.path)
}

/// The list of the accounts that wait for approval.
pub fn pending_users_url(state: &AppState) -> String {
    state
        .config
        .link(&format!("{}?which=pending", paths::USERS.path))
}

/// The link of a reset mail; `None` if resets are disabled.
///
/// # Errors
/// `Internal` if signing fails.
pub async fn mailed_reset_link(
    state: &AppState,
    found: &Credentials,
) -> Result<Option<String>, AuthError> {
    if !state.config.auth.email_password_resets {
        return Ok(None);
    }
    let lifetime = state.config.policy.reset_link_lifetime;
    reset_link(state, Purpose::Reset, found, lifetime)
        .await
        .map(Some)
}

/// The link of an invitation mail; `None` if the user has chosen a password meanwhile.
///
/// # Errors
/// `Internal` if signing fails.
pub async fn invitation_link(
    state: &AppState,
    found: &Credentials,
) -> Result<Option<String>, AuthError> {
    if !db::accounts::is_passwordless(&state.db, found.user.id).await? {
        return Ok(None);
    }
    let lifetime = INVITATION_LIFETIME_SECONDS;
    reset_link(state, Purpose::Invitation, found, lifetime)
        .await
        .map(Some)
}

/// The link to the page that sets a new password. The lifetime is in seconds.
///
/// # Errors
/// `Internal` if signing fails.
pub async fn reset_link(
    state: &AppState,
    purpose: Purpose,
    found: &Credentials,
    lifetime: u32,
) -> Result<String, AuthError> {
    let binding = reset_binding(&state.db, found).await?;
    let token = state
        .tokens
        .sign_link(purpose, found.user.id, &binding, lifetime)
        .map_err(|_| AuthError::Internal)?;
    Ok(token_url(state, &paths::RESET_PASSWORD, &token))
}

/// The link that verifies the user's address; `None` if it is verified already.
///
/// # Errors
/// `Internal` if signing fails.
pub async fn verification_link(state: &AppState, user: &User) -> Result<Option<String>, AuthError> {
    if db::accounts::is_email_verified(&state.db, user.id).await? {
        return Ok(None);
    }
    let (purpose, lifetime) = (Purpose::EmailVerification, EMAIL_LIFETIME_SECONDS);
    let token = state
        .tokens
        .sign_link(purpose, user.id, &user.email, lifetime)
        .map_err(|_| AuthError::Internal)?;
    Ok(Some(token_url(state, &paths::VERIFY_EMAIL, &token)))
}

/// The link in the mail to a new address, which confirms it.
///
/// # Errors
/// `Internal` if signing fails.
pub async fn email_change_link(
    state: &AppState,
    found: &Credentials,
    email: &Email,
) -> Result<String, AuthError> {
    let binding = email_change_binding(&state.db, found, email).await?;
    let (purpose, lifetime) = (Purpose::EmailChange, EMAIL_LIFETIME_SECONDS);
    let token = state
        .tokens
        .sign_link(purpose, found.user.id, &binding, lifetime)
        .map_err(|_| AuthError::Internal)?;
    let url = token_url(state, &paths::CONFIRM_EMAIL, &token);
    let email = utf8_percent_encode(email.as_str(), NON_ALPHANUMERIC);
    Ok(format!("{url}&address={email}"))
}

/// The link to the setup page.
///
/// # Errors
/// `Internal` if signing fails.
pub fn setup_link(state: &AppState) -> Result<String, AuthError> {
    let token = state
        .tokens
        .sign_setup(state.config.policy.setup_link_lifetime)
        .map_err(|_| AuthError::Internal)?;
    Ok(token_url(state, &paths::SETUP, &token))
}

/// The state that a reset link is bound to: the password, the address, whether the account is
/// active, and the link generation, which revoking links increments (SR-042, SR-046).
pub async fn reset_binding(
    db: &impl db::Connection,
    found: &Credentials,
) -> Result<String, AuthError> {
    let generation = db::accounts::find(db, found.user.id)
        .await?
        .map_or(0, |account| account.link_generation);
    Ok(format!(
        "{}\0{}\0{}\0{generation}",
        found.hashed_password, found.user.email, found.user.is_active
    ))
}

/// The state that the link to a new address is bound to.
pub async fn email_change_binding(
    db: &impl db::Connection,
    found: &Credentials,
    email: &Email,
) -> Result<String, AuthError> {
    Ok(format!("{}\0{email}", reset_binding(db, found).await?))
}

fn token_url(state: &AppState, page: &Page, token: &str) -> String {
    state.config.link(&format!("{}?token={token}", page.path))
}
