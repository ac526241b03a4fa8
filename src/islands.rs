//! The components that also run in the browser, as WebAssembly. Compiled for both sides; everything
//! here costs bytes on the wire. Texts and paths arrive in [`FormProps`], so that the browser loads
//! neither `text` nor `app`.

pub mod credentials_form;
pub mod field;
pub mod form;
pub mod form_error;
pub mod form_props;
pub mod password_field;

pub use credentials_form::CredentialsForm;
pub use field::EmailField;
pub use form::{FieldError, FormState};
pub use form_error::FormError;
pub use form_props::{FormProps, FormTexts, NUMBER_PLACEHOLDER};
pub use password_field::PasswordField;

/// The name of the hidden field with the account that a form was rendered for.
/// `web::form_fallback` checks it on every page that needs a login.
pub const ACCOUNT_FIELD: &str = "account";
