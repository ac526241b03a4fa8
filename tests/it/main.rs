//! The program from outside: the real router, a real database, and a small browser without script. One binary, so that it
//! links once. Runs on SQLite, or on PostgreSQL when `TEST_POSTGRES_URL` names a server.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop where it stands")]

mod access;
mod account;
mod admin_emails;
mod api;
mod bad_input;
mod contain;
mod cross_site;
mod email_proof;
mod events;
mod faults;
mod form_account;
mod headers;
mod housekeeping;
mod import;
mod inspection;
mod login;
mod mails;
mod metrics;
mod migrations;
mod oidc;
mod oidc_accounts;
mod oidc_callback;
mod oidc_endpoints;
mod oidc_keys;
mod oidc_link;
mod oidc_logout;
mod oidc_provider;
mod oidc_tokens;
mod openapi;
mod password_reset;
mod process;
mod properties;
mod reset_links;
mod secrets_in_debug;
mod sessions;
mod setup;
mod shell;
mod signup;
mod support;
mod throttle;
mod throttle_settings;
mod tidy;
mod users;
mod users_api;
