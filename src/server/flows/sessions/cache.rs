use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::server::{clock::Clock, db, flows::sessions::CurrentUser};

/// How many are remembered at most (SR-173). Beyond it the database is asked again, as it would be
/// without all this.
const MAX_ENTRIES: usize = 10_000;

/// Who presented which token within this second, so that the many requests of one page ask the
/// database once.
///
/// SR-097 lets a revocation take a second to be known. One of this process is known at once,
/// because whatever it commits ends all that is remembered here; one of another process when the
/// second is over.
pub struct SessionCache {
    started: Instant,
    seen: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    at: CacheKey,
    people: HashMap<String, CurrentUser>,
}

/// As long as all of it stays the same, so does what was found out. A clock that has been set back
/// alone revives nothing (SR-195).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheKey {
    time: i64,
    uptime: u64,
    changes: u64,
}

impl Default for SessionCache {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            seen: Mutex::default(),
        }
    }
}

impl SessionCache {
    /// Now. Taken before the database is asked, so that what changes meanwhile is not missed.
    pub fn key(&self, clock: &Clock) -> CacheKey {
        CacheKey {
            time: clock.now(),
            uptime: self.started.elapsed().as_secs(),
            changes: db::commit_count(),
        }
    }

    /// Whose token this is, if that was found out at this moment.
    pub fn find(&self, token: &str, at: CacheKey) -> Option<CurrentUser> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at == at {
            seen.people.get(token).cloned()
        } else {
            None
        }
    }

    /// Remembers whose token this is, until the moment is over.
    pub fn insert(&self, token: &str, at: CacheKey, user: &CurrentUser) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at != at {
            seen.people.clear();
            seen.at = at;
        }
        if seen.people.len() < MAX_ENTRIES {
            seen.people.insert(token.to_owned(), user.clone());
        }
    }
}
