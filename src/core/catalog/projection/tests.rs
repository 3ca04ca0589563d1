use super::*;
use crate::core::book::Setting;

const NOW: &str = "2026-11-20T08:15:30Z";

fn read(keys: &[(&str, &str)], properties: &[(&str, &str)]) -> Result<Option<Projection>, ProjectionError> {
    let keys: Vec<Column> = keys
        .iter()
        .map(|(name, kind)| Column { name: (*name).to_owned(), column_type: (*kind).to_owned(), tags: Setting::default() })
        .collect();
    let mut all: BTreeMap<String, String> =
        properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    all.entry("projection.enabled".to_owned()).or_insert_with(|| "true".to_owned());
    Projection::read(&all, &keys, "s3://lake/t")
}

fn at(keys: &[(&str, &str)], properties: &[(&str, &str)]) -> Projected {
    read(keys, properties).unwrap().unwrap().at(NOW.parse().unwrap()).unwrap()
}

/// The values of the one key `k`.
fn values(kind: &str, properties: &[(&str, &str)]) -> Vec<String> {
    let properties: Vec<(String, &str)> =
        properties.iter().map(|(name, value)| (format!("projection.k.{name}"), *value)).collect();
    let properties: Vec<(&str, &str)> = properties.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let partitions = at(&[("k", kind)], &properties).partitions(1_000).unwrap();
    partitions.into_iter().map(|partition| partition.values[0].clone().unwrap()).collect()
}

#[test]
fn only_what_is_enabled_is_projected() {
    let day = ("projection.day.type", "injected");
    for enabled in ["false", "", "1"] {
        assert_eq!(read(&[("day", "varchar")], &[("projection.enabled", enabled), day]), Ok(None), "{enabled}");
    }
    assert!(read(&[("day", "varchar")], &[("projection.enabled", " TRUE "), day]).unwrap().is_some());
    assert_eq!(read(&[], &[]), Ok(None));
}

#[test]
fn enums_keep_their_white_space() {
    assert_eq!(values("varchar", &[("type", " Enum "), ("values", "eu, us,Unknown")]), ["eu", " us", "Unknown"]);
}

#[test]
fn integers() {
    for (range, more, want) in [
        ("1,3", vec![], vec!["1", "2", "3"]),
        (" -1 , 1 ", vec![], vec!["-1", "0", "1"]),
        ("0,23", vec![("interval", "8"), ("digits", "2")], vec!["00", "08", "16"]),
        ("008,010", vec![("digits", "3")], vec!["008", "009", "010"]),
        ("9,10", vec![("digits", "1")], vec!["9", "10"]),
        ("5,5", vec![], vec!["5"]),
        ("1,3", vec![("interval", "2")], vec!["1", "3"]),
        ("9223372036854775806,9223372036854775807", vec![], vec!["9223372036854775806", "9223372036854775807"]),
    ] {
        let properties: Vec<(&str, &str)> = [("type", "integer"), ("range", range)].into_iter().chain(more).collect();
        assert_eq!(values("integer", &properties), want, "{range}");
    }
}

#[test]
fn dates() {
    let cases: Vec<(&str, &str, Vec<(&str, &str)>, Vec<&str>)> = vec![
        ("2026/02/27,2026/03/01", "yyyy/MM/dd", vec![], vec!["2026/02/27", "2026/02/28", "2026/03/01"]),
        ("NOW-2DAYS,NOW", "yyyy/MM/dd", vec![], vec!["2026/11/18", "2026/11/19", "2026/11/20"]),
        ("NOW - 1 DAY , NOW + 1 DAYS", "yyyy-MM-dd", vec![], vec!["2026-11-19", "2026-11-20", "2026-11-21"]),
        ("201811,NOW-94MONTHS", "yyyyMM", vec![], vec!["201811", "201812", "201901"]),
        ("NOW-1YEARS,NOW", "yyyy", vec![("interval", "1"), ("interval.unit", "YEARS")], vec!["2025", "2026"]),
        (
            "NOW-2HOURS,NOW",
            "yyyy/MM/dd/HH",
            vec![("interval", "1"), ("interval.unit", "hours")],
            vec!["2026/11/20/06", "2026/11/20/07", "2026/11/20/08"],
        ),
        (
            "2026-11-20 08:00,NOW",
            "yyyy-MM-dd HH:mm",
            vec![("interval", "5"), ("interval.unit", "MINUTES")],
            vec!["2026-11-20 08:00", "2026-11-20 08:05", "2026-11-20 08:10", "2026-11-20 08:15"],
        ),
        (
            "2026-11-01,2026-11-20",
            "yyyy-MM-dd",
            vec![("interval", "1"), ("interval.unit", "WEEKS")],
            vec!["2026-11-01", "2026-11-08", "2026-11-15"],
        ),
        ("01-01-2026,03-01-2026", "dd-MM-yyyy", vec![("interval", "2")], vec!["01-01-2026", "03-01-2026"]),
        ("2026-Jan-9,2026-Jan-10", "yyyy-MMM-d", vec![], vec!["2026-Jan-9", "2026-Jan-10"]),
        ("26365,27001", "yyDDD", vec![], vec!["26365", "27001"]),
        (
            "year=2026,year=2027",
            "'year='yyyy",
            vec![("interval", "1"), ("interval.unit", "YEARS")],
            vec!["year=2026", "year=2027"],
        ),
        (
            "NOW-2SECONDS,NOW",
            "yyyyMMddHHmmss",
            vec![("interval", "1"), ("interval.unit", "SECONDS")],
            vec!["20261120081528", "20261120081529", "20261120081530"],
        ),
    ];
    for (range, format, more, want) in cases {
        let properties: Vec<(&str, &str)> =
            [("type", "date"), ("range", range), ("format", format)].into_iter().chain(more).collect();
        assert_eq!(values("varchar", &properties), want, "{range} {format}");
    }
}

