//! What the mails say. They are written when they are sent, so that no token is ever stored, and whoever is gone gets none.

use uuid::Uuid;

use super::MailKind;
use crate::{
    app::paths,
    domain::{AuditEvent, AuthError, Email},
    server::{
        AppState,
        clock::in_words,
        db::{self, outbox::QueuedMail, rate_limits::RateLimit, users::Credentials},
        flows::{Ctx, account, email_verification, events::EventDetails, password_reset, rate_limits},
        mailer::MailMessage,
    },
};

/// Notices that somebody waits for approval, to each administrator.
const NOTICE_LIMIT: RateLimit = RateLimit { max: 1, window: 60 * 60 };
/// A link that was asked for so long ago, in seconds, is not waited for any more: the mail server was away, or switched off.
const MAX_LINK_MAIL_AGE: i64 = 6 * 60 * 60;

pub(super) enum Written {
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
pub(super) async fn write(cx: &Ctx<'_>, waiting: &QueuedMail) -> Result<Written, AuthError> {
    let (state, now) = (cx.state, cx.now());
    let Ok(kind) = waiting.kind.parse::<MailKind>() else { return Ok(Written::Nothing) };
    let is_stale = now - waiting.created_at > MAX_LINK_MAIL_AGE
        && matches!(kind, MailKind::Reset | MailKind::EmailVerification | MailKind::AccountExists | MailKind::EmailChange);
    let Some(found) = find(state, waiting).await?.filter(|found| found.user.is_active && !is_stale) else { return Ok(Written::Nothing) };
    let budget = match kind {
        MailKind::PasswordChanged | MailKind::PasswordSet | MailKind::EmailChanged => None,
        MailKind::PendingApproval => Some(NOTICE_LIMIT),
        // A stranger who keeps asking must not fill somebody's mailbox (SR-047).
        _ => Some(rate_limits::mails(cx)),
    };
    // Taken once for each mail, not for each attempt.
    if let Some(budget) = budget.filter(|_| waiting.attempts == 1) {
        let key = format!("mail:{}:{}", waiting.kind, found.user.id);
        match rate_limits::take(cx, &key, budget).await {
            Ok(()) => {}
            Err(AuthError::TooManyAttempts { retry_after }) if kind == MailKind::PendingApproval => return Ok(Written::Later(now + i64::from(retry_after))),
            Err(AuthError::TooManyAttempts { .. }) => {
                cx.record(AuditEvent::MailRateLimited, EventDetails::of(found.user.id).method(&waiting.kind)).await?;
                return Ok(Written::Nothing);
            }
            Err(error) => return Err(error),
        }
    }
    let Some(letter) = letter(state, kind, waiting, &found).await? else { return Ok(Written::Nothing) };
    let to = if matches!(kind, MailKind::EmailChange | MailKind::EmailChanged) { waiting.address.clone() } else { found.user.email };
    Ok(Written::MailMessage { user: found.user.id, to, letter })
}

/// The user whom it is about: named when it was queued, or whoever has the address now.
async fn find(state: &AppState, waiting: &QueuedMail) -> Result<Option<Credentials>, AuthError> {
    match (waiting.user_id, Email::parse(&waiting.address)) {
        (Some(user), _) => db::users::find_with_hash(&state.db, user).await,
        (None, Ok(email)) => db::users::find_by_email(&state.db, &email).await,
        (None, Err(_)) => Ok(None),
    }
}

async fn letter(state: &AppState, kind: MailKind, waiting: &QueuedMail, found: &Credentials) -> Result<Option<MailMessage>, AuthError> {
    let app = &state.config.server.app_name;
    Ok(match kind {
        MailKind::Reset => password_reset::mailed_link(state, found).await?.map(|link| reset(state, app, link)),
        MailKind::Invitation => password_reset::invitation_link(state, found).await?.map(|link| invitation(app, link)),
        MailKind::EmailVerification => email_verification::link(state, &found.user).await?.map(|link| proof(app, link)),
        MailKind::EmailChange => email_change(state, app, waiting, found).await?,
        MailKind::AccountExists => Some(account_exists(state, app)),
        MailKind::PasswordChanged => Some(password_changed(app, waiting)),
        MailKind::PasswordSet => Some(password_set(app, waiting)),
        MailKind::EmailChanged => Some(email_changed(app, waiting)),
        MailKind::PendingApproval => Some(pending_approval(state, app)),
    })
}

fn reset(state: &AppState, app: &str, link: String) -> MailMessage {
    let minutes = state.config.policy.reset_link_lifetime / 60;
    MailMessage::new(format!("New password for {app}"), &["Hello,", &format!("somebody, probably you, asked for a new password for your account at {app}.")])
        .with_link(
            "Choose a new password",
            link,
            &[&format!("The link works for {minutes} minutes and once. If it was not you, do nothing: your password stays as it is.")],
        )
}

fn invitation(app: &str, link: String) -> MailMessage {
    MailMessage::new(
        format!("Your account at {app}"),
        &["Hello,", &format!("an administrator has made an account at {app} for you. Choose a password for it.")],
    )
    .with_link("Choose a password", link, &["The link works for three days and once. After that, an administrator can give you another one."])
}

fn proof(app: &str, link: String) -> MailMessage {
    MailMessage::new(
        format!("Confirm your address for {app}"),
        &["Hello,", &format!("an account at {app} was made with this address. If it is yours, confirm that the mailbox is too.")],
    )
    .with_link(
        "Confirm the address",
        link,
        &["The link works for a day, in a browser in which you are logged in to that account. If you have no such account, do nothing."],
    )
}

/// To whoever has the mailbox; if that is somebody with an account of their own, they are told what was tried, and nobody else is.
async fn email_change(state: &AppState, app: &str, waiting: &QueuedMail, found: &Credentials) -> Result<Option<MailMessage>, AuthError> {
    let Ok(address) = Email::parse(&waiting.address) else { return Ok(None) };
    if db::users::is_taken_by_another(&state.db, &address, found.user.id).await? {
        let text = format!("somebody has tried to give this address to another account at {app}. You have an account with it, and nothing was changed.");
        return Ok(Some(MailMessage::new(format!("You have an account at {app}"), &["Hello,", &text, "If it was not you, do nothing."])));
    }
    let link = account::email_change_link(state, found, &address).await?;
    let letter = MailMessage::new(
        format!("Your new address for {app}"),
        &["Hello,", &format!("somebody, probably you, wants to use this address for an account at {app}. If it was you, confirm that the mailbox is yours.")],
    );
    let closing = "The link works for a day, in a browser in which you are logged in to that account. If it was not you, do nothing.";
    Ok(Some(letter.with_link("Use this address", link, &[closing])))
}

fn account_exists(state: &AppState, app: &str) -> MailMessage {
    MailMessage::new(
        format!("You have an account at {app}"),
        &["Hello,", &format!("somebody, probably you, tried to create an account at {app} with this address. There is one already, and nothing was changed.")],
    )
    .with_link(
        "Log in",
        state.config.link(paths::LOGIN.path),
        &[if state.config.auth.email_password_resets {
            "If you have forgotten the password, the login page helps. If it was not you, do nothing."
        } else {
            "If you have forgotten the password, ask an administrator for a link. If it was not you, do nothing."
        }],
    )
}

fn password_changed(app: &str, waiting: &QueuedMail) -> MailMessage {
    MailMessage::new(
        format!("Your password for {app} was changed"),
        &[
            "Hello,",
            &format!(
                "the password of your account at {app} was changed on {} from the address {}. Everybody else who was logged in is logged out.",
                in_words(waiting.created_at),
                waiting.client_ip
            ),
            "If it was you, there is nothing to do.",
            "If it was not, choose a new password for your mailbox first, then one here, and tell an administrator.",
        ],
    )
}

fn password_set(app: &str, waiting: &QueuedMail) -> MailMessage {
    MailMessage::new(
        format!("Your password for {app} was changed"),
        &[
            "Hello,",
            &format!("an administrator has set the password of your account at {app} on {}. You are logged out everywhere.", in_words(waiting.created_at)),
            "If you do not know about it, ask an administrator.",
        ],
    )
}

fn email_changed(app: &str, waiting: &QueuedMail) -> MailMessage {
    MailMessage::new(
        format!("Your address for {app} was changed"),
        &[
            "Hello,",
            &format!("since {} your account at {app} has another address than this one. Log in with the new one from now on.", in_words(waiting.created_at)),
            "If it was not you, tell an administrator at once.",
        ],
    )
}

fn pending_approval(state: &AppState, app: &str) -> MailMessage {
    MailMessage::new(
        format!("Somebody waits for approval at {app}"),
        &["Hello,", &format!("somebody has made an account at {app} and confirmed the address. They can do nothing until an administrator approves them.")],
    )
    .with_link(
        "See who waits",
        state.config.link(&format!("{}?which=pending", paths::USERS.path)),
        &["You get this mail at most once an hour, however many are waiting."],
    )
}
