//! Glue's data catalog over the generated dataset, as far as looking needs it: GetDatabases, GetDatabase, GetTables, GetTable,
//! GetPartitions.

mod expression;
mod shape;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::api::{ApiError, Caller, Context, JsonService};
use super::dataset::LakeState;
use super::dataset::lake::{Lake, LakeTable};
use expression::Condition;
use shape::Place;

/// The database that every account has, empty here.
const DEFAULT_DATABASE: &str = "default";

/// The most that a page of databases or tables holds (API reference, `MaxResults`).
const MOST_TABLES: i64 = 100;

/// The most that a page of partitions holds.
const MOST_PARTITIONS: i64 = 1000;

/// The longest `Expression`.
const LONGEST_EXPRESSION: usize = 2048;

/// The most segments into which GetPartitions divides a table.
const MOST_SEGMENTS: usize = 10;

/// The service.
#[derive(Debug, Clone)]
pub struct Glue {
    region: String,
    lake: watch::Receiver<LakeState>,
}

/// Members of all requests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    catalog_id: Option<String>,
    database_name: Option<String>,
    table_name: Option<String>,
    name: Option<String>,
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
    segment: Option<Segment>,
    #[serde(default)]
    exclude_column_schema: bool,
}

/// One of the parts in which several readers share a table.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    segment_number: usize,
    total_segments: usize,
}

impl Glue {
    /// The catalog of `lake`, in one region.
    pub fn new(region: impl Into<String>, lake: watch::Receiver<LakeState>) -> Self {
        Self { region: region.into(), lake }
    }

    fn lake(&self) -> Result<Arc<Lake>, ApiError> {
        let later = |why: String| ApiError::new(503, "ServiceUnavailable", why);
        match &*self.lake.borrow() {
            LakeState::Ready(lake) => Ok(Arc::clone(lake)),
            LakeState::Making => Err(later("the sandbox's data is still being made; ask again in some seconds".to_owned())),
            LakeState::Failed(why) => Err(ApiError::internal(format!("the sandbox's data could not be made: {why}"))),
        }
    }
}

#[async_trait]
impl JsonService for Glue {
    async fn call(&self, operation: &str, body: Value, caller: Caller) -> Result<Value, ApiError> {
        if !["GetDatabases", "GetDatabase", "GetTables", "GetTable", "GetPartitions"].contains(&operation) {
            return Err(ApiError::unknown_operation(operation));
        }
        let request: Request =
            serde_json::from_value(body).map_err(|error| ApiError::new(400, "SerializationException", error.to_string()))?;
        let catalog = request.catalog_id.clone().unwrap_or_else(|| caller.principal.account.clone());
        let asking = Asking { service: self, caller: &caller, operation, catalog: &catalog };
        match operation {
            "GetDatabases" => asking.databases(&request),
            "GetDatabase" => asking.database(&request),
            "GetTables" => asking.tables(&request),
            "GetTable" => asking.table(&request),
            _ => asking.partitions(&request),
        }
    }

    fn busy(&self) -> bool {
        false
    }
}

/// One request of one caller.
struct Asking<'a> {
    service: &'a Glue,
    caller: &'a Caller,
    operation: &'a str,
    catalog: &'a str,
}

