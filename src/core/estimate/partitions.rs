//! Which partitions a scan reads, and what they add up to.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::DateTime;

use super::cast::{Target, cast};
use super::files::{self, Reading};
use super::function::Clock;
use super::hole::{admits, combinations};
use super::model::{Splits, Wanted};
use super::period::{Calendar, Period};
use super::scan::Session;
use super::term::{Known, evaluate, excludes};
use super::value::Value;
use super::{Bounds, Evidence, ScanModel};
use crate::core::catalog::{Partition, Table};
use crate::core::guard::{Param, Params};
use crate::core::sql::analysis::{Constant, Term};
use crate::core::sql::types::Type;
use crate::core::units::Timestamp;

/// Partitions that the facts do not have yet are imagined up to this many; beyond it nothing is known.
const MOST_IMAGINED: usize = 50_000;
/// Faults of the facts that are named; more would bury them.
const MOST_FAULTS: usize = 5;
/// How many periods back the largest is looked for (DESIGN §4.3).
const LOOK_BACK: usize = 7;

/// The partitions that a scan leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// How many are read, those that are imagined among them.
    pub(super) matched: u64,
    /// How many there are, those that are imagined and read among them.
    pub(super) total: u64,
    /// How many of those read are not complete in the facts and count as the largest of the last seven.
    pub(super) assumed: u64,
    /// Whether a hole decides which ones: `matched` is then the most that one value can reach.
    pub(super) any: bool,
    /// What is read by each model asked for, or why that is unknown.
    pub(super) bytes: Result<Vec<Bounds>, String>,
    /// `days` or `months`, where partitions are nothing else.
    pub(super) word: Option<&'static str>,
    /// The weakest facts that the bytes rest on.
    pub(super) evidence: Option<Evidence>,
    /// When the oldest of them were taken.
    pub(super) taken_at: Option<Timestamp>,
    /// What was wrong with them.
    pub(super) faults: Vec<String>,
}

/// One partition that is read: its values and what it costs by each model.
struct Piece {
    values: Vec<Option<String>>,
    cost: Option<Vec<Bounds>>,
}

/// Prunes the partitions of `table` by `conjuncts` and adds up what is left, once for each of `models`.
pub(super) fn left(session: &Session<'_>, table: &Table, conjuncts: &[Term], wanted: &Wanted, models: &[ScanModel]) -> Left {
    let mut left = Left {
        matched: 0,
        total: 0,
        assumed: 0,
        any: false,
        bytes: Err(String::new()),
        word: None,
        evidence: None,
        taken_at: None,
        faults: Vec::new(),
    };
    let Some(partitions) = table.partitions.as_deref().filter(|list| !list.is_empty()) else {
        left.bytes = Err("the catalog has no partitions or sizes of it".to_owned());
        return left;
    };
    left.total = count(partitions.len());
    let lens = Lens::new(session, table, conjuncts);
    if lens.nothing_passes() {
        left.bytes = Ok(vec![Bounds::exact(0); models.len()]);
        return left;
    }
    let splits: Vec<Splits> = models.iter().map(|_| Splits::default()).collect();
    let readings = |partition: &Partition, splits: &[Splits]| -> Vec<Reading> {
        models.iter().zip(splits).map(|(model, splits)| files::read(*model, table, partition, wanted, splits)).collect()
    };
    let bytes = |readings: &[Reading]| -> Option<Vec<Bounds>> { readings.iter().map(|reading| reading.bytes).collect() };
    let cost = |partition: &Partition| {
        let apart: Vec<Splits> = models.iter().map(|_| Splits::default()).collect();
        bytes(&readings(partition, &apart))
    };
    let calendar = Calendar::of(table, partitions);
    left.word = calendar.and_then(|calendar| calendar.word(table.partition_keys.len()));
    let mut pieces = Vec::new();
    let outlook = calendar.zip(session.taken(table)).map(|(calendar, taken)| Outlook::new(calendar, taken, partitions, &cost));
    for partition in partitions.iter().filter(|partition| lens.keeps(&partition.values)) {
        let found = readings(partition, &splits);
        left.rests_on(table, partition, &found);
        let mut own = bytes(&found);
        if let Some(outlook) = outlook.as_ref().filter(|outlook| outlook.is_open(partition)) {
            left.assumed += 1;
            own = own.zip(outlook.largest(&partition.values)).map(|(own, largest)| {
                own.iter().zip(largest).map(|(own, most)| Bounds { low: own.low, ..at_least(*own, most) }).collect()
            });
        }
        pieces.push(Piece { values: partition.values.clone(), cost: own });
    }
    let mut incomplete = calendar.is_none() || outlook.is_none();
    // Nothing is imagined of a table that no longer grows, once its folder was listed.
    if let Some(outlook) = outlook.as_ref().filter(|outlook| outlook.is_alive() || table.listed_at.is_none()) {
        match outlook.imagined(session, conjuncts) {
            Some(imagined) => {
                for values in imagined.into_iter().filter(|values| lens.keeps(values)) {
                    left.assumed += 1;
                    left.total += 1;
                    let cost = outlook.largest(&values).map(|most| most.into_iter().map(|b| Bounds { low: 0, ..b }).collect());
                    pieces.push(Piece { values, cost });
                }
            }
            None => {
                left.bytes = Err("the facts are too old for this predicate".to_owned());
                return left;
            }
        }
        incomplete = outlook.open_periods(session, conjuncts).iter().any(|period| lens.may_keep(&outlook.values_of(*period)));
    }
    // Somebody listed the table's folder: what is not there is not read.
    incomplete &= table.listed_at.is_none();
    if left.taken_at.is_none() {
        left.taken_at = table.listed_at.or(table.taken_at);
        left.evidence = table.listed_at.map(|_| Evidence::Listed);
    }
    sum(&mut left, &lens, pieces, models.len(), incomplete && !table.partition_keys.is_empty(), wanted);
    left
}

