use super::{ATTEMPT_LIFETIME_SECONDS, fingerprint, not_configured};
use crate::{
    domain::{AuditEvent, ExternalUser, oidc_error::OidcError},
    server::{
        db,
        flows::{Ctx, events::EventDetails, login::Login, sessions},
        oidc::{LogoutToken, OidcFailure},
    },
};

/// Ends the sessions that the provider says are over (OpenID Connect Back-Channel Logout 1.0 §2.7).
/// Using up the token and ending the sessions are one transaction: a token whose work failed can be
/// sent again, one whose work is done cannot. It is exclusive like a login, so that of a login at
/// the same time it finds either the session, or the login finds its mark.
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
    let mut tx = cx.exclusive().await?;
    let name = fingerprint("logout", &format!("{issuer} {}", token.id));
    if !db::used_tokens::mark_used(tx.db(), name, token.expires_at).await? {
        return Err(OidcFailure::new(
            OidcError::InvalidToken,
            "the provider's logout token was used before",
            "",
        ));
    }
    let now = tx.now();
    for mark in marks_of_token(&issuer, &token) {
        let expires_at = now + i64::from(ATTEMPT_LIFETIME_SECONDS);
        db::used_tokens::mark_used_until(tx.db(), mark, expires_at).await?;
    }
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

/// The names under which a logout is remembered for the logins that are still on their way from the
/// provider. Like the sessions in the database, a login without a `sid` may be the one that a token
/// with a `sid` names, so it goes by its subject.
pub struct LogoutMarks(Vec<String>);

fn mark(kind: &str, issuer: &str, value: &str) -> String {
    fingerprint(kind, &format!("{issuer} {value}"))
}

fn marks_of_token(issuer: &str, token: &LogoutToken) -> Vec<String> {
    let kind = if token.session.is_some() {
        "ended subject without sid"
    } else {
        "ended subject"
    };
    let session = token.session.as_ref();
    let subject = token.subject.as_ref();
    session
        .map(|sid| mark("ended sid", issuer, sid))
        .into_iter()
        .chain(subject.map(|subject| mark(kind, issuer, subject)))
        .collect()
}

impl LogoutMarks {
    /// The marks that concern a login of this user.
    pub fn of(user: &ExternalUser) -> Self {
        let by_session = match &user.session {
            Some(sid) => mark("ended sid", &user.issuer, sid),
            None => mark("ended subject without sid", &user.issuer, &user.subject),
        };
        Self(vec![
            by_session,
            mark("ended subject", &user.issuer, &user.subject),
        ])
    }

    /// Ends the session of a login whose session at the provider has ended since the attempt began.
    /// Checked after the login has committed: a later logout finds the session itself.
    ///
    /// # Errors
    /// `AccessDenied`.
    pub async fn refuse_ended(
        self,
        cx: &Ctx<'_>,
        login: &Login,
        started_at: i64,
    ) -> Result<(), OidcFailure> {
        let expiry = db::used_tokens::last_expiry(&cx.state.db, self.0).await?;
        let logged_out_at = expiry.map(|expiry| expiry - i64::from(ATTEMPT_LIFETIME_SECONDS));
        if logged_out_at.is_none_or(|at| at <= started_at) {
            return Ok(());
        }
        let Login::Complete(session) = login;
        sessions::revoke_by_token(cx, &session.token).await?;
        Err(OidcFailure::new(
            OidcError::AccessDenied,
            "the provider has logged this person out since the login began",
            "",
        )
        .for_user(session.user.id))
    }
}
