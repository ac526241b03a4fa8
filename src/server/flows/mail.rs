//! What is mailed to people: put into a queue by the flows, written and sent later by whoever comes
//! first, so that no answer waits for a mail server and no restart loses a mail (SR-040, SR-162).

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

/// How often it is looked whether mail is waiting.
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Seconds before the second, third, fourth and fifth attempt.
const RETRY_DELAYS: [i64; 4] = [60, 5 * 60, 15 * 60, db::outbox::MAX_RETRY_DELAY];
/// The first one and one after each pause. A mail that is taken more often has left an attempt
/// without an end, such as a panic, and would be taken for ever.
const MAX_ATTEMPTS: i32 = 5;

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MailKind {
    /// A link for a new password.
    Reset,
    /// A link that proves the mailbox.
    EmailVerification,
    /// Somebody tried to make an account with an address that has one (SR-033).
    AccountExists,
    /// A first password for an account that an administrator has made.
    Invitation,
    /// A link that gives an account another address, to that address.
    EmailChange,
    /// The password was changed (SR-046).
    PasswordChanged,
    /// An administrator has set the password (SR-143).
    PasswordSet,
    /// The address was changed, to the one that it was (SR-142).
    EmailChanged,
    /// To administrators: somebody waits for approval.
    PendingApproval,
}

impl MailKind {
    /// What tells an owner that something has happened, or what an administrator has caused, is
    /// never crowded out by what strangers can ask for.
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

/// Queues a mail. The same work whether or not anybody has the address: that is looked up when the
/// mail is written (SR-040).
pub async fn queue(tx: &Tx<'_>, kind: MailKind, address: &str) -> Result<(), AuthError> {
    enqueue(tx, kind, address, None).await
}

/// Queues a mail about a user, to an address that need not be the account's.
pub async fn queue_for_user(
    tx: &Tx<'_>,
    kind: MailKind,
    user: &User,
    address: &str,
) -> Result<(), AuthError> {
    enqueue(tx, kind, address, Some(user.id)).await
}

/// Tells somebody at their own address what has happened to their account, where there is mail.
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

/// Forgets the links that wait to be sent: they are made when they are, and would be good although
/// all links have become void (SR-046). `user` as they were until now.
pub async fn drop_queued_links(tx: &Tx<'_>, user: &User) -> Result<(), AuthError> {
    db::outbox::delete_kinds_for_user(
        tx.db(),
        [MailKind::Reset.into(), MailKind::EmailChange.into()],
        &user.email,
        user.id,
    )
    .await
}

/// Makes all links of an account void: those that are out, whatever becomes of the account later,
/// and those that wait (SR-046). `user` as they were until now.
pub async fn revoke_links(tx: &Tx<'_>, user: &User) -> Result<(), AuthError> {
    db::accounts::revoke_links(tx.db(), user.id, tx.now()).await?;
    drop_queued_links(tx, user).await
}

/// Tells the administrators that somebody waits, each at most once an hour: who waits later is
/// announced at its end.
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

/// Sends all mail that is due; how many mails were dealt with.
pub async fn send_due(state: &AppState) -> Result<usize, AuthError> {
    let mut dealt_with = 0;
    while !state.stopping.is_cancelled()
        && let Some(waiting) = db::outbox::claim_next(&state.db, state.clock.now()).await?
    {
        let client = ClientInfo::of_mail(&waiting.client_ip);
        send(
            &Ctx {
                state,
                client: &client,
            },
            waiting,
        )
        .await?;
        dealt_with += 1;
    }
    Ok(dealt_with)
}

async fn send(cx: &Ctx<'_>, waiting: QueuedMail) -> Result<(), AuthError> {
    let db = &cx.state.db;
    if waiting.attempts > MAX_ATTEMPTS {
        return mark_failed(
            cx,
            &waiting,
            None,
            "no attempt has come to an end; the log has what happened",
        )
        .await;
    }
    let (user, to, letter) = match templates::render(cx, &waiting).await? {
        Rendered::MailMessage { user, to, letter } => (user, to, letter),
        Rendered::Later(due_at) => return db::outbox::postpone(db, waiting.id, due_at, true).await,
        Rendered::Nothing => return db::outbox::delete(db, waiting.id).await,
    };
    let kind = &waiting.kind;
    match cx
        .state
        .mailer
        .send(&cx.state.config, &cx.state.clock, &to, &letter)
        .await
    {
        Ok(_) => {
            // First of all, or a failure in between would send it again.
            db::outbox::delete(db, waiting.id).await?;
            cx.record(
                AuditEvent::MailSent,
                EventDetails::for_user(user).with_method(kind),
            )
            .await
        }
        Err(not_sent) => {
            let pause = usize::try_from(waiting.attempts - 1)
                .ok()
                .and_then(|index| RETRY_DELAYS.get(index))
                .filter(|_| not_sent.is_temporary);
            let reason = not_sent.log_reason;
            if let Some(pause) = pause {
                tracing::warn!(
                    event = "mail_retry_scheduled",
                    kind,
                    reason,
                    attempt = waiting.attempts,
                    "a mail could not be sent and is tried again"
                );
                return db::outbox::postpone(db, waiting.id, cx.now() + pause, false).await;
            }
            mark_failed(cx, &waiting, Some(user), &reason).await
        }
    }
}

async fn mark_failed(
    cx: &Ctx<'_>,
    waiting: &QueuedMail,
    user: Option<Uuid>,
    reason: &str,
) -> Result<(), AuthError> {
    let (kind, attempt) = (&waiting.kind, waiting.attempts);
    tracing::error!(
        event = "mail_failed",
        kind,
        reason,
        attempt,
        "a mail is given up; try `mediamanager-auth mail test`"
    );
    db::outbox::delete(&cx.state.db, waiting.id).await?;
    cx.record(
        AuditEvent::MailFailed,
        EventDetails::for_user_if_known(user)
            .with_method(kind)
            .with_detail(reason),
    )
    .await
}

/// Whether somebody can be written to at all.
pub fn is_configured(state: &AppState) -> bool {
    state.config.smtp.is_some()
}
