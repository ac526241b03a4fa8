//! Tests of the whole program: the real router, a real database, and a small browser without
//! script. One binary, so that it links once. SQLite by default; PostgreSQL if `TEST_POSTGRES_URL`
//! names a server.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should stop where it stands"
)]

mod access;
mod account;
mod api;
mod cleanup;
mod cli;
mod diagnostics;
mod email_verification;
mod events;
mod faults;
mod form_account;
mod login;
mod mail;
mod metrics;
mod migrations;
mod oidc;
mod password_reset;
mod process;
mod properties;
mod rate_limits;
mod secrets_in_debug;
mod sessions;
mod setup;
mod signup;
mod support;
mod tidy;
mod tidy_requirements;
mod tidy_text;
mod uniform_work;
mod users;
mod web;
