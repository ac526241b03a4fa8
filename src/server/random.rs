use uuid::Uuid;

/// Random bytes from the operating system: the one source of everything nobody may guess.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks for randomness")]
#[expect(clippy::expect_used, reason = "a machine without randomness must not issue tokens: stopping is failing closed (SR-003)")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has no randomness");
    bytes
}

/// An id for a new row.
#[must_use]
pub fn uuid() -> Uuid {
    uuid::Builder::from_random_bytes(bytes()).into_uuid()
}
