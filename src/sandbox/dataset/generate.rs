//! Brings the data folder up to date: makes what is missing, removes days that fell out of the window, writes `catalog.yaml`.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::catalog_file;
use super::day::Day;
use super::file::{self, DatasetError};
use super::lake::{self, Lake, LakeTable, Partition};
use super::recipe::{Kind, Recipe};
use super::scale::Scale;
use crate::core::units::Timestamp;
use crate::sandbox::api::Progress;

/// How far the data is, for queries.
#[derive(Debug, Clone)]
pub enum LakeState {
    /// It is being made; queries wait.
    Making,
    /// It is there.
    Ready(Arc<Lake>),
    /// It could not be made, and why.
    Failed(String),
}

/// Data that is being made in the background.
#[derive(Debug, Clone)]
pub struct Generation {
    /// For people who wait.
    pub progress: watch::Receiver<Progress>,
    /// For queries.
    pub lake: watch::Receiver<LakeState>,
}

/// Begins to make the data on threads of its own. They end with the work; a process that ends sooner is taken up by the next.
///
/// # Errors
/// If the system gives no thread.
pub fn start(root: PathBuf, scale: Scale, now: Timestamp) -> io::Result<Generation> {
    let (tell_progress, progress) = watch::channel(Progress::default());
    let (tell_lake, lake) = watch::channel(LakeState::Making);
    std::thread::Builder::new().name("sandbox-data".to_owned()).spawn(move || {
        let state = match generate(&root, &scale, now, &tell_progress) {
            Ok(lake) => LakeState::Ready(Arc::new(lake)),
            Err(error) => LakeState::Failed(error.report()),
        };
        tell_lake.send_replace(state);
    })?;
    Ok(Generation { progress, lake })
}

/// More threads would only wait for the disk.
const MOST_THREADS: usize = 4;

/// Makes sure that the data of the days up to the one of `now` lies in `root`, newest first, and returns what lies there.
///
/// Files that an earlier start finished stay; a start that was killed loses the file it was at. Blocks its thread, and uses one
/// more for each core. `progress` is told after each partition; its `ready` is set when `catalog.yaml` is written.
///
/// # Errors
/// If the folder cannot be written. What was finished stays, and the next start goes on from there. `progress` carries the
/// error too.
pub fn generate(root: &Path, scale: &Scale, now: Timestamp, progress: &watch::Sender<Progress>) -> Result<Lake, DatasetError> {
    let made = bring_up_to_date(root, scale, now, progress);
    if let Err(error) = &made {
        progress.send_modify(|p| p.error = Some(error.report()));
    }
    made
}

fn bring_up_to_date(
    root: &Path,
    scale: &Scale,
    now: Timestamp,
    progress: &watch::Sender<Progress>,
) -> Result<Lake, DatasetError> {
    fs::create_dir_all(root).map_err(|source| DatasetError::Write { path: root.to_owned(), source })?;
    let today = Day::of(now);
    let wanted = wanted(scale, today);
    let mut work = Work::new(root, scale, today, progress);
    for recipe in &wanted {
        work.take_or_queue(*recipe);
    }
    work.announce();
    remove_old_days(root, scale, today)?;
    let found = work.run()?;
    let lake = Lake { root: root.to_owned(), taken_at: now, tables: tables(found) };
    catalog_file::write(&lake)?;
    progress.send_modify(|p| {
        p.ready = true;
        p.done_bytes = lake.bytes();
        p.total_bytes = lake.bytes();
    });
    Ok(lake)
}

/// All partitions there shall be: the customers, then the newest day first, since that is what an operator asks about.
fn wanted(scale: &Scale, today: Day) -> Vec<Recipe> {
    let mut wanted = vec![Recipe::customers(scale)];
    for age in 0..scale.days {
        for kind in [Kind::Alb, Kind::Trail, Kind::Orders] {
            wanted.push(Recipe::of_day(kind, today.minus(age), age, scale));
        }
    }
    wanted
}

/// Groups partitions by table, oldest first.
fn tables(found: Vec<(Kind, Partition)>) -> Vec<LakeTable> {
    let mut of_kind: HashMap<Kind, Vec<Partition>> = HashMap::new();
    for (kind, partition) in found {
        of_kind.entry(kind).or_default().push(partition);
    }
    Kind::ALL
        .into_iter()
        .map(|kind| {
            let mut partitions = of_kind.remove(&kind).unwrap_or_default();
            partitions.sort_by_key(|p| p.day);
            LakeTable { table: kind.table(), partitions }
        })
        .collect()
}

