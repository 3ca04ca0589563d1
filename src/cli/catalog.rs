//! `catalog snapshot`: writes what a target's catalog says, and what a listing says of its files, as `catalog.yaml`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::args::{CatalogCommand, Global, SnapshotArgs};
use super::assembly::{book_dir, endpoint, shelf, state_dir};
use super::error::{Error, ExitKind};
use super::{sandbox, show};
use crate::adapters::aws::{Aws, Patience};
use crate::adapters::catalog::{Look, Looked, Wanted};
use crate::adapters::clock::{Skew, SystemClock};
use crate::core::book::{self, Book, Target};
use crate::core::catalog::{Catalog, read_catalog, write_catalog};
use crate::core::plan::Endpoint;
use crate::core::text::visible;
use crate::core::units::Bytes;
use crate::engine::looking::{plan_target, service_refusal};
use crate::engine::ports::{Clock as _, Rights};

/// The file's name in the book.
const FILE: &str = "catalog.yaml";

/// Does what the command says.
pub(super) async fn catalog(global: &Global, command: CatalogCommand) -> Result<(), Error> {
    match command {
        CatalogCommand::Snapshot(args) => snapshot(global, args).await,
    }
}

async fn snapshot(global: &Global, args: SnapshotArgs) -> Result<(), Error> {
    let shelf = shelf(global)?;
    let (name, target) = pick(&shelf.book, args.target.as_deref())?;
    if target.look == book::Look::None {
        return Err(Error::new(ExitKind::Blocked, format!("the target {} says `look: none`", visible(&name)))
            .hint("whoever may look writes the snapshot and gives it to the book; or the book says `look: metadata`"));
    }
    let Some(athena) = &target.athena else {
        return Err(Error::usage(format!("the target {} has no `athena`: there are no tables to look at", visible(&name))));
    };
    let wanted = wanted(&args)?;
    let place = match &args.out {
        Some(path) if path.as_os_str() == "-" => None,
        Some(path) => Some(path.clone()),
        None => Some(book_dir(global)?.join(FILE)),
    };
    // Before anything is asked: a snapshot must not take the place of what it cannot hold.
    let before = match &place {
        Some(path) => earlier(path)?,
        None => None,
    };
    let of_target = match target.endpoint {
        Endpoint::Aws => endpoint(global).unwrap_or(Endpoint::Aws),
        ref own => own.clone(),
    };
    let plan_target = plan_target(&shelf.book, &name, Some(&of_target))?;
    let state_dir = state_dir(global)?;
    if of_target == Endpoint::Sandbox {
        sandbox::wait_for_files(&state_dir).await?;
    }
    let skew = Arc::new(Skew::default());
    let clock = SystemClock::new(skew.clone());
    let aws = Aws::new(sandbox::endpoint(&state_dir), skew, Patience::default());
    let began = Instant::now();
    let look = Look { aws: &aws, target: &plan_target, rights: Rights::Own, list: !args.statistics_only, now: clock.now() };
    let mut looked = look.tables(&athena.catalog, &wanted).await.map_err(service_refusal)?;
    let carried = before.as_ref().map(|before| before.carried.clone()).unwrap_or_default();
    if let Some(before) = before {
        keep(&mut looked.catalog, before.catalog, &wanted);
    }
    for notice in &looked.notices {
        show::say(&format!("note: {}", visible(notice)));
    }
    let remarks = remarks(&name, &looked);
    let text = write_catalog(&looked.catalog, &remarks) + &carried;
    let told = summary(&looked, began);
    match place {
        None => std::io::stdout().write_all(text.as_bytes())?,
        Some(path) => {
            write(&path, &text)?;
            show::say(&format!("wrote {}", visible(&path.display().to_string())));
            if !shelf.book.catalog.iter().any(|file| path.ends_with(&file.value)) {
                show::say("note: the book's `catalog:` does not name this file; add it there");
            }
        }
    }
    show::say(&told);
    Ok(())
}

/// The target of that name, or the only one that has tables.
fn pick(book: &Book, name: Option<&str>) -> Result<(String, Target), Error> {
    let with_tables: Vec<_> = book.targets.iter().filter(|(_, target)| target.athena.is_some()).collect();
    let names = || with_tables.iter().map(|(name, _)| visible(name.as_str()).into_owned()).collect::<Vec<_>>().join(", ");
    match (name, with_tables.as_slice()) {
        (Some(name), _) => {
            let found = book.targets.iter().find(|(known, _)| known.as_str() == name);
            found.map(|(name, target)| (name.to_string(), target.clone())).ok_or_else(|| {
                Error::usage(format!("the book has no target `{}`", visible(name))).hint(format!("it has: {}", names()))
            })
        }
        (None, [(name, target)]) => Ok((name.to_string(), (*target).clone())),
        (None, []) => Err(Error::usage("no target of the book has `athena`: there are no tables to look at")),
        (None, _) => Err(Error::usage("the book has several targets").hint(format!("name one with --target: {}", names()))),
    }
}

