//! Walking a tree: a [`Visitor`] sees every query, relation, expression and type; what it does not override goes on to the parts.
//!
//! The walk is complete: a part of the tree that it forgot would be invisible to whoever relies on it. A test compares it with the
//! tokens: every identifier token is reached.

use super::*;

/// Sees the nodes of a tree. Every method goes on to the parts of its node unless it is overridden.
pub trait Visitor {
    /// A query.
    fn query(&mut self, query: &Query) {
        walk_query(self, query);
    }

    /// A query with what may precede it at the top.
    fn root_query(&mut self, root: &RootQuery) {
        walk_root_query(self, root);
    }

    /// What a query selects.
    fn body(&mut self, body: &QueryBody) {
        walk_body(self, body);
    }

    /// SELECT.
    fn select(&mut self, select: &Select) {
        walk_select(self, select);
    }

    /// A relation.
    fn relation(&mut self, relation: &Relation) {
        walk_relation(self, relation);
    }

    /// The name of a table, a view or a WITH query that is read: in FROM, TABLE, table arguments, SHOW and DESCRIBE.
    fn table(&mut self, name: &QualifiedName) {
        walk_name(self, name);
    }

    /// An expression.
    fn expr(&mut self, expr: &Expr) {
        walk_expr(self, expr);
    }

    /// A type.
    fn type_name(&mut self, type_name: &TypeName) {
        walk_type(self, type_name);
    }

    /// A row pattern.
    fn pattern(&mut self, pattern: &RowPattern) {
        walk_pattern(self, pattern);
    }

    /// The name of a function that is called.
    fn function(&mut self, name: &QualifiedName) {
        walk_name(self, name);
    }

    /// The name of a table function.
    fn table_function(&mut self, name: &QualifiedName) {
        walk_name(self, name);
    }

    /// An identifier, whatever it names.
    fn ident(&mut self, _ident: &Ident) {}
}

/// The parts of a statement.
pub fn walk_statement<V: Visitor + ?Sized>(v: &mut V, statement: &Statement) {
    match statement {
        Statement::Query(root) => v.root_query(root),
        Statement::Show(show) => walk_show(v, show),
        Statement::Describe(describe) => v.table(&describe.table),
        Statement::Explain(explain) => walk_statement(v, &explain.statement),
        Statement::Other(_) => {}
    }
}

fn walk_show<V: Visitor + ?Sized>(v: &mut V, show: &Show) {
    match &show.what {
        ShowKind::Tables { schema, .. } | ShowKind::Functions { schema, .. } => {
            schema.iter().for_each(|name| walk_name(v, name));
        }
        ShowKind::Schemas { catalog, .. } | ShowKind::Roles { catalog } => catalog.iter().for_each(|name| v.ident(name)),
        ShowKind::Catalogs { .. } | ShowKind::Session { .. } => {}
        ShowKind::Columns { table, .. } | ShowKind::Properties { table, .. } => v.table(table),
        ShowKind::Stats(table) | ShowKind::Partitions(table) | ShowKind::Branches(table) => v.table(table),
        ShowKind::Create { object: CreateObject::Schema | CreateObject::Function, name } => walk_name(v, name),
        ShowKind::Create { name, .. } => v.table(name),
        ShowKind::StatsFor(root) => v.root_query(root),
        ShowKind::Grants { object } => object.iter().for_each(|name| walk_name(v, name)),
    }
}

/// The parts of a name.
pub fn walk_name<V: Visitor + ?Sized>(v: &mut V, name: &QualifiedName) {
    idents(v, &name.parts);
}

fn idents<V: Visitor + ?Sized>(v: &mut V, names: &[Ident]) {
    names.iter().for_each(|name| v.ident(name));
}

fn exprs<V: Visitor + ?Sized>(v: &mut V, exprs: &[Expr]) {
    exprs.iter().for_each(|expr| v.expr(expr));
}

