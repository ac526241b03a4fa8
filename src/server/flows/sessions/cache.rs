use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::server::{clock::Clock, db, flows::sessions::CurrentUser};

/// Maximum number of cached tokens (SR-173). Tokens beyond it are looked up in the database.
const MAX_ENTRIES: usize = 10_000;

/// Caches the users of session tokens for one second, so that the requests of one page cost one
/// database query.
///
/// SR-097 allows a revocation to take a second. A revocation in this process takes effect
/// immediately, because every commit invalidates the cache. One in another process takes effect
/// when the second ends.
pub struct SessionCache {
    started: Instant,
    seen: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    at: CacheKey,
    people: HashMap<String, CurrentUser>,
}

/// The state under which entries were cached. If any part changes, all entries are invalid. The
/// uptime is included so that setting the clock back does not revive an entry (SR-195).
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
    /// The current key. It is read before the database query, so that a concurrent change is not
    /// missed.
    pub fn key(&self, clock: &Clock) -> CacheKey {
        CacheKey {
            time: clock.now(),
            uptime: self.started.elapsed().as_secs(),
            changes: db::commit_count(),
        }
    }

    /// The user of a token, if it was cached under this key.
    pub fn find(&self, token: &str, key: CacheKey) -> Option<CurrentUser> {
        let entries = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.at == key {
            entries.people.get(token).cloned()
        } else {
            None
        }
    }

    /// Caches the user of a token under this key.
    pub fn insert(&self, token: &str, key: CacheKey, user: &CurrentUser) {
        let mut entries = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.at != key {
            entries.people.clear();
            entries.at = key;
        }
        if entries.people.len() < MAX_ENTRIES {
            entries.people.insert(token.to_owned(), user.clone());
        }
    }
}