fn wanted(args: &SnapshotArgs) -> Result<Wanted, Error> {
    let mut wanted = Wanted { databases: args.databases.iter().map(|name| name.to_lowercase()).collect(), tables: Vec::new() };
    for table in &args.tables {
        match table.to_lowercase().split_once('.') {
            Some((database, name)) if !database.is_empty() && !name.is_empty() && !name.contains('.') => {
                // A database that is looked at whole has it already.
                if !wanted.databases.iter().any(|whole| whole == database) {
                    wanted.tables.push((database.to_owned(), name.to_owned()));
                }
            }
            _ => {
                return Err(Error::usage(format!("`{}` is not the name of a table", visible(table))).hint("write database.table"));
            }
        }
    }
    Ok(wanted)
}

/// The catalog that is there already.
#[derive(Debug)]
struct Earlier {
    catalog: Catalog,
    /// Its sections that a snapshot does not look at, as they are written.
    carried: String,
}

/// The catalog that is there already; refused where what a snapshot cannot hold could not be carried over.
fn earlier(path: &Path) -> Result<Option<Earlier>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::usage(format!("{} cannot be read: {error}", path.display()))),
    };
    let elsewhere = "write to another file with --out, and name both in the book's `catalog:`";
    let shown = path.display().to_string();
    let Ok(catalog) = read_catalog(&shown, &bytes, "").whole() else {
        return Err(Error::usage(format!("{shown} is there, and is no catalog that can be read")).hint(elsewhere));
    };
    let carried = carried(&String::from_utf8_lossy(&bytes));
    let alone = format!("catalog: v1\nname: {}\ntables: {{}}\n{carried}", serde_json::Value::from(catalog.name.as_str()));
    let same = read_catalog(&shown, alone.as_bytes(), "").whole().is_ok_and(|alone| {
        alone.dynamodb.keys().eq(catalog.dynamodb.keys()) && alone.catalogs.keys().eq(catalog.catalogs.keys())
    });
    if !same {
        let message = format!("{shown} holds facts that a snapshot would lose (`dynamodb` or other `catalogs`)");
        return Err(Error::usage(message).hint(elsewhere));
    }
    Ok(Some(Earlier { catalog, carried }))
}

/// The sections `catalogs` and `dynamodb` of a catalog file, line by line: a section ends where the next key stands at the margin.
fn carried(text: &str) -> String {
    let mut carried = String::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with(|c: char| !c.is_whitespace() && c != '#' && c != '-') {
            inside = line.starts_with("catalogs:") || line.starts_with("dynamodb:");
        }
        if inside {
            carried.push_str(line);
            carried.push('\n');
        }
    }
    carried
}

/// Keeps what people wrote into the earlier snapshot, which no service knows: tags; and the tables that were not looked at this time.
fn keep(catalog: &mut Catalog, before: Catalog, wanted: &Wanted) {
    let Some(facts) = catalog.catalogs.get_mut(&catalog.name) else { return };
    let partial = !(wanted.databases.is_empty() && wanted.tables.is_empty());
    let looked_at = |name: &str| {
        let (database, table) = name.split_once('.').unwrap_or((name, ""));
        wanted.databases.iter().any(|whole| whole == database)
            || wanted.tables.iter().any(|(of, one)| of == database && one == table)
    };
    let own = before.name.clone();
    for (name, old) in before.catalogs.into_iter().filter(|(name, _)| *name == own).flat_map(|(_, facts)| facts.tables) {
        match facts.tables.get_mut(&name) {
            Some(table) => {
                for column in table.columns.iter_mut().chain(&mut table.partition_keys) {
                    if let Some(known) = old.column(&column.name) {
                        column.tags.value.clone_from(&known.tags.value);
                    }
                }
            }
            None if partial && !looked_at(&name) => {
                facts.taken_at = facts.taken_at.min(old.taken_at).or(facts.taken_at);
                facts.tables.insert(name, old);
            }
            None => {}
        }
    }
    facts.tables.sort_keys();
}

