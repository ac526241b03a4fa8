//! The texts that people read: on pages, in mails, and for errors, events and failed logins with the
//! provider. The codes that choose them are in `domain`. Compiled for the server only: the browser
//! gets its texts as properties of islands and in the answers to its forms.

pub mod en;
