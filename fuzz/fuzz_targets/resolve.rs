//! Any bytes as a statement over a small schema: resolution ends, and every index in its result points at something.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tollgate::core::sql::parser::parse;
use tollgate::core::sql::resolve::analyse;
use tollgate::core::sql::types::Type;
use tollgate::core::sql::world::{Session, StoredView, World, WorldColumn, WorldTable};

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let columns = |list: &[(&str, &str)]| -> Vec<WorldColumn> {
        list.iter().map(|(name, kind)| WorldColumn { name: (*name).into(), kind: Type::parse(kind) }).collect()
    };
    let mut world = World::new();
    let a = [("x", "bigint"), ("y", "varchar"), ("r", "row(f varchar, g bigint)"), ("l", "array(row(f varchar))")];
    world.add_table("m", "s", "a", WorldTable::new(columns(&a)));
    world.add_table("m", "s", "b", WorldTable::new(columns(&[("x", "bigint"), ("z", "map(varchar, double)")])));
    let view = WorldTable { view: Some(StoredView::new("SELECT x, y FROM a")), ..WorldTable::new(columns(&a[..2])) };
    world.add_table("m", "s", "v", view);
    world
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(sql) = std::str::from_utf8(bytes) else { return };
    let Ok(parsed) = parse(sql) else { return };
    let session = Session { catalog: "m".to_owned(), schema: Some("s".to_owned()), parameters: Vec::new() };
    let Ok(analysis) = analyse(&parsed.statement, &WORLD, &session) else { return };
    for column in &analysis.columns {
        assert!((column.table.0 as usize) < analysis.tables.len() && !column.path.is_empty());
    }
    let used = analysis.output.iter().flat_map(|output| output.sources.iter().map(|source| source.column));
    let deciding = analysis.influences.iter().map(|influence| influence.column);
    assert!(used.chain(deciding).all(|column| (column.0 as usize) < analysis.columns.len()));
    for scan in &analysis.scans {
        assert!(scan.columns.iter().all(|column| analysis.columns[column.0 as usize].table == scan.table));
    }
});
