//! What the browser must never have.
//!
//! `flows` are the use cases, `db` the storage, `web` speaks HTTP, `cli` is the command line; the
//! others are tools with a single purpose.

pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod diagnostics;
pub mod flows;
pub mod mailer;
pub mod oidc;
pub mod state;
pub mod strict_json;
pub mod telemetry;
pub mod user_agent;
pub mod web;

pub use state::AppState;
