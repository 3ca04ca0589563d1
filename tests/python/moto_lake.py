"""Authors tables and objects at moto's Glue and S3, for the looking adapter to find. The environment has endpoint, region and keys."""

import base64
import json

import boto3

s3, glue = boto3.client("s3"), boto3.client("glue")
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
HERE = {"LocationConstraint": "eu-central-1"}


def put(bucket, **objects):
    for key, size in objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" * size)


def table(name, location, keys=(), kind="EXTERNAL_TABLE", parameters=None, **more):
    storage = {"Columns": [{"Name": "id", "Type": "bigint"}], "Location": location, "InputFormat": PARQUET}
    made = {
        "Name": name,
        "TableType": kind,
        "StorageDescriptor": storage,
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
        "Parameters": parameters or {},
        **more,
    }
    glue.create_table(DatabaseName="logs", TableInput=made)


for bucket in ["lake", "elsewhere"]:
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=HERE)
glue.create_database(DatabaseInput={"Name": "logs"})

# Registered partitions: one without files, one somewhere else, and a folder that nobody registered.
table("hive", "s3://lake/hive", ["day", "region"])
for values, location in [
    (["2026/11/19", "eu"], "s3://lake/hive/day=2026%2F11%2F19/region=eu"),
    (["2026/11/20", "eu"], "s3://lake/hive/day=2026%2F11%2F20/region=eu"),
    (["2026/11/20", "us"], "s3://lake/hive/day=2026%2F11%2F20/region=us"),
    (["moved", "eu"], "s3://elsewhere/moved/"),
]:
    glue.create_partition(
        DatabaseName="logs", TableName="hive", PartitionInput={"Values": values, "StorageDescriptor": {"Location": location}}
    )
put(
    "lake",
    **{
        "hive/day=2026%2F11%2F19/region=eu/a": 10,
        "hive/day=2026%2F11%2F19/region=eu/b c+d": 20,
        "hive/day=2026%2F11%2F19/region=eu/_SUCCESS": 1,
        "hive/day=2026%2F11%2F20/region=eu/a": 7,
        "hive/day=2026%2F11%2F21/region=eu/a": 3,
        "hive2/a": 1000,
    },
)
put("elsewhere", **{"moved/a": 9})

table("flat", "s3://lake/flat/")
put("lake", **{"flat/a": 5, "flat/deep/b": 6, "flat/.hidden": 50})

projection = {
    "projection.enabled": "true",
    "projection.day.type": "date",
    "projection.day.range": "2026/11/18,NOW",
    "projection.day.format": "yyyy/MM/dd",
    "projection.hour.type": "integer",
    "projection.hour.range": "0,23",
    "projection.hour.digits": "2",
    "storage.location.template": "s3://lake/raw/${day}/${hour}/",
}
table("projected", "s3://lake/raw/", ["day", "hour"], parameters=projection)
put("lake", **{"raw/2026/11/18/00/a": 5, "raw/2026/11/20/07/a": 5, "raw/2026/11/20/07/b": 7, "raw/2026/11/17/00/old": 100})

injected = {"projection.enabled": "true", "projection.device.type": "injected"}
injected["storage.location.template"] = "s3://lake/devices/${device}"
table("devices", "s3://lake/devices", ["device"], parameters=injected)
put("lake", **{"devices/d-1/a": 4, "devices/d-2/a": 6})

lost = {"projection.enabled": "true", "projection.day.type": "date", "projection.day.range": "2026,NOW"}
table("lost", "s3://lake/lost/", ["day"], parameters=lost)

table("ice", "s3://lake/ice/", parameters={"table_type": "ICEBERG", "metadata_location": "s3://lake/ice/metadata/1.json"})
put("lake", **{"ice/data/a.parquet": 30, "ice/metadata/1.json": 10})

view = {"originalSql": "SELECT id FROM logs.flat", "catalog": "awsdatacatalog", "schema": "logs"}
view["columns"] = [{"name": "id", "type": "bigint"}]
text = base64.b64encode(json.dumps(view).encode()).decode()
table("v", "", kind="VIRTUAL_VIEW", ViewOriginalText=f"/* Presto View: {text} */", ViewExpandedText="/* Presto View */")
