use super::{fault_of, fingerprint};
use crate::{
    domain::{Event, refusal::Refusal},
    server::{
        AppState, db,
        flows::{
            events::{self, Note},
            sessions::Origin,
        },
        provider::Fault,
    },
};

/// Ends the sessions that the provider says are over (OpenID Connect Back-Channel Logout 1.0 §2.7). Using up the token and ending
/// the sessions are one transaction: a token whose work failed can be sent again, one whose work is done cannot.
///
/// # Errors
/// `TokenRefused` for a token that is not good or was used; `ProviderUnreachable` or `NotNow` when that cannot be told.
pub async fn log_out_by_provider(state: &AppState, token: &str, origin: &Origin) -> Result<usize, Fault> {
    let missing = || Fault::new(Refusal::ProviderUnusable, "auth.openid_connect is not enabled", "");
    let provider = state.provider.as_ref().ok_or_else(missing)?;
    let (issuer, token) = provider.check_logout_token(token).await?;
    let transaction = db::begin(&state.db).await.map_err(fault_of)?;
    let name = fingerprint("logout", &format!("{issuer} {}", token.id));
    if !db::used_tokens::mark_used(&transaction, name, token.expires_at).await.map_err(fault_of)? {
        return Err(Fault::new(Refusal::TokenRefused, "the provider's logout token was used before", ""));
    }
    let now = state.clock.now();
    let ended = db::sessions::revoke_from_provider(&transaction, &issuer, token.subject.as_deref(), token.session.as_deref(), now).await.map_err(fault_of)?;
    let users = ended.iter().copied().collect::<std::collections::BTreeSet<_>>();
    for user in users {
        events::record(state, &transaction, Event::LoggedOutByProvider, origin, Note::of(user)).await.map_err(fault_of)?;
    }
    db::commit(transaction).await.map_err(fault_of)?;
    Ok(ended.len())
}
