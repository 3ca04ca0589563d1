//! Finds the values of a signature's variables for the arguments of a call.

use super::{Argument, Formula, Match, Number, Overload, Sig, Unbound};
use crate::core::sql::coercion::{casts, coerces, common_type, to_base};
use crate::core::sql::types::{Type, TypeParameter};

/// So often may constraints change one another (`SOLVE_ITERATION_LIMIT` in Trino).
const ROUNDS: usize = 4;

/// The most arguments that a call is matched with; Trino takes 127.
const ARGUMENTS: usize = 256;

/// One condition on the variables.
enum Constraint<'a> {
    /// The argument is, or coerces to, the signature.
    Relation(&'a Sig, Type),
    /// A variable is this type or wider.
    Parameter(usize, Type),
    /// Numbers of a type follow from the argument.
    Numbers(&'a Sig, Type),
    /// The lambda at this index.
    Function(&'a [Sig], usize),
}

#[derive(PartialEq, PartialOrd, Clone, Copy)]
enum Status {
    Satisfied,
    NotSatisfied,
    Changed,
    Unsolvable,
}

struct Bindings {
    types: Vec<Option<Type>>,
    numbers: Vec<Option<i64>>,
}

/// The type that a signature is with these values; `None` if a variable has none yet, or there is no such type.
pub(super) fn apply(sig: &Sig, types: &[Option<Type>], numbers: &[Option<i64>]) -> Option<Type> {
    match sig {
        Sig::Plain(kind) => Some(kind.clone()),
        Sig::Variable(index) => types.get(*index)?.clone(),
        Sig::Numbered(base, parts) => {
            let parameters = parts
                .iter()
                .map(|part| match part {
                    Number::Fixed(fixed) => u64::try_from(*fixed).ok(),
                    Number::Variable(index) => numbers.get(*index)?.and_then(|n| u64::try_from(n).ok()),
                })
                .map(|number| number.map(TypeParameter::Number))
                .collect::<Option<Vec<_>>>()?;
            Type::named(base, &parameters)
        }
        Sig::Nested(base, parts) => {
            let parts = parts.iter().map(|part| apply(part, types, numbers)).collect::<Option<Vec<_>>>()?;
            let parameters: Vec<_> = parts.into_iter().map(TypeParameter::Type).collect();
            Type::named(base, &parameters)
        }
        Sig::Function(parts) => {
            let parts = parts.iter().map(|part| apply(part, types, numbers)).collect::<Option<Vec<_>>>()?;
            Some(Type::Function(parts.into()))
        }
    }
}

/// Whether every variable in the signature has a value.
fn is_bound(sig: &Sig, bindings: &Bindings) -> bool {
    match sig {
        Sig::Plain(_) => true,
        Sig::Variable(index) => bindings.types.get(*index).is_some_and(Option::is_some),
        Sig::Numbered(_, parts) => parts.iter().all(|part| match part {
            Number::Fixed(_) => true,
            Number::Variable(index) => bindings.numbers.get(*index).is_some_and(Option::is_some),
        }),
        Sig::Nested(_, parts) | Sig::Function(parts) => parts.iter().all(|part| is_bound(part, bindings)),
    }
}

impl Formula {
    fn value(&self, numbers: &[Option<i64>]) -> Option<i64> {
        match self {
            Self::Fixed(fixed) => Some(*fixed),
            Self::Variable(index) => *numbers.get(*index)?,
            Self::Apply(op, sides) => {
                let (a, b) = (sides.0.value(numbers)?, sides.1.value(numbers)?);
                // Lengths go up to 2³¹: their products may overflow, and only their minimum with 2³¹ counts.
                Some(match op {
                    '+' => a.saturating_add(b),
                    '-' => a.saturating_sub(b),
                    '*' => a.saturating_mul(b),
                    '/' => a.checked_div(b)?,
                    '<' => a.min(b),
                    _ => a.max(b),
                })
            }
        }
    }
}

impl Overload {
    /// Binds the call's arguments: exactly, or with coercions.
    pub(super) fn bind<E>(
        &self,
        arguments: &[Argument],
        coercing: bool,
        lambda: &mut dyn FnMut(usize, &[Type]) -> Result<Type, E>,
    ) -> Result<Option<Match>, Unbound<E>> {
        let Some(formal) = self.formal(arguments.len()) else { return Ok(None) };
        let mut constraints = Vec::new();
        for (sig, argument) in formal.iter().zip(arguments) {
            match (sig, argument) {
                (Sig::Function(_), Argument::Lambda) => {}
                (_, Argument::Lambda) => return Ok(None),
                (_, Argument::Value(kind)) => constraints.push(Constraint::Relation(sig, kind.clone())),
            }
        }
        for (index, (sig, argument)) in formal.iter().zip(arguments).enumerate() {
            if !self.structure(sig, argument, index, &mut constraints) {
                return Ok(None);
            }
        }
        let mut bindings = Bindings { types: vec![None; self.variables.len()], numbers: vec![None; self.numbers.len()] };
        let mut round = 0;
        loop {
            let mut status = Status::Satisfied;
            for constraint in &constraints {
                let one = self.update(constraint, arguments, coercing, &mut bindings, lambda)?;
                if one > status {
                    status = one;
                }
                if status == Status::Unsolvable {
                    return Ok(None);
                }
            }
            match status {
                Status::Satisfied => break,
                Status::Changed if round + 1 < ROUNDS => round += 1,
                _ => return Ok(None),
            }
        }
        for (index, formula) in &self.computed {
            if let Some(slot) = bindings.numbers.get_mut(*index) {
                *slot = None;
            }
            let value = formula.value(&bindings.numbers);
            if let Some(slot) = bindings.numbers.get_mut(*index) {
                *slot = value;
            }
        }
        if bindings.types.iter().any(Option::is_none) {
            return Ok(None);
        }
        let bound = |sig: &Sig| apply(sig, &bindings.types, &bindings.numbers);
        let kinds = formal.iter().map(|sig| bound(sig)).collect::<Option<Vec<_>>>();
        Ok(kinds.map(|arguments| Match { arguments, result: bound(&self.result) }))
    }

    /// The signature's arguments, as many as the call has.
    fn formal(&self, count: usize) -> Option<Vec<&Sig>> {
        if !self.variadic {
            return (self.arguments.len() == count).then(|| self.arguments.iter().collect());
        }
        let (last, before) = self.arguments.split_last()?;
        if count < before.len() || count > ARGUMENTS {
            return None;
        }
        Some(before.iter().chain(std::iter::repeat_n(last, count - before.len())).collect())
    }

    fn structure<'a>(&'a self, sig: &'a Sig, argument: &Argument, index: usize, into: &mut Vec<Constraint<'a>>) -> bool {
        let kind = match (sig, argument) {
            (Sig::Function(parts), _) => {
                into.push(Constraint::Function(parts, index));
                return true;
            }
            (_, Argument::Lambda) => return false,
            (_, Argument::Value(kind)) => kind,
        };
        match sig {
            Sig::Plain(_) | Sig::Function(_) => true,
            Sig::Variable(variable) => {
                into.push(Constraint::Parameter(*variable, kind.clone()));
                true
            }
            Sig::Numbered(..) => {
                into.push(Constraint::Numbers(sig, kind.clone()));
                true
            }
            Sig::Nested(_, parts) => {
                let inner: Vec<Type> = if *kind == Type::Unknown {
                    vec![Type::Unknown; parts.len()]
                } else {
                    kind.parameters().into_iter().cloned().collect()
                };
                inner.len() == parts.len()
                    && parts.iter().zip(inner).all(|(part, kind)| self.structure(part, &Argument::Value(kind), index, into))
            }
        }
    }

    fn update<E>(
        &self,
        constraint: &Constraint<'_>,
        arguments: &[Argument],
        coercing: bool,
        bindings: &mut Bindings,
        lambda: &mut dyn FnMut(usize, &[Type]) -> Result<Type, E>,
    ) -> Result<Status, Unbound<E>> {
        Ok(match constraint {
            Constraint::Relation(sig, kind) => {
                if !is_bound(sig, bindings) {
                    return Ok(Status::NotSatisfied);
                }
                match apply(sig, &bindings.types, &bindings.numbers) {
                    Some(wanted) if wanted == *kind || (coercing && coerces(kind, &wanted)) => Status::Satisfied,
                    _ => Status::NotSatisfied,
                }
            }
            Constraint::Parameter(variable, kind) => self.widen(*variable, kind, bindings),
            Constraint::Numbers(sig, kind) => numbers(sig, kind, bindings),
            Constraint::Function(parts, index) => {
                let Some((result, formal)) = parts.split_last() else { return Ok(Status::Unsolvable) };
                let given = formal.iter().map(|sig| apply(sig, &bindings.types, &bindings.numbers)).collect::<Option<Vec<_>>>();
                let Some(given) = given else { return Ok(Status::NotSatisfied) };
                let actual = match arguments.get(*index) {
                    Some(Argument::Lambda) => lambda(*index, &given).map_err(Unbound::Lambda)?,
                    Some(Argument::Value(kind)) => kind.clone(),
                    None => return Ok(Status::Unsolvable),
                };
                let Type::Function(actual) = actual else { return Ok(Status::Unsolvable) };
                let Some((kind, taken)) = actual.split_last() else { return Ok(Status::Unsolvable) };
                if taken != given.as_slice() {
                    return Ok(Status::Unsolvable);
                }
                let mut constraints = vec![Constraint::Relation(result, kind.clone())];
                if !self.structure(result, &Argument::Value(kind.clone()), *index, &mut constraints) {
                    return Ok(Status::Unsolvable);
                }
                let mut status = Status::Satisfied;
                for constraint in &constraints {
                    // The result of a lambda is not coerced.
                    let one = self.update(constraint, arguments, false, bindings, lambda)?;
                    if one > status {
                        status = one;
                    }
                }
                status
            }
        })
    }

    fn widen(&self, variable: usize, kind: &Type, bindings: &mut Bindings) -> Status {
        let (Some(declared), Some(slot)) = (self.variables.get(variable), bindings.types.get_mut(variable)) else {
            return Status::Unsolvable;
        };
        let wider = match slot {
            None => Some(kind.clone()),
            Some(known) => common_type(known, kind),
        };
        match wider {
            Some(wider)
                if (!declared.comparable || wider.is_comparable())
                    && (!declared.orderable || wider.is_orderable())
                    && declared.castable_to.as_ref().is_none_or(|to| casts(kind, to)) =>
            {
                if slot.as_ref() == Some(&wider) {
                    Status::Satisfied
                } else {
                    *slot = Some(wider);
                    Status::Changed
                }
            }
            _ => Status::Unsolvable,
        }
    }
}

/// The numbers inside a type: length; precision and scale; fraction digits.
fn numbers_of(kind: &Type) -> Option<Vec<i64>> {
    Some(match kind {
        Type::Varchar(length) => vec![length.map_or(i64::from(i32::MAX), i64::from)],
        Type::Char(length) => vec![i64::from(*length)],
        Type::Decimal(precision, scale) => vec![i64::from(*precision), i64::from(*scale)],
        Type::Time(p) | Type::TimeTz(p) | Type::Timestamp(p) | Type::TimestampTz(p) => vec![i64::from(*p)],
        _ => return None,
    })
}

fn numbers(sig: &Sig, kind: &Type, bindings: &mut Bindings) -> Status {
    let Sig::Numbered(base, parts) = sig else { return Status::Unsolvable };
    let Some(coerced) = to_base(kind, base).and_then(|coerced| numbers_of(&coerced)) else { return Status::Unsolvable };
    let mut parameters = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let value = match part {
            Number::Fixed(fixed) => Some(*fixed),
            Number::Variable(variable) => {
                bindings.numbers.get(*variable).copied().flatten().or_else(|| coerced.get(index).copied())
            }
        };
        let Some(value) = value.and_then(|value| u64::try_from(value).ok()) else { return Status::Unsolvable };
        parameters.push(TypeParameter::Number(value));
    }
    let common = Type::named(base, &parameters).and_then(|original| common_type(&original, kind));
    let Some(found) = common.filter(|common| common.base() == *base).and_then(|common| numbers_of(&common)) else {
        return Status::Unsolvable;
    };
    let mut status = Status::Satisfied;
    for (part, value) in parts.iter().zip(found) {
        match part {
            Number::Fixed(fixed) if *fixed != value => return Status::Unsolvable,
            Number::Fixed(_) => {}
            Number::Variable(variable) => {
                if let Some(slot) = bindings.numbers.get_mut(*variable)
                    && *slot != Some(value)
                {
                    *slot = Some(value);
                    status = Status::Changed;
                }
            }
        }
    }
    status
}
