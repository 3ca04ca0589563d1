//! Guardrails: rules give findings, findings give a verdict.
