//! The book: `tollgate.yaml` with targets, groups, classification and limits, and every problem found while loading.
