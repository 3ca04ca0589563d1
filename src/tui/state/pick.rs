//! The first screen: runbooks, filtered.

use std::sync::Arc;

use super::List;
use crate::core::runbook::Runbook;
use crate::tui::desk::Library;
use crate::tui::field::Field;
use crate::tui::fuzzy;

/// The list of runbooks.
#[derive(Debug, Clone, Default)]
pub struct Pick {
    /// The selected line of those shown.
    pub list: List,
    /// Lines of the reading pane that are scrolled away.
    pub scroll: usize,
    /// The filter.
    pub filter: Field,
    /// Whether the filter takes the keys.
    pub typing: bool,
}

/// A runbook that matches the filter.
#[derive(Debug, Clone)]
pub struct Picked {
    /// It.
    pub runbook: Arc<Runbook>,
    /// Which characters of its id matched.
    pub hits: Vec<usize>,
}

impl Pick {
    /// The runbooks that match the filter, best first.
    pub fn shown(&self, library: &Library) -> Vec<Picked> {
        let mut found: Vec<(i32, Picked)> = library
            .runbooks
            .iter()
            .filter_map(|runbook| {
                let by_id = fuzzy::score(self.filter.text(), &runbook.id);
                let tags: Vec<&str> = runbook.tags.iter().map(|tag| tag.raw()).collect();
                let rest = format!("{} {}", runbook.title.raw(), tags.join(" "));
                // A match of the id is worth more than one of the title.
                let by_rest = fuzzy::score(self.filter.text(), &rest).map(|(score, _)| (score - 20, Vec::new()));
                let (score, hits) = match (by_id, by_rest) {
                    (Some(id), Some(rest)) => {
                        if id.0 >= rest.0 {
                            id
                        } else {
                            rest
                        }
                    }
                    (id, rest) => id.or(rest)?,
                };
                Some((score, Picked { runbook: Arc::clone(runbook), hits }))
            })
            .collect();
        if !self.filter.is_empty() {
            found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        }
        found.into_iter().map(|(_, picked)| picked).collect()
    }

    /// The selected runbook.
    pub fn selected(&self, library: &Library) -> Option<Arc<Runbook>> {
        let shown = self.shown(library);
        shown.get(self.list.selected(shown.len())).map(|picked| Arc::clone(&picked.runbook))
    }
}
