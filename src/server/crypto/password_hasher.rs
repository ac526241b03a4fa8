use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use crate::{
    domain::{AuthError, Password},
    server::{crypto::random, telemetry::metrics},
};

/// How long a login may wait for its turn (SR-171).
const MAX_QUEUE_WAIT: Duration = Duration::from_secs(2);
/// How many may wait at once (SR-171).
const MAX_QUEUED: usize = 64;
/// How long whoever is turned away waits for that answer.
const REJECT_DELAY: Duration = Duration::from_secs(1);
/// Stored hashes dearer than this are never computed (SR-015): a row somebody planted must not stop
/// the machine.
const MAX_MEMORY_KIB: u32 = 262_144;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 8;
/// The same for bcrypt, whose cost is a power of two.
const MAX_BCRYPT_COST: u32 = 14;

/// Argon2id parameters (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug)]
pub struct Argon2Params {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Argon2Params {
    /// The second recommended option of RFC 9106 §4, above the floor of SR-014. It is also what
    /// MediaManager's own hashes use, so in an adopted database an unknown address costs exactly as
    /// much as a known one (SR-020), from the first day.
    pub const STANDARD: Self = Self {
        memory_kib: 65_536,
        passes: 3,
        lanes: 4,
    };
}

/// Hashes and checks passwords, on the blocking pool and under one semaphore for all uses (SR-170).
#[derive(Clone)]
pub struct Hasher {
    params: Params,
    /// A hash with the current parameters that no password has, for accounts without one (SR-020).
    /// Made of random bytes instead of computed, because computing one would double the time the
    /// program takes to start.
    dummy: Arc<str>,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

/// A place among those who compute or wait for their turn.
#[derive(Debug)]
pub struct QueueSlot(
    #[expect(dead_code, reason = "held until it is dropped, not read")] OwnedSemaphorePermit,
);

/// The outcome of checking a password.
#[derive(Debug, PartialEq, Eq)]
pub enum Verification {
    Valid {
        /// A fresh hash to store in place of one that is weaker than today's (SR-014).
        upgrade: Option<String>,
    },
    Invalid,
    /// Wrong, because what is stored cannot be read or is too dear to compute: only a new password
    /// opens the account again.
    UnsupportedHash,
}

impl Hasher {
    /// `permits` computations run at the same time.
    ///
    /// # Errors
    /// Argon2's, when the cost is outside its bounds.
    pub fn new(cost: Argon2Params, permits: usize) -> Result<Self, argon2::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))?;
        let encode = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        let dummy = format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            cost.memory_kib,
            cost.passes,
            cost.lanes,
            encode(&random::bytes::<16>()),
            encode(&random::bytes::<32>())
        );
        Ok(Self {
            params,
            dummy: dummy.into(),
            running: Arc::new(Semaphore::new(permits)),
            admitted: Arc::new(Semaphore::new(permits + MAX_QUEUED)),
        })
    }

    /// Takes a place. Whoever asks the database before the password is looked at does so with a
    /// place already: a flood is turned away before it can queue there (SR-171). It gets its answer
    /// after a pause that costs us nothing, or it would be back at once and take all of the
    /// processor with being turned away.
    ///
    /// # Errors
    /// `Busy` when too many are waiting.
    pub async fn acquire_slot(&self) -> Result<QueueSlot, AuthError> {
        match self.admitted.clone().try_acquire_owned() {
            Ok(place) => Ok(QueueSlot(place)),
            Err(_) => {
                sleep(REJECT_DELAY).await;
                Err(AuthError::Overloaded)
            }
        }
    }

    /// The PHC string to store for a new password.
    ///
    /// # Errors
    /// Those of [`Password::check`]; `Busy` when its turn did not come in time, `Internal` when the
    /// computation failed.
    pub async fn hash(
        &self,
        admission: QueueSlot,
        password: Password,
    ) -> Result<String, AuthError> {
        password.check()?;
        let params = self.params.clone();
        self.run(admission, move || {
            hash_now(&params, password.expose().as_bytes())
        })
        .await?
        .map_err(|err| {
            tracing::error!(event = "hash_failed", error = %err, "a password could not be hashed");
            AuthError::Internal
        })
    }

    /// Checks a password against what is stored; `None` costs the same and is always wrong.
    ///
    /// Exactly one Argon2 computation is done for a wrong password, whatever is stored (SR-020).
    ///
    /// # Errors
    /// Those of [`Password::check`]; `Busy` when its turn did not come in time, `Internal` when the
    /// computation failed.
    pub async fn verify(
        &self,
        admission: QueueSlot,
        password: Password,
        stored: Option<String>,
    ) -> Result<Verification, AuthError> {
        password.check()?;
        let (params, dummy) = (self.params.clone(), self.dummy.clone());
        self.run(admission, move || {
            verify_now(
                &params,
                &dummy,
                password.expose().as_bytes(),
                stored.as_deref(),
            )
        })
        .await
    }

    /// Runs on the blocking pool. The job owns its permit, so a client that hangs up does not free
    /// it early (SR-170).
    async fn run<T: Send + 'static>(
        &self,
        admission: QueueSlot,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AuthError> {
        let waiting = metrics::QueueWait::begin();
        let turn = timeout(MAX_QUEUE_WAIT, self.running.clone().acquire_owned()).await;
        drop(waiting);
        let permit: OwnedSemaphorePermit = turn
            .map_err(|_| AuthError::Overloaded)?
            .map_err(|_| AuthError::Internal)?;
        let span = tracing::Span::current();
        let job = tokio::task::spawn_blocking(move || {
            // A fault in there belongs to the request that asked for it.
            let result = span.in_scope(job);
            drop((permit, admission));
            result
        });
        job.await.map_err(|_| AuthError::Internal)
    }
}

