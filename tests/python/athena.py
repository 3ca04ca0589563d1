"""PyAthena and boto3 talk to the sandbox's Athena. The environment has the endpoint, region and base keys; DAY is today's partition."""

import datetime
import decimal
import json
import os
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from pyathena import connect
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.error import DatabaseError, OperationalError

DAY = os.environ["DAY"]
REGION = os.environ["AWS_REGION"]
OUTPUT = "s3://shop-results/tollgate/01PYTHON/"
WHERE = {"region_name": REGION, "s3_staging_dir": OUTPUT, "work_group": "tg-small", "poll_interval": 0.05}
ONCE = Config(retries={"total_max_attempts": 1})


def refused(code, call, **arguments):
    """The call fails with this code; its message."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} was expected")


cursor = connect(schema_name="web", **WHERE).cursor()
cursor.execute("SELECT count(*), count(DISTINCT merchant) FROM alb_logs WHERE day = %(day)s", {"day": DAY})
rows, merchants = cursor.fetchone()
assert rows > 100 and merchants > 5, (rows, merchants)
assert cursor.state == "SUCCEEDED" and cursor.query_id and cursor.output_location.startswith(OUTPUT)
cursor.execute("SELECT order_id, elb_status_code FROM alb_logs WHERE day = %(day)s AND elb_status_code >= 500", {"day": DAY})
assert [column[0] for column in cursor.description] == ["order_id", "elb_status_code"]
failed = cursor.fetchall()
assert failed and all(isinstance(status, int) and status >= 500 for _, status in failed), failed[:3]
assert cursor.data_scanned_in_bytes > 0 and cursor.total_execution_time_in_millis >= 0
print("pyathena: rows, parameters, statistics")

shop = connect(schema_name="shop", cursor_class=DictCursor, **WHERE).cursor()
shop.execute(
    "SELECT order_id, amount, created_at, CAST(created_at AS date) AS placed, amount > 0 AS paid, CAST(NULL AS varchar) AS nothing, "
    "'' AS empty, 1.5e0 AS ratio FROM orders WHERE day = %(day)s ORDER BY order_id LIMIT 3",
    {"day": DAY},
)
order = shop.fetchone()
assert isinstance(order["amount"], decimal.Decimal) and order["amount"] > 0, order
assert isinstance(order["created_at"], datetime.datetime), order
assert order["placed"] == datetime.datetime.strptime(DAY, "%Y/%m/%d").date(), order
assert order["paid"] is True and order["nothing"] is None and order["empty"] == "" and order["ratio"] == 1.5, order
print("pyathena: types")

many = connect(schema_name="web", **WHERE).cursor(arraysize=100)
many.execute("SELECT trace_id FROM alb_logs WHERE day = %(day)s", {"day": DAY})
assert len(many.fetchall()) == rows
print("pyathena: pages of results")

try:
    cursor.execute("SELECT nothing_like_it FROM alb_logs")
    raise AssertionError("a missing column was expected to fail")
except (OperationalError, DatabaseError) as error:
    assert "COLUMN_NOT_FOUND" in str(error) or "nothing_like_it" in str(error), error
try:
    cursor.execute("DROP TABLE alb_logs")
    raise AssertionError("the sandbox only reads")
except (OperationalError, DatabaseError):
    pass
print("pyathena: failures")

later = connect(schema_name="web", cursor_class=AsyncCursor, **WHERE).cursor()
query, answer = later.execute("SELECT max(time) FROM alb_logs")
assert answer.result(timeout=60).fetchone()[0].startswith(DAY.replace("/", "-")), "the newest request is of today"
print("pyathena: async")

athena = boto3.client("athena", config=ONCE)
request = {
    "QueryString": "SELECT 1",
    "ClientRequestToken": "0123456789abcdef0123456789abcdef",
    "ResultConfiguration": {"OutputLocation": OUTPUT},
    "WorkGroup": "tg-small",
}
first = athena.start_query_execution(**request)["QueryExecutionId"]
assert athena.start_query_execution(**request)["QueryExecutionId"] == first
refused("InvalidRequestException", athena.start_query_execution, **{**request, "QueryString": "SELECT 2"})
for _ in range(200):
    execution = athena.get_query_execution(QueryExecutionId=first)["QueryExecution"]
    if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
        break
    time.sleep(0.05)
assert execution["Status"]["State"] == "SUCCEEDED", execution
assert athena.batch_get_query_execution(QueryExecutionIds=[first])["QueryExecutions"][0]["QueryExecutionId"] == first
listed = athena.get_paginator("list_query_executions").paginate(WorkGroup="tg-small", PaginationConfig={"PageSize": 3})
assert first in [found for page in listed for found in page["QueryExecutionIds"]]
group = athena.get_work_group(WorkGroup="tg-small")["WorkGroup"]["Configuration"]
assert group["BytesScannedCutoffPerQuery"] >= 10_000_000, group
table = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="web", TableName="alb_logs")["TableMetadata"]
assert [key["Name"] for key in table["PartitionKeys"]] == ["day"], table
databases = athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
assert {"web", "shop", "security"} <= {database["Name"] for database in databases}, databases
print("boto3: tokens, lists, metadata")


def allow(action, resource, condition=None):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **({"Condition": condition} if condition else {})}


def glue(path):
    return f"arn:aws:glue:{REGION}:123456789012:{path}"


via = {"ForAnyValue:StringEquals": {"aws:CalledVia": "athena.amazonaws.com"}}
group = f"arn:aws:athena:{REGION}:123456789012:workgroup/tg-small"
steps = ["athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"]
policy = {
    "Version": "2012-10-17",
    "Statement": [
        allow(steps, group),
        allow(
            ["glue:GetDatabase", "glue:GetTable", "glue:GetPartition*", "glue:BatchGetPartition"],
            [glue("catalog"), glue("database/default"), glue("database/web"), glue("table/web/alb_logs")],
        ),
        allow(
            ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
            ["arn:aws:s3:::shop-lake", "arn:aws:s3:::shop-lake/web/alb_logs/*"],
            via,
        ),
        allow(
            ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket", "s3:GetBucketLocation"],
            ["arn:aws:s3:::shop-results", "arn:aws:s3:::shop-results/tollgate/01PYTHON/*"],
            via,
        ),
    ],
}
made = boto3.client("sts").assume_role(
    RoleArn="arn:aws:iam::123456789012:role/tollgate-shop-read",
    RoleSessionName="tg-python",
    DurationSeconds=900,
    Policy=json.dumps(policy),
)["Credentials"]
keys = {
    "aws_access_key_id": made["AccessKeyId"],
    "aws_secret_access_key": made["SecretAccessKey"],
    "aws_session_token": made["SessionToken"],
}
narrow = connect(schema_name="web", **WHERE, **keys).cursor()
narrow.execute("SELECT count(*) FROM alb_logs WHERE day = %(day)s", {"day": DAY})
assert narrow.fetchone()[0] == rows
for statement in ["SELECT count(*) FROM shop.customers", "SELECT count(*) FROM security.cloudtrail_logs"]:
    try:
        narrow.execute(statement)
        raise AssertionError(f"{statement} was expected to fail")
    except (OperationalError, DatabaseError) as error:
        assert "no session policy allows" in str(error), error
mine = boto3.client("athena", config=ONCE, region_name=REGION, **keys)
elsewhere = {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": OUTPUT}, "WorkGroup": "tg-large"}
refused("AccessDeniedException", mine.start_query_execution, **elsewhere)
refused("AccessDeniedException", mine.list_query_executions, WorkGroup="tg-small")
print("session policies")
