//! Usage events: what they look like, what makes two of them the same, when they are too old or too new to be counted, and whether their
//! module was on. Pure: no I/O, and the clock is an argument.

pub mod check;
pub mod content;
pub mod event;
pub mod id;
pub mod item;
pub mod judge;
#[cfg(feature = "http")]
pub mod of_caller;
pub mod window;
