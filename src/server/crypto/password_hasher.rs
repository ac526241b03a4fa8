use std::sync::Arc;

use argon2::{Algorithm, Params, Version, password_hash::phc};

use super::{password_policy::NewPassword, random};
use crate::{
    domain::{AuthError, Password},
    server::telemetry::metrics,
};

mod memory;
mod queue;
#[cfg(test)]
mod tests;

use memory::MemoryBlocks;
use queue::Queue;
pub use queue::QueueSlot;

/// The limits for the parameters of a stored Argon2 hash. A hash beyond them is never computed: a
/// planted row could exhaust memory or processor (SR-015).
const MAX_MEMORY_KIB: u32 = 262_144;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 8;
/// The limit for bcrypt (SR-015); the cost is the exponent of a power of two.
const MAX_BCRYPT_COST: u32 = 14;

/// Argon2id parameters (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug)]
pub struct Argon2Params {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Argon2Params {
    /// The second recommended option of RFC 9106 §4, above the minimum of SR-014. MediaManager's
    /// hashes use the same, so that in a shared database an unknown address takes as long as a
    /// known one (SR-020).
    pub const STANDARD: Self = Self {
        memory_kib: 65_536,
        passes: 3,
        lanes: 4,
    };
}

/// Hashes and verifies passwords on the blocking pool. One queue bounds all of its work (SR-170).
#[derive(Clone)]
pub struct Hasher {
    params: Params,
    /// A hash with the current parameters that no password matches, verified where no hash is
    /// stored (SR-020). Its bytes are random, because computing a hash would double the program's
    /// start time.
    dummy: Arc<phc::PasswordHash>,
    memory: Arc<MemoryBlocks>,
    queue: Arc<Queue>,
}

/// The outcome of verifying a password.
#[derive(Debug, PartialEq, Eq)]
pub enum Verification {
    Valid {
        /// A new hash that replaces a weaker stored one (SR-014).
        upgrade: Option<String>,
    },
    Invalid,
    /// The stored hash cannot be read or exceeds the limits of SR-015. The user needs a new
    /// password.
    UnsupportedHash,
}

impl Hasher {
    /// Creates a hasher that runs at most `permits` computations at the same time.
    ///
    /// # Errors
    /// The library's error when `cost` is out of range.
    pub fn new(cost: Argon2Params, permits: usize) -> Result<Self, argon2::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32))?;
        let dummy = unmatchable_hash(&params).map_err(|_| argon2::Error::OutputTooLong)?;
        Ok(Self {
            params,
            dummy: Arc::new(dummy),
            memory: Arc::default(),
            queue: Arc::new(Queue::new(permits)),
        })
    }

    /// Takes a slot in the queue for a request of this network. Callers take it before their first
    /// database query, so that a flood of logins is rejected before it reaches the database
    /// (SR-171).
    ///
    /// # Errors
    /// `Overloaded` when the queue is full, after a delay.
    pub async fn acquire_slot(&self, network: &str) -> Result<QueueSlot, AuthError> {
        self.queue.acquire(network).await
    }

    /// Estimates the strength of a new password and returns its hash as a PHC string. The estimate
    /// may take as long as the hash, so both are one job of the queue (SR-172).
    ///
    /// # Errors
    /// `PasswordTooWeak`; `Overloaded` when the turn does not come in time; `Internal` when the
    /// computation failed.
    pub async fn hash(&self, slot: QueueSlot, password: NewPassword) -> Result<String, AuthError> {
        let hasher = self.clone();
        self.run(slot, move || {
            password.check_strength()?;
            hasher.hash_now(password.expose().as_bytes()).map_err(|err| {
                tracing::error!(event = "hash_failed", error = %err, "a password could not be hashed");
                AuthError::Internal
            })
        })
        .await?
    }

    /// A hash that no password matches, for an account without a password. Its 256 random bits need
    /// no computation, and verifying a password against it takes as long as against any other.
    ///
    /// # Errors
    /// `Internal` when the parameters cannot be written.
    pub fn unmatchable_hash(&self) -> Result<String, AuthError> {
        unmatchable_hash(&self.params)
            .map(|hash| hash.to_string())
            .map_err(|_| AuthError::Internal)
    }

    /// Verifies a password against a stored hash. `None` is always invalid.
    ///
    /// An invalid password causes exactly one Argon2 computation, whatever is stored, so that the
    /// time does not show whether an account exists (SR-020).
    ///
    /// # Errors
    /// Those of [`Password::check`]; `Overloaded` when the turn does not come in time; `Internal` when
    /// the computation failed.
    pub async fn verify(
        &self,
        slot: QueueSlot,
        password: Password,
        stored: Option<String>,
    ) -> Result<Verification, AuthError> {
        password.check()?;
        let hasher = self.clone();
        self.run(slot, move || {
            hasher.verify_now(password.expose().as_bytes(), stored.as_deref())
        })
        .await
    }

    /// Returns the memory of past computations to the system if there was none since the last call.
    pub fn release_unused_memory(&self) {
        self.memory.release_unused();
    }

    /// Runs a job on the blocking pool. The job owns its turn, so that a client that disconnects
    /// does not pass it on while the memory is still in use (SR-170).
    async fn run<T: Send + 'static>(
        &self,
        slot: QueueSlot,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AuthError> {
        let waiting = metrics::QueueWait::start();
        let turn = slot.turn().await;
        drop(waiting);
        let turn = turn?;
        let span = tracing::Span::current();
        let job = tokio::task::spawn_blocking(move || {
            // Log lines of the job belong to the request's span.
            let result = span.in_scope(job);
            drop((turn, slot));
            result
        });
        job.await.map_err(|_| AuthError::Internal)
    }

    fn hash_now(&self, password: &[u8]) -> argon2::password_hash::Result<String> {
        let salt = random::bytes::<16>();
        let mut tag = [0; 32];
        let argon2 = (Algorithm::Argon2id, Version::V0x13, &self.params);
        self.memory.compute(argon2, password, &salt, &mut tag)?;
        Ok(phc_hash(&self.params, &salt, &tag)?.to_string())
    }

    fn verify_now(&self, password: &[u8], stored: Option<&str>) -> Verification {
        let reject_after_dummy = |verification| {
            let _ = self.is_password_of(password, &self.dummy);
            verification
        };
        let Some(stored) = stored else {
            return reject_after_dummy(Verification::Invalid);
        };
        if stored.starts_with("$2") {
            return self
                .verify_bcrypt(password, stored)
                .unwrap_or_else(|| reject_after_dummy(Verification::UnsupportedHash));
        }
        let Some(hash) = parse_within_cost_limits(stored) else {
            return reject_after_dummy(Verification::UnsupportedHash);
        };
        if self.is_password_of(password, &hash) != Some(true) {
            return Verification::Invalid;
        }
        let upgrade = if is_current(&self.params, &hash) {
            None
        } else {
            self.hash_now(password).ok()
        };
        Verification::Valid { upgrade }
    }

    /// Whether a password has this hash; `None` if the hash cannot be computed.
    fn is_password_of(&self, password: &[u8], hash: &phc::PasswordHash) -> Option<bool> {
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = hash
            .version
            .map_or(Ok(Version::default()), Version::try_from);
        let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
        let params = Params::try_from(hash).ok()?;
        let mut tag = [0; phc::Output::MAX_LENGTH];
        let tag = tag.get_mut(..expected.len())?;
        let argon2 = (algorithm, version.ok()?, &params);
        self.memory.compute(argon2, password, salt, tag).ok()?;
        // `phc::Output` compares in constant time.
        Some(phc::Output::new(tag).ok()? == *expected)
    }

    /// Verifies a bcrypt hash, which old MediaManager databases have. The new Argon2 hash is
    /// computed for an invalid password too, so that both take the same time. Bcrypt uses the first
    /// 72 bytes only, as it did when the hash was created.
    fn verify_bcrypt(&self, password: &[u8], stored: &str) -> Option<Verification> {
        let parts: bcrypt::HashParts = stored.parse().ok()?;
        if parts.get_cost() > MAX_BCRYPT_COST {
            return None;
        }
        tracing::trace!(event = "bcrypt_computed");
        let is_right = bcrypt::verify(password, stored).unwrap_or(false);
        let upgrade = self.hash_now(password).ok();
        Some(if is_right {
            Verification::Valid { upgrade }
        } else {
            Verification::Invalid
        })
    }
}

/// A hash of random bytes.
fn unmatchable_hash(params: &Params) -> argon2::password_hash::Result<phc::PasswordHash> {
    phc_hash(params, &random::bytes::<16>(), &random::bytes::<32>())
}

/// The PHC form of an Argon2id hash.
fn phc_hash(
    params: &Params,
    salt: &[u8],
    tag: &[u8],
) -> argon2::password_hash::Result<phc::PasswordHash> {
    Ok(phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into()?,
        salt: Some(phc::Salt::new(salt)?),
        hash: Some(phc::Output::new(tag)?),
    })
}

/// Parses an Argon2 PHC string; `None` if its parameters exceed the limits of SR-015.
fn parse_within_cost_limits(stored: &str) -> Option<phc::PasswordHash> {
    let hash = phc::PasswordHash::new(stored).ok()?;
    Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let is_affordable = params.m_cost() <= MAX_MEMORY_KIB
        && params.t_cost() <= MAX_PASSES
        && params.p_cost() <= MAX_LANES;
    is_affordable.then_some(hash)
}

/// Whether a hash is at least as strong as a new one (SR-014).
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