fn sort_items<V: Visitor + ?Sized>(v: &mut V, items: &[SortItem]) {
    items.iter().for_each(|item| v.expr(&item.expr));
}

/// The parts of a query and of what precedes it.
pub fn walk_root_query<V: Visitor + ?Sized>(v: &mut V, root: &RootQuery) {
    for property in &root.session {
        walk_name(v, &property.name);
        v.expr(&property.value);
    }
    root.functions.iter().for_each(|function| walk_function(v, function));
    v.query(&root.query);
}

/// The parts of a query.
pub fn walk_query<V: Visitor + ?Sized>(v: &mut V, query: &Query) {
    for named in query.with.iter().flat_map(|with| &with.queries) {
        walk_named_query(v, named);
    }
    walk_query_after_with(v, query);
}

/// The parts of a named query.
pub fn walk_named_query<V: Visitor + ?Sized>(v: &mut V, named: &NamedQuery) {
    v.ident(&named.name);
    idents(v, named.columns.as_deref().unwrap_or_default());
    v.query(&named.query);
}

/// The parts of a query but for its WITH.
pub fn walk_query_after_with<V: Visitor + ?Sized>(v: &mut V, query: &Query) {
    v.body(&query.body);
    sort_items(v, &query.order_by);
    let rows = match &query.limit {
        Some(Limit::Rows(rows, _)) | Some(Limit::Fetch { rows: Some(rows), .. }) => Some(rows),
        _ => None,
    };
    for count in query.offset.iter().chain(rows) {
        if let RowCountKind::Parameter(name) = &count.kind {
            v.ident(name);
        }
    }
}

/// The parts of what a query selects.
pub fn walk_body<V: Visitor + ?Sized>(v: &mut V, body: &QueryBody) {
    match body {
        QueryBody::Select(select) => v.select(select),
        QueryBody::Table(name) => v.table(name),
        QueryBody::Values(rows, _) => exprs(v, rows),
        QueryBody::Parenthesized(query) => v.query(query),
        QueryBody::SetOperation(operation) => {
            v.body(&operation.first);
            for step in &operation.rest {
                idents(v, step.corresponding.as_deref().unwrap_or_default());
                v.body(&step.right);
            }
        }
    }
}

/// The parts of a SELECT.
pub fn walk_select<V: Visitor + ?Sized>(v: &mut V, select: &Select) {
    for item in &select.items {
        match item {
            SelectItem::Expr { expr, alias, .. } => {
                v.expr(expr);
                alias.iter().for_each(|name| v.ident(name));
            }
            SelectItem::All(_) => {}
            SelectItem::AllFrom { base, aliases, .. } => {
                v.expr(base);
                idents(v, aliases.as_deref().unwrap_or_default());
            }
        }
    }
    select.from.iter().for_each(|relation| v.relation(relation));
    select.filter.iter().for_each(|expr| v.expr(expr));
    for element in select.group_by.iter().flat_map(|group_by| &group_by.elements) {
        match element {
            GroupingElement::Set(set, _) => exprs(v, set),
            GroupingElement::Rollup(sets, _) | GroupingElement::Cube(sets, _) | GroupingElement::Sets(sets, _) => {
                sets.iter().for_each(|set| exprs(v, set));
            }
            GroupingElement::Auto(_) => {}
        }
    }
    select.having.iter().for_each(|expr| v.expr(expr));
    for window in &select.windows {
        v.ident(&window.name);
        walk_window(v, &window.window);
    }
}

