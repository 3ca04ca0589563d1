//! What a statement scans, from the facts of a catalog.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use jiff::civil::DateTime;

use super::domain::Domains;
use super::function::Clock;
use super::model::Wanted;
use super::partitions::{Left, left, names};
use super::term::{Known, evaluate};
use super::value::Value;
use super::{Bounds, Evidence, Scan, ScanModel, TableScan};
use crate::core::catalog::{Catalog, Table};
use crate::core::guard::{Params, PartitionsMatched};
use crate::core::sql::analysis::{self, Analysis, ColumnId, Reason, TableKind, TableUse, Term};
use crate::core::sql::types::Type;
use crate::core::units::Timestamp;

/// What an estimate is made in.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// Facts.
    pub catalog: &'a Catalog,
    /// The reading model of `expected`.
    pub model: ScanModel,
    /// The moment of the estimate.
    pub now: Timestamp,
    /// Parameters, for those that are holes.
    pub params: &'a Params,
    pub(super) clock: Option<Clock>,
}

impl<'a> Session<'a> {
    /// A session at `now`.
    pub fn new(catalog: &'a Catalog, model: ScanModel, now: Timestamp, params: &'a Params) -> Self {
        Self { catalog, model, now, params, clock: Clock::at(now) }
    }

    /// When the facts of a table were taken, in UTC.
    pub(super) fn taken(&self, table: &Table) -> Option<DateTime> {
        Clock::at(table.taken_at?).map(|clock| clock.now)
    }

    /// The facts of a table that a statement uses.
    pub fn table(&self, used: &TableUse) -> Option<&'a Table> {
        self.catalog.table(Some(&used.catalog), &format!("{}.{}", used.schema, used.name))
    }
}

/// The estimate of a statement: the sum over its scans, and which partitions each table is left with (by the index of the table in
/// the analysis).
pub fn estimate_scan(
    session: &Session<'_>,
    analysis: &Analysis,
    name: &dyn Fn(&TableUse) -> String,
) -> (Scan, IndexMap<u32, PartitionsMatched>) {
    let other = match session.model {
        ScanModel::Chunks => ScanModel::Trino,
        ScanModel::Trino => ScanModel::Chunks,
    };
    let mut tables: IndexMap<String, Sum> = IndexMap::new();
    let mut partitions: IndexMap<u32, PartitionsMatched> = IndexMap::new();
    let (mut oldest, mut evidence) = (None::<Timestamp>, None::<Evidence>);
    let mut faults = Vec::new();
    for (index, scan) in analysis.scans.iter().enumerate() {
        let Some(used) = analysis.tables.get(usize::try_from(scan.table.0).unwrap_or(usize::MAX)) else { continue };
        let sum = tables.entry(name(used)).or_default();
        match reading(session, analysis, scan, used, &[session.model, other]) {
            Reading::Nothing => sum.add(Ok(vec![Bounds::exact(0); 2]), "reads no files".to_owned()),
            Reading::Unknown(why) => sum.add(Err(()), why),
            Reading::Files { table, left, columns } => {
                if !table.partition_keys.is_empty() && left.total > 0 {
                    let matched = PartitionsMatched { matched: left.matched, total: left.total };
                    let known = partitions.entry(scan.table.0).or_insert(matched);
                    known.matched = known.matched.max(left.matched);
                    known.total = known.total.max(left.total);
                }
                if let Some(taken) = left.taken_at {
                    oldest = Some(oldest.map_or(taken, |time| time.min(taken)));
                }
                evidence = evidence.max(left.evidence);
                faults.extend(left.faults.iter().map(|fault| format!("{}: {fault}", name(used))));
                let why = explained(&left, table, columns);
                // The server runs the same subquery once.
                let same = |other: &analysis::Scan| {
                    other.single
                        && other.table == scan.table
                        && other.columns == scan.columns
                        && other.conjuncts == scan.conjuncts
                };
                let again = scan.single && analysis.scans.iter().take(index).any(same);
                let bytes = left.bytes.map_err(|_| ());
                let lowered = |bytes: Vec<Bounds>| bytes.into_iter().map(|b| Bounds { low: 0, ..b }).collect();
                sum.add(if again { bytes.map(lowered) } else { bytes }, why);
            }
        }
    }
    let total = |index: usize| {
        tables.values().try_fold(Bounds::exact(0), |total, sum| Some(total.plus(*sum.bytes.as_ref()?.get(index)?)))
    };
    let bytes = total(0);
    let evidence = if bytes.is_none() { Evidence::Unknown } else { evidence.unwrap_or(Evidence::Catalog) };
    faults.dedup();
    let why = match tables.len() {
        0 => "reads no table".to_owned(),
        1 => tables.values().map(Sum::why).collect(),
        _ => tables.iter().map(|(name, sum)| format!("{name}: {}", sum.why())).collect::<Vec<_>>().join("; "),
    };
    let scan = Scan {
        bytes,
        evidence,
        age_s: oldest.map(|taken| session.now.since(taken).0 / 1000),
        model: session.model,
        other_model_expected: bytes.and_then(|_| total(1)).map(|bounds| bounds.expected),
        why,
        faults,
        tables: tables
            .iter()
            .map(|(table, sum)| TableScan {
                table: table.clone(),
                bytes: sum.bytes.as_ref().and_then(|bytes| bytes.first().copied()),
                why: sum.why(),
            })
            .collect(),
    };
    (scan, partitions)
}

