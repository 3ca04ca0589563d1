//! What resolution says of statements over a small shop: one line for each, with what it gives, reads and depends on.

use std::collections::{BTreeMap, BTreeSet};

use tollgate::core::sql::analysis::{Analysis, ColumnId, Reason};
use tollgate::core::sql::parser::parse;
use tollgate::core::sql::resolve::analyse;
use tollgate::core::sql::types::Type;
use tollgate::core::sql::world::{Session, StoredView, World, WorldColumn, WorldTable};

fn columns(list: &[(&str, &str)]) -> Vec<WorldColumn> {
    list.iter().map(|(name, kind)| WorldColumn { name: (*name).into(), kind: Some(Type::parse(kind).unwrap()) }).collect()
}

/// The shop: two tables, views on them, and a catalog beside it.
fn shop() -> World {
    let mut world = World::new();
    let customers = WorldTable::new(columns(&[
        ("id", "bigint"),
        ("email", "varchar"),
        ("city", "varchar"),
        ("profile", "row(phone varchar, born date)"),
        ("tags", "array(varchar)"),
        ("contacts", "array(row(kind varchar, number varchar))"),
        ("attrs", "map(varchar, varchar)"),
        ("doc", "varchar"),
    ]));
    let mut orders = WorldTable::new(columns(&[
        ("id", "bigint"),
        ("customer_id", "bigint"),
        ("total", "double"),
        ("placed", "timestamp(3)"),
        ("day", "varchar"),
    ]));
    orders.partition_keys = 1;
    let view =
        |text: &str, list: &[(&str, &str)]| WorldTable { view: Some(StoredView::new(text)), ..WorldTable::new(columns(list)) };
    world.add_table("main", "shop", "customers", customers);
    world.add_table("main", "shop", "orders", orders.clone());
    world.add_table("main", "web", "hits", WorldTable::new(columns(&[("id", "bigint"), ("path", "varchar")])));
    world.add_table("other", "shop", "orders", orders);
    let mails = view("SELECT id, email AS mail FROM customers", &[("id", "bigint"), ("mail", "varchar")]);
    world.add_table("main", "shop", "mails", mails);
    let domains = view(
        "SELECT split_part(m.mail, '@', 2) AS domain, count(*) AS n FROM mails m GROUP BY 1",
        &[("domain", "varchar"), ("n", "bigint")],
    );
    world.add_table("main", "shop", "domains", domains);
    world.add_table("main", "shop", "left_half", view("SELECT id FROM right_half", &[("id", "bigint")]));
    world.add_table("main", "shop", "right_half", view("SELECT id FROM left_half", &[("id", "bigint")]));
    world.add_table("main", "shop", "selfish", view("SELECT id FROM selfish", &[("id", "bigint")]));
    world.add_table("main", "shop", "stale", view("SELECT id, email FROM customers", &[("id", "bigint")]));
    world.add_table("main", "shop", "broken", view("SELECT nothing FROM customers", &[("nothing", "bigint")]));
    world
}

fn judged(world: &World, sql: &str) -> Result<Analysis, String> {
    let parsed = parse(sql).map_err(|error| format!("SYNTAX_ERROR {}", error.reason))?;
    let session = Session { catalog: "main".to_owned(), schema: Some("shop".to_owned()), parameters: Vec::new() };
    analyse(&parsed.statement, world, &session).map_err(|error| {
        let place = error.span.map(|span| parsed.tokens.location(span));
        match place {
            Some(place) => format!("{} {}:{}", error.code, place.line, place.column),
            None => error.code.to_owned(),
        }
    })
}

fn column(analysis: &Analysis, id: ColumnId) -> String {
    let column = &analysis.columns[id.0 as usize];
    format!("{}.{}", analysis.tables[column.table.0 as usize].name, column.path.join("."))
}

