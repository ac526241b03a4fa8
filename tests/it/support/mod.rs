//! Test fixtures: a program, a browser and a provider for each test, and no shared state.

pub mod app;
pub mod app_with_provider;
pub mod browser;
pub mod database;
pub mod keys;
pub mod log;
pub mod mail;
pub mod provider;

pub use app::{App, PASSWORD, TOKEN_SECRET};
pub use app_with_provider::Household;
pub use browser::{Browser, Page, needs_login};
pub use keys::Key;
pub use mail::{Mail, SMTP};
pub use provider::{Account, TestProvider};