/// The scans of one table added up.
struct Sum {
    bytes: Option<Vec<Bounds>>,
    whys: Vec<String>,
}

impl Default for Sum {
    fn default() -> Self {
        Self { bytes: Some(vec![Bounds::exact(0); 2]), whys: Vec::new() }
    }
}

impl Sum {
    fn add(&mut self, bytes: Result<Vec<Bounds>, ()>, why: String) {
        let sum = self.bytes.take().zip(bytes.ok());
        self.bytes = sum.map(|(sum, more)| sum.iter().zip(more).map(|(a, b)| a.plus(b)).collect());
        self.whys.push(why);
    }

    fn why(&self) -> String {
        match self.whys.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [first, rest @ ..] if rest.iter().all(|why| why == first) => format!("read {} times: {first}", self.whys.len()),
            all => format!("read {} times: {}", all.len(), all.join(" and ")),
        }
    }
}

/// What one scan reads.
enum Reading<'a> {
    /// No data files: metadata only.
    Nothing,
    /// Something, but nobody knows how much.
    Unknown(String),
    /// Partitions of a table.
    Files { table: &'a Table, left: Left, columns: usize },
}

fn reading<'a>(
    session: &Session<'a>,
    analysis: &Analysis,
    scan: &analysis::Scan,
    used: &TableUse,
    models: &[ScanModel],
) -> Reading<'a> {
    match used.kind {
        TableKind::InformationSchema => return Reading::Nothing,
        TableKind::Metadata => return Reading::Unknown("metadata tables are not estimated".to_owned()),
        TableKind::View => return Reading::Unknown("a view was not expanded".to_owned()),
        TableKind::Table => {}
    }
    let Some(table) = session.table(used) else { return Reading::Unknown("the catalog does not have it".to_owned()) };
    if scan.versioned {
        return Reading::Unknown("the facts are of the current snapshot, and it reads another".to_owned());
    }
    let is_key = |name: &str| table.partition_keys.iter().any(|key| key.name == name);
    let columns: Vec<&[String]> = scan
        .columns
        .iter()
        .filter_map(|id| analysis.columns.get(usize::try_from(id.0).ok()?))
        .filter(|column| !column.hidden && column.path.first().is_some_and(|name| !is_key(name)))
        .map(|column| column.path.as_slice())
        .collect();
    if scan.limited == Some(0) {
        return Reading::Nothing;
    }
    let known = Fixed { clock: session.clock };
    let uses = Uses::of(analysis, scan, &known);
    let columns: Vec<&[String]> = columns.into_iter().filter(|path| !uses.idle.contains(*path)).collect();
    let physical_of = |paths: &[&[String]]| outermost(paths.iter().map(|path| physical(table, path)).collect());
    let sure: Vec<&[String]> = columns.iter().copied().filter(|path| !uses.doubtful.contains(*path)).collect();
    // A parent that is read whole has its fields already.
    let whole = outermost(columns.iter().map(|path| path.to_vec()).collect());
    // Several fields of a column whose own sizes nobody knows count as that column, once.
    let has_size = |path: &str| table.partitions.iter().flatten().any(|p| p.column_bytes.contains_key(path));
    let mut sized: Vec<String> = whole
        .iter()
        .map(|path| {
            let whole = path.join(".");
            if has_size(&whole) { whole } else { path.first().cloned().unwrap_or_default() }
        })
        .collect();
    sized.dedup();
    let count = {
        let mut tops: Vec<&str> = whole.iter().filter_map(|path| path.first().map(String::as_str)).collect();
        tops.dedup();
        tops.len()
    };
    let of_files = |path: &[String]| path.first().is_some_and(|name| !is_key(name) && !name.starts_with('$'));
    let asked = outermost(uses.asked.iter().filter(|path| of_files(path)).map(|path| physical(table, path)).collect());
    let soft = outermost(uses.soft.iter().filter(|path| of_files(path)).map(|path| physical(table, path)).collect());
    let several = analysis.scans.len() > 1;
    let soft_key = uses.soft.iter().any(|path| path.first().is_some_and(|name| is_key(name)));
    // Rows of another side that nothing compares may still end a reading: there may be none.
    let lent = !uses.soft.is_empty() || uses.gated || (several && !analysis.cross_joins.is_empty());
    let wanted = Wanted {
        columns: sized,
        paths: physical_of(&columns),
        sure: physical_of(&sure),
        may_skip: !asked.is_empty() || lent,
        asked,
        paid: uses.paid.iter().filter(|path| of_files(path)).map(|path| physical(table, path)).collect(),
        soft,
        domains: Domains::of(&scan.conjuncts, &known),
        // Of several scans, one of which no column is wanted may not be needed at all: a count that nobody asks for.
        lent: lent || (several && columns.is_empty()),
        // A filter that another scan lends leaves out whole partitions, of any format.
        may_stop: scan.sampled || (lent && (several || soft_key) && !table.partition_keys.is_empty()),
        opaque: scan.conjuncts.iter().any(|term| is_opaque(term) && names(term).iter().any(|name| !is_key(name))),
        limited: scan.limited.is_some(),
        files: named_files(&scan.conjuncts, &known),
    };
    let left = left(session, table, &scan.conjuncts, &wanted, models);
    Reading::Files { table, left, columns: count }
}