/// The partitions that `conjuncts` leave of those that the catalog has, and whether it would help to list the whole table: nothing is
/// left, or the predicate reaches periods later than the facts of a table that has not grown of late.
pub(super) fn kept<'a>(session: &Session<'_>, table: &'a Table, conjuncts: &[Term]) -> (Vec<&'a Partition>, bool) {
    let lens = Lens::new(session, table, conjuncts);
    let partitions = table.partitions.as_deref().unwrap_or_default();
    if lens.nothing_passes() {
        return (Vec::new(), false);
    }
    let kept: Vec<&Partition> = partitions.iter().filter(|p| lens.keeps(&p.values)).collect();
    let outlook = Calendar::of(table, partitions)
        .zip(session.taken(table))
        .map(|(calendar, taken)| Outlook::new(calendar, taken, partitions, &|_| Some(Vec::new())));
    let reaches = outlook.is_some_and(|outlook| {
        !outlook.is_alive()
            && outlook.open_periods(session, conjuncts).iter().any(|period| lens.may_keep(&outlook.values_of(*period)))
    });
    let census = !table.partition_keys.is_empty() && table.listed_at.is_none() && (kept.is_empty() || reaches);
    (kept, census)
}

impl Left {
    /// Notes what a partition's bytes rest on.
    fn rests_on(&mut self, table: &Table, partition: &Partition, readings: &[Reading]) {
        let listed = partition.objects.as_ref().filter(|listing| listing.failure.is_none());
        let taken = listed.map_or(table.taken_at, |listing| listing.taken_at);
        self.taken_at = match (self.taken_at, taken) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        // The first model is the one asked for.
        let Some(reading) = readings.first() else { return };
        self.evidence = self.evidence.max(Some(reading.evidence));
        let room = MOST_FAULTS.saturating_sub(self.faults.len());
        let named = |fault: &String| match partition.values.as_slice() {
            [] => fault.clone(),
            values => format!(
                "partition {}: {fault}",
                values.iter().map(|v| v.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("/")
            ),
        };
        self.faults.extend(reading.faults.iter().take(room).map(named));
    }
}

/// Adds the pieces up; where a hole picks among them, the worst value counts.
fn sum(left: &mut Left, lens: &Lens<'_>, pieces: Vec<Piece>, models: usize, incomplete: bool, wanted: &Wanted) {
    if pieces.is_empty() {
        left.bytes = if incomplete {
            Err("no partition of the facts matches, and they cannot be complete".to_owned())
        } else {
            Ok(vec![Bounds::exact(0); models])
        };
        return;
    }
    let unsized_pieces = pieces.iter().filter(|piece| piece.cost.is_none()).count();
    let total = |pieces: &[&Piece]| -> Vec<Bounds> {
        (0..models)
            .map(|model| {
                let sum = wanted.added(pieces.iter().filter_map(|piece| piece.cost.as_ref()?.get(model).copied()));
                if wanted.may_stop { Bounds { low: 0, ..sum } } else { sum }
            })
            .collect()
    };
    let all: Vec<&Piece> = pieces.iter().collect();
    let groups = lens.groups(&all);
    let (matched, bytes) = match &groups {
        None => (pieces.len(), total(&all)),
        Some(groups) => {
            left.any = true;
            let sums: Vec<_> = groups.iter().map(|group| total(group)).collect();
            let worst = (0..models)
                .map(|model| {
                    let of = |pick: fn(&Bounds) -> u64| sums.iter().filter_map(|s| s.get(model)).map(pick).max().unwrap_or(0);
                    // A value may also match nothing.
                    Bounds::new(0, of(|b| b.expected), of(|b| b.high))
                })
                .collect();
            (groups.iter().map(Vec::len).max().unwrap_or(0), worst)
        }
    };
    left.matched = count(matched);
    left.bytes = if unsized_pieces > 0 {
        Err(format!("{unsized_pieces} of the {} partitions it reads have no size in the catalog", pieces.len()))
    } else {
        Ok(bytes)
    };
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn at_least(own: Bounds, most: Bounds) -> Bounds {
    Bounds { low: own.low, expected: own.expected.max(most.expected), high: own.high.max(most.high) }
}

/// Whether a predicate among `conjuncts` really restricts partition key `key`: it leaves out at least one of the values that the
/// key has (or, where fewer than two are known, might have), whatever the other columns hold.
pub(crate) fn restricts(session: &Session<'_>, table: &Table, conjuncts: &[Term], key: &str) -> bool {
    let Some((index, column)) = table.partition_keys.iter().enumerate().find(|(_, column)| column.name == key) else {
        return false;
    };
    let kind = Type::parse(&column.column_type);
    let listed: HashSet<&str> = table.partitions.iter().flatten().filter_map(|p| p.values.get(index)?.as_deref()).collect();
    let mut values: Vec<Value> = listed.iter().filter_map(|text| parsed(kind.as_ref(), Some(text))).collect();
    if values.len() < 2 {
        // Values that are nothing special, so that a predicate which everything satisfies is seen as such.
        let ordinary = ["0", "1", "1970-01-01", "1970/01/01", "19700101", "2999-12-31", "2999/12/31", "29991231", "a", "zzzz"];
        values.extend(ordinary.iter().filter_map(|text| parsed(kind.as_ref(), Some(text))));
    }
    let mut fillings: Vec<Value> = values.iter().take(50).cloned().collect();
    fillings.extend(session.clock.map(|clock| Value::Date(clock.today())));
    fillings.extend([Value::whole(1), Value::Boolean(true)]);
    let holes: Vec<&str> = session.params.iter().filter(|(_, p)| matches!(p, Param::Hole(_))).map(|(n, _)| n.as_str()).collect();
    let fillings = if holes.is_empty() { vec![Value::Null] } else { fillings };
    let about: Vec<&Term> = conjuncts.iter().filter(|term| names(term).contains(key)).collect();
    fillings.iter().any(|filling| {
        let bindings: BTreeMap<&str, Value> = holes.iter().map(|hole| (*hole, filling.clone())).collect();
        values.iter().any(|value| {
            let known = Row {
                columns: HashMap::from([(key, Some(value.clone()))]),
                bindings: &bindings,
                params: session.params,
                clock: session.clock,
            };
            about.iter().any(|term| excludes(term, &known))
        })
    })
}

/// The periods after `from` up to `until` (or the newest of the table, or today), as its one key writes them; `None` where its key
/// names no time or `from` is not written so. At most a thousand.
pub(crate) fn periods_between(session: &Session<'_>, table: &Table, from: &str, until: Option<&str>) -> Option<Vec<String>> {
    let partitions = table.partitions.as_deref()?;
    let calendar = Calendar::of(table, partitions)?;
    let start = calendar.period_named(from)?;
    let newest = partitions.iter().filter_map(|partition| calendar.period(partition)).max();
    let today = session.clock.map(|clock| calendar.period_at(clock.now));
    let end = until.and_then(|until| calendar.period_named(until)).or(newest.max(today))?;
    let after = std::iter::successors(start.next(), |period| period.next()).take_while(|period| *period <= end);
    after.take(1000).map(|period| calendar.written(period)).collect()
}

/// The columns that a term names.
pub(super) fn names(term: &Term) -> HashSet<&str> {
    let mut found = HashSet::new();
    let mut open = vec![term];
    while let Some(term) = open.pop() {
        match term {
            Term::Column { name, .. } => {
                found.insert(name.as_str());
            }
            Term::Apply { arguments, .. } => open.extend(arguments),
            Term::Constant { .. } | Term::Parameter { .. } => {}
        }
    }
    found
}

/// A partition's text as a value of its key's type. The server reads it in the same way.
fn parsed(kind: Option<&Type>, text: Option<&str>) -> Option<Value> {
    let Some(text) = text else { return Some(Value::Null) };
    match kind? {
        Type::Varchar(_) => Some(Value::text(text)),
        kind => cast(&Value::text(text), Target::of(kind)?),
    }
}

/// What a predicate sees of one partition.
struct Row<'a> {
    columns: HashMap<&'a str, Option<Value>>,
    bindings: &'a BTreeMap<&'a str, Value>,
    params: &'a Params,
    clock: Option<Clock>,
}

impl Known for Row<'_> {
    fn column(&self, name: &str) -> Option<Value> {
        self.columns.get(name).cloned().flatten()
    }