/// The parts of a relation.
pub fn walk_relation<V: Visitor + ?Sized>(v: &mut V, relation: &Relation) {
    match &relation.kind {
        RelationKind::Table { name, version } => {
            v.table(name);
            version.iter().for_each(|period| v.expr(&period.end));
        }
        RelationKind::Subquery(query) | RelationKind::Lateral(query) => v.query(query),
        RelationKind::Unnest { exprs: unnested, .. } => exprs(v, unnested),
        RelationKind::TableFunction(function) => walk_table_function(v, function),
        RelationKind::JsonTable(table) => {
            walk_json_path(v, &table.path);
            walk_json_columns(v, &table.columns);
            if let Some(JsonPlan::Specific { names, .. }) = &table.plan {
                idents(v, names);
            }
        }
        RelationKind::Nearest(nearest) => {
            v.relation(&nearest.relation);
            nearest.filter.iter().for_each(|expr| v.expr(expr));
            v.expr(&nearest.condition);
        }
        RelationKind::Aliased { relation, alias, columns } => {
            v.relation(relation);
            v.ident(alias);
            idents(v, columns.as_deref().unwrap_or_default());
        }
        RelationKind::Match(recognize) => walk_match(v, recognize),
        RelationKind::Sampled { relation, percentage, .. } => {
            v.relation(relation);
            v.expr(percentage);
        }
        RelationKind::Joined { first, joins } => {
            v.relation(first);
            for join in joins {
                v.relation(&join.right);
                match &join.criteria {
                    Some(JoinCriteria::On(condition)) => v.expr(condition),
                    Some(JoinCriteria::Using(columns)) => idents(v, columns),
                    Some(JoinCriteria::Natural) | None => {}
                }
            }
        }
    }
}

fn walk_table_function<V: Visitor + ?Sized>(v: &mut V, function: &TableFunction) {
    v.table_function(&function.name);
    for argument in &function.arguments {
        argument.name.iter().for_each(|name| v.ident(name));
        match &argument.value {
            TableArgumentValue::Table(input) => {
                v.relation(&input.relation);
                exprs(v, input.partition_by.as_deref().unwrap_or_default());
                sort_items(v, &input.order_by);
            }
            TableArgumentValue::Descriptor(fields) => {
                for field in fields.iter().flatten() {
                    v.ident(&field.name);
                    field.type_name.iter().for_each(|type_name| v.type_name(type_name));
                }
            }
            TableArgumentValue::Expr(expr) => v.expr(expr),
        }
    }
    function.copartition.iter().flatten().for_each(|name| walk_name(v, name));
}

fn walk_match<V: Visitor + ?Sized>(v: &mut V, recognize: &MatchRecognize) {
    v.relation(&recognize.relation);
    exprs(v, &recognize.partition_by);
    sort_items(v, &recognize.order_by);
    walk_measures(v, &recognize.measures);
    walk_skip(v, recognize.skip.as_ref());
    v.pattern(&recognize.pattern);
    walk_variables(v, &recognize.subsets, &recognize.definitions);
    recognize.alias.iter().for_each(|name| v.ident(name));
    idents(v, recognize.columns.as_deref().unwrap_or_default());
}

fn walk_measures<V: Visitor + ?Sized>(v: &mut V, measures: &[Measure]) {
    for measure in measures {
        v.expr(&measure.expr);
        v.ident(&measure.name);
    }
}

fn walk_skip<V: Visitor + ?Sized>(v: &mut V, skip: Option<&SkipTo>) {
    if let Some(SkipTo::First(name) | SkipTo::Last(name)) = skip {
        v.ident(name);
    }
}

fn walk_variables<V: Visitor + ?Sized>(v: &mut V, subsets: &[Subset], definitions: &[VariableDefinition]) {
    for subset in subsets {
        v.ident(&subset.name);
        idents(v, &subset.variables);
    }
    for definition in definitions {
        v.ident(&definition.name);
        v.expr(&definition.condition);
    }
}

/// The parts of a row pattern.
pub fn walk_pattern<V: Visitor + ?Sized>(v: &mut V, pattern: &RowPattern) {
    match pattern {
        RowPattern::Variable(name) => v.ident(name),
        RowPattern::Empty(_) | RowPattern::Anchor(..) => {}
        RowPattern::Permute(patterns, _) | RowPattern::Sequence(patterns) | RowPattern::Choice(patterns) => {
            patterns.iter().for_each(|pattern| v.pattern(pattern));
        }
        RowPattern::Excluded(pattern, _) | RowPattern::Repeated { pattern, .. } => v.pattern(pattern),
    }
}

