//! The login server of MediaManager.
//!
//! ```text
//! domain   values and their rules; compiled for server and browser
//! islands  the components that also run in the browser; compiled for server and browser
//! text     the texts of pages and mails, in English; server only
//! app      the pages, with the server functions of their forms; paths.rs has every page
//! server   everything else that runs on the server
//!            web      routes, access, page handlers, middleware, cookies, the JSON API
//!            flows    the use cases
//!            db       storage, a file for each table
//!            oidc     the client of the OpenID provider
//!            cli      the command line
//!            config, clock, crypto, mailer, telemetry: tools with a single purpose
//! ```
//!
//! Deliberately absent: state in memory that a second instance would also need, links or cookies
//! that depend on a request header, errors that contain free text, secrets in logs, and decisions
//! that rely on the content of a page. `tests/it/tidy.rs` checks the imports between the modules.

#[cfg(feature = "ssr")]
pub mod app;
pub mod domain;
pub mod islands;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod text;

/// Hydrates the islands of a page; called by the script in `app::ui::layout`.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
