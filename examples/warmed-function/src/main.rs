//! A tiny function that answers warm pings.

fn main() {}
