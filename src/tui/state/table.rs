//! Rows as they are looked at: sorted, searched, a window of them drawn.

use std::cmp::Ordering;
use std::sync::Arc;

use unicode_width::UnicodeWidthStr as _;

use crate::engine::ports::Rows;
use crate::tui::rich::shown;

/// Widths come from this many rows; more would make a long result slow to open.
const MEASURED_ROWS: usize = 200;
/// No column is wider at first sight; the whole cell is one key away.
const MAX_WIDTH: usize = 40;
const MIN_WIDTH: usize = 3;
/// Of a longer cell only the beginning is measured and searched for its width.
const MEASURED_BYTES: usize = 400;

/// A result on screen.
#[derive(Debug, Clone)]
pub struct Table {
    /// The rows.
    pub rows: Arc<Rows>,
    /// Row numbers in the order shown.
    order: Vec<u32>,
    /// Width of each column.
    pub widths: Vec<usize>,
    /// Whether each column is numbers.
    pub numeric: Vec<bool>,
    /// The selected cell: position in the order, and column.
    pub at: (usize, usize),
    /// The column sorted by, and whether falling.
    pub sorted: Option<(usize, bool)>,
    /// What was searched last.
    pub search: Option<String>,
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A cell further on.
    Found,
    /// A cell, after starting over at the other end.
    Wrapped,
    /// None.
    Nowhere,
}

impl Table {
    /// The rows as they came.
    pub fn new(rows: Arc<Rows>) -> Self {
        let count = rows.columns.len();
        let mut widths: Vec<usize> = rows.columns.iter().map(|column| shown(&column.name).width()).collect();
        for row in rows.rows.iter().take(MEASURED_ROWS) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.as_deref().map_or(1, |text| shown(beginning(text)).width()));
            }
        }
        widths.iter_mut().for_each(|width| *width = (*width).clamp(MIN_WIDTH, MAX_WIDTH));
        let numeric = (0..count).map(|column| is_numeric(&rows, column)).collect();
        let order = (0..u32::try_from(rows.rows.len()).unwrap_or(u32::MAX)).collect();
        Self { rows, order, widths, numeric, at: (0, 0), sorted: None, search: None }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The cells of the row at `position` of the order.
    pub fn row(&self, position: usize) -> &[Option<String>] {
        let row = self.order.get(position).and_then(|row| self.rows.rows.get(*row as usize));
        row.map_or(&[], Vec::as_slice)
    }

    /// The selected cell; `None` outside of the rows, `Some(None)` for NULL.
    pub fn cell(&self) -> Option<Option<&str>> {
        self.row(self.at.0).get(self.at.1).map(Option::as_deref)
    }

    /// The selected column's name.
    pub fn column(&self) -> &str {
        self.rows.columns.get(self.at.1).map_or("", |column| &column.name)
    }

    /// Moves the selection.
    pub fn step(&mut self, rows: isize, columns: isize) {
        let last_row = self.len().saturating_sub(1);
        let last_column = self.rows.columns.len().saturating_sub(1);
        self.at.0 = self.at.0.saturating_add_signed(rows).min(last_row);
        self.at.1 = self.at.1.saturating_add_signed(columns).min(last_column);
    }

    /// Selects a column.
    pub fn go_to_column(&mut self, column: usize) {
        self.at.1 = column.min(self.rows.columns.len().saturating_sub(1));
    }

    /// Sorts by the selected column: rising, falling, then as the rows came. NULL stands last in both.
    pub fn sort(&mut self) {
        let column = self.at.1;
        self.sorted = match self.sorted {
            Some((sorted, false)) if sorted == column => Some((column, true)),
            Some((sorted, true)) if sorted == column => None,
            _ => Some((column, false)),
        };
        let rows = Arc::clone(&self.rows);
        let cell = |row: &u32| rows.rows.get(*row as usize).and_then(|cells| cells.get(column)).and_then(Option::as_deref);
        let numeric = self.numeric.get(column).copied().unwrap_or(false);
        match self.sorted {
            None => self.order.sort_unstable(),
            Some((_, falling)) => self.order.sort_by(|a, b| match (cell(a), cell(b)) {
                (None, None) => a.cmp(b),
                (None, Some(_)) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some(x), Some(y)) => {
                    let order = if numeric { by_number(x, y) } else { x.cmp(y) };
                    (if falling { order.reverse() } else { order }).then(a.cmp(b))
                }
            }),
        }
        self.at.0 = 0;
    }

    /// Goes to the next (or previous) cell that holds what was searched, without regard to case.
    pub fn find(&mut self, forward: bool, from_here: bool) -> Hit {
        let Some(wanted) = self.search.as_ref().map(|text| text.to_lowercase()) else { return Hit::Nowhere };
        let columns = self.rows.columns.len();
        let total = self.len() * columns;
        if total == 0 || wanted.is_empty() {
            return Hit::Nowhere;
        }
        let here = self.at.0 * columns + self.at.1;
        for distance in usize::from(!from_here)..=total {
            let at = if forward { (here + distance) % total } else { (here + total - distance % total) % total };
            let cell = self.row(at / columns).get(at % columns).and_then(Option::as_deref);
            if cell.is_some_and(|text| text.to_lowercase().contains(&wanted)) {
                self.at = (at / columns, at % columns);
                let wrapped = if forward { at < here } else { at > here };
                return if wrapped { Hit::Wrapped } else { Hit::Found };
            }
        }
        Hit::Nowhere
    }

    /// The first row of `height` that keeps the selection in view.
    pub fn top(&self, height: usize) -> usize {
        super::List::at(self.at.0).top(self.len(), height)
    }

    /// The first column that keeps the selected one in view in `width` columns of the screen.
    pub fn left(&self, width: usize) -> usize {
        let mut used = 0;
        let mut left = self.at.1;
        for column in (0..=self.at.1).rev() {
            used += self.widths.get(column).copied().unwrap_or(0) + 3;
            if used > width + 3 && column != self.at.1 {
                break;
            }
            left = column;
        }
        left
    }
}

