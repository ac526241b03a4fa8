//! What people may try, and how often: the operator's budgets (`[policy.throttle]`) over the
//! counters of the database (SR-022, SR-023, SR-047).

use super::Ctx;
use crate::{
    domain::AuthError,
    server::db::{
        self,
        rate_limits::{BackoffLimit, RateLimit},
    },
};

/// Seconds in which a network's failed logins are counted.
const FAILURE_WINDOW_SECONDS: i64 = 10 * 60;
/// Tokens that one network may try: links are too long to be guessed, and looking one up is cheap.
const TOKEN_LIMIT: RateLimit = RateLimit {
    max: 20,
    window: 10 * 60,
};
/// Answers of the provider with which one network may come back and not be logged in: each leaves a
/// row for a day (SR-173).
const CALLBACK_LIMIT: RateLimit = RateLimit {
    max: 100,
    window: 10 * 60,
};
const SECONDS_PER_HOUR: i64 = 60 * 60;

/// Takes one failed login out of a network's budget. Given back by [`refund`] when it was none.
///
/// # Errors
/// `TooManyAttempts`, `Unavailable`.
pub async fn consume_failure(cx: &Ctx<'_>) -> Result<(), AuthError> {
    let max = cx.state.config.policy.throttle.login_failures_per_ip;
    consume(
        cx,
        &client_key(&cx.client.rate_limit_key),
        RateLimit {
            max,
            window: FAILURE_WINDOW_SECONDS,
        },
    )
    .await
}

/// Takes one failed login out of an account's budget. The key is the address, whether or not it has
/// an account.
///
/// # Errors
/// `TooManyAttempts` while the account's delay lasts, `Unavailable`.
pub async fn reserve_account(cx: &Ctx<'_>, key: &str) -> Result<(), AuthError> {
    let throttle = &cx.state.config.policy.throttle;
    if !throttle.enabled {
        return Ok(());
    }
    let budget = BackoffLimit {
        failures: throttle.login_failures_per_account,
        max_delay: throttle.max_delay,
    };
    db::rate_limits::reserve_account(&cx.state.db, key, budget, cx.now()).await
}

/// Takes one of the things that a network may ask for in an hour: accounts, links. Returns the key,
/// to give it back.
///
/// # Errors
/// `TooManyAttempts`, `Unavailable`.
pub async fn consume_request(cx: &Ctx<'_>, what: &str) -> Result<String, AuthError> {
    let (key, max) = (
        format!("{what}:{}", cx.client.rate_limit_key),
        cx.state.config.policy.throttle.requests_per_ip,
    );
    consume(
        cx,
        &key,
        RateLimit {
            max,
            window: SECONDS_PER_HOUR,
        },
    )
    .await
    .map(|()| key)
}

/// Takes one of the tokens that a network may try. Returns the key, to give it back.
///
/// # Errors
/// `TooManyAttempts`, `Unavailable`.
pub async fn consume_token(cx: &Ctx<'_>, what: &str) -> Result<String, AuthError> {
    let key = format!("{what}:{}", cx.client.rate_limit_key);
    consume(cx, &key, TOKEN_LIMIT).await.map(|()| key)
}

/// Takes one of the provider's answers with which a network may come back. Returns the key, to give
/// it back.
///
/// # Errors
/// `TooManyAttempts`, `Unavailable`.
pub async fn consume_callback(cx: &Ctx<'_>) -> Result<String, AuthError> {
    let key = format!("oidc-callback:{}", cx.client.rate_limit_key);
    consume(cx, &key, CALLBACK_LIMIT).await.map(|()| key)
}

/// How many mails of a kind an account gets in an hour.
pub fn mail_limit(cx: &Ctx<'_>) -> RateLimit {
    RateLimit {
        max: cx.state.config.policy.throttle.mails_per_account,
        window: SECONDS_PER_HOUR,
    }
}

/// Takes one out of a budget.
///
/// # Errors
/// `TooManyAttempts`, `Unavailable`.
pub async fn consume(cx: &Ctx<'_>, key: &str, budget: RateLimit) -> Result<(), AuthError> {
    if cx.state.config.policy.throttle.enabled {
        db::rate_limits::consume(&cx.state.db, key, budget, cx.now()).await
    } else {
        Ok(())
    }
}

/// Gives one back where what it was for could not be done. Returns what came of that.
///
/// # Errors
/// Its own; `Unavailable`.
pub async fn refund_on_error<T>(
    cx: &Ctx<'_>,
    key: &str,
    outcome: Result<T, AuthError>,
) -> Result<T, AuthError> {
    if outcome.is_err() {
        refund(cx, key).await?;
    }
    outcome
}

/// Gives one back that was no failure.
pub async fn refund(cx: &Ctx<'_>, key: &str) -> Result<(), AuthError> {
    db::rate_limits::refund(&cx.state.db, key).await
}

/// Forgets the failed logins of an account, from all networks, its familiar ones among them
/// (SR-024): it has got a password that none of them was about, and whoever guessed at the old one
/// has not earned the owner a delay.
pub async fn clear_account_failures(
    db: &impl db::Connection,
    address: &str,
) -> Result<(), AuthError> {
    db::rate_limits::clear_everywhere(db, &account_key(&address.to_ascii_lowercase(), None)).await
}

/// The key of an account's failed logins; with a budget of their own from a network that is
/// familiar.
pub fn account_key(address: &str, familiar: Option<&str>) -> String {
    familiar.map_or_else(
        || format!("account:{address}"),
        |network| format!("account:{address}@{network}"),
    )
}

/// The key of a network's failed logins.
pub fn client_key(network: &str) -> String {
    format!("network:{network}")
}