/// A name of a term as a path.
fn path(name: &str) -> Vec<String> {
    name.split('.').map(str::to_owned).collect()
}

/// How a scan uses its columns.
#[derive(Debug, Default)]
struct Uses {
    /// Columns that predicates on this scan name.
    asked: Vec<Vec<String>>,
    /// Columns that decide on rows in a way that no predicate on this scan says: compared with another scan, with a subquery, or by the
    /// FILTER of an aggregate. A reader may filter by them at run time.
    soft: Vec<Vec<String>>,
    /// Those among them that are compared with the one value of a subquery.
    paid: Vec<Vec<String>>,
    /// Whether a subquery alone decides if anything is taken.
    gated: bool,
    /// Columns that only an order or a window names, or that a constant may rule out: perhaps nobody asks for them.
    doubtful: HashSet<Vec<String>>,
    /// Columns that only a condition names which is always true.
    idle: HashSet<Vec<String>>,
}

impl Uses {
    fn of(analysis: &Analysis, scan: &analysis::Scan, known: &Fixed) -> Self {
        let mut uses = Self::default();
        let (always, real): (Vec<&Term>, Vec<&Term>) =
            scan.conjuncts.iter().partition(|term| evaluate(term, known) == Some(Value::Boolean(true)));
        let of = |terms: &[&Term]| terms.iter().flat_map(|term| names(term)).map(path).collect::<Vec<_>>();
        // What a subquery gives filters when it has run.
        let (late, real): (Vec<&Term>, Vec<&Term>) = real.into_iter().partition(|term| is_looked_up(term));
        uses.asked = of(&real);
        uses.soft = of(&late);
        uses.paid = of(&late);
        uses.gated = late.iter().any(|term| names(term).is_empty());
        let always = of(&always);
        let flowing: HashSet<ColumnId> =
            analysis.output.iter().flat_map(|output| &output.sources).map(|source| source.column).collect();
        let mut reasons: HashMap<ColumnId, Vec<Reason>> = HashMap::new();
        for influence in &analysis.influences {
            reasons.entry(influence.column).or_default().push(influence.reason);
        }
        for id in scan.columns.iter().copied().chain(Self::keys(analysis, scan)) {
            let Some(column) = analysis.columns.get(usize::try_from(id.0).unwrap_or(usize::MAX)) else { continue };
            let reasons = reasons.get(&id).map(Vec::as_slice).unwrap_or_default();
            let is = |wanted: &[Reason]| reasons.iter().any(|reason| wanted.contains(reason));
            let named =
                |all: &[Vec<String>]| all.iter().any(|path| path.starts_with(&column.path) || column.path.starts_with(path));
            if is(&[Reason::Where, Reason::Join, Reason::Filter]) && !named(&uses.asked) && !named(&always) {
                uses.soft.push(column.path.clone());
            }
            let only = |wanted: &[Reason]| {
                !flowing.contains(&id) && !reasons.is_empty() && reasons.iter().all(|reason| wanted.contains(reason))
            };
            let only_flows = analysis.folds && reasons.is_empty();
            if only(&[Reason::OrderBy, Reason::Window]) || only_flows {
                uses.doubtful.insert(column.path.clone());
            }
            if only(&[Reason::Where]) && named(&always) && !named(&uses.asked) {
                uses.idle.insert(column.path.clone());
            }
        }
        uses
    }