    fn parameter(&self, name: &str) -> Option<Value> {
        self.bindings.get(name).cloned()
    }

    fn admits(&self, name: &str, value: &Value) -> bool {
        match self.params.get(name) {
            Some(Param::Hole(hole)) => admits(hole, value),
            _ => true,
        }
    }

    fn clock(&self) -> Option<Clock> {
        self.clock
    }
}

/// The conjuncts of a scan over the partitions of its table.
struct Lens<'a> {
    session: &'a Session<'a>,
    keys: Vec<(&'a str, Option<Type>)>,
    /// Conjuncts that name a partition key.
    about: Vec<&'a Term>,
    /// Conjuncts that name no column at all.
    constant: Vec<&'a Term>,
    combinations: Vec<BTreeMap<&'a str, Value>>,
}

impl<'a> Lens<'a> {
    fn new(session: &'a Session<'a>, table: &'a Table, conjuncts: &'a [Term]) -> Self {
        let keys: Vec<_> = table.partition_keys.iter().map(|key| (key.name.as_str(), Type::parse(&key.column_type))).collect();
        let is_key = |name: &str| keys.iter().any(|(key, _)| *key == name);
        let about = conjuncts.iter().filter(|term| names(term).iter().any(|name| is_key(name))).collect();
        let constant = conjuncts.iter().filter(|term| names(term).is_empty()).collect();
        Self { session, keys, about, constant, combinations: combinations(session.params) }
    }

