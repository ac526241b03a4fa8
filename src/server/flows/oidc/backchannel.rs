use super::{fingerprint, not_configured};
use crate::{
    domain::{AuditEvent, oidc_error::OidcError},
    server::{
        db,
        flows::{Ctx, events::EventDetails},
        oidc::OidcFailure,
    },
};

/// Ends the sessions that the provider says are over (OpenID Connect Back-Channel Logout 1.0 §2.7).
/// Using up the token and ending the sessions are one transaction: a token whose work failed can be
/// sent again, one whose work is done cannot.
///
/// # Errors
/// `InvalidToken` for a token that is not valid or was used; `ProviderUnreachable` or
/// `TemporarilyUnavailable` when that cannot be told.
pub async fn backchannel_logout(cx: &Ctx<'_>, token: &str) -> Result<usize, OidcFailure> {
    let provider = cx
        .state
        .providers
        .by_logout_token(token)
        .ok_or_else(not_configured)?;
    let (issuer, token) = provider.check_logout_token(token).await?;
    let mut tx = cx.transaction().await?;
    let name = fingerprint("logout", &format!("{issuer} {}", token.id));
    if !db::used_tokens::mark_used(tx.db(), name, token.expires_at).await? {
        return Err(OidcFailure::new(
            OidcError::InvalidToken,
            "the provider's logout token was used before",
            "",
        ));
    }
    let now = tx.now();
    let ended = db::sessions::revoke_from_provider(
        tx.db(),
        &issuer,
        token.subject.as_deref(),
        token.session.as_deref(),
        now,
    )
    .await?;
    let users = ended
        .iter()
        .copied()
        .collect::<std::collections::BTreeSet<_>>();
    for user in users {
        tx.record(AuditEvent::BackchannelLogout, EventDetails::for_user(user))
            .await?;
    }
    tx.commit().await?;
    Ok(ended.len())
}