#[test]
fn a_range_that_has_not_begun_is_empty() {
    let properties = [("type", "date"), ("range", "2027-01-01,NOW"), ("format", "yyyy-MM-dd")];
    assert_eq!(values("varchar", &properties), Vec::<String>::new());
}

#[test]
fn keys_of_type_date_have_their_own_values() {
    let projected = at(
        &[("k", "date")],
        &[
            ("projection.k.type", "date"),
            ("projection.k.range", "2026/11/19,NOW"),
            ("projection.k.format", "yyyy/MM/dd"),
            ("storage.location.template", "s3://lake/logs/${k}"),
        ],
    );
    let partitions = projected.partitions(10).unwrap();
    assert_eq!(partitions[0].values, [Some("2026-11-19".to_owned())]);
    assert_eq!(partitions[0].location.as_deref(), Some("s3://lake/logs/2026/11/19/"));
    let found = projected.partition_of("s3://lake/logs/2026/11/20/x.gz").unwrap();
    assert_eq!(found, (vec!["2026-11-20".to_owned()], "s3://lake/logs/2026/11/20/".to_owned()));
}

#[test]
fn wrong_properties_are_named() {
    let one = |properties: &[(&str, &str)]| {
        let error = read(&[("k", "varchar")], properties).unwrap_err();
        error.to_string()
    };
    let date = |range: &'static str, format: &'static str| {
        [("projection.k.type", "date"), ("projection.k.range", range), ("projection.k.format", format)]
    };
    for (properties, words) in [
        (vec![], "`projection.k.type` is missing"),
        (vec![("projection.k.type", "list")], "`projection.k.type` is `list`"),
        (vec![("projection.k.type", "enum")], "`projection.k.values` is missing"),
        (vec![("projection.k.type", "integer"), ("projection.k.range", "1-3")], "`projection.k.range` is `1-3`"),
        (vec![("projection.k.type", "integer"), ("projection.k.range", "3,1")], "the smaller first"),
        (vec![("projection.k.type", "integer"), ("projection.k.range", "1,2"), ("projection.k.interval", "0")], "above zero"),
        (date("2026-01-01", "yyyy-MM-dd").to_vec(), "a comma between"),
        (date("2026/01/01,NOW", "yyyy-MM-dd").to_vec(), "in the key's format"),
        (date("NOW-3FORTNIGHTS,NOW", "yyyy-MM-dd").to_vec(), "in the key's format"),
        (date("2026-02-30,NOW", "yyyy-MM-dd").to_vec(), "in the key's format"),
        (date("2026-02-02,2026-02-01", "yyyy-MM-dd").to_vec(), "begins after its end"),
        (date("2026-W01,NOW", "YYYY-'W'ww").to_vec(), "projection.k.format"),
        (date("2026-01-01-00,NOW", "yyyy-MM-dd-HH").to_vec(), "`projection.k.interval.unit` is missing"),
        (vec![("projection.k.type", "injected"), ("storage.location.template", "s3://lake/${other}/")], "no partition key"),
        (vec![("projection.k.type", "injected"), ("storage.location.template", "s3://lake/")], "`${k}` is not in it"),
        (vec![("projection.k.type", "injected"), ("storage.location.template", "/lake/${k}")], "begin with s3://"),
        (vec![("projection.k.type", "injected"), ("storage.location.template", "s3://lake/${k")], "not closed"),
    ] {
        assert!(one(&properties).contains(words), "{properties:?}: {}", one(&properties));
    }
    let many = read(&[("k", "bigint")], &[("projection.k.type", "integer"), ("projection.k.range", "0,9223372036854775807")]);
    assert!(matches!(many.unwrap().unwrap().at(Timestamp(0)), Err(ProjectionError::TooMany { .. })));
    let seconds = [("projection.k.interval", "1"), ("projection.k.interval.unit", "SECONDS")];
    let many = read(&[("k", "varchar")], &[&date("2020,NOW", "yyyy")[..], &seconds].concat());
    assert!(matches!(many.unwrap().unwrap().at(NOW.parse().unwrap()), Err(ProjectionError::TooMany { .. })));
}

