//! The tables, one file each. `user` and `oauth_account` are MediaManager's, to the column; the others are ours.

pub mod account;
pub mod event;
pub mod identity;
pub mod oauth_account;
pub mod outbox;
pub mod session;
pub mod spent;
pub mod throttle;
pub mod user;
