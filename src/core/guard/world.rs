//! What a statement is judged against.

use std::collections::BTreeMap;

use crate::core::book::{Classification, Guardrails, Price};
use crate::core::catalog::Catalog;
use crate::core::estimate::ScanModel;
use crate::core::runbook::{ParamType, ParamValue};
use crate::core::units::Timestamp;

/// Everything that a judgement depends on besides the statement. The same world and statement always give the same judgement.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// Facts about tables.
    pub catalog: &'a Catalog,
    /// The data catalog of two-part names: a batch's or the target's; [`Catalog::name`] is the usual one.
    pub catalog_name: &'a str,
    /// The guardrails that hold: the book's, or a runbook's.
    pub guardrails: &'a Guardrails,
    /// Tags that the book gives; those of catalog files come on top.
    pub classification: &'a Classification,
    /// What reading costs, if known.
    pub price: Option<&'a Price>,
    /// Which reading model `expected` follows.
    pub model: ScanModel,
    /// The moment of judging: `current_date`, and the age of facts.
    pub now: Timestamp,
    /// Whether sqlparser is asked too. Off only for measuring (CONTRACTS §4).
    pub second_opinion: bool,
}

/// One parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// Its value is known.
    Value(ParamValue),
    /// Only its type is known: the statement is judged over every value of it.
    Hole(ParamType),
}

/// Parameters by name.
pub type Params = BTreeMap<String, Param>;
