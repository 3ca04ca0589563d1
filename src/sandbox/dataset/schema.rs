//! The sandbox's tables: names, columns with Trino's types, tags, where their files lie.
//!
//! `web.alb_logs` has the columns of the table that the Athena guide publishes for Application Load Balancer logs, and two that
//! a company's own job would parse from the URL; `security.cloudtrail_logs` those of its CloudTrail table (without
//! `webidfederationdata`, which nothing here fills).

/// The bucket of the tables' files, as `location` in `catalog.yaml` and session policies name it.
pub const LAKE_BUCKET: &str = "shop-lake";

/// The bucket of query results.
pub const RESULTS_BUCKET: &str = "shop-results";

/// The data catalog's name, as Athena's default one is called.
pub const CATALOG: &str = "AwsDataCatalog";

/// The tag of personal data.
pub const PII: &str = "pii";

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Lower case.
    pub name: &'static str,
    /// Trino's type, for example `row(arn varchar, accountid varchar)`.
    pub trino: &'static str,
    /// Classification tags that the snapshot carries.
    pub tags: &'static [&'static str],
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// The database (Glue) or schema (Trino).
    pub database: &'static str,
    /// The name in it.
    pub name: &'static str,
    /// Columns in the files, in their order.
    pub columns: &'static [Column],
    /// Columns in the path, in its order.
    pub partition_keys: &'static [Column],
}

impl Table {
    /// `web.alb_logs`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }

    /// The key prefix in [`LAKE_BUCKET`], and the folder below the data folder: `web/alb_logs/`.
    pub fn prefix(&self) -> String {
        format!("{}/{}/", self.database, self.name)
    }

    /// `s3://shop-lake/web/alb_logs/`.
    pub fn location(&self) -> String {
        format!("s3://{LAKE_BUCKET}/{}", self.prefix())
    }
}

/// Every table, in the order in which they are listed.
pub const TABLES: [&Table; 4] = [&CLOUDTRAIL_LOGS, &CUSTOMERS, &ORDERS, &ALB_LOGS];

/// Requests at the load balancer.
pub const ALB_LOGS: Table = Table {
    database: "web",
    name: "alb_logs",
    columns: &[
        of("type", "varchar"),
        of("time", "varchar"),
        of("elb", "varchar"),
        of("client_ip", "varchar"),
        of("client_port", "integer"),
        of("target_ip", "varchar"),
        of("target_port", "integer"),
        of("request_processing_time", "double"),
        of("target_processing_time", "double"),
        of("response_processing_time", "double"),
        of("elb_status_code", "integer"),
        of("target_status_code", "varchar"),
        of("received_bytes", "bigint"),
        of("sent_bytes", "bigint"),
        of("request_verb", "varchar"),
        of("request_url", "varchar"),
        of("request_proto", "varchar"),
        of("user_agent", "varchar"),
        of("ssl_cipher", "varchar"),
        of("ssl_protocol", "varchar"),
        of("target_group_arn", "varchar"),
        of("trace_id", "varchar"),
        of("domain_name", "varchar"),
        of("chosen_cert_arn", "varchar"),
        of("matched_rule_priority", "varchar"),
        of("request_creation_time", "varchar"),
        of("actions_executed", "varchar"),
        of("redirect_url", "varchar"),
        of("lambda_error_reason", "varchar"),
        of("target_port_list", "varchar"),
        of("target_status_code_list", "varchar"),
        of("classification", "varchar"),
        of("classification_reason", "varchar"),
        of("conn_trace_id", "varchar"),
        of("order_id", "varchar"),
        of("merchant", "varchar"),
    ],
    partition_keys: &[DAY],
};

/// Calls of AWS APIs.
pub const CLOUDTRAIL_LOGS: Table = Table {
    database: "security",
    name: "cloudtrail_logs",
    columns: &[
        of("eventversion", "varchar"),
        of(
            "useridentity",
            "row(type varchar, principalid varchar, arn varchar, accountid varchar, invokedby varchar, accesskeyid varchar, \
             username varchar, sessioncontext row(attributes row(mfaauthenticated varchar, creationdate varchar), \
             sessionissuer row(type varchar, principalid varchar, arn varchar, accountid varchar, username varchar)))",
        ),
        of("eventtime", "varchar"),
        of("eventsource", "varchar"),
        of("eventname", "varchar"),
        of("awsregion", "varchar"),
        of("sourceipaddress", "varchar"),
        of("useragent", "varchar"),
        of("errorcode", "varchar"),
        of("errormessage", "varchar"),
        of("requestparameters", "varchar"),
        of("responseelements", "varchar"),
        of("additionaleventdata", "varchar"),
        of("requestid", "varchar"),
        of("eventid", "varchar"),
        of("readonly", "varchar"),
        of("resources", "array(row(arn varchar, accountid varchar, type varchar))"),
        of("eventtype", "varchar"),
        of("apiversion", "varchar"),
        of("recipientaccountid", "varchar"),
        of("serviceeventdetails", "varchar"),
        of("sharedeventid", "varchar"),
        of("vpcendpointid", "varchar"),
        of("tlsdetails", "row(tlsversion varchar, ciphersuite varchar, clientprovidedhostheader varchar)"),
    ],
    partition_keys: &[DAY],
};

/// Orders, in the partition of the day on which they were placed.
pub const ORDERS: Table = Table {
    database: "shop",
    name: "orders",
    columns: &[
        of("order_id", "varchar"),
        of("customer_id", "varchar"),
        of("merchant", "varchar"),
        of("amount", "decimal(12,2)"),
        of("currency", "varchar"),
        of("status", "varchar"),
        of("items", "integer"),
        of("channel", "varchar"),
        of("created_at", "timestamp(3)"),
        of("updated_at", "timestamp(3)"),
    ],
    partition_keys: &[DAY],
};

/// Customers, with personal data.
pub const CUSTOMERS: Table = Table {
    database: "shop",
    name: "customers",
    columns: &[
        of("customer_id", "varchar"),
        pii("name", "varchar"),
        pii("email", "varchar"),
        pii("phone", "varchar"),
        pii("address", "varchar"),
        pii("birthday", "date"),
        of("country", "varchar"),
        of("tier", "varchar"),
        of("created_at", "timestamp(3)"),
    ],
    partition_keys: &[],
};

/// The partition key: a string such as `2026/11/20`, as the Athena guide's tables have it.
const DAY: Column = of("day", "varchar");

const fn of(name: &'static str, trino: &'static str) -> Column {
    Column { name, trino, tags: &[] }
}

const fn pii(name: &'static str, trino: &'static str) -> Column {
    Column { name, trino, tags: &[PII] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_and_distinct() {
        for table in TABLES {
            let mut seen = std::collections::HashSet::new();
            for column in table.columns.iter().chain(table.partition_keys) {
                assert_eq!(column.name, column.name.to_lowercase());
                assert!(seen.insert(column.name), "{}.{}", table.full_name(), column.name);
            }
        }
    }
}
