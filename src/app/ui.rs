//! The parts pages are made of.

pub mod choice;
pub mod credentials_form;
pub mod feedback;
pub mod field;
pub mod form;
pub mod frame;
pub mod pages;
pub mod password_field;
pub mod time;

pub use choice::Choice;
pub use credentials_form::CredentialsForm;
pub use feedback::Feedback;
pub use field::EmailField;
pub use form::{Fault, FormState};
pub use frame::Frame;
pub use pages::{Pages, encoded};
pub use password_field::PasswordField;
pub use time::Time;
