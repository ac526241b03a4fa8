//! The login front door of MediaManager.
//!
//! ```text
//! domain   what words mean; compiled for server and browser
//! app      what a person sees, with the server functions the pages call
//! server   what the browser must never have
//!            flows    what can happen
//!            db       what is remembered
//!            http     what machines call, and what stands in front of every request
//!            context  the bridge from pages to flows; forms makes them work without script
//!            config, clock, cookies, hasher, mailer, provider, random, tokens: tools with a single purpose
//! ```
//!
//! What is deliberately absent: state in memory that a second instance would need too, links or cookies that depend on a
//! request header, errors that carry text, secrets in logs, and decisions taken from what a page shows.
//! `tests/it/tidy.rs` checks who may import whom.

pub mod app;
pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;

/// Brings the islands of a page to life; called by the loader in `app::ui::frame`.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
