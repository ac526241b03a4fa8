//! The mails, with the sentences of `text::en::mails`. A mail is made when it is sent, so that no
//! token is ever stored, and an account that is gone gets none.

use uuid::Uuid;

use super::MailKind;
use crate::{
    app::paths,
    domain::{AuditEvent, AuthError, Email},
    server::{
        AppState,
        clock::format_human,
        db::{self, outbox::QueuedMail, rate_limits::RateLimit, users::Credentials},
        flows::{
            Ctx, account, email_verification, events::EventDetails, password_reset, rate_limits,
        },
        mailer::MailMessage,
    },
    text::en::mails,
};

/// Notices that somebody waits for approval, to each administrator.
const NOTICE_LIMIT: RateLimit = RateLimit {
    max: 1,
    window: 60 * 60,
};
/// A link that was asked for so long ago, in seconds, is not waited for any more: the mail server
/// was away, or switched off.
const MAX_LINK_MAIL_AGE: i64 = 6 * 60 * 60;

pub(super) enum Rendered {
    MailMessage {
        /// Whom it is about.
        user: Uuid,
        to: String,
        letter: MailMessage,
    },
    /// Not before then, Unix seconds.
    Later(i64),
    /// There is nobody to write to, or they have been written to enough.
    Nothing,
}

/// To whom, and what.
pub(super) async fn render(cx: &Ctx<'_>, waiting: &QueuedMail) -> Result<Rendered, AuthError> {
    let (state, now) = (cx.state, cx.now());
    let Ok(kind) = waiting.kind.parse::<MailKind>() else {
        return Ok(Rendered::Nothing);
    };
    let is_stale = now - waiting.created_at > MAX_LINK_MAIL_AGE
        && matches!(
            kind,
            MailKind::Reset
                | MailKind::EmailVerification
                | MailKind::AccountExists
                | MailKind::EmailChange
        );
    let Some(found) = find(state, waiting)
        .await?
        .filter(|found| found.user.is_active && !is_stale)
    else {
        return Ok(Rendered::Nothing);
    };
    let budget = match kind {
        MailKind::PasswordChanged | MailKind::PasswordSet | MailKind::EmailChanged => None,
        MailKind::PendingApproval => Some(NOTICE_LIMIT),
        // A stranger who keeps asking must not fill somebody's mailbox (SR-047).
        _ => Some(rate_limits::mail_limit(cx)),
    };
    // Taken once for each mail, not for each attempt.
    if let Some(budget) = budget.filter(|_| waiting.attempts == 1) {
        let key = format!("mail:{}:{}", waiting.kind, found.user.id);
        match rate_limits::consume(cx, &key, budget).await {
            Ok(()) => {}
            Err(AuthError::TooManyAttempts { retry_after })
                if kind == MailKind::PendingApproval =>
            {
                return Ok(Rendered::Later(now + i64::from(retry_after)));
            }
            Err(AuthError::TooManyAttempts { .. }) => {
                cx.record(
                    AuditEvent::MailRateLimited,
                    EventDetails::for_user(found.user.id).with_method(&waiting.kind),
                )
                .await?;
                return Ok(Rendered::Nothing);
            }
            Err(error) => return Err(error),
        }
    }
    let Some(letter) = render_kind(state, kind, waiting, &found).await? else {
        return Ok(Rendered::Nothing);
    };
    let to = if matches!(kind, MailKind::EmailChange | MailKind::EmailChanged) {
        waiting.address.clone()
    } else {
        found.user.email
    };
    Ok(Rendered::MailMessage {
        user: found.user.id,
        to,
        letter,
    })
}

/// The user whom it is about: named when it was queued, or whoever has the address now.
async fn find(state: &AppState, waiting: &QueuedMail) -> Result<Option<Credentials>, AuthError> {
    match (waiting.user_id, Email::parse(&waiting.address)) {
        (Some(user), _) => db::users::find_with_hash(&state.db, user).await,
        (None, Ok(email)) => db::users::find_by_email(&state.db, &email).await,
        (None, Err(_)) => Ok(None),
    }
}

async fn render_kind(
    state: &AppState,
    kind: MailKind,
    waiting: &QueuedMail,
    found: &Credentials,
) -> Result<Option<MailMessage>, AuthError> {
    let app = &state.config.server.app_name;
    Ok(match kind {
        MailKind::Reset => password_reset::mailed_link(state, found)
            .await?
            .map(|link| reset(state, app, link)),
        MailKind::Invitation => password_reset::invitation_link(state, found)
            .await?
            .map(|link| invitation(app, link)),
        MailKind::EmailVerification => email_verification::verification_link(state, &found.user)
            .await?
            .map(|link| proof(app, link)),
        MailKind::EmailChange => email_change(state, app, waiting, found).await?,
        MailKind::AccountExists => Some(account_exists(state, app)),
        MailKind::PasswordChanged => Some(password_changed(app, waiting)),
        MailKind::PasswordSet => Some(password_set(app, waiting)),
        MailKind::EmailChanged => Some(email_changed(app, waiting)),
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

/// To whoever has the mailbox; if that is somebody with an account of their own, they are told what
/// was tried, and nobody else is.
async fn email_change(
    state: &AppState,
    app: &str,
    waiting: &QueuedMail,
    found: &Credentials,
) -> Result<Option<MailMessage>, AuthError> {
    use mails::{email_change as text, email_change_taken as taken};
    let Ok(address) = Email::parse(&waiting.address) else {
        return Ok(None);
    };
    if db::users::is_taken_by_another(&state.db, &address, found.user.id).await? {
        return Ok(Some(message(
            taken::subject(app),
            &[&taken::reason(app), taken::CLOSING],
        )));
    }
    let link = account::email_change_link(state, found, &address).await?;
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
        state.config.link(paths::LOGIN.path),
        &[closing],
    )
}

fn password_changed(app: &str, waiting: &QueuedMail) -> MailMessage {
    use mails::password_changed as text;
    let reason = text::reason(app, &format_human(waiting.created_at), &waiting.client_ip);
    message(
        text::subject(app),
        &[&reason, text::IF_EXPECTED, text::IF_UNEXPECTED],
    )
}

fn password_set(app: &str, waiting: &QueuedMail) -> MailMessage {
    use mails::password_set as text;
    message(
        text::subject(app),
        &[
            &text::reason(app, &format_human(waiting.created_at)),
            text::IF_UNEXPECTED,
        ],
    )
}

fn email_changed(app: &str, waiting: &QueuedMail) -> MailMessage {
    use mails::email_changed as text;
    message(
        text::subject(app),
        &[
            &text::reason(app, &format_human(waiting.created_at)),
            text::IF_UNEXPECTED,
        ],
    )
}

fn pending_approval(state: &AppState, app: &str) -> MailMessage {
    use mails::pending_approval as text;
    let link = state
        .config
        .link(&format!("{}?which=pending", paths::USERS.path));
    message(text::subject(app), &[&text::reason(app)]).with_link(
        text::BUTTON,
        link,
        &[text::CLOSING],
    )
}

/// A mail that begins with the greeting.
fn message(subject: String, paragraphs: &[&str]) -> MailMessage {
    MailMessage::new(subject, &[&[mails::GREETING][..], paragraphs].concat())
}
