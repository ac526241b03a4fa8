//! Outgoing mail. Flows queue a mail in their transaction, and a worker renders and sends it later,
//! so that no response waits for a mail server and no restart loses a mail (SR-040, SR-162).

use std::time::Duration;

mod templates;

use super::{ClientInfo, Ctx, Tx, events::EventDetails};
use crate::{
    domain::{AuditEvent, AuthError, User},
    server::{
        AppState,
        db::{
            self,
            outbox::{NewMail, QueuedMail},
        },
    },
};
use templates::Rendered;
use uuid::Uuid;

/// How often the queue is checked.
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Seconds before the second, third, fourth and fifth attempt.
const RETRY_DELAYS: [i64; 4] = [60, 5 * 60, 15 * 60, db::outbox::MAX_RETRY_DELAY];
/// One initial attempt plus one per delay. A higher count means an attempt never finished (for
/// example a panic); such a mail is dropped.
const MAX_ATTEMPTS: i32 = 5;

/// The kind of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MailKind {
    /// A password reset link.
    Reset,
    /// A link that verifies the address.
    EmailVerification,
    /// A sign-up with an address that already has an account (SR-033).
    AccountExists,
    /// A link to choose the first password, for an account that an administrator created.
    Invitation,
    /// A link that confirms a new address, sent to that address.
    EmailChange,
    /// The user has changed or reset the password (SR-046).
    PasswordChanged,
    /// An administrator has set the password (SR-143).
    PasswordSet,
    /// The address was changed; sent to the old address (SR-142).
    EmailChanged,
    /// For administrators: a user is pending approval.
    PendingApproval,
}

impl MailKind {
    /// Whether a mail is queued even if the queue is full, so that unauthenticated requests cannot
    /// displace notices and mails caused by administrators.
    fn is_notice(self) -> bool {
        matches!(
            self,
            Self::PasswordChanged
                | Self::PasswordSet
                | Self::EmailChanged
                | Self::PendingApproval
                | Self::Invitation
        )
    }
}

/// Queues a mail. The work is the same whether or not the address has an account, because the
/// account is looked up when the mail is rendered (SR-040).
pub async fn queue(tx: &Tx<'_>, kind: MailKind, address: &str) -> Result<(), AuthError> {
    enqueue(tx, kind, address, None).await
}

/// Queues a mail about a user to an address that may differ from the account's.
pub async fn queue_for_user(
    tx: &Tx<'_>,
    kind: MailKind,
    user: &User,
    address: &str,
) -> Result<(), AuthError> {
    enqueue(tx, kind, address, Some(user.id)).await
}

/// Notifies a user at the account's address, if mail is configured.
pub async fn notify(tx: &Tx<'_>, kind: MailKind, user: &User) -> Result<(), AuthError> {
    if is_configured(tx.cx().state) {
        queue_for_user(tx, kind, user, &user.email).await
    } else {
        Ok(())
    }
}

async fn enqueue(
    tx: &Tx<'_>,
    kind: MailKind,
    address: &str,
    user: Option<Uuid>,
) -> Result<(), AuthError> {
    let mail = NewMail {
        kind: kind.into(),
        address,
        user,
        client_ip: &tx.cx().client.rate_limit_key,
        is_priority: kind.is_notice(),
    };
    if !db::outbox::enqueue(tx.db(), mail, tx.now()).await? {
        tracing::error!(
            event = "outbox_full",
            "1000 mails are waiting, so a new one was dropped; look at the mail server"
        );
    }
    Ok(())
}

/// Drops queued link mails. Links are generated at send time, so a queued one would be valid even
/// after revocation (SR-046). `user` is the state before the change.
pub async fn drop_queued_links(tx: &Tx<'_>, user: &User) -> Result<(), AuthError> {
    db::outbox::delete_kinds_for_user(
        tx.db(),
        [MailKind::Reset.into(), MailKind::EmailChange.into()],
        &user.email,
        user.id,
    )
    .await
}

