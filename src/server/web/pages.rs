//! One handler per page. It takes its permission as an extractor, loads the data, and renders the
//! component with it.

pub mod account;
pub mod login;
pub mod users;
