//! Values and their rules. Compiled for the server and for the browser: no I/O, no framework, no
//! clock.
//!
//! Values are parsed once at the edge and cannot be wrong afterwards.

pub mod audit_event;
pub mod auth_error;
pub mod email;
pub mod external_user;
pub mod grant_source;
pub mod link_token;
pub mod login_method;
pub mod notice;
pub mod oidc_error;
pub mod password;
pub mod provider_id;
pub mod return_to;
pub mod user;
pub mod user_action;
pub mod user_filter;

pub use audit_event::AuditEvent;
pub use auth_error::AuthError;
pub use email::Email;
pub use external_user::ExternalUser;
pub use grant_source::GrantSource;
pub use link_token::LinkToken;
pub use login_method::LoginMethod;
pub use notice::Notice;
pub use password::Password;
pub use provider_id::ProviderId;
pub use return_to::ReturnTo;
pub use user::{AccountStatus, User};
pub use user_action::UserAction;
pub use user_filter::UserFilter;