fn remarks(target: &str, looked: &Looked) -> Vec<String> {
    let mut remarks =
        vec![format!("Written by `tollgate catalog snapshot` from the target {target}. Tags that you add are kept.")];
    remarks.extend(looked.notices.iter().cloned());
    remarks
}

fn summary(looked: &Looked, began: Instant) -> String {
    let tables = looked.catalog.catalogs.values().flat_map(|facts| facts.tables.values());
    let (mut count, mut partitions, mut bytes, mut unknown) = (0, 0, 0_u64, 0);
    for table in tables {
        count += 1;
        match &table.partitions {
            Some(all) => {
                partitions += all.len();
                bytes = all.iter().filter_map(|one| one.bytes).fold(bytes, |sum, one| sum.saturating_add(one.0));
            }
            None => unknown += usize::from(table.view.is_none()),
        }
    }
    let unknown = if unknown > 0 { format!(", {unknown} of unknown size") } else { String::new() };
    let seconds = began.elapsed().as_secs_f64();
    format!("{count} tables{unknown}, {partitions} partitions, {} in {} files listed, {seconds:.1} s", Bytes(bytes), looked.files)
}

/// Writes the file at once: a reader sees the old one or the new one.
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |error: std::io::Error| {
        Error::new(ExitKind::Failed, format!("{} cannot be written: {error}", path.display()))
            .hint("name another file with --out")
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned);
    let making = folder.join(format!(".making-{}", std::process::id()));
    std::fs::write(&making, text).map_err(failed)?;
    std::fs::rename(&making, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "catalog: v1
name: lake
taken_at: 2026-11-01T00:00:00Z
tables:
  web.logs: { columns: [{ name: ip, type: varchar, tags: [pii] }, { name: gone, type: varchar, tags: [pii] }] }
  web.dropped: { columns: [{ name: a, type: bigint }] }
  shop.orders: { columns: [{ name: a, type: bigint }] }
";
    const NOW: &str = "catalog: v1
name: lake
taken_at: 2026-11-20T00:00:00Z
tables:
  web.logs: { columns: [{ name: ip, type: varchar }, { name: new, type: varchar }] }
";

    fn merged(wanted: &Wanted) -> Catalog {
        let read = |text: &str| read_catalog("c.yaml", text.as_bytes(), "").whole().unwrap();
        let mut now = read(NOW);
        keep(&mut now, read(BEFORE), wanted);
        now
    }

    #[test]
    fn tags_outlive_a_snapshot_and_tables_that_are_gone_do_not() {
        let whole = merged(&Wanted::default());
        let facts = &whole.catalogs["lake"];
        assert_eq!(facts.tables.keys().collect::<Vec<_>>(), ["web.logs"]);
        assert_eq!(facts.tables["web.logs"].columns[0].tags.value, ["pii"]);
        assert!(facts.tables["web.logs"].columns[1].tags.value.is_empty());
    }

    #[test]
    fn what_was_not_looked_at_is_as_old_as_it_was() {
        let part = merged(&Wanted { databases: vec!["web".to_owned()], tables: Vec::new() });
        let facts = &part.catalogs["lake"];
        assert_eq!(facts.tables.keys().collect::<Vec<_>>(), ["shop.orders", "web.logs"]);
        assert_eq!(facts.taken_at.unwrap().to_string(), "2026-11-01T00:00:00.000Z");
    }

    #[test]
    fn facts_that_a_snapshot_cannot_hold_are_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("catalog.yaml");
        assert!(earlier(&path).unwrap().is_none());
        std::fs::write(&path, "not: a catalog").unwrap();
        assert!(earlier(&path).is_err());
        // A section that is not written at the margin is not found again.
        let flow = "{ catalog: v1, name: lake, tables: {}, catalogs: { tpch: { tables: {} } } }";
        std::fs::write(&path, flow).unwrap();
        assert!(earlier(&path).unwrap_err().message.contains("lose"));
        let sections = "catalogs:\n  tpch:\n    # kept\n    tables: {}\n";
        std::fs::write(&path, format!("catalog: v1\nname: lake\n{sections}# here\ntables: {{}}\n")).unwrap();
        let found = earlier(&path).unwrap().unwrap();
        assert_eq!(found.carried, format!("{sections}# here\n"));
        let made = write_catalog(&read_catalog("c.yaml", NOW.as_bytes(), "").whole().unwrap(), &[]) + &found.carried;
        assert_eq!(read_catalog("c.yaml", made.as_bytes(), "").whole().unwrap().catalogs.len(), 2);
        write(&path, "x").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x");
    }
}