/// Output, reads and influences in one line: `name <- sources, … | table(columns) … | REASON columns …`. A count is `#column`.
fn line(analysis: &Analysis) -> String {
    let marked = |counted: bool, id: ColumnId| format!("{}{}", if counted { "#" } else { "" }, column(analysis, id));
    let output: Vec<String> = analysis
        .output
        .iter()
        .map(|output| {
            let sources: Vec<String> = output.sources.iter().map(|source| marked(source.counted, source.column)).collect();
            let name = output.name.as_deref().unwrap_or("?");
            if sources.is_empty() { name.to_owned() } else { format!("{name} <- {}", sources.join(" ")) }
        })
        .collect();
    let mut reads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for table in &analysis.tables {
        reads.entry(table.name.clone()).or_default();
    }
    for used in analysis.columns.iter().filter(|used| used.read) {
        reads.entry(analysis.tables[used.table.0 as usize].name.clone()).or_default().insert(used.path.join("."));
    }
    let reads: Vec<String> = reads
        .into_iter()
        .map(|(table, columns)| format!("{table}({})", columns.into_iter().collect::<Vec<_>>().join(" ")))
        .collect();
    let mut influences: BTreeMap<Reason, BTreeSet<String>> = BTreeMap::new();
    for influence in &analysis.influences {
        influences.entry(influence.reason).or_default().insert(marked(influence.counted, influence.column));
    }
    let influences: Vec<String> = influences
        .into_iter()
        .map(|(reason, columns)| format!("{reason}: {}", columns.into_iter().collect::<Vec<_>>().join(" ")))
        .collect();
    format!("{} | {} | {}", output.join(", "), reads.join(" "), influences.join("; "))
}

/// Checks a table of statements and what is to be said of each; a refusal is its code and place.
fn check(cases: &[(&str, &str)]) {
    let world = shop();
    let mut wrong = Vec::new();
    for (sql, expected) in cases {
        let said = match judged(&world, sql) {
            Ok(analysis) => line(&analysis),
            Err(refused) => refused,
        };
        if said.trim_end_matches(" | ").trim() != *expected {
            wrong.push(format!("(\n{sql:?},\n{:?},\n),", said.trim_end_matches(" | ").trim()));
        }
    }
    assert!(wrong.is_empty(), "said otherwise:\n{}", wrong.join("\n"));
}

#[test]
fn views_are_read_through_to_their_tables() {
    check(&[
        ("SELECT mail FROM mails", "mail <- customers.email | customers(email id) mails(mail)"),
        (
            "SELECT * FROM domains",
            "domain <- customers.email, n | customers(email id) domains(domain n) mails(mail) | GROUP BY: customers.email",
        ),
        (
            "SELECT d.n FROM domains d WHERE d.domain = 'x.example'",
            "n | customers(email id) domains(domain n) mails(mail) | WHERE: customers.email; GROUP BY: customers.email",
        ),
        ("SELECT count(*) FROM mails", "? | customers(email id) mails()"),
        (
            "WITH customers AS (SELECT 1 AS id, 'a' AS email) SELECT mail FROM mails, customers",
            "mail <- customers.email | customers(email id) mails(mail)",
        ),
        (
            "SELECT m.mail, c.city FROM mails m JOIN customers c USING (id)",
            "mail <- customers.email, city <- customers.city | customers(city email id) mails(id mail) | a join: customers.id",
        ),
        ("SELECT id FROM left_half", "INVALID_VIEW 1:16"),
        ("SELECT id FROM selfish", "INVALID_VIEW 1:16"),
        ("SELECT id FROM stale", "VIEW_IS_STALE 1:16"),
        ("SELECT nothing FROM broken", "INVALID_VIEW 1:21"),
        ("TABLE mails", "id <- customers.id, mail <- customers.email | customers(email id) mails(id mail)"),
        ("SELECT \"$path\" FROM mails", "COLUMN_NOT_FOUND 1:8"),
    ]);
}

