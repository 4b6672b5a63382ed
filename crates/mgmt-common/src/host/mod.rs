//! For the platform's own Lambda functions: what they put around their handler.

pub mod around;
pub mod gate;
pub mod usage;
pub mod warm;