impl Asking<'_> {
    /// Every resource on the way down to what is asked about must be allowed (Glue, "Resource ARNs": `catalog`, `database/d`,
    /// `table/d/t`).
    fn check(&self, resources: &[String]) -> Result<(), ApiError> {
        let prefix = format!("arn:aws:glue:{}:{}:", self.service.region, self.catalog);
        let action = format!("glue:{}", self.operation);
        resources
            .iter()
            .try_for_each(|resource| self.caller.authorizer.check(&action, &format!("{prefix}{resource}"), &Context::new()))
    }

    fn check_table(&self, database: &str, table: &str) -> Result<(), ApiError> {
        self.check(&["catalog".to_owned(), format!("database/{database}"), format!("table/{database}/{table}")])
    }

    fn databases(&self, request: &Request) -> Result<Value, ApiError> {
        self.check(&["catalog".to_owned(), "database/*".to_owned()])?;
        let lake = self.service.lake()?;
        let place = Place { account: self.catalog, taken_at: lake.taken_at };
        let all: Vec<&str> = databases(&lake);
        let page = Page::of(request, MOST_TABLES)?;
        let (found, next) = page.take(all.iter().enumerate(), |name| Some(place.database(name)));
        Ok(with_token(json!({ "DatabaseList": found }), next))
    }

    fn database(&self, request: &Request) -> Result<Value, ApiError> {
        let name = required("name", request.name.as_deref())?;
        self.check(&["catalog".to_owned(), format!("database/{name}")])?;
        let lake = self.service.lake()?;
        self.known_database(&lake, &name)?;
        Ok(json!({ "Database": Place { account: self.catalog, taken_at: lake.taken_at }.database(&name) }))
    }

    fn tables(&self, request: &Request) -> Result<Value, ApiError> {
        let database = required("databaseName", request.database_name.as_deref())?;
        self.check_table(&database, "*")?;
        let lake = self.service.lake()?;
        self.known_database(&lake, &database)?;
        let wanted = match request.expression.as_deref().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(
                regex::Regex::new(&format!("^(?:{text})$"))
                    .map_err(|_| invalid(format!("Invalid regular expression: {text}")))?,
            ),
        };
        let place = Place { account: self.catalog, taken_at: lake.taken_at };
        let page = Page::of(request, MOST_TABLES)?;
        let (found, next) = page.take(lake.tables.iter().enumerate(), |table: &LakeTable| {
            let named = wanted.as_ref().is_none_or(|regex| regex.is_match(table.table.name));
            (table.table.database == database && named).then(|| place.table(table))
        });
        Ok(with_token(json!({ "TableList": found }), next))
    }

    fn table(&self, request: &Request) -> Result<Value, ApiError> {
        let database = required("databaseName", request.database_name.as_deref())?;
        let name = required("name", request.name.as_deref())?;
        self.check_table(&database, &name)?;
        let lake = self.service.lake()?;
        let table = self.known_table(&lake, &database, &name)?;
        Ok(json!({ "Table": Place { account: self.catalog, taken_at: lake.taken_at }.table(table) }))
    }

    fn partitions(&self, request: &Request) -> Result<Value, ApiError> {
        let database = required("databaseName", request.database_name.as_deref())?;
        let name = required("tableName", request.table_name.as_deref())?;
        self.check_table(&database, &name)?;
        let segment = match request.segment {
            Some(Segment { total_segments, segment_number })
                if segment_number >= total_segments || total_segments > MOST_SEGMENTS =>
            {
                return Err(invalid(format!("Segment {segment_number} of {total_segments} is not valid")));
            }
            segment => segment,
        };
        let lake = self.service.lake()?;
        let table = self.known_table(&lake, &database, &name)?;
        let keys: Vec<&str> = table.table.partition_keys.iter().map(|key| key.name).collect();
        let wanted = match request.expression.as_deref().filter(|text| !text.trim().is_empty()) {
            None => None,
            Some(text) if text.len() > LONGEST_EXPRESSION => {
                return Err(constraint("expression", "Member must have length less than or equal to 2048"));
            }
            Some(text) => {
                Some(Condition::parse(text, &keys).map_err(|why| invalid(format!("Unsupported expression '{text}': {why}")))?)
            }
        };
        let place = Place { account: self.catalog, taken_at: lake.taken_at };
        let page = Page::of(request, MOST_PARTITIONS)?;
        // A table without keys has no partitions in Glue.
        let all = if keys.is_empty() { &[] } else { table.partitions.as_slice() };
        let mine = all
            .iter()
            .enumerate()
            .filter(|(index, _)| segment.is_none_or(|segment| index % segment.total_segments == segment.segment_number));
        let (found, next) = page.take(mine, |partition| {
            let day = partition.day.map(|day| day.to_string()).unwrap_or_default();
            let hit = wanted.as_ref().is_none_or(|condition| condition.holds(&[&day]));
            hit.then(|| place.partition(table.table, partition, !request.exclude_column_schema))
        });
        Ok(with_token(json!({ "Partitions": found }), next))
    }

    fn known_database(&self, lake: &Lake, name: &str) -> Result<(), ApiError> {
        if databases(lake).contains(&name) { Ok(()) } else { Err(not_found(&format!("Database {name} not found."))) }
    }

    fn known_table<'l>(&self, lake: &'l Lake, database: &str, name: &str) -> Result<&'l LakeTable, ApiError> {
        self.known_database(lake, database)?;
        lake.table(database, name).ok_or_else(|| not_found(&format!("Table {name} not found.")))
    }
}

fn databases(lake: &Lake) -> Vec<&'static str> {
    let mut names = lake.databases();
    names.push(DEFAULT_DATABASE);
    names.sort_unstable();
    names
}

/// A page that begins at the item of a token. Tokens are the index of an item in the whole list, so that a long list is walked
/// once, however many pages it has.
struct Page {
    start: usize,
    size: usize,
}

impl Page {
    fn of(request: &Request, most: i64) -> Result<Self, ApiError> {
        let size = request.max_results.unwrap_or(most);
        if !(1..=most).contains(&size) {
            return Err(constraint("maxResults", &format!("Member must have value between 1 and {most}")));
        }
        let start = match request.next_token.as_deref().filter(|token| !token.is_empty()) {
            None => 0,
            Some(token) => {
                let index = token.strip_prefix('t').and_then(|index| index.parse().ok());
                index.ok_or_else(|| invalid("Invalid pagination token provided.".to_owned()))?
            }
        };
        Ok(Self { start, size: usize::try_from(size).unwrap_or(1) })
    }

    /// The items of this page as shown, `None` for those that were not asked for; and the token of the next.
    fn take<'i, T: 'i>(
        &self,
        items: impl Iterator<Item = (usize, &'i T)>,
        show: impl Fn(&'i T) -> Option<Value>,
    ) -> (Vec<Value>, Option<String>) {
        let mut found = Vec::new();
        for (index, item) in items.filter(|(index, _)| *index >= self.start) {
            let Some(shown) = show(item) else { continue };
            if found.len() == self.size {
                return (found, Some(format!("t{index}")));
            }
            found.push(shown);
        }
        (found, None)
    }
}

fn with_token(mut body: Value, token: Option<String>) -> Value {
    if let (Some(token), Some(members)) = (token, body.as_object_mut()) {
        members.insert("NextToken".to_owned(), Value::from(token));
    }
    body
}

/// A required name, in lower case: Glue folds names.
fn required(member: &str, value: Option<&str>) -> Result<String, ApiError> {
    let value = value.ok_or_else(|| constraint(member, "Member must not be null"))?;
    if value.is_empty() {
        return Err(constraint(member, "Member must have length greater than or equal to 1"));
    }
    Ok(value.to_lowercase())
}

fn constraint(member: &str, constraint: &str) -> ApiError {
    let message = format!("1 validation error detected: Value at '{member}' failed to satisfy constraint: {constraint}");
    ApiError::new(400, "ValidationException", message)
}

fn invalid(message: String) -> ApiError {
    ApiError::new(400, "InvalidInputException", message)
}

fn not_found(message: &str) -> ApiError {
    ApiError::new(400, "EntityNotFoundException", message)
}