/// The parts of a window.
pub fn walk_window<V: Visitor + ?Sized>(v: &mut V, window: &WindowSpecification) {
    window.base.iter().for_each(|name| v.ident(name));
    exprs(v, &window.partition_by);
    sort_items(v, &window.order_by);
    let Some(frame) = &window.frame else { return };
    walk_measures(v, &frame.measures);
    for bound in std::iter::once(&frame.start).chain(&frame.end) {
        if let FrameBoundKind::Preceding(expr) | FrameBoundKind::Following(expr) = &bound.kind {
            v.expr(expr);
        }
    }
    walk_skip(v, frame.skip.as_ref());
    frame.pattern.iter().for_each(|pattern| v.pattern(pattern));
    walk_variables(v, &frame.subsets, &frame.definitions);
}

fn walk_over<V: Visitor + ?Sized>(v: &mut V, over: &Over) {
    match over {
        Over::Named(name) => v.ident(name),
        Over::Inline(window) => walk_window(v, window),
    }
}

/// The parts of an expression.
pub fn walk_expr<V: Visitor + ?Sized>(v: &mut V, expr: &Expr) {
    match &expr.kind {
        ExprKind::Literal(Literal::Typed { type_name, .. }) => v.ident(type_name),
        ExprKind::Literal(_) | ExprKind::Placeholder | ExprKind::Current { .. } | ExprKind::CaseOperand => {}
        ExprKind::Parameter(name) => v.ident(name),
        ExprKind::Name(parts) => idents(v, parts),
        ExprKind::Access { base, steps } => {
            v.expr(base);
            for step in steps {
                match step {
                    AccessStep::Field(name) => v.ident(name),
                    AccessStep::Index(index, _) => v.expr(index),
                    AccessStep::Method(name, arguments) => {
                        v.ident(name);
                        exprs(v, arguments);
                    }
                }
            }
        }
        ExprKind::Chain { first, rest } => {
            v.expr(first);
            rest.iter().for_each(|link| v.expr(&link.right));
        }
        ExprKind::Unary { operand, .. } | ExprKind::Not(operand) => v.expr(operand),
        ExprKind::Logical { terms, .. } => exprs(v, terms),
        ExprKind::Comparison { left, right, .. } => {
            v.expr(left);
            v.expr(right);
        }
        ExprKind::Quantified { value, query, .. } => {
            v.expr(value);
            v.query(query);
        }
        ExprKind::Predicate { value, test, .. } => {
            v.expr(value);
            walk_test(v, test);
        }
        ExprKind::AtTimeZone { value, .. } => v.expr(value),
        ExprKind::Lambda { arguments, body } => {
            idents(v, arguments);
            v.expr(body);
        }
        ExprKind::Call(call) => walk_call(v, call),
        ExprKind::ListAgg(call) => {
            v.expr(&call.value);
            sort_items(v, &call.order_by);
            call.filter.iter().for_each(|expr| v.expr(expr));
            call.over.iter().for_each(|over| walk_over(v, over));
        }
        ExprKind::Measure { name, over } => {
            v.ident(name);
            walk_over(v, over);
        }
        ExprKind::Row(fields) => {
            for field in fields {
                v.expr(&field.value);
                field.name.iter().for_each(|name| v.ident(name));
            }
        }
        ExprKind::Array(elements) => exprs(v, elements),
        ExprKind::Subquery(query) | ExprKind::Exists(query) | ExprKind::Unique(query) => v.query(query),
        ExprKind::Case { operand, branches, otherwise } => {
            operand.iter().for_each(|expr| v.expr(expr));
            for branch in branches {
                v.expr(&branch.condition);
                v.expr(&branch.result);
            }
            otherwise.iter().for_each(|expr| v.expr(expr));
        }
        ExprKind::Cast { value, type_name, .. } => {
            v.expr(value);
            v.type_name(type_name);
        }
        ExprKind::Trim { characters, source, .. } => {
            characters.iter().for_each(|expr| v.expr(expr));
            v.expr(source);
        }
        ExprKind::Substring { source, from, length } => {
            v.expr(source);
            v.expr(from);
            length.iter().for_each(|expr| v.expr(expr));
        }
        ExprKind::Overlay { source, replacement, from, length } => {
            v.expr(source);
            v.expr(replacement);
            v.expr(from);
            length.iter().for_each(|expr| v.expr(expr));
        }
        ExprKind::Normalize { source, .. } => v.expr(source),
        ExprKind::Extract { field, source } => {
            v.ident(field);
            v.expr(source);
        }
        ExprKind::Position { needle, haystack } => {
            v.expr(needle);
            v.expr(haystack);
        }
        ExprKind::NamedArgument { name, value } => {
            v.ident(name);
            v.expr(value);
        }
        ExprKind::Grouping(names) => names.iter().for_each(|name| walk_name(v, name)),
        ExprKind::Json(call) => walk_json(v, call),
        ExprKind::StaticCall(call) => {
            walk_name(v, &call.type_name);
            v.ident(&call.method);
            exprs(v, &call.arguments);
        }
    }
}