#[test]
fn hidden_columns_are_columns() {
    check(&[
        ("SELECT \"$path\", id FROM orders", "$path <- orders.$path, id <- orders.id | orders($path id)"),
        (
            "SELECT o.\"$file_size\" FROM orders o WHERE o.\"$PATH\" LIKE '%x'",
            "$file_size <- orders.$file_size | orders($file_size $path) | WHERE: orders.$path",
        ),
        (
            "SELECT * FROM orders",
            "id <- orders.id, customer_id <- orders.customer_id, total <- orders.total, placed <- orders.placed, day <- orders.day | orders(customer_id day id placed total)",
        ),
        ("SELECT \"$partition\" FROM (SELECT * FROM orders)", "COLUMN_NOT_FOUND 1:8"),
        ("SELECT p FROM orders AS o(a, b, c, d, p)", "p <- orders.day | orders(day)"),
        ("SELECT \"$path\" FROM orders AS o(a, b, c, d, p)", "COLUMN_NOT_FOUND 1:8"),
        ("SELECT * FROM \"orders$partitions\"", "day <- orders$partitions.day | orders$partitions(day)"),
        ("SELECT day FROM \"orders$partitions\"", "day <- orders$partitions.day | orders$partitions(day)"),
        ("SELECT lower_bounds FROM \"orders$files\"", "lower_bounds <- orders$files.lower_bounds | orders$files(lower_bounds)"),
        ("SELECT * FROM \"customers$nothing\"", "TABLE_NOT_FOUND 1:15"),
    ]);
}

#[test]
fn system_tables_are_tables() {
    check(&[
        (
            "SELECT table_name FROM information_schema.columns WHERE column_name = 'email'",
            "table_name <- columns.table_name | columns(column_name table_name) | WHERE: columns.column_name",
        ),
        ("SELECT count(*) FROM other.information_schema.tables", "? | tables()"),
        ("SELECT * FROM information_schema.nothing", "TABLE_NOT_FOUND 1:15"),
        ("SELECT * FROM nowhere.orders", "SCHEMA_NOT_FOUND 1:15"),
        ("SELECT * FROM nowhere.shop.orders", "CATALOG_NOT_FOUND 1:15"),
        ("SELECT * FROM a.b.c.d", "SYNTAX_ERROR"),
        (
            "SELECT o.total, p.total FROM orders o JOIN other.shop.orders p ON o.id = p.id",
            "total <- orders.total, total <- orders.total | orders(id total) | a join: orders.id",
        ),
    ]);
}

#[test]
fn table_functions_take_whole_tables() {
    check(&[
        ("SELECT * FROM TABLE(sequence(1, 3))", "sequential_number"),
        (
            "SELECT * FROM TABLE(exclude_columns(input => TABLE(customers), columns => DESCRIPTOR(email, doc, contacts, attrs, tags)))",
            "id <- customers.id, city <- customers.city, profile <- customers.profile | customers(city id profile)",
        ),
        (
            "SELECT * FROM TABLE(exclude_columns(TABLE(SELECT id, email FROM customers WHERE city = 'x'), DESCRIPTOR(email)))",
            "id <- customers.id | customers(city email id) | WHERE: customers.city",
        ),
        ("SELECT * FROM TABLE(nothing(TABLE(customers)))", "FUNCTION_NOT_FOUND 1:21"),
        ("SELECT * FROM TABLE(other.system.query(query => 'SELECT 1'))", "FUNCTION_NOT_FOUND 1:21"),
    ]);
}