fn argon2id(params: &Params) -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
}

fn hash_now(params: &Params, password: &[u8]) -> argon2::password_hash::Result<String> {
    let salt = random::bytes::<16>();
    Ok(argon2id(params)
        .hash_password_with_salt(password, &salt)?
        .to_string())
}

fn verify_now(params: &Params, dummy: &str, password: &[u8], stored: Option<&str>) -> Verification {
    let refuse = |verdict| {
        let _ = PasswordVerifier::<str>::verify_password(&argon2id(params), password, dummy);
        verdict
    };
    let Some(stored) = stored else {
        return refuse(Verification::Invalid);
    };
    if stored.starts_with("$2") {
        return verify_bcrypt(params, password, stored)
            .unwrap_or_else(|| refuse(Verification::UnsupportedHash));
    }
    let Some(hash) = is_within_cost_limits(stored) else {
        return refuse(Verification::UnsupportedHash);
    };
    if argon2id(params).verify_password(password, &hash).is_err() {
        return Verification::Invalid;
    }
    let upgrade = if is_current(params, &hash) {
        None
    } else {
        hash_now(params, password).ok()
    };
    Verification::Valid { upgrade }
}

/// Hashes of old MediaManager databases. The new Argon2 hash is computed before the answer is
/// known, so that a right and a wrong password cost the same. Only the first 72 bytes count, as
/// they did when the hash was made.
fn verify_bcrypt(params: &Params, password: &[u8], stored: &str) -> Option<Verification> {
    let parts: bcrypt::HashParts = stored.parse().ok()?;
    if parts.get_cost() > MAX_BCRYPT_COST {
        return None;
    }
    let is_right = bcrypt::verify(password, stored).unwrap_or(false);
    let upgrade = hash_now(params, password).ok();
    Some(if is_right {
        Verification::Valid { upgrade }
    } else {
        Verification::Invalid
    })
}

/// Parses an Argon2 PHC string whose parameters are within SR-015.
fn is_within_cost_limits(stored: &str) -> Option<phc::PasswordHash> {
    let hash = phc::PasswordHash::new(stored).ok()?;
    Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let is_affordable = params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
        && params.p_cost() <= MAX_LANES;
    is_affordable.then_some(hash)
}

