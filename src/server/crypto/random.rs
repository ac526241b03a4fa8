use rand::Rng;
use uuid::Uuid;

/// Random bytes from the operating system, for secrets.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks for randomness"
)]
#[expect(
    clippy::expect_used,
    reason = "a machine without randomness must not issue tokens: stopping is failing closed (SR-003)"
)]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has no randomness");
    bytes
}

/// Unpredictable bytes that are not a credential, such as the request id and the script nonce of
/// every request. They come from a generator in the process, which the operating system seeds: a
/// system call would be a good part of the cost of a session check.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks for randomness"
)]
pub fn fast_bytes() -> [u8; 16] {
    rand::rng().random()
}

/// A random id (UUID version 4).
pub fn uuid() -> Uuid {
    uuid_from(bytes())
}

/// The UUID version 4 with these random bytes.
pub fn uuid_from(bytes: [u8; 16]) -> Uuid {
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
