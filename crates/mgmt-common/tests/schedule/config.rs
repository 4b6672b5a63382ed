//! The parser: what is accepted, and that every fault is reported at once.
