use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::{SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// The one place that knows what time it is. Everything is Unix seconds, UTC.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A time that a test sets and moves. It stands still in between, so that no test depends on
    /// how fast the machine is.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// Seconds since 1970-01-01T00:00:00Z. A machine set before 1970 counts as 1970: nothing may
    /// panic over a clock (SR-195).
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

/// A time for people. UTC, because the server does not know where its reader is.
pub fn format_human(unix: i64) -> String {
    let words =
        format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    utc(unix).format(&words).unwrap_or_default()
}

/// A time for machines (RFC 3339).
pub fn format_rfc3339(unix: i64) -> String {
    utc(unix).format(&Rfc3339).unwrap_or_default()
}

fn utc(unix: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
