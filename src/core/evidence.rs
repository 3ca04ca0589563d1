//! Evidence: the hash chain over a run's events, and its verification.
