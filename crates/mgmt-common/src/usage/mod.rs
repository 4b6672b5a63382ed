//! Usage events: what they look like, what makes two of them the same, and when they are too old or too new to be counted. Pure: no
//! I/O, and the clock is an argument.

pub mod content;
pub mod event;
pub mod id;
pub mod window;
