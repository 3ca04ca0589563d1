//! Judging: a statement and a world in, a judgement out.

use super::case::{Case, level};
use super::ground::Ground;
use super::statement::{self, Read};
use super::{Cost, Finding, Judgement, Level, Params, Position, Rule, Verdict, World, fix, report, rules, second_opinion};
use crate::core::book::StatementKind as Allowed;
use crate::core::estimate::{Bounds, Evidence, Scan, Session, athena_cost, estimate_scan};
use crate::core::sql::analysis::AnalysisError;
use crate::core::sql::kind::StatementKind;
use crate::core::sql::resolve::analyse;
use crate::core::sql::tree::Statement;

/// Judges one SQL statement with its parameters. Never fails: what cannot be read, resolved or estimated is a finding that
/// blocks. `database` is that of one-part names.
pub fn judge_sql(world: &World<'_>, sql: &str, database: Option<&str>, params: &Params) -> Judgement {
    judge_sql_on(&Ground::new(world), world, sql, database, params)
}

/// The same on a world that was prepared, for many statements. `ground` must have been made of the same world.
pub fn judge_sql_on(ground: &Ground, world: &World<'_>, sql: &str, database: Option<&str>, params: &Params) -> Judgement {
    judged(ground, world, sql, database, params, true)
}

fn judged(ground: &Ground, world: &World<'_>, sql: &str, database: Option<&str>, params: &Params, with_fixes: bool) -> Judgement {
    let read = match statement::read(sql, params) {
        Ok(read) => read,
        Err(refused) => return refused.judgement(world),
    };
    let kind = read.parsed.statement.kind();
    let mut findings = statement::newer(&read);
    findings.extend(statement_kind(world, kind, &read));
    let mut judgement = unanalysed(world, kind, Vec::new());
    judgement.canonical = Some(read.canonical().to_owned());
    if !kind.may_be_allowed() {
        // Nothing further is known of it, and nothing needs to be.
        judgement.canonical = None;
        return finished(judgement, findings);
    }
    let names = read.names(world, database);
    let analysis = match analyse(&read.parsed.statement, &ground.names, &names) {
        Ok(analysis) => analysis,
        Err(error) => {
            let refused = not_analysed(&read, &error);
            // The grammar may have said so already.
            if !findings
                .iter()
                .any(|known| known.code == refused.code && known.span.map(|s| s.start) == refused.span.map(|s| s.start))
            {
                findings.push(refused);
            }
            return finished(judgement, findings);
        }
    };
    let session = Session::new(world.catalog, world.model, world.now, params);
    let (mut scan, partitions) = estimate_scan(&session, &analysis, &|table| super::case::table_name(world, table));
    if kind != StatementKind::Select {
        scan = Scan {
            bytes: Some(Bounds::exact(0)),
            evidence: Evidence::Catalog,
            tables: Vec::new(),
            why: "reads no data".to_owned(),
            ..scan
        };
    }
    let cost = cost(world, kind, &scan);
    let case = Case {
        world,
        ground,
        session: &session,
        places: &read.places,
        statement: &read.parsed.statement,
        analysis: &analysis,
        scan: &scan,
        cost: cost.as_ref(),
    };
    rules::check(&case, &mut findings);
    if world.second_opinion {
        second_opinion::check(&case, read.canonical(), &mut findings);
    }
    if with_fixes && !findings.is_empty() {
        fix::offer(&case, &mut findings, &|sql| judged(ground, world, sql, database, params, false));
    }
    judgement.analysed = true;
    judgement.reads = report::reads(world, &analysis, &partitions);
    judgement.output = report::output(world, &analysis);
    judgement.filters_on = report::filters_on(world, &analysis);
    judgement.scan = Some(scan);
    judgement.cost = cost;
    finished(judgement, findings)
}

/// A judgement of what was not analysed.
pub(super) fn unanalysed(world: &World<'_>, kind: StatementKind, findings: Vec<Finding>) -> Judgement {
    let scan = Scan {
        bytes: None,
        evidence: Evidence::Unknown,
        age_s: None,
        model: world.model,
        other_model_expected: None,
        why: "the statement was not analysed".to_owned(),
        faults: Vec::new(),
        tables: Vec::new(),
    };
    let judgement = Judgement {
        verdict: Verdict::Allow,
        statement: kind.name().to_owned(),
        analysed: false,
        findings: Vec::new(),
        reads: Vec::new(),
        output: Vec::new(),
        filters_on: Vec::new(),
        cost: cost(world, kind, &scan),
        scan: Some(scan),
        read: None,
        canonical: None,
    };
    finished(judgement, findings)
}

