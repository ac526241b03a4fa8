//! The parts pages are made of.

pub mod credentials_form;
pub mod feedback;
pub mod field;
pub mod form;
pub mod frame;
pub mod password_field;

pub use credentials_form::CredentialsForm;
pub use feedback::Feedback;
pub use field::EmailField;
pub use form::{Fault, FormState};
pub use frame::Frame;
pub use password_field::PasswordField;
