//! What is mailed to people: put into a queue by the flows, written and sent later by whoever comes first, so that no answer waits for
//! a mail server and no restart loses a mail (SR-040, SR-162).

use std::time::Duration;

use crate::{
    domain::{AuthError, Email},
    server::{
        AppState,
        clock::in_words,
        db::{self, outbox::Waiting, throttle::Budget},
        flows::{email_proof, password_reset, sessions::Origin},
        mailer::Letter,
    },
};

/// How often it is looked whether mail is waiting.
pub const LOOK: Duration = Duration::from_secs(1);
/// Seconds before the second, third, fourth and fifth attempt.
const PAUSES: [i64; 4] = [60, 5 * 60, 15 * 60, 60 * 60];
/// Mails of one kind to one account (SR-047): a stranger who keeps asking must not fill somebody's mailbox.
const PER_ACCOUNT: Budget = Budget { most: 3, window: 60 * 60 };
/// Notices that somebody waits for approval, to each administrator.
const NOTICES: Budget = Budget { most: 1, window: 60 * 60 };
/// A link that was asked for so long ago, in seconds, is not waited for any more: the mail server was away, or switched off.
const STALE: i64 = 6 * 60 * 60;

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// A link for a new password.
    Reset,
    /// A link that proves the mailbox.
    Proof,
    /// Somebody tried to make an account with an address that has one (SR-033).
    AccountExists,
    /// The password was changed by a link (SR-046).
    PasswordChanged,
    /// To administrators: somebody waits for approval.
    SomebodyWaits,
}

/// Queues a mail. The same work whether or not anybody has the address: that is looked up when the mail is written (SR-040).
///
/// # Errors
/// `Unavailable`.
pub async fn queue(state: &AppState, db: &impl db::Connection, kind: Kind, address: &str, origin: &Origin) -> Result<(), AuthError> {
    // What tells an owner that something has happened is never crowded out by what strangers can ask for.
    let is_notice = matches!(kind, Kind::PasswordChanged | Kind::SomebodyWaits);
    if !db::outbox::add(db, kind.into(), address, &origin.network, state.clock.now(), is_notice).await? {
        tracing::error!(event = "outbox_full", "1000 mails are waiting, so a new one was dropped; look at the mail server");
    }
    Ok(())
}

/// Tells the administrators that somebody waits, each at most once an hour: who waits later is announced at its end.
///
/// # Errors
/// `Unavailable`.
pub async fn tell_administrators(state: &AppState, db: &impl db::Connection, origin: &Origin) -> Result<(), AuthError> {
    if !is_on(state) {
        return Ok(());
    }
    for administrator in db::users::administrators(db).await? {
        if !db::outbox::has(db, Kind::SomebodyWaits.into(), &administrator.email).await? {
            queue(state, db, Kind::SomebodyWaits, &administrator.email, origin).await?;
        }
    }
    Ok(())
}

/// Sends all mail that is due; how many mails were dealt with.
///
/// # Errors
/// `Unavailable`.
pub async fn send_due(state: &AppState) -> Result<usize, AuthError> {
    let mut dealt_with = 0;
    while !state.stopping.is_cancelled()
        && let Some(waiting) = db::outbox::take(&state.db, state.clock.now()).await?
    {
        send(state, waiting).await?;
        dealt_with += 1;
    }
    Ok(dealt_with)
}

async fn send(state: &AppState, waiting: Waiting) -> Result<(), AuthError> {
    let (to, letter) = match write(state, &waiting).await? {
        Written::Letter(to, letter) => (to, letter),
        Written::Later(due_at) => return db::outbox::postpone(&state.db, waiting.id, due_at, true).await,
        Written::Nothing => return db::outbox::remove(&state.db, waiting.id).await,
    };
    let kind = &waiting.kind;
    match state.mailer.send(&state.config, &state.clock, &to, &letter).await {
        Ok(_) => {
            tracing::info!(event = "mail_sent", kind, "a mail was sent");
            db::outbox::remove(&state.db, waiting.id).await
        }
        Err(not_sent) => {
            let pause = usize::try_from(waiting.attempts - 1).ok().and_then(|index| PAUSES.get(index)).filter(|_| not_sent.is_temporary);
            let reason = not_sent.for_the_log;
            if let Some(pause) = pause {
                tracing::warn!(event = "mail_postponed", kind, reason, attempt = waiting.attempts, "a mail could not be sent and is tried again");
                return db::outbox::postpone(&state.db, waiting.id, state.clock.now() + pause, false).await;
            }
            tracing::error!(
                event = "mail_failed",
                kind,
                reason,
                attempt = waiting.attempts,
                "a mail could not be sent and is given up; try `mediamanager-auth mail test`"
            );
            db::outbox::remove(&state.db, waiting.id).await
        }
    }
}