#[test]
fn fields_of_rows_are_apart() {
    check(&[
        ("SELECT profile.born FROM customers", "born <- customers.profile.born | customers(profile.born)"),
        ("SELECT c.profile.phone AS p FROM customers c", "p <- customers.profile.phone | customers(profile.phone)"),
        ("SELECT customers.profile.phone FROM customers", "phone <- customers.profile.phone | customers(profile.phone)"),
        (
            "SELECT shop.customers.profile.phone FROM shop.customers",
            "phone <- customers.profile.phone | customers(profile.phone)",
        ),
        ("SELECT profile FROM customers", "profile <- customers.profile | customers(profile)"),
        ("SELECT profile.* FROM customers", "TABLE_NOT_FOUND 1:8"),
        ("SELECT p.born FROM (SELECT profile AS p FROM customers)", "born <- customers.profile.born | customers(profile)"),
        ("SELECT (profile).phone FROM customers", "phone <- customers.profile.phone | customers(profile.phone)"),
        ("SELECT profile[1] FROM customers", "? <- customers.profile.phone | customers(profile.phone)"),
        ("SELECT contacts[1].number FROM customers", "? <- customers.contacts.number | customers(contacts.number)"),
        ("SELECT element_at(contacts, 1).kind FROM customers", "? <- customers.contacts.kind | customers(contacts.kind)"),
        (
            "SELECT number FROM customers, UNNEST(contacts)",
            "number <- customers.contacts.number | customers(contacts.number) | a table function: #customers.contacts",
        ),
        (
            "SELECT k FROM customers CROSS JOIN UNNEST(contacts) AS t(k, n)",
            "k <- customers.contacts.kind | customers(contacts.kind) | a table function: #customers.contacts",
        ),
        (
            "SELECT x.kind FROM customers CROSS JOIN UNNEST(ARRAY[profile]) AS u(phone, born), (VALUES ROW(CAST(ROW('a') AS ROW(kind varchar)))) AS v(x)",
            "kind | customers(profile) | a table function: customers.profile",
        ),
        ("SELECT ROW(id, email)[2] FROM customers", "? <- customers.email | customers(email id)"),
        ("SELECT CAST(ROW(id, email) AS ROW(a bigint, b varchar)).a FROM customers", "? <- customers.id | customers(email id)"),
        (
            "SELECT r.b FROM (SELECT CAST(ROW(id, email) AS ROW(a bigint, b varchar)) AS r FROM customers)",
            "b <- customers.email | customers(email id)",
        ),
        ("SELECT profile.street FROM customers", "INVALID_COLUMN_REFERENCE 1:8"),
        ("SELECT coalesce(profile, NULL).phone FROM customers", "? <- customers.profile | customers(profile)"),
        (
            "SELECT id FROM customers WHERE profile.phone = '1'",
            "id <- customers.id | customers(id profile.phone) | WHERE: customers.profile.phone",
        ),
        ("SELECT attrs['k'] FROM customers", "? <- customers.attrs | customers(attrs)"),
        (
            "SELECT k FROM customers CROSS JOIN UNNEST(attrs) AS t(k, v)",
            "k <- customers.attrs | customers(attrs) | a table function: #customers.attrs",
        ),
    ]);
}

#[test]
fn unnest_multiplies_rows() {
    check(&[
        (
            "SELECT n FROM customers CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(tag, n)",
            "n | customers(tags) | a table function: #customers.tags",
        ),
        (
            "SELECT t.tag FROM customers LEFT JOIN UNNEST(tags) AS t(tag) ON TRUE",
            "tag <- customers.tags | customers(tags) | a table function: #customers.tags",
        ),
        (
            "SELECT id FROM customers CROSS JOIN UNNEST(split(email, '@')) AS t(part)",
            "id <- customers.id | customers(email id) | a table function: customers.email",
        ),
        (
            "SELECT a, b FROM customers CROSS JOIN UNNEST(ARRAY[id], ARRAY[email]) AS t(a, b)",
            "a <- customers.id, b <- customers.email | customers(email id) | a table function: customers.email customers.id",
        ),
        ("SELECT x FROM UNNEST(ARRAY[1, 2]) AS t(x)", "x"),
        ("SELECT x FROM customers CROSS JOIN UNNEST(email) AS t(x)", "INVALID_FUNCTION_ARGUMENT"),
        ("SELECT x FROM customers JOIN UNNEST(tags) AS t(x) ON x = city", "NOT_SUPPORTED 1:56"),
    ]);
}