    fn row<'b>(&'b self, values: &[Option<Option<String>>], bindings: &'b BTreeMap<&'b str, Value>) -> Row<'b> {
        let columns = self
            .keys
            .iter()
            .enumerate()
            .map(|(index, (name, kind))| {
                // Outer `None`: not known; inner: NULL.
                let value = values.get(index).and_then(Option::as_ref).and_then(|text| parsed(kind.as_ref(), text.as_deref()));
                (*name, value)
            })
            .collect();
        Row { columns, bindings, params: self.session.params, clock: self.session.clock }
    }

    /// Whether a condition without columns already fails.
    fn nothing_passes(&self) -> bool {
        self.combinations.iter().all(|bindings| {
            let row = self.row(&[], bindings);
            self.constant.iter().any(|term| excludes(term, &row))
        })
    }

    /// Whether some value of the holes leaves a partition with these values.
    fn keeps(&self, values: &[Option<String>]) -> bool {
        let known: Vec<Option<Option<String>>> = values.iter().cloned().map(Some).collect();
        self.may_keep(&known)
    }

    /// The same where some keys are not known.
    fn may_keep(&self, values: &[Option<Option<String>>]) -> bool {
        if self.about.is_empty() {
            return true;
        }
        self.combinations.iter().any(|bindings| {
            let row = self.row(values, bindings);
            !self.about.iter().any(|term| excludes(term, &row))
        })
    }

    /// Pieces by what `key = :hole` makes equal: one value of the hole reaches one group. `None` if no hole is compared so.
    fn groups<'b>(&self, pieces: &[&'b Piece]) -> Option<Vec<Vec<&'b Piece>>> {
        let sides: Vec<&Term> = self.about.iter().filter_map(|term| self.picked_by_hole(term)).collect();
        let empty = BTreeMap::new();
        let mut used = false;
        let mut groups: BTreeMap<Vec<String>, Vec<&'b Piece>> = BTreeMap::new();
        let labels: Vec<Vec<Option<String>>> = pieces
            .iter()
            .map(|piece| {
                let known: Vec<_> = piece.values.iter().cloned().map(Some).collect();
                let row = self.row(&known, &empty);
                sides.iter().map(|side| evaluate(side, &row).map(|value| format!("{value:?}"))).collect()
            })
            .collect();
        // A side that is not known everywhere groups nothing.
        let usable: Vec<usize> =
            (0..sides.len()).filter(|side| labels.iter().all(|label| label.get(*side).is_some_and(Option::is_some))).collect();
        for (piece, label) in pieces.iter().zip(&labels) {
            let key = usable.iter().filter_map(|side| label.get(*side).cloned().flatten()).collect();
            used |= !usable.is_empty();
            groups.entry(key).or_default().push(piece);
        }
        used.then(|| groups.into_values().collect())
    }

    /// The other side of `… = :hole`.
    fn picked_by_hole(&self, term: &'a Term) -> Option<&'a Term> {
        let Term::Apply { name, arguments, .. } = term else { return None };
        let is_hole = |term: &Term| match term {
            Term::Parameter { name, .. } => {
                matches!(self.session.params.get(name), Some(Param::Hole(hole)) if hole.word() != "list")
            }
            _ => false,
        };
        match (name.as_str(), arguments.as_slice()) {
            ("=", [side, hole]) | ("=", [hole, side]) if is_hole(hole) && !is_hole(side) => Some(side),
            _ => None,
        }
    }
}