const TWO: [(&str, &str); 2] = [("day", "varchar"), ("hour", "integer")];
const DAY_AND_HOUR: [(&str, &str); 6] = [
    ("projection.day.type", "date"),
    ("projection.day.range", "NOW-1DAYS,NOW"),
    ("projection.day.format", "yyyy/MM/dd"),
    ("projection.hour.type", "integer"),
    ("projection.hour.range", "0,23"),
    ("projection.hour.digits", "2"),
];

#[test]
fn partitions_are_the_product_of_the_keys() {
    let template = [("storage.location.template", "s3://logs/AWSLogs/${day}/${hour}/")];
    let projected = at(&TWO, &[&DAY_AND_HOUR[..], &template].concat());
    assert_eq!(projected.count(), Some(48));
    assert_eq!(projected.partitions(47), None);
    let all = projected.partitions(48).unwrap();
    assert_eq!(all[25].values, [Some("2026/11/20".to_owned()), Some("01".to_owned())]);
    assert_eq!(all[25].location.as_deref(), Some("s3://logs/AWSLogs/2026/11/20/01/"));
    assert_eq!(projected.root(), "s3://logs/AWSLogs/");
    for (object, found) in [
        ("s3://logs/AWSLogs/2026/11/20/01/a.gz", Some("s3://logs/AWSLogs/2026/11/20/01/")),
        ("s3://logs/AWSLogs/2026/11/20/01/deep/a.gz", Some("s3://logs/AWSLogs/2026/11/20/01/")),
        ("s3://logs/AWSLogs/2026/11/20/24/a.gz", None),
        ("s3://logs/AWSLogs/2026/11/20/1/a.gz", None),
        ("s3://logs/AWSLogs/2026/11/17/01/a.gz", None),
        ("s3://logs/AWSLogs/2026/11/20/01.gz", None),
        ("s3://logs/other/2026/11/20/01/a.gz", None),
    ] {
        assert_eq!(projected.partition_of(object).map(|(_, location)| location).as_deref(), found, "{object}");
    }
}

#[test]
fn without_a_template_locations_are_hives() {
    let projected = at(&TWO, &DAY_AND_HOUR);
    let first = projected.partitions(100).unwrap().remove(0);
    assert_eq!(first.location.as_deref(), Some("s3://lake/t/day=2026%2F11%2F19/hour=00/"));
    assert_eq!(projected.root(), "s3://lake/t/");
    let found = projected.partition_of("s3://lake/t/day=2026%2F11%2F20/hour=07/a").unwrap();
    assert_eq!(found.0, ["2026/11/20", "07"]);
    let injected = at(&[("who", "varchar")], &[("projection.who.type", "injected")]);
    assert_eq!(injected.partition_of("s3://lake/t/who=a%2Fb/x").unwrap().0, ["a/b"]);
}

#[test]
fn injected_values_come_from_the_files() {
    let projected = at(
        &[("device", "varchar"), ("region", "varchar")],
        &[
            ("projection.device.type", "injected"),
            ("projection.region.type", "enum"),
            ("projection.region.values", "eu,eu-west"),
            ("storage.location.template", "s3://lake/${region}-${device}/x/"),
        ],
    );
    assert_eq!((projected.count(), projected.partitions(1_000)), (None, None));
    assert_eq!(projected.root(), "s3://lake/");
    let found = |object: &str| projected.partition_of(object).map(|(values, _)| values.join("|"));
    // The longer name is tried first; where it leads nowhere, the shorter one.
    assert_eq!(found("s3://lake/eu-west-7/x/a").as_deref(), Some("7|eu-west"));
    assert_eq!(found("s3://lake/eu-west/x/a").as_deref(), Some("west|eu"));
    assert_eq!(found("s3://lake/us-7/x/a"), None);
    assert_eq!(found("s3://lake/eu-7/y/a"), None);
}
