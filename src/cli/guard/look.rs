//! Looking at files before judging, as far as `--look` allows.

use super::LookWord;
use crate::adapters::clock::SystemClock;
use crate::adapters::objects::LocalObjects;
use crate::core::book::Look;
use crate::core::catalog::Catalog;
use crate::core::estimate::Need;
use crate::engine::ports::{Depth, Objects, Place};

/// Looks at the files of local tables; by default at their footers, at nothing else (CONTRACTS §4).
pub(super) struct Looker {
    objects: LocalObjects<SystemClock>,
    /// What is not on this machine, and how closely the target lets the operator look at it.
    remote: Option<(Box<dyn Objects>, Look)>,
    word: Option<LookWord>,
    /// Whether there is anything to look at; a statement is read twice for it.
    pub(super) looks: bool,
}

impl Looker {
    pub(super) fn new(word: Option<LookWord>, catalog: &Catalog, remote: Option<(Box<dyn Objects>, Look)>) -> Self {
        let tables = || catalog.catalogs.values().flat_map(|data| data.tables.values());
        let looks = match word {
            Some(LookWord::None) => false,
            Some(_) => true,
            None => tables().any(|table| table.location.as_deref().is_some_and(is_local)),
        };
        Self { objects: LocalObjects::new(SystemClock::default()), remote, word, looks }
    }

    /// How closely a need may be looked at; `None`: not at all.
    fn depth(&self, need: &Need, open: bool) -> Option<Depth> {
        let local = is_local(&need.location);
        let word = self.word.unwrap_or(if local { LookWord::Footers } else { LookWord::None });
        let most = match &self.remote {
            Some((_, look)) if !local => *look,
            _ => Look::Footers,
        };
        match word {
            _ if most == Look::None => None,
            LookWord::Footers if most == Look::Metadata => Some(Depth::Listing),
            LookWord::None => None,
            LookWord::Footers if open && need.values.is_some() => Some(Depth::Footers),
            LookWord::Metadata | LookWord::Footers => Some(Depth::Listing),
        }
    }

    /// Looks, and adds what was found to the catalog.
    pub(super) fn look(&self, needs: Vec<(Need, bool)>, catalog: &mut Catalog) {
        let wanted: Vec<(Need, Place)> = needs
            .into_iter()
            .filter_map(|(need, open)| {
                let depth = self.depth(&need, open)?;
                let place = Place { location: need.location.clone(), base: need.base.clone(), format: need.format, depth };
                Some((need, place))
            })
            .collect();
        let (near, far): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|(_, place)| self.remote.is_none() || !place.location.starts_with("s3://"));
        let remote = self.remote.as_ref().map(|(objects, _)| &**objects);
        for (wanted, objects) in [(near, Some(&self.objects as &dyn Objects)), (far, remote)] {
            let (needs, places): (Vec<Need>, Vec<Place>) = wanted.into_iter().unzip();
            if let Some(objects) = objects.filter(|_| !places.is_empty()) {
                catalog.attach(needs.into_iter().zip(objects.look(&places)));
            }
        }
    }
}

fn is_local(location: &str) -> bool {
    location.starts_with("file://") || !location.contains("://")
}