/// What is not in the facts yet: periods that were not over when they were taken.
struct Outlook<'a> {
    calendar: Calendar,
    taken: DateTime,
    /// Values of every listed partition.
    listed: HashSet<&'a [Option<String>]>,
    /// For the values of the other keys: the largest of the last seven complete periods, by model.
    largest: HashMap<Vec<Option<String>>, Vec<Bounds>>,
    /// The largest of them all.
    largest_of_all: Option<Vec<Bounds>>,
    /// A partition of each set of other keys' values seen in those periods.
    examples: Vec<&'a [Option<String>]>,
    /// The newest period that has a partition.
    newest: Option<Period>,
}

impl<'a> Outlook<'a> {
    fn new(
        calendar: Calendar,
        taken: DateTime,
        partitions: &'a [Partition],
        cost: &dyn Fn(&Partition) -> Option<Vec<Bounds>>,
    ) -> Self {
        let mut complete: Vec<(Period, &Partition)> = partitions
            .iter()
            .filter_map(|partition| Some((calendar.period(partition)?, partition)))
            .filter(|(period, _)| period.is_over(taken))
            .collect();
        complete.sort_by_key(|(period, _)| std::cmp::Reverse(*period));
        let mut last: Vec<Period> = complete.iter().map(|(period, _)| *period).collect();
        last.dedup();
        let oldest = last.get(LOOK_BACK - 1).or(last.last()).copied();
        let mut outlook = Self {
            calendar,
            taken,
            listed: partitions.iter().map(|p| p.values.as_slice()).collect(),
            largest: HashMap::new(),
            largest_of_all: None,
            examples: Vec::new(),
            newest: partitions.iter().filter_map(|partition| calendar.period(partition)).max(),
        };
        for (_, partition) in complete.iter().filter(|(period, _)| oldest.is_some_and(|oldest| *period >= oldest)) {
            let Some(bounds) = cost(partition) else { continue };
            let others = outlook.others(&partition.values);
            let grow = |most: &mut Vec<Bounds>| {
                *most = most.iter().zip(&bounds).map(|(a, b)| at_least(*a, *b)).collect();
            };
            match outlook.largest.get_mut(&others) {
                Some(most) => grow(most),
                None => {
                    outlook.examples.push(&partition.values);
                    outlook.largest.insert(others, bounds.clone());
                }
            }
            match &mut outlook.largest_of_all {
                Some(most) => grow(most),
                None => outlook.largest_of_all = Some(bounds),
            }
        }
        outlook
    }

