//! The pages over HTTP: routes, permissions, rendering, and forms that work without script. Only this room knows axum and Leptos.

pub mod access;
pub mod form_data;
pub mod form_fallback;
pub mod login_response;
pub mod page_request;
pub mod pages;
pub mod redirects;
pub mod render;
pub mod router;
pub mod server_fn;
