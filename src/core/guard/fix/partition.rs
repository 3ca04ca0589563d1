//! Adds the predicate that `partition-filter` misses: the newest partition.

use super::{Draft, is_alone, quoted};
use crate::core::estimate::restricts;
use crate::core::guard::Rule;
use crate::core::guard::case::Case;
use crate::core::sql::token::{Symbol, TokenIx, TokenKind};
use crate::core::sql::tree::{JoinKind, QueryBody, Relation, RelationKind, RootQuery};
use crate::core::sql::types::Type;

/// The statement with `key = <newest value>` for the first table that misses it, where that table stands in the outermost FROM.
pub(super) fn newest(case: &Case<'_>, root: &RootQuery) -> Option<Draft> {
    let QueryBody::Select(select) = &root.query.body else { return None };
    let (scan, column, table) = case.world.guardrails.athena.require_partition.iter().find_map(|required| {
        case.analysis.scans.iter().find_map(|scan| {
            let used = case.table(scan.table)?;
            let table = case.session.table(used).filter(|_| required.value.table == case.table_name(used))?;
            let column = required.value.column.as_str();
            (!restricts(case.session, table, &scan.conjuncts, column)).then_some((scan, column, table))
        })
    })?;
    let name = select.from.iter().find_map(|relation| name_of(relation, scan.place.first))?;
    let index = table.partition_keys.iter().position(|key| key.name == column)?;
    let kind = table.partition_keys.get(index).and_then(|key| Type::parse(&key.column_type))?;
    let value = table.partitions.iter().flatten().filter_map(|p| p.values.get(index)?.as_deref()).max()?;
    let literal = match kind {
        Type::Varchar(_) => format!("'{}'", value.replace('\'', "''")),
        Type::Date => format!("DATE '{value}'"),
        kind if kind.is_integer() => value.parse::<i64>().ok()?.to_string(),
        _ => return None,
    };
    let alone = is_alone(select);
    let key = if alone { quoted(column) } else { format!("{}.{}", quoted(&name), quoted(column)) };
    let text = case.written().text();
    let split = |token: TokenIx| {
        let at = usize::try_from(case.written().get(token).end).ok()?;
        Some((text.get(..at)?, text.get(at..)?))
    };
    let sql = match &select.filter {
        Some(filter) => {
            let span = case.places.in_written(filter.span);
            let word = before(case, span.first);
            let (head, _) = split(word)?;
            let (condition, after) = split(closed(case, word + 1, span.last))?;
            let condition = condition.get(head.len()..)?.trim();
            format!("{head} {key} = {literal} AND ({condition}){after}")
        }
        None => {
            let span = case.places.in_written(select.from.first()?.span.to(select.from.last()?.span));
            let word = before(case, span.first);
            let (head, after) = split(closed(case, word + 1, span.last))?;
            format!("{head} WHERE {key} = {literal}{after}")
        }
    };
    Some(Draft { rule: Rule::PartitionFilter, title: format!("Read only {column} {}", crate::core::text::visible(value)), sql })
}

/// The word before a node, whose span leaves out the parentheses around it.
fn before(case: &Case<'_>, first: TokenIx) -> TokenIx {
    let mut at = first.saturating_sub(1);
    while at > 0 && case.written().get(at).kind == TokenKind::Symbol(Symbol::LeftParen) {
        at -= 1;
    }
    at
}

/// The last token of what begins at `first` and ends at `last`, with the parentheses that close what was opened between.
fn closed(case: &Case<'_>, first: TokenIx, last: TokenIx) -> TokenIx {
    let open = (first..=last).fold(0u32, |open, at| match case.written().get(at).kind {
        TokenKind::Symbol(Symbol::LeftParen) => open + 1,
        TokenKind::Symbol(Symbol::RightParen) => open.saturating_sub(1),
        _ => open,
    });
    last + open
}

/// How the relation that is named at token `place` is called in the query; `None` where a predicate on it in WHERE would change
/// the meaning of an outer join.
fn name_of(relation: &Relation, place: TokenIx) -> Option<String> {
    match &relation.kind {
        RelationKind::Table { name, .. } if name.span.first == place => name.parts.last().map(|part| part.text.to_string()),
        RelationKind::Aliased { relation, alias, .. } => {
            matches!(&relation.kind, RelationKind::Table { name, .. } if name.span.first == place).then(|| alias.text.to_string())
        }
        RelationKind::Joined { first, joins } => {
            let optional = joins.iter().any(|join| matches!(join.kind, JoinKind::Right | JoinKind::Full));
            let inner = joins.iter().filter(|join| matches!(join.kind, JoinKind::Inner | JoinKind::Cross));
            let found = (!optional).then(|| name_of(first, place)).flatten();
            found.or_else(|| inner.filter(|_| !optional).find_map(|join| name_of(&join.right, place)))
        }
        _ => None,
    }
}