    fn others(&self, values: &[Option<String>]) -> Vec<Option<String>> {
        let time = self.calendar.keys();
        values.iter().enumerate().filter(|(index, _)| !time.contains(index)).map(|(_, value)| value.clone()).collect()
    }

    /// Whether the table still grew when the facts were taken: one of the last seven periods has a partition.
    fn is_alive(&self) -> bool {
        let mut period = self.newest;
        for _ in 0..=LOOK_BACK {
            let Some(own) = period else { return false };
            if !own.is_over(self.taken) {
                return true;
            }
            period = own.next();
        }
        false
    }

    /// Whether a partition's period was not over when the facts were taken.
    fn is_open(&self, partition: &Partition) -> bool {
        self.calendar.period(partition).is_some_and(|period| !period.is_over(self.taken))
    }

    /// What a partition with these values counts as.
    fn largest(&self, values: &[Option<String>]) -> Option<Vec<Bounds>> {
        self.largest.get(&self.others(values)).or(self.largest_of_all.as_ref()).cloned()
    }

    /// Periods that were not over: from the day of the facts until today, and later ones that a predicate names.
    fn open_periods(&self, session: &Session<'_>, conjuncts: &[Term]) -> Vec<Period> {
        let mut periods = Vec::new();
        let today = session.clock.map(|clock| self.calendar.period_at(clock.now));
        let mut next = Some(self.calendar.period_at(self.taken));
        while let Some(period) =
            next.filter(|period| today.is_some_and(|today| *period <= today) && periods.len() <= MOST_IMAGINED)
        {
            periods.push(period);
            next = period.next();
        }
        let mut open: Vec<&Term> = conjuncts.iter().collect();
        while let Some(term) = open.pop() {
            match term {
                Term::Apply { arguments, .. } => open.extend(arguments),
                Term::Constant { value: Constant::Text(text), .. } => {
                    periods.extend(self.calendar.period_named(text).filter(|period| !period.is_over(self.taken)));
                }
                _ => {}
            }
        }
        periods.sort_unstable();
        periods.dedup();
        periods
    }

    /// A period's partition with the other keys not known.
    fn values_of(&self, period: Period) -> Vec<Option<Option<String>>> {
        let keys = self.calendar.keys();
        let width = keys.iter().max().map_or(0, |last| last + 1);
        let values = self.calendar.values_at(period, &vec![None; width]);
        values.into_iter().enumerate().map(|(index, value)| keys.contains(&index).then_some(value)).collect()
    }

    /// Values of partitions that the facts do not have but that may be there by now; `None`: too many to say.
    fn imagined(&self, session: &Session<'_>, conjuncts: &[Term]) -> Option<Vec<Vec<Option<String>>>> {
        let periods = self.open_periods(session, conjuncts);
        if periods.len().saturating_mul(self.examples.len().max(1)) > MOST_IMAGINED {
            return None;
        }
        // Without an example the values of the other keys are not known; the table's own key alone can still be written.
        let bare: Vec<Option<String>> = vec![None; self.calendar.keys().len()];
        let alone = self.listed.iter().all(|values| values.len() == bare.len());
        let examples = if self.examples.is_empty() && alone { vec![bare.as_slice()] } else { self.examples.clone() };
        let all = periods.iter().flat_map(|period| examples.iter().map(|like| self.calendar.values_at(*period, like)));
        Some(all.filter(|values| !self.listed.contains(values.as_slice())).collect())
    }
}
