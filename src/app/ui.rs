//! The components that pages share.

pub mod form_props;
pub mod layout;
pub mod new_email_field;
pub mod notice;
pub mod pagination;
pub mod post_form;
pub mod select;
pub mod time;

pub use form_props::form_props;
pub use layout::{Layout, LogInAgain};
pub use new_email_field::NewEmailField;
pub use notice::{NoticeMessage, notice_message};
pub use pagination::{Pagination, encoded};
pub use post_form::{PostForm, form_account};
pub use select::Select;
pub use time::Time;
