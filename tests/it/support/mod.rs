//! What tests need: a program of their own, a browser, and nothing shared.

pub mod app;
pub mod browser;
pub mod database;

pub use app::{App, PASSWORD, TOKEN_SECRET};
pub use browser::{Browser, Page};
