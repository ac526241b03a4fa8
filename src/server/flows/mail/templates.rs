//! Renders the mails with the texts of `text::en::mails`. A mail is rendered when it is sent, so
//! that no token is ever stored and a deleted account gets no mail.

use uuid::Uuid;

use super::MailKind;
use crate::{
    domain::{AuditEvent, AuthError, Email},
    server::{
        AppState,
        clock::format_human,
        db::{self, outbox::QueuedMail, rate_limits::RateLimit, users::Credentials},
        flows::{Ctx, events::EventDetails, links, rate_limits},
        mailer::MailMessage,
    },
    text::en::mails,
};

/// Pending-approval notices to each administrator.
const NOTICE_LIMIT: RateLimit = RateLimit {
    max: 1,
    window: 60 * 60,
};
/// Maximum age of a queued link mail in seconds. After a long mail outage nobody expects the link
/// any more.
const MAX_LINK_MAIL_AGE: i64 = 6 * 60 * 60;

pub(super) enum Rendered {
    MailMessage {
        /// The user the mail is about.
        user: Uuid,
        to: String,
        message: MailMessage,
    },
    /// The mail is postponed until then, in Unix seconds.
    Later(i64),
    /// The mail is dropped: it has no recipient, is too old, or exceeds a rate limit.
    Nothing,
}

/// Renders a queued mail with its recipient.
pub(super) async fn render(cx: &Ctx<'_>, queued: &QueuedMail) -> Result<Rendered, AuthError> {
    let (state, now) = (cx.state, cx.now());
    let Ok(kind) = queued.kind.parse::<MailKind>() else {
        return Ok(Rendered::Nothing);
    };
    let is_stale = now - queued.created_at > MAX_LINK_MAIL_AGE
        && matches!(
            kind,
            MailKind::Reset
                | MailKind::EmailVerification
                | MailKind::AccountExists
                | MailKind::EmailChange
        );
    let Some(found) = find(state, queued)
        .await?
        .filter(|found| found.user.is_active && !is_stale)
    else {
        return Ok(Rendered::Nothing);
    };
    let limit = match kind {
        MailKind::PasswordChanged | MailKind::PasswordSet | MailKind::EmailChanged => None,
        MailKind::PendingApproval => Some(NOTICE_LIMIT),
        // Strangers must not be able to fill a user's mailbox (SR-047).
        _ => Some(rate_limits::mail_limit(cx)),
    };
    // The quota is consumed once per mail, not once per attempt.
    if let Some(limit) = limit.filter(|_| queued.attempts == 1) {
        let key = format!("mail:{}:{}", queued.kind, found.user.id);
        match rate_limits::consume(cx, &key, limit).await {
            Ok(()) => {}
            Err(AuthError::TooManyAttempts { retry_after })
                if kind == MailKind::PendingApproval =>
            {
                return Ok(Rendered::Later(now + i64::from(retry_after)));
            }
            Err(AuthError::TooManyAttempts { .. }) => {
                cx.record(
                    AuditEvent::MailRateLimited,
                    EventDetails::for_user(found.user.id).with_method(&queued.kind),
                )
                .await?;
                return Ok(Rendered::Nothing);
            }
            Err(error) => return Err(error),
        }
    }
    let Some(message) = render_kind(state, kind, queued, &found).await? else {
        return Ok(Rendered::Nothing);
    };
    let to = if matches!(kind, MailKind::EmailChange | MailKind::EmailChanged) {
        queued.address.clone()
    } else {
        found.user.email
    };
    Ok(Rendered::MailMessage {
        user: found.user.id,
        to,
        message,
    })
}

/// The user the mail is about: the one it was queued for, or the current owner of the address.
async fn find(state: &AppState, queued: &QueuedMail) -> Result<Option<Credentials>, AuthError> {
    match (queued.user_id, Email::parse(&queued.address)) {
        (Some(user), _) => db::users::find_with_hash(&state.db, user).await,
        (None, Ok(email)) => db::users::find_by_email(&state.db, &email).await,
        (None, Err(_)) => Ok(None),
    }
}

