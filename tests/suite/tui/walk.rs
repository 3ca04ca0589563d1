//! One walk from the list of runbooks to the summary, at 80x24, by keys alone: a block, a denial, a stop, a kill and its resume,
//! the end of access and asking again.

use std::time::Duration;

use super::pty::{Home, Pty};
use super::{book, foreign_sequences};

const BLOCKED: &str = "\
runbook: v1
id: blocked
title: Who ordered
access: { target: shop-readonly, approvals: { need: 1, from: [payments-leads] } }
steps:
  - id: mail
    title: Their address
    athena: { database: shop, sql: \"SELECT customer_id, email FROM customers LIMIT 5\" }
";

/// Ninety seconds of access are the least that a runbook may have.
const TRIAL: &str = "\
runbook: v1
id: trial
title: A trial
inputs:
  day: { type: date, as: \"%Y/%m/%d\", default: yesterday, help: the day to count }
access: { target: shop-readonly, duration: 90s, approvals: { need: 1, from: [payments-leads] } }
steps:
  - id: first
    title: Count them
    athena:
      database: web
      sql: SELECT elb_status_code, count(*) AS hits FROM alb_logs WHERE day = :day GROUP BY elb_status_code
    on_failure: continue
  - id: sure
    title: Ask
    confirm: Is it **clear** by now?
    on_no: continue
  - id: again
    title: Count again
    athena:
      database: web
      sql: SELECT elb_status_code, count(*) AS hits FROM alb_logs WHERE day = :day GROUP BY elb_status_code
  - id: done
    title: Write it down
    note: Post the numbers.
";

#[test]
fn a_walk_by_keys_alone() {
    let (home, dir) = (Home::new(), book(&[("blocked", BLOCKED), ("trial", TRIAL)]));
    let book = dir.path();
    let mut pty = Pty::app(80, 24, home.path(), book, "on", &[]);
    pty.wait("2 of 2");

    // A block: the finding stands at its place, and nothing sends it.
    pty.press("\r", "BLOCK");
    pty.wait("blocked-column");
    pty.wait("~~~~~");
    assert!(!pty.screen().contains("enter send"), "{}", pty.screen());
    pty.press("\x1b", "2 of 2");

    // A denial, and asking again.
    pty.press("j", "▸ trial");
    pty.press("\r", "A trial › inputs");
    pty.wait("the day to count");
    pty.press("\r", "a request needs a reason");
    pty.type_now("to try it");
    pty.send_request();
    home.vote(book, false, "not like this");
    pty.wait("DENIED");
    pty.wait("not like this");
    pty.press("a", "A trial › plan for the rest");
    pty.wait("to try it");
    pty.send_request();
    home.vote(book, true, "go");
    pty.wait("APPROVED");
    pty.wait("start within");

    // Access, a query, its stop.
    pty.press("\r", "1 of 4  Count them");
    pty.wait("ENDS 01:");
    pty.wait("OK");
    pty.press("r", "RUNNING");
    pty.hammer("s", "STOPPED");
    // A stop ends the walk; the remaining steps, that one first, are asked for again while the old grant still runs.
    pty.press("\r", "THE WALK STOPPED HERE");
    pty.press("a", "A trial › plan for the rest");
    pty.send_request();
    home.vote(book, true, "once more");
    pty.wait("APPROVED");
    pty.press("\r", "1 of 4  Count them");
    pty.wait("OK");
    pty.press("r", " rows");
    pty.press("\r", "QUESTION");
    pty.wait("Is it clear by now?");
    pty.press("y", "3 of 4  Count again");

    // Killed, and taken up again where it was.
    let seen = pty.bytes();
    pty.kill();
    let mut pty = Pty::app(80, 24, home.path(), book, "on", &["resume"]);
    pty.wait("3 of 4  Count again");

    // The end of access: said, and the remaining steps asked for again.
    pty.wait_for("ENDED", Duration::from_secs(120));
    pty.press("a", "A trial › plan for the rest");
    pty.send_request();
    home.vote(book, true, "");
    pty.wait("APPROVED");
    pty.press("\r", "3 of 4  Count again");
    pty.wait("OK");
    pty.press("r", "rows");
    pty.wait("hits");
    pty.press("o", "sorted by");
    pty.press("\r", "Post the numbers.");
    // The last step ends the access.
    pty.press("\r", "CLOSED");
    pty.press("\r", "trial closed:");
    let status = pty.end();
    assert_eq!(status.code(), Some(0));
    assert!(!pty.is_alternate());
    assert!(pty.screen().contains("approved by lea"), "{}", pty.screen());
    assert_eq!(foreign_sequences(&seen), Vec::<String>::new());
    assert_eq!(foreign_sequences(&pty.bytes()), Vec::<String>::new());

    // What the screen said is what the journal has.
    let events = home.tollgate(book, &["runs", "list"]);
    assert!(events.contains("closed"), "{events}");
    assert!(home.tollgate(book, &["runs", "verify"]).contains("OK"));
}
