//! The plan: exactly what will run, its canonical form, its digest, and drift from it.
