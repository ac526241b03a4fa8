//! A handler for each page: it takes its permission as an extractor, loads what the page shows, and
//! renders the component with it.

pub mod account;
pub mod login;
pub mod users;