enum Written {
    Letter(String, Letter),
    /// Not before then, Unix seconds.
    Later(i64),
    /// There is nobody to write to, or they have been written to enough.
    Nothing,
}

/// To whom, and what.
async fn write(state: &AppState, waiting: &Waiting) -> Result<Written, AuthError> {
    let now = state.clock.now();
    let (Ok(kind), Ok(email)) = (waiting.kind.parse::<Kind>(), Email::parse(&waiting.address)) else { return Ok(Written::Nothing) };
    let is_stale = now - waiting.created_at > STALE && matches!(kind, Kind::Reset | Kind::Proof | Kind::AccountExists);
    let Some(found) = db::users::find_by_email(&state.db, &email).await?.filter(|found| found.user.is_active && !is_stale) else {
        return Ok(Written::Nothing);
    };
    let budget = match kind {
        Kind::PasswordChanged => None,
        Kind::SomebodyWaits => Some(NOTICES),
        _ => Some(PER_ACCOUNT),
    };
    // Taken once for each mail, not for each attempt.
    if let Some(budget) = budget.filter(|_| waiting.attempts == 1) {
        let key = format!("mail:{}:{}", waiting.kind, found.user.id);
        match db::throttle::take(&state.db, &key, budget, now).await {
            Ok(()) => {}
            Err(AuthError::TooManyAttempts { retry_after }) if kind == Kind::SomebodyWaits => return Ok(Written::Later(now + i64::from(retry_after))),
            Err(AuthError::TooManyAttempts { .. }) => {
                tracing::info!(event = "mail_withheld", kind = waiting.kind, user = %found.user.id, "the account got three mails of this kind within the hour");
                return Ok(Written::Nothing);
            }
            Err(error) => return Err(error),
        }
    }
    let app = &state.config.server.app_name;
    let letter = match kind {
        Kind::Reset => {
            let Some(link) = password_reset::mailed_link(state, &found)? else { return Ok(Written::Nothing) };
            let minutes = state.config.policy.reset_link_lifetime / 60;
            Letter::new(format!("New password for {app}"), &["Hello,", &format!("somebody, probably you, asked for a new password for your account at {app}.")])
                .with_link(
                    "Choose a new password",
                    link,
                    &[&format!("The link works for {minutes} minutes and once. If it was not you, do nothing: your password stays as it is.")],
                )
        }
        Kind::Proof => {
            let Some(link) = email_proof::link(state, &found.user).await? else { return Ok(Written::Nothing) };
            Letter::new(
                format!("Confirm your address for {app}"),
                &["Hello,", &format!("an account at {app} was made with this address. If it is yours, confirm that the mailbox is too.")],
            )
            .with_link(
                "Confirm the address",
                link,
                &["The link works for a day, in a browser in which you are logged in to that account. If you have no such account, do nothing."],
            )
        }
        Kind::AccountExists => Letter::new(
            format!("You have an account at {app}"),
            &[
                "Hello,",
                &format!("somebody, probably you, tried to create an account at {app} with this address. There is one already, and nothing was changed."),
            ],
        )
        .with_link(
            "Log in",
            state.config.link("/login"),
            &[if state.config.auth.email_password_resets {
                "If you have forgotten the password, the login page helps. If it was not you, do nothing."
            } else {
                "If you have forgotten the password, ask an administrator for a link. If it was not you, do nothing."
            }],
        ),
        Kind::PasswordChanged => notice(app, waiting),
        Kind::SomebodyWaits => somebody_waits(state, app),
    };
    Ok(Written::Letter(found.user.email, letter))
}

fn notice(app: &str, waiting: &Waiting) -> Letter {
    Letter::new(
        format!("Your password for {app} was changed"),
        &[
            "Hello,",
            &format!(
                "the password of your account at {app} was changed on {} from the address {}. Everybody who was logged in with it is logged out.",
                in_words(waiting.created_at),
                waiting.network
            ),
            "If it was you, there is nothing to do.",
            "If it was not, somebody else had a link: choose a new password for your mailbox first, then one here, and tell an administrator.",
        ],
    )
}

fn somebody_waits(state: &AppState, app: &str) -> Letter {
    Letter::new(
        format!("Somebody waits for approval at {app}"),
        &["Hello,", &format!("somebody has made an account at {app} and confirmed the address. They can do nothing until an administrator approves them.")],
    )
    .with_link("Log in", state.config.link("/login"), &["You get this mail at most once an hour, however many are waiting."])
}

/// Whether somebody can be written to at all.
#[must_use]
pub fn is_on(state: &AppState) -> bool {
    state.config.smtp.is_some()
}
