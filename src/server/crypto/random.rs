use rand::Rng;
use uuid::Uuid;

/// Random bytes from the operating system: the source of whatever opens something.
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

/// 128 bits that nobody may guess either, but that open nothing: for what every request gets,
/// however many there are. From the library's generator, which the operating system seeds; to ask
/// that every time would be a good part of what a session check costs.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks for randomness"
)]
pub fn fast_bytes() -> [u8; 16] {
    rand::rng().random()
}

/// An id for a new row.
pub fn uuid() -> Uuid {
    uuid_from(bytes())
}

/// The id that these random bytes make.
pub fn uuid_from(bytes: [u8; 16]) -> Uuid {
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
