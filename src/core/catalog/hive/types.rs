//! Hive's type names, as Glue has them, in Trino's words; and how a table's files are written.

use crate::core::catalog::Format;

/// How deep types may nest.
const DEPTH: u32 = 32;

/// Trino's name of a type that Glue calls `hive`: `string` is `varchar`, `struct<a:int>` is `row("a" integer)`. `None` for what
/// Athena cannot read (`uniontype`) or nobody knows. `iceberg` tables have timestamps in microseconds.
pub fn trino_type(hive: &str, iceberg: bool) -> Option<String> {
    let mut reader = Reader { rest: hive.trim(), iceberg, depth: 0 };
    let name = reader.read()?;
    reader.rest.trim().is_empty().then_some(name)
}

struct Reader<'a> {
    rest: &'a str,
    iceberg: bool,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Option<String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        let word = self.word();
        let name = match word.to_ascii_lowercase().as_str() {
            "boolean" => "boolean".to_owned(),
            "tinyint" => "tinyint".to_owned(),
            "smallint" => "smallint".to_owned(),
            "int" | "integer" => "integer".to_owned(),
            "bigint" | "long" => "bigint".to_owned(),
            "float" | "real" => "real".to_owned(),
            "double" => "double".to_owned(),
            "string" => "varchar".to_owned(),
            "binary" => "varbinary".to_owned(),
            "date" => "date".to_owned(),
            "timestamp" => (if self.iceberg { "timestamp(6)" } else { "timestamp(3)" }).to_owned(),
            "timestamptz" => "timestamp(6) with time zone".to_owned(),
            "uuid" if self.iceberg => "uuid".to_owned(),
            "decimal" => match self.arguments()? {
                // Hive's default.
                None => "decimal(10,0)".to_owned(),
                Some(arguments) => format!("decimal({arguments})"),
            },
            kind @ ("varchar" | "char") => match self.arguments()? {
                None => kind.to_owned(),
                Some(length) => format!("{kind}({length})"),
            },
            "array" | "list" => format!("array({})", self.inside(|inner| inner.read())?),
            "map" => self.inside(|inner| {
                let key = inner.read()?;
                inner.sign(',')?;
                Some(format!("map({key}, {})", inner.read()?))
            })?,
            "struct" => format!("row({})", self.inside(Self::fields)?),
            _ => return None,
        };
        self.depth -= 1;
        Some(name)
    }

    fn fields(&mut self) -> Option<String> {
        let mut fields = Vec::new();
        loop {
            let end = self.rest.find(':')?;
            let (name, rest) = self.rest.split_at(end);
            let name = name.trim().trim_matches('`');
            if name.is_empty() || name.contains(['<', '>', ',']) {
                return None;
            }
            self.rest = rest.get(1..)?;
            let kind = self.read()?;
            fields.push(format!("\"{}\" {kind}", name.to_lowercase().replace('"', "\"\"")));
            if self.sign(',').is_none() {
                return Some(fields.join(", "));
            }
        }
    }

    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn sign(&mut self, sign: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(sign)?;
        Some(())
    }

    /// Numbers in parentheses, if there are any.
    #[allow(clippy::option_option, reason = "outer: readable at all; inner: written")]
    fn arguments(&mut self) -> Option<Option<String>> {
        let Some(rest) = self.rest.trim_start().strip_prefix('(') else { return Some(None) };
        let (inside, rest) = rest.split_once(')')?;
        let numbers: Vec<&str> = inside.split(',').map(str::trim).collect();
        self.rest = rest;
        let good = numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
        (good && numbers.len() <= 2).then(|| Some(numbers.join(",")))
    }

    fn inside(&mut self, read: impl FnOnce(&mut Self) -> Option<String>) -> Option<String> {
        self.sign('<')?;
        let inner = read(self)?;
        self.sign('>')?;
        Some(inner)
    }
}

/// How the files are written, by the classes that Glue names and the table's `classification`. `None` where they say nothing known.
pub fn format(input_format: &str, serde: &str, classification: &str) -> Option<Format> {
    let (input, serde) = (input_format.to_ascii_lowercase(), serde.to_ascii_lowercase());
    let says = |word: &str| input.contains(word) || serde.contains(word);
    if says("parquet") {
        Some(Format::Parquet)
    } else if says("orcinputformat") || says("orcserde") {
        Some(Format::Orc)
    } else if serde.contains("json") {
        Some(Format::Json)
    } else if serde.contains("opencsvserde") || serde.contains("lazysimpleserde") && classification.eq_ignore_ascii_case("csv") {
        Some(Format::Csv)
    } else if input.contains("textinputformat") {
        Some(Format::Text)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::sql::types::Type;

    #[test]
    fn every_hive_type_has_a_name_that_trino_reads() {
        for (hive, trino) in [
            ("string", "varchar"),
            ("INT", "integer"),
            ("bigint", "bigint"),
            ("float", "real"),
            ("binary", "varbinary"),
            ("timestamp", "timestamp(3)"),
            ("decimal(12, 2)", "decimal(12,2)"),
            ("decimal", "decimal(10,0)"),
            ("varchar(20)", "varchar(20)"),
            ("char(3)", "char(3)"),
            ("array<string>", "array(varchar)"),
            ("map<string,array<int>>", "map(varchar, array(integer))"),
            ("struct<a:int,b:struct<Order:string>>", "row(\"a\" integer, \"b\" row(\"order\" varchar))"),
            ("array< struct< `x y` : double > >", "array(row(\"x y\" double))"),
        ] {
            let found = trino_type(hive, false).unwrap_or_else(|| panic!("{hive}"));
            assert_eq!(found, trino, "{hive}");
            assert!(Type::parse(&found).is_some(), "{found}");
        }
        assert_eq!(trino_type("timestamp", true).as_deref(), Some("timestamp(6)"));
    }

    #[test]
    fn what_nobody_reads_has_none() {
        let deep = format!("{}int{}", "array<".repeat(60), ">".repeat(60));
        for hive in [
            "",
            "uniontype<int,string>",
            "struct<a int>",
            "array<int",
            "array<int>>",
            "map<int>",
            "decimal(x)",
            "int x",
            deep.as_str(),
        ] {
            assert_eq!(trino_type(hive, false), None, "{hive}");
        }
    }

    #[test]
    fn formats() {
        let lazy = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
        let text = "org.apache.hadoop.mapred.TextInputFormat";
        for (input, serde, class, want) in [
            ("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat", "x", "", Some(Format::Parquet)),
            (
                "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
                "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
                "",
                Some(Format::Orc),
            ),
            (text, "org.openx.data.jsonserde.JsonSerDe", "json", Some(Format::Json)),
            (text, "org.apache.hive.hcatalog.data.JsonSerDe", "", Some(Format::Json)),
            (text, "org.apache.hadoop.hive.serde2.OpenCSVSerde", "", Some(Format::Csv)),
            (text, lazy, "csv", Some(Format::Csv)),
            (text, lazy, "", Some(Format::Text)),
            (text, "org.apache.hadoop.hive.serde2.RegexSerDe", "", Some(Format::Text)),
            ("org.apache.hadoop.mapred.SequenceFileInputFormat", "x", "", None),
            ("com.amazon.emr.cloudtrail.CloudTrailInputFormat", "com.amazon.emr.hive.serde.CloudTrailSerde", "", None),
        ] {
            assert_eq!(format(input, serde, class), want, "{input} {serde}");
        }
    }
}
