//! Catalog facts: tables, columns, partitions, file facts. Facts only; adapters fetch them.
