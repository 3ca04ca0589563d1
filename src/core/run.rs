//! The run: state, commands and events; `decide`, `apply`, `effects`; expiry arithmetic.
