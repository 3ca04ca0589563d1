//! Looking at a target's catalog: what Glue says of the tables, what a listing says of their files. What may not be looked at, or is
//! not what it should be, is said in words and makes the facts poorer; it never becomes a size of zero.

use futures_util::stream::{StreamExt as _, TryStreamExt as _};
use indexmap::IndexMap;

use super::aws::{Aws, Described, Layout};
use crate::core::catalog::projection::Projection;
use crate::core::catalog::tally::{self, Tally};
use crate::core::catalog::{Catalog, DataCatalog, Partition};
use crate::core::plan::PlanTarget;
use crate::core::units::{Bytes, Timestamp};
use crate::engine::ports::{Rights, ServiceError};

/// Tables that are looked at together.
const AT_ONCE: usize = 4;

/// Projected partitions that are written out where nothing may be listed.
const MOST_PROJECTED: u64 = 100_000;

/// What to look at; nothing named is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Databases with all their tables.
    pub databases: Vec<String>,
    /// Tables by database and name.
    pub tables: Vec<(String, String)>,
}

/// One look.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The services.
    pub aws: &'a Aws,
    /// Where.
    pub target: &'a PlanTarget,
    /// With whose rights.
    pub rights: Rights<'a>,
    /// Whether files may be listed; else sizes are those that somebody wrote into the catalog.
    pub list: bool,
    /// The moment of the look: partitions are complete as of then, and `NOW` of projections.
    pub now: Timestamp,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// The facts.
    pub catalog: Catalog,
    /// What is missing or odd, in words; not escaped.
    pub notices: Vec<String>,
    /// Files that were listed.
    pub files: u64,
}