fn walk_test<V: Visitor + ?Sized>(v: &mut V, test: &Test) {
    match test {
        Test::Between { low, high, .. } => {
            v.expr(low);
            v.expr(high);
        }
        Test::InList(list) => exprs(v, list),
        Test::InQuery(query) | Test::Match(query) => v.query(query),
        Test::Like { pattern, escape } => {
            v.expr(pattern);
            escape.iter().for_each(|expr| v.expr(expr));
        }
        Test::Null | Test::Truth(_) => {}
        Test::DistinctFrom(expr) => v.expr(expr),
    }
}

fn walk_call<V: Visitor + ?Sized>(v: &mut V, call: &Call) {
    v.function(&call.name);
    match &call.arguments {
        Arguments::List(arguments) => exprs(v, arguments),
        Arguments::Star { label, .. } => label.iter().for_each(|name| v.ident(name)),
    }
    sort_items(v, &call.order_by);
    call.filter.iter().for_each(|expr| v.expr(expr));
    call.over.iter().for_each(|over| walk_over(v, over));
}

fn walk_json<V: Visitor + ?Sized>(v: &mut V, call: &JsonCall) {
    match call {
        JsonCall::Exists { path, .. } => walk_json_path(v, path),
        JsonCall::Value { path, returning, on_empty, on_error } => {
            walk_json_path(v, path);
            returning.iter().for_each(|type_name| v.type_name(type_name));
            walk_json_behaviors(v, [on_empty, on_error]);
        }
        JsonCall::Query { path, returning, .. } => {
            walk_json_path(v, path);
            returning.iter().for_each(|returning| v.type_name(&returning.type_name));
        }
        JsonCall::Object { members, returning, .. } => {
            for member in members {
                v.expr(&member.key);
                v.expr(&member.value.expr);
            }
            returning.iter().for_each(|returning| v.type_name(&returning.type_name));
        }
        JsonCall::Array { elements, returning, .. } => {
            elements.iter().for_each(|element| v.expr(&element.expr));
            returning.iter().for_each(|returning| v.type_name(&returning.type_name));
        }
    }
}

fn walk_json_behaviors<V: Visitor + ?Sized>(v: &mut V, behaviors: [&Option<JsonValueBehavior>; 2]) {
    for behavior in behaviors.into_iter().flatten() {
        if let JsonValueBehavior::Default(expr) = behavior {
            v.expr(expr);
        }
    }
}

fn walk_json_path<V: Visitor + ?Sized>(v: &mut V, path: &JsonPath) {
    v.expr(&path.input.expr);
    path.name.iter().for_each(|name| v.ident(name));
    for argument in &path.passing {
        v.expr(&argument.value.expr);
        v.ident(&argument.name);
    }
}