#[test]
fn patterns_flow_by_their_measures() {
    check(&[
        (
            "SELECT * FROM orders MATCH_RECOGNIZE (PARTITION BY customer_id ORDER BY placed MEASURES A.total AS first_total, count(*) AS n ONE ROW PER MATCH PATTERN (A B+) DEFINE B AS B.total > PREV(B.total)) AS m",
            "customer_id <- orders.customer_id, first_total <- orders.total, n | orders(customer_id placed total) | MATCH_RECOGNIZE: orders.customer_id orders.placed orders.total",
        ),
        (
            "SELECT m.day FROM orders MATCH_RECOGNIZE (ORDER BY placed MEASURES CLASSIFIER() AS label ALL ROWS PER MATCH PATTERN (A+) DEFINE A AS A.total > 1) AS m",
            "day <- orders.day | orders(day placed total) | MATCH_RECOGNIZE: orders.placed orders.total",
        ),
        (
            "SELECT label FROM orders MATCH_RECOGNIZE (ORDER BY placed MEASURES MATCH_NUMBER() AS label PATTERN (A+ B?) DEFINE A AS A.customer_id = 1) AS m",
            "label | orders(customer_id placed) | MATCH_RECOGNIZE: orders.customer_id orders.placed",
        ),
        ("SELECT * FROM orders MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS C.total > 1) AS m", "COLUMN_NOT_FOUND 1:63"),
    ]);
}

#[test]
fn json_functions_are_seen_into() {
    check(&[
        (
            "SELECT json_value(doc, 'lax $.a' RETURNING varchar DEFAULT city ON EMPTY) FROM customers",
            "? <- customers.city customers.doc | customers(city doc)",
        ),
        ("SELECT json_query(doc, 'lax $.*' WITH WRAPPER) AS q FROM customers", "q <- customers.doc | customers(doc)"),
        (
            "SELECT json_exists(doc, 'lax $.a ? (@ > $x)' PASSING id AS x) FROM customers",
            "? <- customers.id customers.doc | customers(doc id)",
        ),
        (
            "SELECT json_object('k' : email, KEY 'c' VALUE city ABSENT ON NULL) FROM customers",
            "? <- customers.email customers.city | customers(city email)",
        ),
        ("SELECT json_array(email, id NULL ON NULL) FROM customers", "? <- customers.id customers.email | customers(email id)"),
        (
            "SELECT j.a, j.n FROM customers CROSS JOIN JSON_TABLE(doc, 'lax $[*]' COLUMNS (a varchar PATH 'lax $.a', n FOR ORDINALITY)) AS j",
            "a <- customers.doc, n | customers(doc) | a table function: customers.doc",
        ),
        ("SELECT json_extract_scalar(doc, '$.a') FROM customers", "? <- customers.doc | customers(doc)"),
        ("SELECT json_value(nothing, 'lax $.a') FROM customers", "COLUMN_NOT_FOUND 1:19"),
    ]);
}

#[test]
fn lambdas_have_arguments_of_their_own() {
    check(&[
        ("SELECT transform(tags, email -> email || 'x') FROM customers", "? <- customers.tags | customers(tags)"),
        ("SELECT transform(tags, t -> t || email) FROM customers", "? <- customers.email customers.tags | customers(email tags)"),
        ("SELECT filter(tags, city -> length(city) > 1) FROM customers", "? <- customers.tags | customers(tags)"),
        ("SELECT reduce(tags, '', (s, t) -> s || t, s -> s) FROM customers", "? <- customers.tags | customers(tags)"),
        (
            "SELECT any_match(contacts, c -> c.number = '1') FROM customers",
            "? <- customers.contacts.number | customers(contacts.number)",
        ),
        ("SELECT transform(contacts, c -> c.kind) FROM customers", "? <- customers.contacts.kind | customers(contacts.kind)"),
        (
            "SELECT transform_values(attrs, (k, v) -> k || city) FROM customers",
            "? <- customers.city customers.attrs | customers(attrs city)",
        ),
        ("SELECT transform(tags, t -> transform(tags, t -> u)) FROM customers", "COLUMN_NOT_FOUND 1:50"),
        ("SELECT transform(tags, t -> (SELECT max(id) FROM orders)) FROM customers", "NOT_SUPPORTED 1:29"),
        ("SELECT transform(tags, (a, b) -> a) FROM customers", "INVALID_PARAMETER_USAGE 1:24"),
    ]);
}

