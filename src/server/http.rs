//! What machines call, and what stands in front of every request.

pub mod api;
pub mod client;
pub mod guard;
pub mod handed_over;
pub mod handshakes;
pub mod headers;
pub mod health;
pub mod limits;
pub mod mailed_link;
pub mod oidc_callback;
pub mod provider_link;
pub mod site;
pub mod visitor;