/// Revokes all links of an account: links already sent, whatever changes later, and queued ones
/// (SR-046). `user` is the state before the change.
pub async fn revoke_links(tx: &Tx<'_>, user: &User) -> Result<(), AuthError> {
    db::accounts::revoke_links(tx.db(), user.id, tx.now()).await?;
    drop_queued_links(tx, user).await
}

/// Notifies the administrators that a user is pending approval, each at most once an hour. A mail
/// over the limit is delayed until the hour ends.
pub async fn notify_admins(tx: &Tx<'_>) -> Result<(), AuthError> {
    if !is_configured(tx.cx().state) {
        return Ok(());
    }
    for administrator in db::users::list_admins(tx.db()).await? {
        if !db::outbox::is_queued(
            tx.db(),
            MailKind::PendingApproval.into(),
            &administrator.email,
        )
        .await?
        {
            queue(tx, MailKind::PendingApproval, &administrator.email).await?;
        }
    }
    Ok(())
}

/// Sends all mail that is due and returns the number of mails processed.
pub async fn send_due(state: &AppState) -> Result<usize, AuthError> {
    let mut processed = 0;
    while !state.stopping.is_cancelled()
        && let Some(queued) = db::outbox::claim_next(&state.db, state.clock.now()).await?
    {
        let client = ClientInfo::of_mail(&queued.client_ip);
        send(
            &Ctx {
                state,
                client: &client,
            },
            queued,
        )
        .await?;
        processed += 1;
    }
    Ok(processed)
}

async fn send(cx: &Ctx<'_>, queued: QueuedMail) -> Result<(), AuthError> {
    let db = &cx.state.db;
    if queued.attempts > MAX_ATTEMPTS {
        return mark_failed(
            cx,
            &queued,
            None,
            "no attempt has come to an end; the log has what happened",
        )
        .await;
    }
    let (user, to, message) = match templates::render(cx, &queued).await? {
        Rendered::MailMessage { user, to, message } => (user, to, message),
        Rendered::Later(due_at) => return db::outbox::postpone(db, queued.id, due_at, true).await,
        Rendered::Nothing => return db::outbox::delete(db, queued.id).await,
    };
    let kind = &queued.kind;
    match cx
        .state
        .mailer
        .send(&cx.state.config, &cx.state.clock, &to, &message)
        .await
    {
        Ok(_) => {
            // Deleted first, because a failure in between would send the mail again.
            db::outbox::delete(db, queued.id).await?;
            cx.record(
                AuditEvent::MailSent,
                EventDetails::for_user(user).with_method(kind),
            )
            .await
        }
        Err(error) => {
            let delay = usize::try_from(queued.attempts - 1)
                .ok()
                .and_then(|index| RETRY_DELAYS.get(index))
                .filter(|_| error.is_temporary);
            let reason = error.log_reason;
            if let Some(delay) = delay {
                tracing::warn!(
                    event = "mail_retry_scheduled",
                    kind,
                    reason,
                    attempt = queued.attempts,
                    "a mail could not be sent and is tried again"
                );
                return db::outbox::postpone(db, queued.id, cx.now() + delay, false).await;
            }
            mark_failed(cx, &queued, Some(user), &reason).await
        }
    }
}

async fn mark_failed(
    cx: &Ctx<'_>,
    queued: &QueuedMail,
    user: Option<Uuid>,
    reason: &str,
) -> Result<(), AuthError> {
    let (kind, attempt) = (&queued.kind, queued.attempts);
    tracing::error!(
        event = "mail_failed",
        kind,
        reason,
        attempt,
        "a mail is given up; try `mediamanager-auth mail test`"
    );
    db::outbox::delete(&cx.state.db, queued.id).await?;
    cx.record(
        AuditEvent::MailFailed,
        EventDetails::for_user_if_known(user)
            .with_method(kind)
            .with_detail(reason),
    )
    .await
}

/// Whether mail settings exist.
pub fn is_configured(state: &AppState) -> bool {
    state.config.smtp.is_some()
}
