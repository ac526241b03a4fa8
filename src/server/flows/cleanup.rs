//! Deletes expired rows, so that the tables stay small (SR-100, SR-173), but not by a clock that
//! has just jumped (SR-195).

use super::events;
use crate::server::{AppState, db};

/// How far the clock may move against the time that has passed before it counts as having jumped.
const MAX_DRIFT_SECONDS: i64 = 60;
/// How long the clock has to run evenly, after the start and after a jump, before rows are deleted
/// by their age. A machine without a battery for its clock has corrected it by then.
const SETTLING_SECONDS: i64 = 60 * 60;

/// Notices when the clock jumps. All times are in seconds.
#[derive(Debug, Default)]
pub struct ClockGuard {
    /// The clock minus the uptime, when they were last compared.
    offset: Option<i64>,
    /// The uptime since which the clock has run evenly.
    even_since: i64,
}

impl ClockGuard {
    /// Compares the clock with the monotonic `uptime`, and returns whether the clock has run evenly
    /// long enough to delete rows by their age.
    pub fn is_settled(&mut self, now: i64, uptime: i64) -> bool {
        let offset = now.saturating_sub(uptime);
        let drift = self.offset.map(|before| offset.saturating_sub(before));
        self.offset = Some(offset);
        match drift {
            Some(drift) if drift.abs() <= MAX_DRIFT_SECONDS => {}
            Some(seconds) => {
                self.even_since = uptime;
                tracing::warn!(
                    event = "clock_jumped",
                    seconds,
                    "the clock has jumped; nothing is deleted by its age for an hour"
                );
            }
            None => self.even_since = uptime,
        }
        uptime.saturating_sub(self.even_since) >= SETTLING_SECONDS
    }
}

/// One round. `uptime` is from a clock that nobody sets. A database error was logged, and the next
/// round tries again.
pub async fn run(state: &AppState, guard: &mut ClockGuard, uptime: i64) {
    let now = state.clock.now();
    if guard.is_settled(now, uptime) {
        let _ = db::sessions::purge(&state.db, now).await;
        let _ = db::rate_limits::purge(&state.db, now).await;
        let _ = db::used_tokens::purge(&state.db, now).await;
        let _ = events::purge(state).await;
    } else {
        let _ = events::purge_surplus(state).await;
    }
}
