//! Trino's functions: which there are, and which one a call means (`FunctionBinder` and `SignatureBinder` in its sources).

mod read;
mod solve;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::core::sql::types::Type;

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// One result a row.
    Scalar,
    /// One result a group.
    Aggregate,
    /// One result a row, over its window.
    Window,
}

/// A function by name, with its overloads.
#[derive(Debug)]
pub struct Function {
    /// What it does.
    pub kind: FunctionKind,
    /// Whether it gives the same result for the same arguments, always.
    pub deterministic: bool,
    overloads: Vec<Overload>,
}

/// One signature.
#[derive(Debug, Default)]
struct Overload {
    variables: Vec<Variable>,
    /// Names of the number variables (`p` of `decimal(p,s)`); those in `computed` follow from others.
    numbers: Vec<String>,
    computed: Vec<(usize, Formula)>,
    arguments: Vec<Sig>,
    /// Whether the last argument may stand any number of times, or be missing.
    variadic: bool,
    result: Sig,
}

/// A type variable with its constraints.
#[derive(Debug, Default)]
struct Variable {
    name: String,
    comparable: bool,
    orderable: bool,
    castable_to: Option<Type>,
}

/// A type with variables in it.
#[derive(Debug, Clone, PartialEq)]
enum Sig {
    Variable(usize),
    Plain(Type),
    /// A type with numbers in it: base and numbers.
    Numbered(&'static str, Vec<Number>),
    /// A type with types in it.
    Nested(&'static str, Vec<Sig>),
    /// A lambda: arguments, then its result.
    Function(Vec<Sig>),
}

impl Default for Sig {
    fn default() -> Self {
        Self::Plain(Type::Unknown)
    }
}

/// A number in a type.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Fixed(i64),
    Variable(usize),
}

/// How a number follows from others.
#[derive(Debug)]
enum Formula {
    Fixed(i64),
    Variable(usize),
    Apply(char, Box<(Formula, Formula)>),
}

/// An argument as the call has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A value of this type.
    Value(Type),
    /// A lambda, whose type depends on what it is given.
    Lambda,
}

/// What a call means.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// What each argument is coerced to.
    pub arguments: Vec<Type>,
    /// What it gives.
    pub result: Type,
}

/// An overload that takes the arguments; its result may be a type that does not exist.
#[derive(Debug, Clone)]
struct Match {
    arguments: Vec<Type>,
    result: Option<Type>,
}

impl Match {
    fn bound<E>(self) -> Result<Bound, Unbound<E>> {
        Ok(Bound { arguments: self.arguments, result: self.result.ok_or(Unbound::NoType)? })
    }
}

/// Why a call means nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Unbound<E> {
    /// No overload takes these arguments.
    NotFound,
    /// Several take them equally well.
    Ambiguous,
    /// The result would be a type that does not exist, such as `char(65540)`.
    NoType,
    /// A lambda among the arguments is wrong in itself.
    Lambda(E),
}

static FUNCTIONS: LazyLock<HashMap<String, Function>> = LazyLock::new(|| read::table(include_str!("facts/functions.txt")));
static OPERATORS: LazyLock<HashMap<String, Function>> = LazyLock::new(|| read::table(include_str!("facts/operators.txt")));

/// The function of this name (lower case), if there is one.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.get(name)
}

/// What the operator `symbol` (`+ - * / % -x []`) means between values of these types.
///
/// # Errors
/// [`Unbound::NotFound`] where the server says `TYPE_MISMATCH`.
pub fn operator(symbol: &str, arguments: &[Type]) -> Result<Bound, Unbound<()>> {
    let Some(operator) = OPERATORS.get(symbol) else { return Err(Unbound::NotFound) };
    let arguments: Vec<_> = arguments.iter().cloned().map(Argument::Value).collect();
    operator.bind(&arguments, &mut |_, _| Err(()))
}

impl Function {
    /// Which overload a call means. `lambda` gives the type of the lambda at an index, a [`Type::Function`], for arguments of the types it is
    /// handed; it may be asked several times.
    ///
    /// # Errors
    /// Where the server refuses the call.
    pub fn bind<E>(
        &self,
        arguments: &[Argument],
        lambda: &mut dyn FnMut(usize, &[Type]) -> Result<Type, E>,
    ) -> Result<Bound, Unbound<E>> {
        for generic in [false, true] {
            let mut found = Vec::new();
            for overload in self.overloads.iter().filter(|overload| overload.variables.is_empty() != generic) {
                if let Some(bound) = overload.bind(arguments, false, lambda)? {
                    found.push((overload, bound));
                }
            }
            match found.len() {
                0 => {}
                1 => return found.pop().ok_or(Unbound::NotFound)?.1.bound(),
                _ => return Err(Unbound::Ambiguous),
            }
        }
        let mut found = Vec::new();
        for overload in &self.overloads {
            if let Some(bound) = overload.bind(arguments, true, lambda)? {
                found.push((overload, bound));
            }
        }
        let chosen = self.most_specific(found, arguments)?;
        match chosen.as_slice() {
            [] => Err(Unbound::NotFound),
            [(_, found)] => found.clone().bound(),
            _ => Err(Unbound::Ambiguous),
        }
    }

    fn most_specific<'a, E>(
        &self,
        found: Vec<(&'a Overload, Match)>,
        arguments: &[Argument],
    ) -> Result<Vec<(&'a Overload, Match)>, Unbound<E>> {
        let mut best: Vec<(&Overload, Match)> = Vec::new();
        for current in &found {
            let mut placed = false;
            for representative in &mut best {
                let narrower = is_narrower(&current.1, representative.0);
                let wider = is_narrower(&representative.1, current.0);
                if narrower {
                    *representative = current.clone();
                }
                if narrower || wider {
                    placed = true;
                    break;
                }
            }
            if !placed {
                best.push(current.clone());
            }
        }
        let kinds: Option<Vec<&Type>> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Value(kind) => Some(kind),
                Argument::Lambda => None,
            })
            .collect();
        let Some(kinds) = kinds.filter(|kinds| best.len() > 1 && kinds.contains(&&Type::Unknown)) else { return Ok(best) };
        let only_nulls: Vec<_> = found
            .iter()
            .filter(|(_, bound)| {
                bound.arguments.iter().zip(&kinds).all(|(bound, kind)| bound == *kind || **kind == Type::Unknown)
            })
            .cloned()
            .collect();
        if !only_nulls.is_empty() {
            best = only_nulls;
            if best.len() == 1 {
                return Ok(best);
            }
        }
        if best.windows(2).all(|pair| matches!(pair, [a, b] if a.1.result == b.1.result)) {
            best.truncate(1);
        }
        Ok(best)
    }
}

/// Whether a call that `bound` takes could be handed on to `other`.
fn is_narrower(bound: &Match, other: &Overload) -> bool {
    let arguments: Vec<_> = bound.arguments.iter().cloned().map(Argument::Value).collect();
    other.bind::<()>(&arguments, true, &mut |_, _| Err(())).is_ok_and(|found| found.is_some())
}
