//! Usage events: what they look like, what makes two of them the same, when they are too old or too new to be counted, and whether their
//! module was on. Pure: no I/O, and the clock is an argument.
//!
//! Each step is a type: [`sent::SentEvent`] what came, [`check::CheckedEvent`] what its values say, [`item::BatchItem`] whose it is,
//! [`judge::Judge`] whether it counts, [`outcome::Outcome`] what became of it.

pub mod check;
pub mod content;
pub mod id;
pub mod item;
pub mod judge;
pub mod outcome;
pub mod refusal;
pub mod sent;
pub mod window;