/// Whether a hash is at least as strong as a new one would be.
fn is_current(params: &Params, hash: &phc::PasswordHash) -> bool {
    let Ok(used) = Params::try_from(hash) else {
        return false;
    };
    hash.algorithm.as_str() == "argon2id"
        && hash.version == Some(Version::V0x13.into())
        && used.m_cost() >= params.m_cost()
        && used.t_cost() >= params.t_cost()
        && hash.salt.as_ref().is_some_and(|salt| salt.len() >= 16)
        && hash.hash.as_ref().is_some_and(|output| output.len() >= 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Argon2Params = Argon2Params {
        memory_kib: 64,
        passes: 1,
        lanes: 1,
    };

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    async fn verify(hasher: &Hasher, text: &str, stored: &str) -> Verification {
        hasher
            .verify(
                hasher.acquire_slot().await.unwrap(),
                password(text),
                Some(stored.to_owned()),
            )
            .await
            .unwrap()
    }

    async fn hash(hasher: &Hasher, text: &str) -> String {
        hasher
            .hash(hasher.acquire_slot().await.unwrap(), password(text))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_new_hash_is_argon2id_with_the_parameters_of_mediamanager() {
        let hasher = Hasher::new(Argon2Params::STANDARD, 1).unwrap();
        let hash = hash(&hasher, "correct horse").await;
        assert!(
            hash.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"),
            "{hash}"
        );
        assert_eq!(
            verify(&hasher, "correct horse", &hash).await,
            Verification::Valid { upgrade: None }
        );
        assert_eq!(
            verify(&hasher, "correct horsE", &hash).await,
            Verification::Invalid
        );
    }

    #[tokio::test]
    async fn weaker_hashes_are_accepted_and_upgraded() {
        let weak = hash(&Hasher::new(CHEAP, 1).unwrap(), "correct horse").await;
        let hasher = Hasher::new(
            Argon2Params {
                memory_kib: 128,
                ..CHEAP
            },
            1,
        )
        .unwrap();
        let bcrypt = bcrypt::hash("correct horse", 4).unwrap();
        for stored in [weak, bcrypt] {
            let Verification::Valid {
                upgrade: Some(upgrade),
            } = verify(&hasher, "correct horse", &stored).await
            else {
                panic!("{stored}")
            };
            assert_eq!(
                verify(&hasher, "correct horse", &upgrade).await,
                Verification::Valid { upgrade: None }
            );
            assert_eq!(
                verify(&hasher, "wrong horse", &stored).await,
                Verification::Invalid
            );
        }
    }

    #[tokio::test]
    async fn unreadable_and_unaffordable_hashes_are_wrong_and_never_computed() {
        let hasher = Hasher::new(CHEAP, 1).unwrap();
        let tail = "c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for stored in [
            String::new(),
            "plain".to_owned(),
            "$2b$31$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu".to_owned(),
            format!("$argon2id$v=19$m=4194304,t=1,p=1${tail}"),
            format!("$argon2id$v=19$m=64,t=4000000,p=1${tail}"),
            format!("$scrypt$ln=1,r=1,p=1${tail}"),
        ] {
            assert_eq!(
                verify(&hasher, "anything", &stored).await,
                Verification::UnsupportedHash,
                "{stored}"
            );
        }
        assert_eq!(
            hasher
                .verify(
                    hasher.acquire_slot().await.unwrap(),
                    password("anything"),
                    None
                )
                .await
                .unwrap(),
            Verification::Invalid
        );
    }

    #[tokio::test]
    async fn a_client_that_goes_away_makes_no_room_for_another_hash() {
        let hasher = Hasher::new(CHEAP, 1).unwrap();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let (finish, finished) = std::sync::mpsc::channel::<()>();
        let job = hasher.run(hasher.acquire_slot().await.unwrap(), move || {
            (begin.send(()), finished.recv())
        });
        tokio::select! {
            _ = job => unreachable!("it waits"),
            begun = begun => begun.unwrap(),
        }
        assert_eq!(
            hasher.running.available_permits(),
            0,
            "the memory is still in use"
        );
        assert_eq!(hasher.admitted.available_permits(), MAX_QUEUED);
        finish.send(()).unwrap();
        let _turn = hasher.running.acquire().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_told_to_come_back() {
        let hasher = Hasher::new(CHEAP, 1).unwrap();
        let _all = hasher
            .admitted
            .clone()
            .acquire_many_owned(u32::try_from(1 + MAX_QUEUED).unwrap())
            .await
            .unwrap();
        assert_eq!(
            hasher.acquire_slot().await.err(),
            Some(AuthError::Overloaded)
        );
    }
}
