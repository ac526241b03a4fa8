//! The tables. `user` is MediaManager's, to the column; the others are ours.

pub mod account;
pub mod session;
pub mod throttle;
pub mod user;
