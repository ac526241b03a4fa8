//! The sentences that people read: in mails, and for errors, events and failed logins through the
//! provider. The values that choose them are codes, in `domain`. Compiled for the server only: the
//! browser gets its sentences as properties of islands and in the answers to its forms.

pub mod en;
