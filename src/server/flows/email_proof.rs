//! That a mailbox belongs to the person with the account. Not the same as being approved: nobody can approve themselves.

use crate::{
    domain::{AuthError, Event, User},
    server::{
        AppState, db,
        flows::{
            events::{self, Note},
            login,
            mail::{self, Kind},
            oidc,
            sessions::{CurrentUser, Origin, Way},
            throttle,
        },
        tokens::Purpose,
    },
};

/// How long a link works, in seconds.
const LIFETIME: u32 = 24 * 60 * 60;

/// Asks for a link by mail, for whoever has the address; the answer is the same for all (SR-040).
///
/// # Errors
/// `TooManyAttempts` for the network; `Unavailable`.
pub async fn request(state: &AppState, email: &str, origin: &Origin) -> Result<(), AuthError> {
    throttle::take_request(state, "proof-request", &origin.network).await?;
    if mail::is_on(state) {
        mail::queue(state, &state.db, Kind::Proof, email, origin).await?;
    }
    Ok(())
}

/// Whether somebody's address has still to be proven.
///
/// # Errors
/// `Unavailable`.
pub async fn is_due(state: &AppState, user: uuid::Uuid) -> Result<bool, AuthError> {
    Ok(!db::accounts::is_email_verified(&state.db, user).await?)
}

/// The link to mail, made when the mail is; `None` when the address is proven already.
///
/// # Errors
/// `Unavailable`, `Internal`.
pub(super) async fn link(state: &AppState, user: &User) -> Result<Option<String>, AuthError> {
    if db::accounts::is_email_verified(&state.db, user.id).await? {
        return Ok(None);
    }
    let token = state.tokens.link(Purpose::Proof, user.id, &user.email, LIFETIME).map_err(|_| AuthError::Internal)?;
    Ok(Some(state.config.link(&format!("/account/confirm?token={token}"))))
}

/// Somebody whose address is proven.
pub struct Proven {
    pub user: User,
    /// It was before.
    pub was_proven: bool,
}

/// Takes a link as proof. It counts only for the very person who is logged in: else somebody who clicks on a stranger's mail would make
/// that stranger's account, with the stranger's password, their own (SR-037).
///
/// # Errors
/// `ProofLinkInvalid`; `ProofNeedsPassword` for whoever has not shown that they know it; `TooManyAttempts` for the network; `Unavailable`.
pub async fn complete(state: &AppState, current: &CurrentUser, token: &str, origin: &Origin) -> Result<Proven, AuthError> {
    throttle::take_token(state, "proof-token", &origin.network).await?;
    let (owner, fingerprint) = state.tokens.read_link(Purpose::Proof, token).map_err(|_| AuthError::ProofLinkInvalid)?;
    let transaction = db::begin(&state.db).await?;
    db::serialize(&transaction).await?;
    let user = db::users::find(&transaction, owner).await?.filter(|user| user.is_active && user.id == current.user().id);
    let user = user.filter(|user| state.tokens.still_replaces(Purpose::Proof, &fingerprint, &user.email)).ok_or(AuthError::ProofLinkInvalid)?;
    let account = db::accounts::find(&transaction, user.id).await?;
    let was_proven = account.as_ref().is_some_and(|account| account.email_verified_at.is_some());
    if !was_proven {
        // Who came in by a link that MediaManager made need not know the password, and what they prove would be the stranger's who does.
        let has_shown_it = db::sessions::find_method(&transaction, current.session()).await?.as_deref() == Some(Way::Password.name());
        if !has_shown_it && !account.is_some_and(|account| oidc::was_made_for_them(&account)) {
            return Err(AuthError::ProofNeedsPassword);
        }
        db::accounts::set_email_verified(&transaction, user.id, state.clock.now()).await?;
    }
    let user = login::grant_administration(state, &transaction, user, origin).await?;
    if !was_proven && !user.is_verified {
        mail::tell_administrators(state, &transaction, origin).await?;
    }
    events::record(state, &transaction, Event::AddressProven, origin, Note::of(user.id)).await?;
    db::commit(transaction).await?;
    Ok(Proven { user, was_proven })
}
