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

/// Two values of 128 bits, for the price of one call of the operating system.
#[must_use]
pub fn pair() -> [[u8; 16]; 2] {
    let both: [u8; 32] = bytes();
    let (one, other) = both.split_at(16);
    [one, other].map(|half| std::array::from_fn(|at| half[at]))
}

/// An id for a new row.
#[must_use]
pub fn uuid() -> Uuid {
    uuid_of(bytes())
}

/// The id that these random bytes make.
#[must_use]
pub fn uuid_of(bytes: [u8; 16]) -> Uuid {
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
