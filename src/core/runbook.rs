//! The runbook: steps, inputs, typed parameter values and the rules of the walk.