    /// The columns of the scan's table, partition keys among them, that influence rows: a scan may not list keys.
    fn keys(analysis: &Analysis, scan: &analysis::Scan) -> Vec<ColumnId> {
        let column = |id: ColumnId| analysis.columns.get(usize::try_from(id.0).ok()?);
        let of_table = |id: &ColumnId| column(*id).is_some_and(|column| column.table == scan.table);
        let mut ids: Vec<ColumnId> = analysis.influences.iter().map(|influence| influence.column).filter(of_table).collect();
        ids.retain(|id| !scan.columns.contains(id));
        ids.sort();
        ids.dedup();
        ids
    }
}

/// Whether a predicate is one that a server may turn into a simpler one, or is about files rather than rows.
fn is_opaque(term: &Term) -> bool {
    match term {
        Term::Column { name, .. } => name.starts_with('$'),
        Term::Apply { name, arguments, .. } => {
            ["if", "case", "coalesce", "nullif", "cast", "try_cast", "try"].contains(&name.as_str())
                || arguments.iter().any(is_opaque)
        }
        _ => false,
    }
}

/// Whether a term holds the one value of a subquery.
fn is_looked_up(term: &Term) -> bool {
    match term {
        Term::Apply { name, arguments, .. } => name == Term::LOOKED_UP || arguments.iter().any(is_looked_up),
        _ => false,
    }
}

/// The files that `"$path" = '…'` or `"$path" IN (…)` names; nothing if no predicate does. LIKE leaves out no file.
fn named_files(conjuncts: &[Term], known: &Fixed) -> Option<Vec<String>> {
    let is_path = |term: &Term| matches!(term, Term::Column { name, .. } if name == "$path");
    let text = |term: &Term| match evaluate(term, known) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    };
    conjuncts.iter().find_map(|term| {
        let Term::Apply { name, arguments, .. } = term else { return None };
        match (name.as_str(), arguments.as_slice()) {
            ("=", [path, value]) | ("=", [value, path]) if is_path(path) => Some(vec![text(value)?]),
            ("in", [path, values @ ..]) if is_path(path) => values.iter().map(text).collect(),
            _ => None,
        }
    })
}

/// The part of a path that a columnar file has as such: fields of structs, but not what lies inside arrays and maps.
fn physical(table: &Table, path: &[String]) -> Vec<String> {
    let Some((first, fields)) = path.split_first() else { return Vec::new() };
    let mut found = vec![first.clone()];
    let mut kind = table.columns.iter().find(|column| column.name == *first).and_then(|column| Type::parse(&column.column_type));
    for field in fields {
        let Some(Type::Row(row)) = &kind else { break };
        let inner = row.iter().find(|part| part.name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(field)));
        let Some(inner) = inner.map(|part| part.kind.clone()) else { break };
        found.push(field.clone());
        kind = Some(inner);
    }
    found
}

