use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::{SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// The source of the current time in Unix seconds. All code uses it, so that tests can set the
/// time.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// A time that a test sets. It does not advance by itself, so that no test depends on the speed
    /// of the machine.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Seconds since 1970-01-01T00:00:00Z. A system clock before 1970 counts as 1970, because a
    /// wrong clock must not cause a panic (SR-195).
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the machine for the time"
    )]
    pub fn now(&self) -> i64 {
        match self {
            Self::System => {
                let since_epoch = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
            }
            Self::Manual(seconds) => seconds.load(Ordering::Relaxed),
        }
    }
}

/// Formats a time for users, short enough for a table. In UTC, because the server does not know the
/// user's time zone.
pub fn format_human(unix: i64) -> String {
    let words =
        format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
    to_utc(unix).format(&words).unwrap_or_default()
}

/// Formats a time in the format of RFC 3339.
pub fn format_rfc3339(unix: i64) -> String {
    to_utc(unix).format(&Rfc3339).unwrap_or_default()
}

fn to_utc(unix: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
