//! The session policy of one mint, made from the plan.
