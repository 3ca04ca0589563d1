//! Functions in FROM: `TABLE(f(…))`. The server itself has two; those of connectors are not known here, and refused.

use std::rc::Rc;

use super::expression::qualified;
use super::flow::Flow;
use super::pushed::Terms;
use super::relation::Relation;
use super::scope::{Field, Scope, same_name};
use super::{Outcome, Resolver, refusal};
use crate::core::sql::analysis::{FunctionUse, How, Reason};
use crate::core::sql::coercion::coerces;
use crate::core::sql::token::Span;
use crate::core::sql::tree::{DescriptorField, TableArgument, TableArgumentValue, TableFunction, TableInput};
use crate::core::sql::types::Type;

impl Resolver<'_> {
    pub(super) fn table_function(&mut self, function: &TableFunction, scope: &Rc<Scope>) -> Outcome<Relation> {
        let name = qualified(&function.name).to_lowercase();
        let at = Span::at(function.span.first);
        let span = self.place(function.name.span);
        let via = self.views.first().copied();
        self.table_functions.push(FunctionUse { name: name.clone(), span, via });
        let simple = name.strip_prefix("system.builtin.").unwrap_or(&name);
        match simple {
            "exclude_columns" => self.exclude_columns(function, at, scope),
            "sequence" => self.sequence(function, at, scope),
            _ => Err(refusal("FUNCTION_NOT_FOUND", at, format!("table function '{name}' not registered"))),
        }
    }

    /// An argument by its name, or by its position where none has a name.
    fn argument<'t>(function: &'t TableFunction, name: &str, position: usize) -> Option<&'t TableArgument> {
        if function.arguments.iter().any(|argument| argument.name.is_some()) {
            return function.arguments.iter().find(|argument| argument.name.as_ref().is_some_and(|own| own.is(name)));
        }
        function.arguments.get(position)
    }

    fn check_names(function: &TableFunction, known: &[&str], at: Span) -> Outcome<()> {
        let start = function.arguments.first().map_or(at, |argument| Span::at(argument.span.first));
        if function.arguments.len() > known.len() {
            return Err(refusal("INVALID_ARGUMENTS", start, "there are too many arguments"));
        }
        let named = function.arguments.iter().filter(|argument| argument.name.is_some()).count();
        if named != 0 && named != function.arguments.len() {
            return Err(refusal("INVALID_ARGUMENTS", start, "either all arguments have names, or none"));
        }
        let mut seen: Vec<String> = Vec::new();
        for argument in &function.arguments {
            let Some(name) = &argument.name else { continue };
            if !known.iter().any(|known| name.is(known)) || seen.contains(&name.folded()) {
                let message = format!("unexpected argument {}", name.text);
                return Err(refusal("INVALID_FUNCTION_ARGUMENT", argument.span, message));
            }
            seen.push(name.folded());
        }
        Ok(())
    }

    /// All columns of the input but some; hidden ones are gone too.
    fn exclude_columns(&mut self, function: &TableFunction, at: Span, scope: &Rc<Scope>) -> Outcome<Relation> {
        Self::check_names(function, &["input", "columns"], at)?;
        let missing = |name: &str| refusal("MISSING_ARGUMENT", at, format!("the argument {name} is missing"));
        let input = Self::argument(function, "input", 0).ok_or_else(|| missing("INPUT"))?;
        let columns = Self::argument(function, "columns", 1).ok_or_else(|| missing("COLUMNS"))?;
        let TableArgumentValue::Table(table) = &input.value else {
            return Err(refusal("INVALID_FUNCTION_ARGUMENT", input.span, "INPUT must be a table"));
        };
        let TableArgumentValue::Descriptor(fields) = &columns.value else {
            return Err(refusal("INVALID_FUNCTION_ARGUMENT", columns.span, "COLUMNS must be a descriptor"));
        };
        let fields: &[DescriptorField] = match fields {
            Some(fields) => fields,
            None => {
                let mut stop = refusal("INVALID_FUNCTION_ARGUMENT", at, "COLUMNS cannot be NULL");
                stop.span = None;
                return Err(stop);
            }
        };
        if let Some(typed) = fields.iter().find(|field| field.type_name.is_some()) {
            let mut stop = refusal("INVALID_FUNCTION_ARGUMENT", typed.name.span(), "COLUMNS must have no types");
            stop.span = None;
            return Err(stop);
        }
        let relation = self.table_input(table, scope)?;
        let visible: Vec<Rc<Field>> = relation.fields.iter().filter(|field| !field.hidden).cloned().collect();
        for field in fields {
            if !visible.iter().any(|column| column.name.as_ref().is_some_and(|name| same_name(name, &field.name.text))) {
                let mut stop = refusal("INVALID_FUNCTION_ARGUMENT", at, format!("the input has no column {}", field.name.text));
                stop.span = None;
                return Err(stop);
            }
        }
        let mut kept = Vec::new();
        for field in visible {
            let excluded = field.name.as_ref().is_some_and(|name| fields.iter().any(|field| same_name(name, &field.name.text)));
            if excluded {
                continue;
            }
            if let Some(column) = field.column {
                self.read(column, input.span, How::Star);
            }
            kept.push(Field { alias: None, column: None, place: None, terms: Terms::default(), ..field.as_ref().clone() });
        }
        if kept.is_empty() {
            let mut stop = refusal("INVALID_FUNCTION_ARGUMENT", at, "all columns are excluded");
            stop.span = None;
            return Err(stop);
        }
        let mut out = self.relation_of(scope, kept, false);
        out.proper = Some(out.fields.len());
        Ok(out)
    }

    /// A table argument.
    fn table_input(&mut self, input: &TableInput, scope: &Rc<Scope>) -> Outcome<Relation> {
        let relation = self.relation(&input.relation, scope)?;
        let cx = self.cx(&relation.scope);
        for expr in input.partition_by.iter().flatten().chain(input.order_by.iter().map(|item| &item.expr)) {
            let value = self.value(expr, &cx)?;
            let sources = self.sources(&value);
            self.influence(sources, Reason::Rows, expr.span);
        }
        Ok(relation)
    }

    /// Numbers from a start to a stop.
    fn sequence(&mut self, function: &TableFunction, at: Span, scope: &Rc<Scope>) -> Outcome<Relation> {
        Self::check_names(function, &["start", "stop", "step"], at)?;
        let inner = self.scope_in(scope, Rc::from([]));
        let cx = self.cx(&inner);
        for (position, name) in ["start", "stop", "step"].into_iter().enumerate() {
            let Some(argument) = Self::argument(function, name, position) else {
                if name == "stop" {
                    return Err(refusal("MISSING_ARGUMENT", at, "the argument STOP is missing"));
                }
                continue;
            };
            let TableArgumentValue::Expr(expr) = &argument.value else {
                return Err(refusal("INVALID_FUNCTION_ARGUMENT", argument.span, format!("{name} must be a number")));
            };
            let value = self.value(expr, &cx)?;
            if !coerces(&value.kind, &Type::Bigint) {
                return Err(refusal("TYPE_MISMATCH", argument.span, format!("{name} must be a number")));
            }
            let sources = self.sources(&value);
            self.influence(sources, Reason::Rows, expr.span);
        }
        let fields = vec![Field::computed(Some("sequential_number".into()), Type::Bigint, Flow::default())];
        let mut out = self.relation_of(scope, fields, false);
        out.proper = Some(1);
        Ok(out)
    }
}
