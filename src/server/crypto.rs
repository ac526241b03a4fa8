//! Password hashes, signed tokens, and randomness.

pub mod password_hasher;
pub mod password_policy;
pub mod random;
pub mod tokens;
