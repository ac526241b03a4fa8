//! What the browser must never have.
//!
//! `flows` is what can happen, `db` what is remembered, `http` what machines call, `context` the bridge from pages to
//! flows; the others are tools with a single purpose.

pub mod assets;
pub mod clock;
pub mod commands;
pub mod config;
pub mod cookies;
pub mod db;
pub mod finding;
pub mod flows;
pub mod hasher;
pub mod http;
mod log;
pub mod mailer;
pub mod metrics;
pub mod provider;
pub mod random;
pub mod session_cache;
pub mod state;
pub mod strict_json;
pub mod tokens;
pub mod user_agent;
pub mod web;

pub use state::AppState;