fn walk_json_columns<V: Visitor + ?Sized>(v: &mut V, columns: &[JsonTableColumn]) {
    for column in columns {
        match column {
            JsonTableColumn::Ordinality(name) => v.ident(name),
            JsonTableColumn::Value { name, type_name, on_empty, on_error, .. } => {
                v.ident(name);
                v.type_name(type_name);
                walk_json_behaviors(v, [on_empty, on_error]);
            }
            JsonTableColumn::Query { name, type_name, .. } => {
                v.ident(name);
                v.type_name(type_name);
            }
            JsonTableColumn::Nested { name, columns, .. } => {
                name.iter().for_each(|name| v.ident(name));
                walk_json_columns(v, columns);
            }
        }
    }
}

/// The parts of a type.
pub fn walk_type<V: Visitor + ?Sized>(v: &mut V, type_name: &TypeName) {
    match &type_name.kind {
        TypeKind::Row(fields) => {
            for field in fields {
                field.name.iter().for_each(|name| v.ident(name));
                v.type_name(&field.type_name);
            }
        }
        TypeKind::Interval(_) | TypeKind::DoublePrecision => {}
        TypeKind::DateTime { precision, .. } => precision.iter().for_each(|parameter| walk_parameter(v, parameter)),
        TypeKind::Array(element) => v.type_name(element),
        TypeKind::Map(key, value) => {
            v.type_name(key);
            v.type_name(value);
        }
        TypeKind::Generic { name, parameters } => {
            v.ident(name);
            parameters.iter().for_each(|parameter| walk_parameter(v, parameter));
        }
    }
}

fn walk_parameter<V: Visitor + ?Sized>(v: &mut V, parameter: &TypeParameter) {
    if let TypeParameter::Type(type_name) = parameter {
        v.type_name(type_name);
    }
}

fn walk_function<V: Visitor + ?Sized>(v: &mut V, function: &InlineFunction) {
    walk_name(v, &function.name);
    for (name, type_name) in &function.parameters {
        name.iter().for_each(|name| v.ident(name));
        v.type_name(type_name);
    }
    v.type_name(&function.returns);
    function.language.iter().for_each(|name| v.ident(name));
    for (name, value) in &function.properties {
        v.ident(name);
        value.iter().for_each(|expr| v.expr(expr));
    }
    if let RoutineBody::Statement(statement) = &function.body {
        walk_control(v, statement);
    }
}

fn walk_control<V: Visitor + ?Sized>(v: &mut V, statement: &ControlStatement) {
    match statement {
        ControlStatement::Return(expr) => v.expr(expr),
        ControlStatement::Set(name, expr) => {
            v.ident(name);
            v.expr(expr);
        }
        ControlStatement::Case { operand, branches, otherwise } => {
            operand.iter().for_each(|expr| v.expr(expr));
            walk_branches(v, branches, otherwise);
        }
        ControlStatement::If { branches, otherwise } => walk_branches(v, branches, otherwise),
        ControlStatement::Iterate(label) | ControlStatement::Leave(label) => v.ident(label),
        ControlStatement::Block { variables, statements } => {
            for (names, type_name, default) in variables {
                idents(v, names);
                v.type_name(type_name);
                default.iter().for_each(|expr| v.expr(expr));
            }
            statements.iter().for_each(|statement| walk_control(v, statement));
        }
        ControlStatement::Loop { label, condition, statements, .. } => {
            label.iter().for_each(|label| v.ident(label));
            condition.iter().for_each(|expr| v.expr(expr));
            statements.iter().for_each(|statement| walk_control(v, statement));
        }
    }
}

fn walk_branches<V: Visitor + ?Sized>(v: &mut V, branches: &[(Expr, Vec<ControlStatement>)], otherwise: &[ControlStatement]) {
    for (condition, statements) in branches {
        v.expr(condition);
        statements.iter().for_each(|statement| walk_control(v, statement));
    }
    otherwise.iter().for_each(|statement| walk_control(v, statement));
}
