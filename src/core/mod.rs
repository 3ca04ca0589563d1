//! The pure core: rules, plans, runs, guardrails, estimates. No I/O, no clock, no async, no terminal, no AWS types; time and
//! facts come in as arguments, so that every function here gives the same answer for the same input.

pub mod access;
pub mod book;
pub mod catalog;
pub mod dynamodb;
pub mod estimate;
pub mod evidence;
pub mod guard;
pub mod plan;
pub mod run;
pub mod runbook;
pub mod session_policy;
pub mod sql;
pub mod text;
pub mod units;