impl Look<'_> {
    /// Looks at the tables of one data catalog; `name` is what statements call it.
    ///
    /// # Errors
    /// As the services answer, where there is nothing to show for it. A refusal that concerns one table is a notice.
    pub async fn tables(&self, name: &str, wanted: &Wanted) -> Result<Looked, ServiceError> {
        let mut looked = Looked::default();
        let described = self.described(wanted, &mut looked.notices).await?;
        let seen: Vec<Seen> =
            futures_util::stream::iter(described).map(|table| self.table(table)).buffered(AT_ONCE).try_collect().await?;
        let mut tables = IndexMap::new();
        for Seen { table, files } in seen {
            let full = table.full_name();
            looked.notices.extend(table.notices.iter().map(|notice| format!("{full}: {notice}")));
            looked.files += files;
            tables.insert(full, table.facts);
        }
        tables.sort_keys();
        let name = name.to_lowercase();
        let facts = DataCatalog { taken_at: Some(self.now), tables };
        looked.catalog = Catalog { name: name.clone(), catalogs: IndexMap::from([(name, facts)]), ..Catalog::default() };
        Ok(looked)
    }

    async fn described(&self, wanted: &Wanted, notices: &mut Vec<String>) -> Result<Vec<Described>, ServiceError> {
        let (target, rights) = (self.target, self.rights);
        let mut found = Vec::new();
        let everything = wanted.databases.is_empty() && wanted.tables.is_empty();
        let databases = if everything { self.aws.databases(target, rights).await? } else { wanted.databases.clone() };
        for database in &databases {
            match self.aws.tables(target, rights, database).await {
                Ok(tables) => found.extend(tables),
                // Of all databases, some may be nobody's business here; one that was named must be there.
                Err(ServiceError::Refused(failure)) if everything => {
                    notices.push(format!("{database}: its tables are not shown ({}: {})", failure.code, failure.message));
                }
                Err(error) => return Err(error),
            }
        }
        for (database, name) in &wanted.tables {
            match self.aws.table(target, rights, database, name).await? {
                Some(table) => found.push(table),
                None => notices.push(format!("{database}.{name}: there is no such table")),
            }
        }
        Ok(found)
    }

    async fn table(&self, mut table: Described) -> Result<Seen, ServiceError> {
        table.facts.taken_at = Some(self.now);
        let mut files = 0;
        match table.layout {
            Layout::View => {}
            Layout::Elsewhere => table.notices.push("its data is not in S3: its size is unknown".to_owned()),
            Layout::Own(format) => {
                let total = self.total(&table, &mut files).await?;
                let total = total
                    .map_or_else(|| "unknown".to_owned(), |bytes| format!("{bytes} below its location, old versions among them"));
                table.notices.push(format!(
                    "{format} keeps its own metadata: what a query reads is unknown, the table's total is {total}"
                ));
            }
            Layout::Folders => table.facts.partitions = self.folders(&mut table, &mut files).await?,
        }
        Ok(Seen { table, files })
    }

    /// The partitions of a table of folders; `None` where nothing can be said.
    async fn folders(&self, table: &mut Described, files: &mut u64) -> Result<Option<Vec<Partition>>, ServiceError> {
        let location = table.facts.location.clone().unwrap_or_default();
        let projection = match Projection::read(&table.parameters, &table.facts.partition_keys, &location) {
            Ok(projection) => projection,
            Err(error) => {
                table.notices.push(format!("its partition projection cannot be used: {error}"));
                return Ok(None);
            }
        };
        if let Some(projection) = projection {
            return self.projected(table, &projection, files).await;
        }
        if table.facts.partition_keys.is_empty() {
            let listed = self.listed(table, Tally::found(&table.facts), vec![location], files).await?;
            return Ok(Some(listed.unwrap_or_else(|| vec![table.statistics()])));
        }
        let known = match self.aws.partitions(self.target, self.rights, table, None).await {
            Ok(known) => known,
            Err(ServiceError::Refused(failure)) => {
                // What lies in folders is not always what is registered, and so this is said.
                let why = format!(
                    "its partitions are those of its folders, since Glue did not tell ({}: {})",
                    failure.code, failure.message
                );
                table.notices.push(why);
                return self.listed(table, Tally::found(&table.facts), vec![location], files).await;
            }
            Err(error) => return Err(error),
        };
        if known.is_empty() {
            table.notices.push("no partition is registered: queries read nothing of it".to_owned());
            return Ok(Some(known));
        }
        let roots = roots(table, &known);
        let listed = self.listed(table, Tally::known(&table.facts, &known), roots, files).await?;
        Ok(Some(match listed {
            Some(listed) => with_statistics(table, listed, known),
            None => known,
        }))
    }

    async fn projected(
        &self,
        table: &mut Described,
        projection: &Projection,
        files: &mut u64,
    ) -> Result<Option<Vec<Partition>>, ServiceError> {
        let projected = match projection.at(self.now) {
            Ok(projected) => projected,
            Err(error) => {
                table.notices.push(format!("its partition projection cannot be worked out: {error}"));
                return Ok(None);
            }
        };
        let root = projected.root().to_owned();
        if super::aws::s3_parts(&root).is_none_or(|(_, prefix)| prefix.is_empty()) {
            table
                .notices
                .push(format!("its projected partitions have no folder in common below the bucket ({root}): sizes are unknown"));
            return Ok(projected.partitions(MOST_PROJECTED));
        }
        let listed = self.listed(table, Tally::projected(projected.clone()), vec![root], files).await?;
        if listed.is_none() && projected.count().is_none_or(|count| count > MOST_PROJECTED) {
            let why = if projection.is_injected() { "a key takes what the query says" } else { "there are too many" };
            table.notices.push(format!("its projected partitions are not written out: {why}"));
        }
        Ok(listed.or_else(|| projected.partitions(MOST_PROJECTED)))
    }

    /// What listing these places adds up to; `None` where that may not be done.
    async fn listed(
        &self,
        table: &mut Described,
        mut tally: Tally,
        roots: Vec<String>,
        files: &mut u64,
    ) -> Result<Option<Vec<Partition>>, ServiceError> {
        if !self.list {
            return Ok(None);
        }
        for root in roots {
            let prefix = if root.ends_with('/') { root } else { format!("{root}/") };
            let listing = self.aws.list(self.target, self.rights, &prefix, |object| {
                *files += 1;
                tally.add(&object.address, object.bytes);
            });
            match listing.await {
                Ok(()) => {}
                Err(ServiceError::Refused(failure)) => {
                    let why = format!(
                        "{prefix} cannot be listed ({}: {}): sizes are those of the catalog",
                        failure.code, failure.message
                    );
                    table.notices.push(why);
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        let (partitions, (strays, bytes)) = tally.finish();
        if strays > 0 {
            table.notices.push(format!("{strays} files ({}) below its location belong to no partition", Bytes(bytes)));
        }
        Ok(Some(partitions))
    }

    /// All files below a table's location together.
    async fn total(&self, table: &Described, files: &mut u64) -> Result<Option<Bytes>, ServiceError> {
        let Some(location) = table.facts.location.as_deref().filter(|_| self.list) else { return Ok(None) };
        let prefix = if location.ends_with('/') { location.to_owned() } else { format!("{location}/") };
        let mut total: u64 = 0;
        let listing = self.aws.list(self.target, self.rights, &prefix, |object| {
            *files += 1;
            total = total.saturating_add(object.bytes);
        });
        match listing.await {
            Ok(()) => Ok(Some(Bytes(total))),
            Err(ServiceError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

struct Seen {
    table: Described,
    files: u64,
}

/// The places to list: the table's location where partitions lie below it, and those of the others.
fn roots(table: &Described, known: &[Partition]) -> Vec<String> {
    let own = table.facts.location.clone().map(|own| if own.ends_with('/') { own } else { format!("{own}/") });
    let mut roots = Vec::new();
    for place in known.iter().filter_map(|partition| tally::location(&table.facts, partition)) {
        let root = own.clone().filter(|own| place.starts_with(own.as_str())).unwrap_or(place);
        if roots.last() != Some(&root) {
            roots.push(root);
        }
    }
    roots.sort_unstable();
    roots.dedup();
    // A place below another is listed with it.
    let mut least: Vec<String> = Vec::new();
    for root in roots {
        if least.last().is_none_or(|above| !root.starts_with(above.as_str())) {
            least.push(root);
        }
    }
    least
}

/// Sizes as listed, rows as the catalog has them; where both know the size and differ, that is said.
fn with_statistics(table: &mut Described, listed: Vec<Partition>, known: Vec<Partition>) -> Vec<Partition> {
    let mut stale = 0;
    let mut rows: std::collections::HashMap<Vec<Option<String>>, Partition> =
        known.into_iter().map(|partition| (partition.values.clone(), partition)).collect();
    let partitions: Vec<Partition> = listed
        .into_iter()
        .map(|partition| {
            let told = rows.remove(&partition.values).unwrap_or_default();
            let differs = told.bytes.is_some_and(|told| Some(told) != partition.bytes);
            stale += u64::from(differs);
            // Rows that were counted when the files were others say nothing.
            let rows = told.rows.filter(|_| !differs);
            Partition { rows, ..partition }
        })
        .collect();
    if stale > 0 {
        table.notices.push(format!("the catalog's sizes of {stale} partitions are not those of their files; the files count"));
    }
    partitions
}
