use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use argon2::{Algorithm, Argon2, Params, Version};
use argon2_rust::params::Memory;

/// Computes Argon2 (RFC 9106) in memory that is kept for the next password, because getting 64 MiB
/// from the system takes a quarter of the time of a computation.
///
/// `argon2_rust` computes with the processor's SIMD instructions, maps a block in huge pages where
/// the system has them, and wipes it after every password. A block serves one computation at a
/// time, so there are at most as many blocks as permits.
#[derive(Default)]
pub struct MemoryBlocks {
    idle: Mutex<Vec<argon2_rust::Hasher>>,
    was_used: AtomicBool,
}

impl MemoryBlocks {
    /// Computes the tag of a password. The length of `tag` is a parameter of the algorithm.
    ///
    /// # Errors
    /// The error of the `argon2` crate, which computes what `argon2_rust` cannot, for example
    /// because it gets no memory.
    pub fn compute(
        &self,
        (algorithm, version, params): (Algorithm, Version, &Params),
        password: &[u8],
        salt: &[u8],
        tag: &mut [u8],
    ) -> Result<(), argon2::Error> {
        // Tests count the computations of a request by this line (SR-020).
        tracing::trace!(event = "argon2_computed");
        self.was_used.store(true, Ordering::Relaxed);
        if let Some(simd) = simd_argon2(algorithm, version, params) {
            let idle = self.lock().pop();
            let mut block = idle.unwrap_or_else(|| simd.hasher());
            block.set_argon2(simd);
            if block.hash_into(password, salt, tag).is_ok() {
                self.lock().push(block);
                return Ok(());
            }
        }
        Argon2::new(algorithm, version, params.clone()).hash_password_into(password, salt, tag)
    }

    /// Returns the memory to the system if no password was computed since the last call.
    pub fn release_unused(&self) {
        if !self.was_used.swap(false, Ordering::Relaxed) {
            self.lock().clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<argon2_rust::Hasher>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same algorithm for `argon2_rust`, on the calling thread. `None` for parameters that it does
/// not take.
fn simd_argon2(
    algorithm: Algorithm,
    version: Version,
    params: &Params,
) -> Option<argon2_rust::Argon2> {
    let has_data = !params.keyid().is_empty() || !params.data().is_empty();
    if has_data {
        return None;
    }
    let algorithm = match algorithm {
        Algorithm::Argon2d => argon2_rust::Algorithm::Argon2d,
        Algorithm::Argon2i => argon2_rust::Algorithm::Argon2i,
        Algorithm::Argon2id => argon2_rust::Algorithm::Argon2id,
    };
    let version = match version {
        Version::V0x10 => argon2_rust::Version::V0x10,
        Version::V0x13 => argon2_rust::Version::V0x13,
    };
    let params = argon2_rust::Params::builder()
        .memory(Memory::kib(params.m_cost().into()))
        .passes(params.t_cost())
        .lanes(params.p_cost())
        .threads(1)
        .build()
        .ok()?;
    Some(argon2_rust::Argon2::new(algorithm, version, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(
        blocks: &MemoryBlocks,
        argon2: (Algorithm, Version, &Params),
        password: &[u8],
    ) -> [u8; 32] {
        let mut tag = [0; 32];
        blocks
            .compute(argon2, password, b"a salt of 22 bytes....", &mut tag)
            .unwrap();
        tag
    }

    #[test]
    fn every_variant_computes_what_the_argon2_crate_computes() {
        let blocks = MemoryBlocks::default();
        for algorithm in [Algorithm::Argon2d, Algorithm::Argon2i, Algorithm::Argon2id] {
            for version in [Version::V0x10, Version::V0x13] {
                for (memory, passes, lanes) in [(8, 1, 1), (64, 3, 4), (65_536, 3, 4), (100, 2, 3)]
                {
                    let params = Params::new(memory, passes, lanes, Some(32)).unwrap();
                    for password in [&b""[..], b"correct horse", &[0xff; 300]] {
                        let mut expected = [0; 32];
                        Argon2::new(algorithm, version, params.clone())
                            .hash_password_into(password, b"a salt of 22 bytes....", &mut expected)
                            .unwrap();
                        assert_eq!(
                            tag(&blocks, (algorithm, version, &params), password),
                            expected,
                            "{algorithm} {version:?} {params:?}"
                        );
                    }
                }
            }
        }
        assert_eq!(
            blocks.lock().len(),
            1,
            "one computation after the other needs one block"
        );
    }

    #[test]
    fn memory_is_kept_between_passwords_and_released_when_nobody_logs_in() {
        let blocks = MemoryBlocks::default();
        let params = Params::new(1024, 1, 1, Some(32)).unwrap();
        let argon2 = (Algorithm::Argon2id, Version::V0x13, &params);
        tag(&blocks, argon2, b"correct horse");
        tag(&blocks, argon2, b"correct horse");
        assert_eq!(blocks.lock()[0].reserved_blocks(), 1024);
        blocks.release_unused();
        assert_eq!(blocks.lock().len(), 1, "it was used since the last call");
        blocks.release_unused();
        assert_eq!(blocks.lock().len(), 0);
    }
}
