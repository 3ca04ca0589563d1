//! The terminal app: `update` and `view` over one state. Allowed imports: `engine`, `core`.
