//! What the browser must never have.
//!
//! `flows` is what can happen, `db` what is remembered, `http` what machines call, `context` the bridge from pages to
//! flows; the others are tools with a single purpose.

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
