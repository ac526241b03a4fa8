//! What the words of this program mean. Compiled for the server and for the browser: no I/O, no framework, no clock.
//!
//! Values are parsed once at the edge and cannot be wrong afterwards.

pub mod email;
pub mod error;
pub mod event;
pub mod link_token;
pub mod password;
pub mod refusal;
pub mod return_to;
pub mod user;

pub use email::Email;
pub use error::AuthError;
pub use event::AuditEvent;
pub use link_token::LinkToken;
pub use password::Password;
pub use return_to::ReturnTo;
pub use user::User;
