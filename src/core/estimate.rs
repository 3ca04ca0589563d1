//! Estimates: bytes, read units and dollars as low ≤ expected ≤ high, with what they rest on.
