//! The checks in front of every request.

pub mod authenticate;
pub mod client_ip;
pub mod csrf;
pub mod request_limits;
pub mod security_headers;
