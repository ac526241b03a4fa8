//! The parts pages are made of.

pub mod credentials_form;
pub mod field;
pub mod form;
pub mod form_error;
pub mod layout;
pub mod notice;
pub mod pagination;
pub mod password_field;
pub mod post_form;
pub mod select;
pub mod time;

pub use credentials_form::CredentialsForm;
pub use field::EmailField;
pub use form::{FieldError, FormState};
pub use form_error::FormError;
pub use layout::Layout;
pub use notice::{NoticeMessage, notice_message};
pub use pagination::{Pagination, encoded};
pub use password_field::PasswordField;
pub use post_form::{ACCOUNT_FIELD, PostForm, form_account};
pub use select::Select;
pub use time::Time;
