//! FROM: tables, joins, aliases, samples.

use super::super::keyword::Keyword;
use super::super::token::{Symbol, TokenIx, TokenKind};
use super::super::tree::{Ident, Join, JoinCriteria, JoinKind, Nearest, Query, QueryBody, QueryPeriod, Relation, RelationKind};
use super::{Parser, Res};

/// A relation that was read already, and the token where it starts, parentheses included.
pub(super) struct RelationSeed {
    relation: Relation,
    first: TokenIx,
}

/// What parentheses in FROM hold.
enum RelationContent {
    Query(Query),
    Relation(Relation),
}

impl Parser<'_> {
    /// `relation` of the grammar: joins, from the left.
    pub(super) fn relation(&mut self) -> Res<Relation> {
        self.relation_from(None)
    }

    fn relation_from(&mut self, seed: Option<RelationSeed>) -> Res<Relation> {
        self.nest(|parser| parser.joins(seed))
    }

    fn joins(&mut self, seed: Option<RelationSeed>) -> Res<Relation> {
        let first = seed.as_ref().map_or(self.at, |seed| seed.first);
        let leftmost = self.sampled(seed)?;
        let mut joins = Vec::new();
        while let Some(join) = self.join()? {
            joins.push(join);
        }
        if joins.is_empty() {
            return Ok(leftmost);
        }
        Ok(Relation { kind: RelationKind::Joined { first: Box::new(leftmost), joins }, span: self.span_from(first) })
    }

    fn join(&mut self) -> Res<Option<Join>> {
        let first = self.at;
        if self.take_words(&[Keyword::Cross, Keyword::Join]) {
            let right = self.nest(|parser| parser.sampled(None))?;
            return Ok(Some(Join { kind: JoinKind::Cross, criteria: None, right, span: self.span_from(first) }));
        }
        let natural = self.take_word(Keyword::Natural);
        let kind = match self.kind() {
            TokenKind::Word(Keyword::Join) => JoinKind::Inner,
            TokenKind::Word(Keyword::Inner) => self.join_type(JoinKind::Inner, false),
            TokenKind::Word(Keyword::Left) => self.join_type(JoinKind::Left, true),
            TokenKind::Word(Keyword::Right) => self.join_type(JoinKind::Right, true),
            TokenKind::Word(Keyword::Full) => self.join_type(JoinKind::Full, true),
            TokenKind::Word(Keyword::Cross) => {
                self.advance();
                return Err(self.unexpected("'JOIN'"));
            }
            _ if natural => return Err(self.unexpected("'FULL', 'INNER', 'JOIN', 'LEFT', 'RIGHT'")),
            _ => return Ok(None),
        };
        self.expect_word(Keyword::Join)?;
        if natural {
            let right = self.nest(|parser| parser.sampled(None))?;
            let criteria = Some(JoinCriteria::Natural);
            return Ok(Some(Join { kind, criteria, right, span: self.span_from(first) }));
        }
        // `a JOIN b JOIN c ON x ON y`: the right side is a relation with joins of its own.
        let right = self.relation()?;
        let criteria = Some(if self.take_word(Keyword::Using) {
            JoinCriteria::Using(self.column_names()?)
        } else if self.take_word(Keyword::On) {
            JoinCriteria::On(self.expr()?)
        } else {
            return Err(self.unexpected("'ON', 'USING'"));
        });
        Ok(Some(Join { kind, criteria, right, span: self.span_from(first) }))
    }

    fn join_type(&mut self, kind: JoinKind, outer: bool) -> JoinKind {
        self.advance();
        if outer {
            self.take_word(Keyword::Outer);
        }
        kind
    }

    pub(super) fn at_sample(&self) -> bool {
        self.at_word(Keyword::Tablesample) && matches!(self.kind_at(1), TokenKind::Word(Keyword::Bernoulli | Keyword::System))
    }

    /// `sampledRelation` of the grammar.
    fn sampled(&mut self, seed: Option<RelationSeed>) -> Res<Relation> {
        let first = seed.as_ref().map_or(self.at, |seed| seed.first);
        let relation = self.pattern_recognition(seed)?;
        if !self.at_sample() {
            return Ok(relation);
        }
        self.advance();
        let system = self.at_word(Keyword::System);
        self.advance();
        self.open()?;
        let percentage = self.expr()?;
        self.close()?;
        let kind = RelationKind::Sampled { relation: Box::new(relation), system, percentage };
        Ok(Relation { kind, span: self.span_from(first) })
    }

    /// `aliasedRelation` of the grammar.
    pub(super) fn aliased(&mut self, seed: Option<RelationSeed>) -> Res<Relation> {
        let first = seed.as_ref().map_or(self.at, |seed| seed.first);
        let relation = match seed {
            Some(seed) => seed.relation,
            None => self.relation_primary()?,
        };
        self.with_alias(first, relation)
    }

    /// `relation (AS? identifier columnAliases?)?`.
    pub(super) fn with_alias(&mut self, first: TokenIx, relation: Relation) -> Res<Relation> {
        let (Some(alias), columns) = self.relation_alias()? else { return Ok(relation) };
        let kind = RelationKind::Aliased { relation: Box::new(relation), alias, columns };
        Ok(Relation { kind, span: self.span_from(first) })
    }

    pub(super) fn relation_alias(&mut self) -> Res<(Option<Ident>, Option<Vec<Ident>>)> {
        let alias = self.alias()?;
        let columns = if alias.is_some() && self.at_symbol(Symbol::LeftParen) { Some(self.column_names()?) } else { None };
        Ok((alias, columns))
    }

    pub(super) fn first_of(seed: Option<&RelationSeed>, at: TokenIx) -> TokenIx {
        seed.map_or(at, |seed| seed.first)
    }

    fn relation_primary(&mut self) -> Res<Relation> {
        let first = self.at;
        let kind = match self.kind() {
            TokenKind::Symbol(Symbol::LeftParen) => return self.parenthesized_relation(),
            TokenKind::Word(Keyword::Unnest) => {
                self.advance();
                self.open()?;
                let exprs = self.list(Self::expr)?;
                self.close()?;
                let ordinality = self.take_words(&[Keyword::With, Keyword::Ordinality]);
                RelationKind::Unnest { exprs, ordinality }
            }
            TokenKind::Word(Keyword::Lateral) if self.symbol_at(1, Symbol::LeftParen) => {
                self.advance();
                RelationKind::Lateral(Box::new(self.query_in_parens()?))
            }
            TokenKind::Word(Keyword::Table) => {
                self.advance();
                self.open()?;
                let function = self.table_function()?;
                self.close()?;
                RelationKind::TableFunction(Box::new(function))
            }
            TokenKind::Word(Keyword::JsonTable) => {
                self.note_newer("JSON_TABLE", super::Span::at(first));
                RelationKind::JsonTable(Box::new(self.json_table()?))
            }
            TokenKind::Word(Keyword::Nearest) if self.symbol_at(1, Symbol::LeftParen) && self.word_at(2, Keyword::From) => {
                self.note_newer("NEAREST", super::Span::at(first));
                RelationKind::Nearest(Box::new(self.nearest()?))
            }
            _ if self.at_name() => {
                let name = self.qualified_name()?;
                RelationKind::Table { name, version: self.query_period()? }
            }
            _ => return Err(self.unexpected("'(', 'JSON_TABLE', 'LATERAL', 'TABLE', 'UNNEST', <identifier>")),
        };
        Ok(Relation { kind, span: self.span_from(first) })
    }

    /// FOR TIMESTAMP AS OF, FOR VERSION AS OF.
    fn query_period(&mut self) -> Res<Option<QueryPeriod>> {
        if !self.at_word(Keyword::For) {
            return Ok(None);
        }
        let first = self.advance();
        let version = self.take_word(Keyword::Version);
        if !version {
            self.expect_word(Keyword::Timestamp)?;
        }
        self.expect_words(&[Keyword::As, Keyword::Of])?;
        let end = Box::new(self.value()?);
        Ok(Some(QueryPeriod { version, end, span: self.span_from(first) }))
    }

    fn nearest(&mut self) -> Res<Nearest> {
        self.at += 2;
        self.expect_word(Keyword::From)?;
        let outer = std::mem::replace(&mut self.in_nearest, true);
        let relation = self.relation();
        self.in_nearest = outer;
        let relation = relation?;
        let filter = if self.take_word(Keyword::Where) { Some(self.expr()?) } else { None };
        self.expect_word(Keyword::Match)?;
        let condition = self.expr()?;
        self.close()?;
        Ok(Nearest { relation, filter, condition })
    }

    fn parenthesized_relation(&mut self) -> Res<Relation> {
        let first = self.advance();
        let content = self.nest(Self::relation_content)?;
        self.close()?;
        Ok(match content {
            RelationContent::Query(query) => {
                Relation { kind: RelationKind::Subquery(Box::new(query)), span: self.span_from(first) }
            }
            RelationContent::Relation(relation) => relation,
        })
    }

    /// What stands after an opening parenthesis in FROM. As with expressions, `((` reads the inner parentheses once, and what
    /// follows them tells what they are. A lone `((SELECT 1))` is a subquery: the grammar has that first.
    fn relation_content(&mut self) -> Res<RelationContent> {
        match self.kind() {
            TokenKind::Word(Keyword::Select | Keyword::With | Keyword::Values) => Ok(RelationContent::Query(self.query()?)),
            TokenKind::Word(Keyword::Table) if !self.symbol_at(1, Symbol::LeftParen) => Ok(RelationContent::Query(self.query()?)),
            TokenKind::Symbol(Symbol::LeftParen) => {
                let first = self.advance();
                let inner = self.nest(Self::relation_content)?;
                self.close()?;
                let relation = match inner {
                    RelationContent::Relation(relation) => relation,
                    RelationContent::Query(query)
                        if query.with.is_none() && (self.at_symbol(Symbol::RightParen) || self.query_goes_on()) =>
                    {
                        let body = QueryBody::Parenthesized(Box::new(query));
                        return Ok(RelationContent::Query(self.query_from(first, None, Some(body))?));
                    }
                    RelationContent::Query(query) => {
                        Relation { kind: RelationKind::Subquery(Box::new(query)), span: self.span_from(first) }
                    }
                };
                Ok(RelationContent::Relation(self.relation_from(Some(RelationSeed { relation, first }))?))
            }
            _ => Ok(RelationContent::Relation(self.relation()?)),
        }
    }
}
