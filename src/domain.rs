//! What the words of this program mean. Compiled for the server and for the browser: no I/O, no
//! framework, no clock.
//!
//! Values are parsed once at the edge and cannot be wrong afterwards.

pub mod audit_event;
pub mod auth_error;
pub mod email;
pub mod external_user;
pub mod link_token;
pub mod oidc_error;
pub mod password;
pub mod provider_id;
pub mod return_to;
pub mod user;

pub use audit_event::AuditEvent;
pub use auth_error::AuthError;
pub use email::Email;
pub use external_user::ExternalUser;
pub use link_token::LinkToken;
pub use password::Password;
pub use provider_id::ProviderId;
pub use return_to::ReturnTo;
pub use user::User;
