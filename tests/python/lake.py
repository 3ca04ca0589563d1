"""boto3 talks to the sandbox's Glue and S3. The environment has the endpoint, region and base keys; DAY is today's partition."""

import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

DAY = os.environ["DAY"]
ROLE = "arn:aws:iam::123456789012:role/tollgate-shop-read"
ONCE = Config(retries={"total_max_attempts": 1})
WEB = {"DatabaseName": "web", "TableName": "alb_logs"}


def refused(code, call, **arguments):
    """The call fails with this code; the error's answer."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response
    raise AssertionError(f"{code} was expected")


def session(statements):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    made = boto3.client("sts", config=ONCE).assume_role(RoleArn=ROLE, RoleSessionName="tg-look", DurationSeconds=900, Policy=policy)
    keys = made["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], os.environ["AWS_REGION"])


glue = boto3.client("glue")
assert [d["Name"] for d in glue.get_databases()["DatabaseList"]] == ["default", "security", "shop", "web"]
pages = glue.get_paginator("get_tables").paginate(DatabaseName="shop", PaginationConfig={"PageSize": 1})
assert [[t["Name"] for t in page["TableList"]] for page in pages] == [["customers"], ["orders"]]
table = glue.get_table(DatabaseName="web", Name="alb_logs")["Table"]
assert table["PartitionKeys"] == [{"Name": "day", "Type": "string"}], table
assert table["CreateTime"].year >= 2026 and table["StorageDescriptor"]["Location"] == "s3://shop-lake/web/alb_logs/"
print("glue: databases and tables")

pages = glue.get_paginator("get_partitions").paginate(**WEB, PaginationConfig={"PageSize": 2}, ExcludeColumnSchema=True)
partitions = [partition for page in pages for partition in page["Partitions"]]
assert len(partitions) == 3 and partitions[-1]["Values"] == [DAY], partitions
today = glue.get_partitions(**WEB, Expression=f"day = '{DAY}'")["Partitions"]
assert [p["Values"] for p in today] == [[DAY]]
refused("InvalidInputException", glue.get_partitions, **WEB, Expression="hour = '1'")
refused("EntityNotFoundException", glue.get_table, DatabaseName="web", Name="nope")
print("glue: partitions")

s3 = boto3.client("s3")
location = today[0]["StorageDescriptor"]["Location"].removeprefix("s3://shop-lake/")
listed = s3.list_objects_v2(Bucket="shop-lake", Prefix=location)
assert listed["KeyCount"] == int(today[0]["Parameters"]["numFiles"]) and not listed["IsTruncated"], listed
assert sum(found["Size"] for found in listed["Contents"]) == int(today[0]["Parameters"]["totalSize"])
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="shop-lake", PaginationConfig={"PageSize": 3})
keys = [found["Key"] for page in pages for found in page["Contents"]]
assert keys == sorted(set(keys)) and len(keys) > 9, keys
folders = s3.list_objects_v2(Bucket="shop-lake", Prefix="web/alb_logs/", Delimiter="/")
assert [p["Prefix"] for p in folders["CommonPrefixes"]] == [
    p["StorageDescriptor"]["Location"].removeprefix("s3://shop-lake/") for p in partitions
]
print("s3: listings")

key = listed["Contents"][0]["Key"]
head = s3.head_object(Bucket="shop-lake", Key=key)
assert head["ContentLength"] == listed["Contents"][0]["Size"] and head["ETag"] == listed["Contents"][0]["ETag"]
assert head["LastModified"] == listed["Contents"][0]["LastModified"]
whole = s3.get_object(Bucket="shop-lake", Key=key)["Body"].read()
assert whole[:4] == b"PAR1" and len(whole) == head["ContentLength"]
end = s3.get_object(Bucket="shop-lake", Key=key, Range="bytes=-8")
assert end["Body"].read() == whole[-8:] and end["ResponseMetadata"]["HTTPStatusCode"] == 206
assert end["ContentRange"] == f"bytes {len(whole) - 8}-{len(whole) - 1}/{len(whole)}"
middle = s3.get_object(Bucket="shop-lake", Key=key, Range="bytes=4-11", IfMatch=head["ETag"])
assert middle["Body"].read() == whole[4:12]
answer = refused("InvalidRange", s3.get_object, Bucket="shop-lake", Key=key, Range=f"bytes={len(whole)}-")
assert answer["ResponseMetadata"]["HTTPStatusCode"] == 416
refused("PreconditionFailed", s3.get_object, Bucket="shop-lake", Key=key, IfMatch='"other"')
refused("NoSuchKey", s3.get_object, Bucket="shop-lake", Key="web/nothing")
refused("404", s3.head_object, Bucket="shop-lake", Key="web/nothing")
refused("NoSuchBucket", s3.list_objects_v2, Bucket="elsewhere")
refused("MethodNotAllowed", s3.put_object, Bucket="shop-lake", Key="x", Body=b"x")
s3.head_bucket(Bucket="shop-lake")
print("s3: objects and ranges")

stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "wrong", region_name=os.environ["AWS_REGION"]).client("s3", config=ONCE)
refused("InvalidAccessKeyId", stranger.list_objects_v2, Bucket="shop-lake")
forged = boto3.Session(os.environ["AWS_ACCESS_KEY_ID"], "wrong", region_name=os.environ["AWS_REGION"]).client("s3", config=ONCE)
refused("SignatureDoesNotMatch", forged.list_objects_v2, Bucket="shop-lake")
print("keys and signatures")

# What a look may do: one table's metadata, and a listing below its prefix; no object.
narrow = session(
    [
        {
            "Effect": "Allow",
            "Action": ["glue:GetTable", "glue:GetPartitions"],
            "Resource": [
                f"arn:aws:glue:eu-central-1:123456789012:{name}" for name in ["catalog", "database/web", "table/web/alb_logs"]
            ],
        },
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::shop-lake",
            "Condition": {"StringLike": {"s3:prefix": ["web/alb_logs/*"]}},
        },
    ]
)
glue, s3 = narrow.client("glue", config=ONCE), narrow.client("s3", config=ONCE)
assert len(glue.get_partitions(**WEB)["Partitions"]) == 3
refused("AccessDeniedException", glue.get_table, DatabaseName="shop", Name="customers")
refused("AccessDeniedException", glue.get_databases)
assert s3.list_objects_v2(Bucket="shop-lake", Prefix=location)["KeyCount"] > 0
refused("AccessDenied", s3.list_objects_v2, Bucket="shop-lake", Prefix="shop/customers/")
refused("AccessDenied", s3.list_objects_v2, Bucket="shop-lake")
refused("AccessDenied", s3.get_object, Bucket="shop-lake", Key=key)
refused("403", s3.head_object, Bucket="shop-lake", Key=key)
print("session policies")