/// Puts findings in the order of their place and takes the strictest.
fn finished(mut judgement: Judgement, mut findings: Vec<Finding>) -> Judgement {
    findings.retain(|finding| finding.level > Level::Off);
    // Stable: at one place, and where there is none, the order of the rules.
    findings.sort_by_key(|finding| finding.span.map_or(Position { line: u32::MAX, column: 0 }, |span| span.start));
    judgement.verdict = Judgement::verdict_of(&findings);
    judgement.findings = findings;
    judgement
}

/// What a scan costs; `None` where the world has no price per byte. Only queries are billed (Athena pricing: DDL is free).
fn cost(world: &World<'_>, kind: StatementKind, scan: &Scan) -> Option<Cost> {
    let price = world.price?;
    let per_tb = price.athena_tb?;
    let money = |bytes: u64| if kind == StatementKind::Select { athena_cost(bytes, per_tb).0 } else { 0 };
    let micros = scan.bytes.map(|b| Bounds { low: money(b.low), expected: money(b.expected), high: money(b.high) });
    Some(Cost { micros, currency: price.currency.clone() })
}

/// `statement-kind`: queries run; SHOW, DESCRIBE and EXPLAIN where the book lists them; everything else never.
fn statement_kind(world: &World<'_>, kind: StatementKind, read: &Read) -> Option<Finding> {
    let statements = &world.guardrails.athena.statements;
    let wanted = match kind {
        StatementKind::Select => Some(Allowed::Select),
        StatementKind::Show => Some(Allowed::Show),
        StatementKind::Describe => Some(Allowed::Describe),
        StatementKind::Explain => Some(Allowed::Explain),
        _ => None,
    };
    if wanted.is_some_and(|kind| statements.value.contains(&kind)) {
        return None;
    }
    let message = match (kind, wanted) {
        (_, Some(_)) => format!("{kind} statements do not run here; a book may list them under `statements`"),
        (StatementKind::Empty, _) => "there is no statement, only blanks and comments".to_owned(),
        (StatementKind::Several, _) => "there is more than one statement; a step runs one".to_owned(),
        (StatementKind::Unknown, _) => "no statement begins like this".to_owned(),
        (StatementKind::ExplainAnalyze, _) => "EXPLAIN ANALYZE runs its statement and bills it".to_owned(),
        (StatementKind::ShowStats, _) => "SHOW STATS shows the lowest and highest values of every column".to_owned(),
        (StatementKind::ExternalFunction, _) => "an external function sends values to a Lambda function".to_owned(),
        _ => format!("{} never runs: only reading is allowed", first_word(read)),
    };
    let span = match &read.parsed.statement {
        Statement::Other(other) => Some(other.span),
        _ => None,
    };
    let finding = Finding::new(Rule::StatementKind, Level::Block, message).about(kind.name()).at_some(&read.places, span);
    Some(finding.set_in(statements.set_in().filter(|_| wanted.is_some())))
}

/// The word that a statement begins with, in capitals.
fn first_word(read: &Read) -> String {
    crate::core::text::visible(read.places.written().written(0)).to_uppercase()
}

/// What the server would refuse, or what we do not understand.
fn not_analysed(read: &Read, error: &AnalysisError) -> Finding {
    let rule = match error.code {
        "TYPE_MISMATCH" => Rule::TypeMismatch,
        "NOT_SUPPORTED" => Rule::Unsupported,
        _ => Rule::NotAnalysed,
    };
    let mut finding = Finding::new(rule, Level::Block, error.message.clone()).coded(error.code).at_some(&read.places, error.span);
    finding.span = error.span.map(|span| read.places.pointed(span));
    finding
}

/// The level of a rule over DynamoDB.
pub(super) fn level_of(world: &World<'_>, rule: Rule) -> crate::core::book::Setting<Level> {
    level(world, rule)
}