#[test]
fn group_by_sees_the_input_and_order_by_the_output() {
    check(&[
        (
            "SELECT city AS email, count(*) AS n FROM customers GROUP BY city ORDER BY n",
            "email <- customers.city, n | customers(city) | GROUP BY: customers.city",
        ),
        ("SELECT city AS c FROM customers GROUP BY c", "COLUMN_NOT_FOUND 1:42"),
        ("SELECT city AS c FROM customers ORDER BY c", "c <- customers.city | customers(city) | ORDER BY: customers.city"),
        ("SELECT city AS id FROM customers ORDER BY id", "id <- customers.city | customers(city) | ORDER BY: customers.city"),
        ("SELECT city AS id FROM customers ORDER BY id + 1", "TYPE_MISMATCH 1:46"),
        (
            "SELECT city AS id FROM customers ORDER BY customers.id",
            "id <- customers.city | customers(city id) | ORDER BY: customers.id",
        ),
        (
            "SELECT city FROM customers ORDER BY email",
            "city <- customers.city | customers(city email) | ORDER BY: customers.email",
        ),
        ("SELECT city FROM customers ORDER BY 2", "INVALID_COLUMN_REFERENCE 1:37"),
        (
            "SELECT upper(city), count(email) FROM customers GROUP BY 1 ORDER BY 2 DESC",
            "? <- customers.city, ? <- #customers.email | customers(city email) | GROUP BY: customers.city; ORDER BY: #customers.email",
        ),
        (
            "SELECT city FROM customers GROUP BY city HAVING count(DISTINCT email) > 1",
            "city <- customers.city | customers(city email) | GROUP BY: customers.city; HAVING: #customers.email",
        ),
        ("SELECT city, email FROM customers GROUP BY city", "EXPRESSION_NOT_AGGREGATE 1:14"),
        ("SELECT city FROM customers WHERE count(*) > 1", "EXPRESSION_NOT_SCALAR 1:43"),
        ("SELECT city AS c FROM customers WHERE c = 'x'", "COLUMN_NOT_FOUND 1:39"),
        (
            "SELECT city, max(id) FROM customers GROUP BY ROLLUP (city)",
            "city <- customers.city, ? <- customers.id | customers(city id) | GROUP BY: customers.city",
        ),
        (
            "SELECT DISTINCT city FROM customers ORDER BY city",
            "city <- customers.city | customers(city) | ORDER BY: customers.city; DISTINCT: customers.city",
        ),
        ("SELECT DISTINCT city FROM customers ORDER BY email", "EXPRESSION_NOT_IN_DISTINCT 1:1"),
        ("SELECT count(*) FROM (SELECT DISTINCT email FROM customers)", "? | customers(email) | DISTINCT: customers.email"),
        (
            "SELECT DISTINCT email, city FROM customers",
            "email <- customers.email, city <- customers.city | customers(city email) | DISTINCT: customers.city customers.email",
        ),
        (
            "SELECT max_by(city, id), array_agg(city ORDER BY email), count(*) FILTER (WHERE email LIKE 'a%') FROM customers",
            "? <- customers.id customers.city, ? <- customers.city, ? | customers(city email id) | ORDER BY: customers.email; FILTER: customers.email",
        ),
        (
            "SELECT sum(total) OVER (PARTITION BY customer_id ORDER BY placed ROWS 2 PRECEDING) FROM orders",
            "? <- orders.total | orders(customer_id placed total) | a window: orders.customer_id orders.placed",
        ),
        (
            "SELECT rank() OVER w FROM orders WINDOW w AS (PARTITION BY day ORDER BY total)",
            "? | orders(day total) | a window: orders.day orders.total",
        ),
        (
            "SELECT CASE WHEN email LIKE 'a%' THEN 1 ELSE id END FROM customers",
            "? <- customers.id customers.email | customers(email id)",
        ),
    ]);
}

