//! Where a store may lie.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use tollgate::adapters::journal::{Sharing, SqliteJournal};
use tollgate::engine::ports::Journal as _;

use super::{RUN, append, note, open, private, reason};

#[test]
fn places_that_are_too_open_are_refused_with_the_fix() {
    // (sharing, directory, file; what it says, or nothing where it is accepted)
    let table: &[(Sharing, u32, Option<u32>, Option<&str>)] = &[
        (Sharing::Private, 0o700, None, None),
        (Sharing::Private, 0o700, Some(0o600), None),
        (Sharing::Private, 0o750, None, Some("chmod 700")),
        (Sharing::Private, 0o2770, Some(0o660), Some("chmod 700")),
        (Sharing::Private, 0o700, Some(0o640), Some("chmod 600")),
        (Sharing::Private, 0o700, Some(0o606), Some("chmod 600")),
        (Sharing::Shared, 0o2770, None, None),
        (Sharing::Shared, 0o2770, Some(0o660), None),
        (Sharing::Shared, 0o700, None, None),
        (Sharing::Shared, 0o770, None, Some("chmod 2770")),
        (Sharing::Shared, 0o2775, None, Some("chmod 2770")),
        (Sharing::Shared, 0o2770, Some(0o664), Some("chmod 660")),
        (Sharing::Shared, 0o2770, Some(0o600), Some("chmod 660")),
    ];
    for (sharing, directory, file, says) in table {
        let case = format!("{sharing:?} {directory:o} {file:?}");
        let dir = private(*directory);
        let path = dir.path().join("journal.db");
        if let Some(mode) = file {
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        }
        match (SqliteJournal::open(&path, *sharing), says) {
            (Ok(journal), None) => {
                journal.append(&append(RUN, 0, None, vec![note("one")])).unwrap();
                let wanted = if *directory == 0o2770 { 0o660 } else { 0o600 };
                for side in ["", "-wal", "-shm", "-lock"] {
                    let mode = fs::metadata(format!("{}{side}", path.display())).unwrap().permissions().mode() & 0o777;
                    assert_eq!(mode, wanted, "{case} {side}");
                }
            }
            (Err(error), Some(says)) => {
                let reason = reason(error);
                assert!(reason.contains(says), "{case}: {reason}");
            }
            (Ok(_), Some(_)) => panic!("{case} was accepted"),
            (Err(error), None) => panic!("{case}: {error}"),
        }
    }
}

#[test]
fn side_files_links_and_open_parents_are_checked() {
    let dir = private(0o700);
    let path = dir.path().join("journal.db");
    let journal = open(&path);
    journal.append(&append(RUN, 0, None, vec![note("one")])).unwrap();
    fs::set_permissions(dir.path().join("journal.db-wal"), Permissions::from_mode(0o644)).unwrap();
    let refused = reason(SqliteJournal::open(&path, Sharing::Private).unwrap_err());
    assert!(refused.contains("journal.db-wal"), "{refused}");
    drop(journal);

    let linked = private(0o700);
    std::os::unix::fs::symlink(&path, linked.path().join("journal.db")).unwrap();
    let refused = reason(SqliteJournal::open(&linked.path().join("journal.db"), Sharing::Private).unwrap_err());
    assert!(refused.contains("not a plain file"), "{refused}");

    let open_parent = private(0o777);
    let inner = open_parent.path().join("state");
    let refused = reason(SqliteJournal::open(&inner.join("journal.db"), Sharing::Private).unwrap_err());
    assert!(refused.contains("could replace it"), "{refused}");

    let missing = private(0o700);
    let refused = reason(SqliteJournal::open(&missing.path().join("none/journal.db"), Sharing::Shared).unwrap_err());
    assert!(refused.contains("install -d -m 2770"), "{refused}");
}

#[test]
fn a_private_directory_is_made_closed() {
    let dir = private(0o700);
    let path = dir.path().join("state/tollgate/journal.db");
    open(&path);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
}
