//! What a judgement would like to look at besides its catalog.

use super::ground::Ground;
use super::statement;
use super::{Params, World};
use crate::core::estimate::{self, Need, Session};
use crate::core::sql::resolve::analyse;

/// The partitions whose files the estimate of a statement would rest on, and for each whether footers may be read: they hold minima
/// and maxima of columns, so those of a table with blocked columns are never looked at (DESIGN §4.9). Nothing for a statement that is
/// not analysed.
pub fn needs(ground: &Ground, world: &World<'_>, sql: &str, database: Option<&str>, params: &Params) -> Vec<(Need, bool)> {
    let Ok(read) = statement::read(sql, params) else { return Vec::new() };
    if !read.parsed.statement.kind().may_be_allowed() {
        return Vec::new();
    }
    let names = read.names(world, database);
    let Ok(analysis) = analyse(&read.parsed.statement, &ground.names, &names) else { return Vec::new() };
    let session = Session::new(world.catalog, world.model, world.now, params);
    let needs = estimate::needs(&session, &analysis).into_iter();
    needs
        .map(|need| {
            let open =
                need.table.split_once('.').is_some_and(|(schema, name)| ground.blocked(&need.catalog, schema, name).is_empty());
            (need, open)
        })
        .collect()
}
