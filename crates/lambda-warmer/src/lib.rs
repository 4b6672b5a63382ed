//! The lambda-warmer function.