#[test]
fn with_queries_shadow_and_are_taken_by_name() {
    check(&[
        (
            "WITH customers AS (SELECT email AS e FROM customers) SELECT e FROM customers",
            "e <- customers.email | customers(email)",
        ),
        (
            "WITH a(x, y) AS (SELECT id, email FROM customers), b AS (SELECT y AS z FROM a) SELECT z FROM b",
            "z <- customers.email | customers(email id)",
        ),
        ("WITH a AS (SELECT email FROM customers) SELECT 1", "? | customers(email)"),
        ("WITH a AS (SELECT 1 AS x), a AS (SELECT 2 AS x) SELECT * FROM a", "DUPLICATE_NAMED_QUERY 1:28"),
        (
            "WITH a AS (SELECT email FROM customers) SELECT * FROM (WITH a AS (SELECT city AS email FROM customers) SELECT email FROM a)",
            "email <- customers.city | customers(city email)",
        ),
        ("WITH a(x) AS (SELECT id, email FROM customers) SELECT x FROM a", "MISMATCHED_COLUMN_ALIASES 1:8"),
        (
            "WITH RECURSIVE up(id, boss) AS (SELECT id, email FROM customers UNION ALL SELECT up.id + 1, city FROM up JOIN customers c ON up.id = c.id) SELECT boss FROM up",
            "boss <- customers.email customers.city | customers(city email id) | a join: customers.id",
        ),
        ("WITH a AS (SELECT * FROM b), b AS (SELECT id FROM orders) SELECT * FROM a", "TABLE_NOT_FOUND 1:26"),
    ]);
}

#[test]
fn set_operations_go_by_position() {
    check(&[
        (
            "SELECT id, city FROM customers UNION ALL SELECT customer_id, day FROM orders",
            "id <- customers.id orders.customer_id, city <- customers.city orders.day | customers(city id) orders(customer_id day)",
        ),
        (
            "SELECT count(*) FROM (SELECT city FROM customers UNION SELECT day FROM orders)",
            "? | customers(city) orders(day) | DISTINCT: customers.city orders.day",
        ),
        (
            "SELECT city FROM customers INTERSECT SELECT day FROM orders",
            "city <- customers.city orders.day | customers(city) orders(day) | a set operation: customers.city orders.day",
        ),
        (
            "SELECT city FROM customers EXCEPT SELECT day FROM orders",
            "city <- customers.city | customers(city) orders(day) | a set operation: customers.city orders.day",
        ),
        ("SELECT city FROM customers UNION ALL SELECT id FROM orders", "TYPE_MISMATCH 1:28"),
        ("SELECT id, city FROM customers UNION ALL SELECT id FROM orders", "TYPE_MISMATCH 1:32"),
        ("SELECT city AS a FROM customers UNION ALL SELECT day AS b FROM orders ORDER BY b", "COLUMN_NOT_FOUND 1:80"),
        ("VALUES (1, 'a'), (2, 'b')", "?, ?"),
        ("SELECT x FROM (VALUES (1, 'a'), (2, 'b')) AS t(x, y) UNION ALL (TABLE web.hits)", "TYPE_MISMATCH 1:54"),
    ]);
}