async fn render_kind(
    state: &AppState,
    kind: MailKind,
    queued: &QueuedMail,
    found: &Credentials,
) -> Result<Option<MailMessage>, AuthError> {
    let app = &state.config.server.app_name;
    Ok(match kind {
        MailKind::Reset => links::mailed_reset_link(state, found)
            .await?
            .map(|link| reset(state, app, link)),
        MailKind::Invitation => links::invitation_link(state, found)
            .await?
            .map(|link| invitation(app, link)),
        MailKind::EmailVerification => links::verification_link(state, &found.user)
            .await?
            .map(|link| proof(app, link)),
        MailKind::EmailChange => email_change(state, app, queued, found).await?,
        MailKind::AccountExists => Some(account_exists(state, app)),
        MailKind::PasswordChanged => Some(password_changed(app, queued)),
        MailKind::PasswordSet => Some(password_set(app, queued)),
        MailKind::EmailChanged => Some(email_changed(app, queued)),
        MailKind::PendingApproval => Some(pending_approval(state, app)),
    })
}

fn reset(state: &AppState, app: &str, link: String) -> MailMessage {
    use mails::reset as text;
    let closing = text::closing(state.config.policy.reset_link_lifetime / 60);
    message(text::subject(app), &[&text::reason(app)]).with_link(text::BUTTON, link, &[&closing])
}

fn invitation(app: &str, link: String) -> MailMessage {
    use mails::invitation as text;
    message(text::subject(app), &[&text::reason(app)]).with_link(
        text::BUTTON,
        link,
        &[text::CLOSING],
    )
}

fn proof(app: &str, link: String) -> MailMessage {
    use mails::email_verification as text;
    message(text::subject(app), &[&text::reason(app)]).with_link(
        text::BUTTON,
        link,
        &[text::CLOSING],
    )
}

/// The mail to a new address. If another account already has the address, its owner learns of the
/// attempt, and nobody else does.
async fn email_change(
    state: &AppState,
    app: &str,
    queued: &QueuedMail,
    found: &Credentials,
) -> Result<Option<MailMessage>, AuthError> {
    use mails::{email_change as text, email_change_taken as taken};
    let Ok(address) = Email::parse(&queued.address) else {
        return Ok(None);
    };
    if db::users::is_taken_by_another(&state.db, &address, found.user.id).await? {
        return Ok(Some(message(
            taken::subject(app),
            &[&taken::reason(app), taken::CLOSING],
        )));
    }
    let link = links::email_change_link(state, found, &address).await?;
    Ok(Some(
        message(text::subject(app), &[&text::reason(app)]).with_link(
            text::BUTTON,
            link,
            &[text::CLOSING],
        ),
    ))
}

fn account_exists(state: &AppState, app: &str) -> MailMessage {
    use mails::account_exists as text;
    let closing = if state.config.auth.email_password_resets {
        text::CLOSING_WITH_RESETS
    } else {
        text::CLOSING_WITHOUT_RESETS
    };
    message(text::subject(app), &[&text::reason(app)]).with_link(
        text::BUTTON,
        links::login_url(state),
        &[closing],
    )
}

fn password_changed(app: &str, queued: &QueuedMail) -> MailMessage {
    use mails::password_changed as text;
    let reason = text::reason(app, &format_human(queued.created_at), &queued.client_ip);
    message(
        text::subject(app),
        &[&reason, text::IF_EXPECTED, text::IF_UNEXPECTED],
    )
}

fn password_set(app: &str, queued: &QueuedMail) -> MailMessage {
    use mails::password_set as text;
    message(
        text::subject(app),
        &[
            &text::reason(app, &format_human(queued.created_at)),
            text::IF_UNEXPECTED,
        ],
    )
}

fn email_changed(app: &str, queued: &QueuedMail) -> MailMessage {
    use mails::email_changed as text;
    message(
        text::subject(app),
        &[
            &text::reason(app, &format_human(queued.created_at)),
            text::IF_UNEXPECTED,
        ],
    )
}

fn pending_approval(state: &AppState, app: &str) -> MailMessage {
    use mails::pending_approval as text;
    let link = links::pending_users_url(state);
    message(text::subject(app), &[&text::reason(app)]).with_link(
        text::BUTTON,
        link,
        &[text::CLOSING],
    )
}

/// A mail that starts with the greeting.
fn message(subject: String, paragraphs: &[&str]) -> MailMessage {
    MailMessage::new(subject, &[&[mails::GREETING][..], paragraphs].concat())
}
