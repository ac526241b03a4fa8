//! The checks that run before every request.

pub mod authenticate;
pub mod client_ip;
pub mod csrf;
pub mod request_limits;
pub mod security_headers;