#[test]
fn joins_compare_by_influence() {
    check(&[
        (
            "SELECT c.city FROM customers c JOIN orders o ON c.id = o.customer_id",
            "city <- customers.city | customers(city id) orders(customer_id) | a join: customers.id orders.customer_id",
        ),
        (
            "SELECT * FROM mails JOIN web.hits USING (id)",
            "id <- customers.id hits.id, mail <- customers.email, path <- hits.path | customers(email id) hits(id path) mails(id mail) | a join: customers.id hits.id",
        ),
        (
            "SELECT id FROM customers JOIN orders USING (id)",
            "id <- customers.id orders.id | customers(id) orders(id) | a join: customers.id orders.id",
        ),
        ("SELECT customers.id FROM customers JOIN orders USING (id)", "COLUMN_NOT_FOUND 1:8"),
        ("SELECT id FROM customers, orders", "AMBIGUOUS_NAME 1:8"),
        ("SELECT city FROM customers NATURAL JOIN orders", "NOT_SUPPORTED 1:18"),
        (
            "SELECT l.v FROM customers c CROSS JOIN LATERAL (SELECT c.email AS v WHERE c.city = 'x') AS l",
            "v <- customers.email | customers(city email) | WHERE: customers.city",
        ),
        ("SELECT * FROM customers c, (SELECT c.id) AS l", "COLUMN_NOT_FOUND 1:36"),
        (
            "SELECT c.* FROM customers AS c(a, b, c, d, e, f, g, h)",
            "a <- customers.id, b <- customers.email, c <- customers.city, d <- customers.profile, e <- customers.tags, f <- customers.contacts, g <- customers.attrs, h <- customers.doc | customers(attrs city contacts doc email id profile tags)",
        ),
        ("SELECT a FROM customers AS c(a, b)", "MISMATCHED_COLUMN_ALIASES 1:15"),
        (
            "SELECT o.id FROM orders o FULL JOIN orders p ON o.id = p.id AND p.day = '1'",
            "id <- orders.id | orders(day id) | a join: orders.day orders.id",
        ),
    ]);
}

#[test]
fn subqueries_see_outwards() {
    check(&[
        (
            "SELECT city FROM customers c WHERE EXISTS (SELECT * FROM orders o WHERE o.customer_id = c.id)",
            "city <- customers.city | customers(city id) orders(customer_id day id placed total) | WHERE: customers.id orders.customer_id",
        ),
        (
            "SELECT city FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 1)",
            "city <- customers.city | customers(city id) orders(customer_id total) | WHERE: customers.id orders.customer_id orders.total",
        ),
        (
            "SELECT (SELECT max(total) FROM orders o WHERE o.customer_id = c.id) AS best FROM customers c",
            "best <- orders.total | customers(id) orders(customer_id total) | WHERE: customers.id orders.customer_id",
        ),
        (
            "SELECT city FROM customers WHERE id > ALL (SELECT customer_id FROM orders)",
            "city <- customers.city | customers(city id) orders(customer_id) | WHERE: customers.id orders.customer_id",
        ),
        ("SELECT city, (SELECT email) FROM customers", "city <- customers.city, ? <- customers.email | customers(city email)"),
        ("SELECT city FROM customers WHERE id = (SELECT id, total FROM orders)", "TYPE_MISMATCH 1:37"),
        ("SELECT city FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE customer_idd = id)", "COLUMN_NOT_FOUND 1:69"),
    ]);
}

#[test]
fn case_does_not_matter_and_quotes_do_not_either() {
    check(&[
        ("SELECT \"EMAIL\" FROM \"Customers\"", "EMAIL <- customers.email | customers(email)"),
        ("SELECT Email AS \"Mixed\" FROM SHOP.CUSTOMERS", "Mixed <- customers.email | customers(email)"),
        ("SELECT \"Mixed\" FROM (SELECT email AS mixed FROM customers)", "Mixed <- customers.email | customers(email)"),
        ("SELECT \"c\".email FROM customers C", "email <- customers.email | customers(email)"),
        ("SELECT U&\"\\0065mail\" FROM customers", "SYNTAX_ERROR mismatched input '&'. Expecting: <EOF>"),
    ]);
}