fn remove_old_days(root: &Path, scale: &Scale, today: Day) -> Result<(), DatasetError> {
    for kind in Kind::ALL {
        let Ok(entries) = fs::read_dir(root.join(kind.table().prefix())) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let Some(day) = Day::from_folder(&name.to_string_lossy()) else { continue };
            // Days of the future stay: a clock that was wrong comes back to them.
            if day.age(today).is_some_and(|age| age >= scale.days) {
                file::clear(&entry.path())?;
                // Fails, rightly, where somebody put a file of their own.
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
    Ok(())
}

/// What is to be made, what was, and who is told.
struct Work<'a> {
    root: &'a Path,
    scale: &'a Scale,
    today: Day,
    progress: &'a watch::Sender<Progress>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Recipe>,
    found: Vec<(Kind, Partition)>,
    expected_bytes: u64,
    /// Partitions still to come of each day.
    open: HashMap<Day, u32>,
    days: u32,
    failed: Option<DatasetError>,
}

impl<'a> Work<'a> {
    fn new(root: &'a Path, scale: &'a Scale, today: Day, progress: &'a watch::Sender<Progress>) -> Self {
        Self { root, scale, today, progress, state: Mutex::default() }
    }

    /// Keeps a partition that is there, else queues it.
    fn take_or_queue(&mut self, recipe: Recipe) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(day) = recipe.day {
            state.days += u32::from(!state.open.contains_key(&day));
            state.open.entry(day).or_default();
        }
        let age = recipe.day.and_then(|day| day.age(self.today)).unwrap_or(0);
        let table = recipe.kind.table();
        let files = lake::count(self.root, table, recipe.day);
        let found = (files > 0).then(|| lake::look(self.root, table, recipe.day, files)).flatten();
        match found {
            Some((partition, made_by)) if recipe.accepts(&made_by, age, self.scale) => {
                state.expected_bytes += partition.bytes();
                state.found.push((recipe.kind, partition));
            }
            _ => {
                state.expected_bytes += recipe.expected_bytes();
                state.queue.push_back(recipe);
                if let Some(open) = recipe.day.and_then(|day| state.open.get_mut(&day)) {
                    *open += 1;
                }
            }
        }
    }

    fn announce(&self) {
        let state = self.lock();
        let done_bytes = state.found.iter().map(|(_, p)| p.bytes()).sum();
        let left: u64 = state.queue.iter().map(Recipe::expected_bytes).sum();
        let done_days = state.open.values().filter(|open| **open == 0).count();
        let (total_days, expected) = (state.days, state.expected_bytes);
        self.progress.send_modify(|p| {
            p.done_bytes = done_bytes;
            // What is done may be more than was expected of it.
            p.total_bytes = expected.max(done_bytes + left);
            p.done_days = u32::try_from(done_days).unwrap_or(total_days);
            p.total_days = total_days;
            p.error = None;
        });
    }

    /// Makes all that is queued, on as many threads as there are cores; stops at the first failure.
    fn run(self) -> Result<Vec<(Kind, Partition)>, DatasetError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| self.drain());
            }
            self.drain();
        });
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.failed {
            Some(error) => Err(error),
            None => Ok(state.found),
        }
    }

    fn drain(&self) {
        while let Some(recipe) = self.next() {
            let made = self.make(recipe);
            let mut state = self.lock();
            match made {
                Ok(partition) => {
                    state.expected_bytes = state.expected_bytes.saturating_sub(recipe.expected_bytes()) + partition.bytes();
                    state.found.push((recipe.kind, partition));
                    if let Some(open) = recipe.day.and_then(|day| state.open.get_mut(&day)) {
                        *open = open.saturating_sub(1);
                    }
                }
                Err(error) => {
                    state.failed.get_or_insert(error);
                }
            }
            drop(state);
            self.announce();
        }
    }

    fn next(&self) -> Option<Recipe> {
        let mut state = self.lock();
        if state.failed.is_some() { None } else { state.queue.pop_front() }
    }

    fn make(&self, recipe: Recipe) -> Result<Partition, DatasetError> {
        file::write(self.root, recipe)?;
        let table = recipe.kind.table();
        match lake::look(self.root, table, recipe.day, recipe.files) {
            Some((partition, made_by)) if made_by == recipe.to_string() => Ok(partition),
            _ => Err(DatasetError::Changed { path: self.root.join(lake::prefix(table, recipe.day)) }),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
