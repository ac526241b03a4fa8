//! The login server of MediaManager.
//!
//! ```text
//! domain   values and their rules; compiled for server and browser
//! text     the sentences that people read, in English; server only
//! app      the pages, with the server functions of their forms; paths.rs has every page
//! server   what never reaches the browser
//!            web      routes, access, page handlers, middleware, cookies, the JSON API
//!            flows    the use cases
//!            db       storage, a file for each table
//!            oidc     the client of the OpenID provider
//!            cli      the command line
//!            config, clock, crypto, mailer, telemetry: tools with a single purpose
//! ```
//!
//! What is deliberately absent: state in memory that a second instance would need too, links or
//! cookies that depend on a request header, errors that carry text, secrets in logs, and decisions
//! taken from what a page shows. `tests/it/tidy.rs` checks who may import whom.

pub mod app;
pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod text;

/// Brings the islands of a page to life; called by the script in `app::ui::layout`.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
