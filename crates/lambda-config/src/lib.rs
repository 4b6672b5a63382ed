//! The lambda-config function.
