#![doc = include_str!("../README.md")]

mod back_off;
pub mod gate;
pub mod middleware;
pub mod settings;
pub mod usage;
pub mod warm;

use std::pin::Pin;

/// A future behind a trait object, as sources, sinks and tasks give it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