/// The paths that are not inside another of them, sorted, each once.
fn outermost(mut paths: Vec<Vec<String>>) -> Vec<Vec<String>> {
    paths.sort();
    paths.dedup();
    let mut kept: Vec<Vec<String>> = Vec::new();
    for path in paths {
        // Sorted: a parent comes right before what is inside it.
        if !kept.last().is_some_and(|last| path.starts_with(last)) {
            kept.push(path);
        }
    }
    kept
}

/// What is known of every row: nothing but constants, and the clock.
struct Fixed {
    clock: Option<Clock>,
}

impl Known for Fixed {
    fn column(&self, _: &str) -> Option<Value> {
        None
    }

    fn parameter(&self, _: &str) -> Option<Value> {
        None
    }

    fn admits(&self, _: &str, _: &Value) -> bool {
        true
    }

    fn clock(&self) -> Option<Clock> {
        self.clock
    }
}

/// "7 of 60 days, 3 of 12 columns".
fn explained(left: &Left, table: &Table, columns: usize) -> String {
    let mut parts = Vec::new();
    if !table.partition_keys.is_empty() && left.total > 0 {
        let word = left.word.unwrap_or("partitions");
        let any = if left.any { "any " } else { "" };
        parts.push(format!("{any}{} of {} {word}", left.matched, left.total));
        if left.assumed > 0 {
            parts.push(format!("{} not complete in the facts, taken as the largest of the last seven", left.assumed));
        }
    }
    parts.push(format!("{columns} of {} columns", table.columns.len()));
    match &left.bytes {
        Ok(_) => parts.join(", "),
        Err(why) if left.matched == 0 && left.total == 0 => why.clone(),
        Err(why) => format!("{why} ({})", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::book::Setting;
    use crate::core::catalog::{Column, DataCatalog, Format, Partition};
    use crate::core::guard::Param;
    use crate::core::runbook::ParamType;
    use crate::core::sql::analysis::{ColumnId, ColumnUse, Constant, TableId, Term};
    use crate::core::sql::token::Span;
    use crate::core::sql::types::Type;
    use crate::core::units::Bytes;

    /// Sixty days up to `2026/11/20`, each of 1,000,000 bytes in three columns, the last three of 2,000,000; taken at noon of the last.
    fn catalog(edit: impl Fn(&mut Table)) -> Catalog {
        let column = |name: &str| Column { name: name.into(), column_type: "varchar".into(), tags: Setting::default() };
        let taken = "2026-11-20T12:00:00Z".parse().unwrap();
        let last: jiff::civil::Date = "2026-11-20".parse().unwrap();
        let partitions = (0..60)
            .rev()
            .map(|back| {
                let day = last.checked_sub(jiff::Span::new().days(back)).unwrap();
                let scale = if back < 3 { 2 } else { 1 };
                Partition {
                    values: vec![Some(day.strftime("%Y/%m/%d").to_string())],
                    files: Some(1),
                    bytes: Some(Bytes(1_000_000 * scale)),
                    column_bytes: [("a", 100_000), ("b", 200_000), ("c", 600_000)]
                        .map(|(name, size)| (name.to_owned(), Bytes(size * scale)))
                        .into_iter()
                        .collect(),
                    ..Partition::default()
                }
            })
            .collect();
        let mut table = Table {
            format: Some(Format::Parquet),
            location: None,
            base: String::new(),
            columns: ["a", "b", "c"].map(column).into(),
            partition_keys: vec![column("day")],
            partitions: Some(partitions),
            view: None,
            taken_at: Some(taken),
            listed_at: None,
            place: None,
        };
        edit(&mut table);
        let tables = [("web.logs".to_owned(), table)].into_iter().collect();
        let data = DataCatalog { taken_at: Some(taken), tables };
        Catalog {
            name: "awsdatacatalog".into(),
            catalogs: [("awsdatacatalog".to_owned(), data)].into_iter().collect(),
            ..Catalog::default()
        }
    }

    fn analysis(columns: &[&str], conjuncts: Vec<Term>) -> Analysis {
        let span = Span::at(0);
        let table = TableUse {
            catalog: "awsdatacatalog".into(),
            schema: "web".into(),
            name: "logs".into(),
            kind: TableKind::Table,
            places: vec![span],
            via: None,
        };
        let uses: Vec<ColumnUse> = columns
            .iter()
            .map(|name| ColumnUse {
                table: TableId(0),
                path: vec![(*name).to_owned()],
                hidden: false,
                read: true,
                places: vec![],
            })
            .collect();
        let ids = (0..uses.len()).map(|i| ColumnId(u32::try_from(i).unwrap())).collect();
        let scan = analysis::Scan {
            table: TableId(0),
            columns: ids,
            conjuncts,
            place: span,
            limited: None,
            versioned: false,
            single: false,
            sampled: false,
        };
        Analysis { tables: vec![table], columns: uses, scans: vec![scan], ..Analysis::default() }
    }

    fn day(operator: &str, value: &str) -> Term {
        let arguments = vec![
            Term::Column { name: "day".into(), kind: Type::VARCHAR },
            match value.strip_prefix(':') {
                Some(name) => Term::Parameter { name: name.into(), kind: Type::VARCHAR },
                None => Term::Constant { value: Constant::Text(value.into()), kind: Type::VARCHAR },
            },
        ];
        Term::Apply { name: operator.into(), arguments, kind: Type::Boolean, deterministic: true }
    }

    fn estimate(catalog: &Catalog, now: &str, params: &Params, analysis: &Analysis) -> Scan {
        let session = Session::new(catalog, ScanModel::Chunks, now.parse().unwrap(), params);
        estimate_scan(&session, analysis, &|used| format!("{}.{}", used.schema, used.name)).0
    }

    #[test]
    fn days_are_pruned_and_the_open_one_counts_as_the_largest() {
        let now = "2026-11-20T14:00:00Z";
        let cases: Vec<(Vec<Term>, Option<(u64, u64, u64)>, &str)> = vec![
            (vec![day("=", "2026/11/01")], Some((100_000, 100_000, 100_000)), "1 of 60 days, 1 of 3 columns"),
            // Today has 200,000 so far, and the largest of the last seven has as much.
            (vec![day("=", "2026/11/20")], Some((200_000, 200_000, 200_000)), "1 of 60 days, 1 not complete"),
            (vec![day(">=", "2026/11/14")], Some((1_000_000, 1_000_000, 1_000_000)), "7 of 60 days, 1 not complete"),
            // A later day that the facts cannot have.
            (vec![day("=", "2026/12/24")], Some((0, 200_000, 200_000)), "1 of 61 days, 1 not complete"),
            // A day that is over and has no data.
            (vec![day("=", "2025/01/01")], Some((0, 0, 0)), "0 of 60 days, 1 of 3 columns"),
            (vec![], Some((6_300_000, 6_300_000, 6_300_000)), "60 of 60 days, 1 not complete"),
        ];
        for (conjuncts, bytes, why) in cases {
            let scan = estimate(&catalog(|_| ()), now, &Params::new(), &analysis(&["a"], conjuncts));
            assert_eq!(scan.bytes.map(|b| (b.low, b.expected, b.high)), bytes, "{}", scan.why);
            assert!(scan.why.starts_with(why), "{} is not {why}", scan.why);
            assert_eq!(scan.age_s, Some(7200));
        }
    }

    #[test]
    fn days_since_the_facts_are_counted_too() {
        let scan =
            estimate(&catalog(|_| ()), "2026-11-23T01:00:00Z", &Params::new(), &analysis(&["a"], vec![day(">", "2026/11/19")]));
        // 20th (open when taken), 21st, 22nd and the 23rd, each as the largest of the last seven.
        assert_eq!(scan.bytes, Some(Bounds { low: 200_000, expected: 800_000, high: 800_000 }));
        assert!(scan.why.starts_with("4 of 63 days, 4 not complete"), "{}", scan.why);
    }

    #[test]
    fn what_is_not_known_is_never_zero() {
        let now = "2026-11-20T14:00:00Z";
        let conjuncts = || vec![day("=", "2026/11/20")];
        let one = |edit: fn(&mut Table)| estimate(&catalog(edit), now, &Params::new(), &analysis(&["a"], conjuncts()));
        let region = |table: &mut Table| {
            table.partition_keys = vec![Column { name: "day".into(), column_type: "varchar".into(), tags: Setting::default() }];
            table.partitions.iter_mut().flatten().for_each(|p| p.values = vec![Some("eu".into())]);
        };
        for scan in [
            one(|table| table.partitions = None),
            one(|table| table.partitions = Some(vec![])),
            one(|table| table.partitions.iter_mut().flatten().for_each(|p| p.bytes = None)),
            one(region),
            // Only the open day is listed: nothing says how large it will be.
            one(|table| table.partitions = table.partitions.take().map(|p| p.into_iter().skip(59).collect())),
        ] {
            assert_eq!((scan.bytes, scan.evidence), (None, Evidence::Unknown), "{}", scan.why);
        }
    }

    #[test]
    fn count_reads_no_columns_and_false_no_rows() {
        let now = "2026-11-20T14:00:00Z";
        let scan = estimate(&catalog(|_| ()), now, &Params::new(), &analysis(&[], vec![]));
        assert_eq!(scan.bytes, Some(Bounds::exact(0)));
        assert!(scan.other_model_expected > Some(60_000_000));
        let never = Term::Constant { value: Constant::Boolean(false), kind: Type::Boolean };
        let scan = estimate(&catalog(|_| ()), now, &Params::new(), &analysis(&["a"], vec![never]));
        assert_eq!(scan.bytes, Some(Bounds::exact(0)));
    }

    #[test]
    fn a_hole_is_judged_over_every_value() {
        let now = "2026-11-20T14:00:00Z";
        let hole = |hole: ParamType| Params::from([("p".to_owned(), Param::Hole(hole))]);
        let date = ParamType::Date { form: Some("%Y/%m/%d".into()) };
        let scan = |operator: &str, params: &Params| {
            estimate(&catalog(|_| ()), now, params, &analysis(&["a"], vec![day(operator, ":p")]))
        };
        // One value reaches one day, at worst the largest.
        let one = scan("=", &hole(date.clone()));
        assert_eq!(one.bytes, Some(Bounds { low: 0, expected: 200_000, high: 200_000 }));
        assert!(one.why.starts_with("any 1 of 60 days"), "{}", one.why);
        // A range may begin anywhere.
        assert_eq!(scan(">=", &hole(date)).bytes.map(|b| b.expected), Some(6_300_000));
        // An enum reaches its own days only.
        let days = ParamType::Enum { values: vec!["2026/11/01".into(), "2026/11/02".into()] };
        assert_eq!(scan(">", &hole(days.clone())).bytes.map(|b| b.expected), Some(100_000 * 16 + 200_000 * 3));
        assert_eq!(scan("=", &hole(days)).bytes, Some(Bounds { low: 0, expected: 100_000, high: 100_000 }));
    }

    #[test]
    fn only_predicates_that_prune_restrict() {
        let params = Params::from([("p".to_owned(), Param::Hole(ParamType::Date { form: Some("%Y/%m/%d".into()) }))]);
        let catalog = catalog(|_| ());
        let session = Session::new(&catalog, ScanModel::Chunks, "2026-11-20T14:00:00Z".parse().unwrap(), &params);
        let table = catalog.table(None, "web.logs").unwrap();
        let status = || Term::Column { name: "status".into(), kind: Type::VARCHAR };
        let apply = |name: &str, arguments: Vec<Term>| Term::Apply {
            name: name.into(),
            arguments,
            kind: Type::Boolean,
            deterministic: true,
        };
        let same = apply(
            "=",
            vec![
                Term::Column { name: "day".into(), kind: Type::VARCHAR },
                Term::Column { name: "day".into(), kind: Type::VARCHAR },
            ],
        );
        let open = apply("=", vec![status(), status()]);
        let cases = [
            (day("=", "2026/11/20"), true),
            (day(">=", "2026/11/14"), true),
            (day("=", ":p"), true),
            (day(">=", ":p"), true),
            (day("like", "2026/11/%"), true),
            (day("like", "%"), false),
            (day(">", ""), false),
            (day("<>", "2020/01/01"), false),
            (same, false),
            (apply("is not null", vec![day("=", "x")]), false),
            (apply("or", vec![day("=", "2026/11/20"), open.clone()]), false),
            (apply("and", vec![day("=", "2026/11/20"), open]), true),
        ];
        for (term, wanted) in cases {
            assert_eq!(
                super::super::partitions::restricts(&session, table, std::slice::from_ref(&term), "day"),
                wanted,
                "{term:?}"
            );
        }
    }
}