fn beginning(text: &str) -> &str {
    let mut end = text.len().min(MEASURED_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// By the service's type; a type without a known name is text.
fn is_numeric(rows: &Rows, column: usize) -> bool {
    let kind = rows.columns.get(column).map(|column| column.kind.to_ascii_lowercase()).unwrap_or_default();
    let name = kind.split('(').next().unwrap_or("");
    matches!(
        name,
        "tinyint" | "smallint" | "integer" | "int" | "bigint" | "real" | "float" | "double" | "decimal" | "number" | "n"
    )
}

/// Whole numbers exactly, whatever their length; others as floats; what is no number stands last.
fn by_number(a: &str, b: &str) -> Ordering {
    match (a.parse::<i128>(), b.parse::<i128>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ports::RowColumn;

    fn table(kind: &str, cells: &[Option<&str>]) -> Table {
        let column = |name: &str, kind: &str| RowColumn { name: name.to_owned(), kind: kind.to_owned() };
        let rows = cells.iter().enumerate().map(|(n, cell)| vec![cell.map(str::to_owned), Some(format!("r{n}"))]).collect();
        Table::new(Arc::new(Rows { columns: vec![column("v", kind), column("name", "varchar")], rows, truncated: false }))
    }

    fn column(table: &Table) -> Vec<String> {
        (0..table.len()).map(|n| table.row(n)[0].clone().unwrap_or_else(|| "∅".to_owned())).collect()
    }

    #[test]
    fn sorts_numbers_as_numbers_and_null_last() {
        let mut table = table("bigint", &[Some("10"), None, Some("9"), Some("-1")]);
        table.sort();
        assert_eq!(column(&table), ["-1", "9", "10", "∅"]);
        table.sort();
        assert_eq!(column(&table), ["10", "9", "-1", "∅"]);
        table.sort();
        assert_eq!(column(&table), ["10", "∅", "9", "-1"]);
    }

    #[test]
    fn empty_is_not_null() {
        let mut table = table("varchar", &[None, Some(""), Some("a")]);
        table.sort();
        assert_eq!(column(&table), ["", "a", "∅"]);
        assert_eq!(table.cell(), Some(Some("")));
        table.step(2, 0);
        assert_eq!(table.cell(), Some(None));
    }

    #[test]
    fn search_goes_round() {
        let mut table = table("varchar", &[Some("Acme"), Some("x"), Some("acme 2")]);
        table.search = Some("ACME".to_owned());
        assert_eq!((table.find(true, true), table.at), (Hit::Found, (0, 0)));
        assert_eq!((table.find(true, false), table.at), (Hit::Found, (2, 0)));
        assert_eq!((table.find(true, false), table.at), (Hit::Wrapped, (0, 0)));
        assert_eq!((table.find(false, false), table.at), (Hit::Wrapped, (2, 0)));
        table.search = Some("nobody".to_owned());
        assert_eq!(table.find(true, false), Hit::Nowhere);
    }

    #[test]
    fn the_selected_column_is_in_view() {
        let columns: Vec<RowColumn> =
            (0..30).map(|n| RowColumn { name: format!("column {n}"), kind: "varchar".into() }).collect();
        let mut table = Table::new(Arc::new(Rows { columns, rows: vec![vec![None; 30]], truncated: false }));
        for _ in 0..40 {
            let left = table.left(60);
            let used: usize = table.widths[left..=table.at.1].iter().map(|width| width + 3).sum();
            assert!(used - 3 <= 60 || left == table.at.1);
            table.step(0, 1);
        }
        assert_eq!(table.at.1, 29);
    }
}
