//! Lambdas: their arguments are elements of what the function is given.

use std::rc::Rc;

use super::flow::{Flow, Sources};
use super::pushed::Terms;
use super::scope::{Field, Scope};
use super::value::{Cx, Value, key_of};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::functions::Argument as Formal;
use crate::core::sql::tree::{Expr, Ident};
use crate::core::sql::types::Type;

/// An argument of a call.
#[derive(Debug)]
pub(super) enum Argument<'t> {
    Value(Value),
    Lambda {
        expr: &'t Expr,
        names: &'t [Ident],
        body: &'t Expr,
        /// What its body gives, once it is resolved: for these types, this type, flow and key; and the arguments that it names.
        flow: Option<Resolved>,
    },
}

/// A lambda resolved for given types.
#[derive(Debug)]
pub(super) struct Resolved {
    kinds: Vec<Type>,
    result: Type,
    flow: Flow,
    key: u64,
    used: Vec<bool>,
}

impl Argument<'_> {
    pub(super) fn formal(&self) -> Formal {
        match self {
            Self::Value(value) => Formal::Value(value.kind.clone()),
            Self::Lambda { .. } => Formal::Lambda,
        }
    }

    pub(super) fn key(&self) -> u64 {
        match self {
            Self::Value(value) => value.key,
            Self::Lambda { flow, .. } => flow.as_ref().map_or(0, |flow| key_of("lambda", [flow.key])),
        }
    }

    pub(super) fn terms(&self) -> Option<&Terms> {
        match self {
            Self::Value(value) => Some(&value.terms),
            Self::Lambda { .. } => None,
        }
    }

    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Lambda { .. } => None,
        }
    }

    pub(super) fn lambda_flow(&self) -> Option<Flow> {
        match self {
            Self::Value(_) => None,
            Self::Lambda { flow, .. } => Some(flow.as_ref().map(|flow| flow.flow.clone()).unwrap_or_default()),
        }
    }

    /// Everything that flows into it.
    pub(super) fn flat(&self) -> Sources {
        match self {
            Self::Value(value) => value.flow.sources(),
            Self::Lambda { flow, .. } => flow.as_ref().map(|flow| flow.flow.sources()).unwrap_or_default(),
        }
    }
}

impl Resolver<'_> {
    pub(super) fn settle_argument(&mut self, argument: &Argument<'_>) {
        if let Argument::Value(value) = argument {
            let _ = self.settle(value);
        }
    }

    /// Arrays and maps of which the lambdas name no element are read as a whole.
    pub(super) fn settle_unused(&mut self, given: &[Argument<'_>]) {
        let used = given.iter().any(|argument| match argument {
            Argument::Lambda { flow: Some(flow), .. } => flow.used.iter().any(|used| *used),
            _ => false,
        });
        for argument in given {
            let collection = argument.value().is_some_and(|value| matches!(value.kind, Type::Array(_) | Type::Map(_)));
            if !(used && collection) {
                self.settle_argument(argument);
            }
        }
        // With several collections or arguments it is not told which of them an unused one belongs to.
        let several = given.iter().filter(|argument| argument.value().is_some()).count() > 1;
        let all_used = given.iter().all(|argument| match argument {
            Argument::Lambda { flow: Some(flow), .. } => flow.used.iter().all(|used| *used),
            _ => true,
        });
        if several && !all_used {
            given.iter().for_each(|argument| self.settle_argument(argument));
        }
    }

    /// The type of the lambda at `index` for arguments of `kinds`.
    pub(super) fn lambda_type<'t>(
        &mut self,
        function: &str,
        given: &mut [Argument<'t>],
        index: usize,
        kinds: &[Type],
        cx: &Cx<'t>,
    ) -> Outcome<Type> {
        let Some(Argument::Lambda { expr, names, body, flow }) = given.get(index) else {
            return Ok(Type::Unknown);
        };
        let (expr, names, body) = (*expr, *names, *body);
        if let Some(known) = flow.as_ref().filter(|known| known.kinds == kinds) {
            let parts = kinds.iter().cloned().chain([known.result.clone()]).collect();
            return Ok(Type::Function(parts));
        }
        if cx.pattern.is_some() {
            return Err(refusal("NOT_SUPPORTED", expr.span, "a lambda is not supported in a row pattern"));
        }
        self.no_aggregates(body, "a lambda")?;
        if kinds.len() != names.len() {
            let message = format!("a lambda of {} arguments is expected here, this one has {}", kinds.len(), names.len());
            return Err(refusal("INVALID_PARAMETER_USAGE", expr.span, message));
        }
        let relation = self.next_relation();
        let mut fields = Vec::with_capacity(names.len());
        for (position, (name, kind)) in names.iter().zip(kinds).enumerate() {
            let source = self.lambda_argument(function, given, index, position);
            fields.push(Rc::new(Field {
                alias: None,
                name: Some(name.text.as_ref().into()),
                kind: kind.clone(),
                hidden: false,
                flow: source.as_ref().map(|source| source.flow.clone()).unwrap_or_default(),
                column: source.as_ref().and_then(|source| source.read).map(|(column, _, _)| column),
                place: source.and_then(|source| source.read).map(|(_, span, _)| span),
                terms: Terms::default(),
            }));
        }
        let scope = Rc::new(Scope {
            parent: Some(Rc::clone(&cx.scope)),
            boundary: false,
            relation,
            fields: fields.into(),
            named: Vec::new(),
            lambda: true,
        });
        // Two arguments of one name: whoever names it does not know which.
        for name in names {
            let lower = [name.folded().into_boxed_str()];
            if scope.resolve(&lower).is_err() {
                return Err(refusal("AMBIGUOUS_NAME", name.span(), format!("column '{}' is ambiguous", name.text)));
            }
        }
        let inner = Cx { scope, in_lambda: true, ..cx.clone() };
        let before = self.references.len();
        let value = self.value(body, &inner)?;
        let result_flow = self.settle(&value);
        let used = (0..names.len())
            .map(|position| {
                let id = (relation, u32::try_from(position).unwrap_or(u32::MAX));
                self.references.iter().skip(before).any(|reference| reference.field == id)
            })
            .collect();
        if let Some(Argument::Lambda { flow, .. }) = given.get_mut(index) {
            *flow = Some(Resolved { kinds: kinds.to_vec(), result: value.kind.clone(), flow: result_flow, key: value.key, used });
        }
        let parts = kinds.iter().cloned().chain([value.kind]).collect();
        Ok(Type::Function(parts))
    }

    /// What the lambda at `index` gets for its argument at `position`.
    fn lambda_argument(&mut self, function: &str, given: &[Argument<'_>], index: usize, position: usize) -> Option<Value> {
        let of = |which: usize| given.get(which).and_then(Argument::value).cloned();
        let element = |value: Value| Value { flow: value.flow.element(), ..value };
        match (function, position) {
            ("transform" | "filter" | "any_match" | "all_match" | "none_match" | "array_sort", _) => of(0).map(element),
            ("reduce", 1) if index == 2 => of(0).map(element),
            ("zip_with", which @ (0 | 1)) => of(which).map(element),
            ("map_filter" | "transform_keys" | "transform_values", 1) => of(0).map(element),
            _ => {
                // Not told apart: everything that the function is given.
                let mut sets = Vec::new();
                for argument in given {
                    self.settle_argument(argument);
                    sets.push(argument.flat());
                }
                Some(Value::new(Type::Unknown, 0).flowing(Sources::union(&sets)))
            }
        }
    }
}
