//! English. The text for a variant of an enum comes from an exhaustive match, so that a variant
//! without one does not compile. All others are grouped by mail or page: a constant, or a function
//! of the values in the text.

mod errors;
mod events;
pub mod mails;
mod oidc;
pub mod pages;

pub use errors::{account_mismatch, account_mismatch_in_place, error_message};
pub use events::event_description;
pub use oidc::{UNNAMED_PROVIDER, oidc_error_hint, oidc_error_message};
