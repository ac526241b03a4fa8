//! The pages over HTTP: routes, permissions, rendering, and forms that work without script. Only
//! this room knows axum and Leptos.

pub mod access;
pub mod api;
pub mod assets;
pub mod cookies;
pub mod form_data;
pub mod form_fallback;
pub mod health;
pub mod link_identity;
pub mod login_response;
pub mod middleware;
pub mod oidc_callback;
pub mod page_request;
pub mod pages;
pub mod redirects;
pub mod render;
pub mod router;
pub mod server_fn;
pub mod static_files;
