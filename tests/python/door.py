"""boto3 talks to the sandbox's STS and DynamoDB. The environment has the endpoint, region and base keys."""

import json
import os

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/tollgate-shop-read"
ONCE = Config(retries={"total_max_attempts": 1})


def refused(code, call, **arguments):
    """The call fails with this code; its message."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{code} was expected")


def session(policy):
    made = sts.assume_role(
        RoleArn=ROLE,
        RoleSessionName="tg-python",
        SourceIdentity="ana",
        DurationSeconds=900,
        Tags=[{"Key": "tollgate:run", "Value": "01RUN"}],
        Policy=json.dumps(policy),
    )
    assert made["SourceIdentity"] == "ana"
    assert 0 < made["PackedPolicySize"] <= 100
    assert made["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/tollgate-shop-read/tg-python"
    keys = made["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], os.environ["AWS_REGION"])


sts = boto3.client("sts", config=ONCE)
identity = sts.get_caller_identity()
assert identity["Arn"] == "arn:aws:iam::123456789012:user/sandbox", identity
assert identity["ResponseMetadata"]["RequestId"]
print("sts: identity")

assert "sts:AssumeRole" in refused(
    "AccessDenied", sts.assume_role, RoleArn=ROLE.replace("123456789012", "999999999999"), RoleSessionName="tg-python"
)
refused("ValidationError", sts.assume_role, RoleArn=ROLE, RoleSessionName="tg-python", DurationSeconds=3601)
refused("MalformedPolicyDocument", sts.assume_role, RoleArn=ROLE, RoleSessionName="tg-python", Policy="{}")
refused("InvalidAction", sts.get_session_token)
print("sts: refusals")

stranger = boto3.Session("AKIAIOSFODNN7EXAMPLE", "wrong", region_name=os.environ["AWS_REGION"])
refused("InvalidClientTokenId", stranger.client("sts", config=ONCE).get_caller_identity)
refused("UnrecognizedClientException", stranger.client("dynamodb", config=ONCE).list_tables)
forged = boto3.Session(os.environ["AWS_ACCESS_KEY_ID"], "wrong", region_name=os.environ["AWS_REGION"])
refused("SignatureDoesNotMatch", forged.client("sts", config=ONCE).get_caller_identity)
refused("InvalidSignatureException", forged.client("dynamodb", config=ONCE).list_tables)
elsewhere = boto3.Session(region_name="us-east-1")
refused("InvalidSignatureException", elsewhere.client("dynamodb", config=ONCE).list_tables)
print("keys and signatures")

dynamodb = boto3.client("dynamodb", config=ONCE)
assert dynamodb.list_tables()["TableNames"] == ["orders"]
table = boto3.resource("dynamodb").Table("orders")
assert table.key_schema[0] == {"AttributeName": "pk", "KeyType": "HASH"}
stuck = table.scan(FilterExpression=Attr("lock_owner").exists() & Attr("sk").eq("META"))["Items"][0]
assert stuck["state"] == "payment_pending", stuck
events = table.query(KeyConditionExpression=Key("pk").eq(stuck["pk"]) & Key("sk").begins_with("EVENT#"))
assert [event["kind"] for event in events["Items"]] == ["placed", "payment_started"], events
pages = dynamodb.get_paginator("query").paginate(
    TableName="orders",
    IndexName="by_merchant",
    KeyConditionExpression="merchant = :m",
    ExpressionAttributeValues={":m": {"S": stuck["merchant"]}},
    ReturnConsumedCapacity="TOTAL",
    PaginationConfig={"PageSize": 7},
)
found = [page for page in pages]
assert len(found) > 5 and sum(page["Count"] for page in found) >= 60
assert all(page["ConsumedCapacity"]["CapacityUnits"] > 0 for page in found if page["Count"])
refused("ResourceNotFoundException", dynamodb.describe_table, TableName="nowhere")
print("dynamodb: pages, indexes, errors")

narrow = session(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "dynamodb:GetItem",
                "Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders",
                "Condition": {
                    "ForAllValues:StringEquals": {
                        "dynamodb:LeadingKeys": [stuck["pk"]],
                        "dynamodb:Attributes": ["pk", "sk", "state", "lock_owner"],
                    },
                    "Null": {"dynamodb:LeadingKeys": "false", "dynamodb:Attributes": "false"},
                },
            }
        ],
    }
)
assert narrow.client("sts").get_caller_identity()["Arn"].endswith("assumed-role/tollgate-shop-read/tg-python")
get = narrow.client("dynamodb", config=ONCE).get_item
key = {"pk": {"S": stuck["pk"]}, "sk": {"S": "META"}}
item = get(TableName="orders", Key=key, ProjectionExpression="lock_owner")["Item"]
assert item == {"lock_owner": {"S": stuck["lock_owner"]}}, item
assert "no session policy allows" in refused("AccessDeniedException", get, TableName="orders", Key=key)
refused("AccessDeniedException", get, TableName="orders", Key=key, ProjectionExpression="card")
other = {"pk": {"S": "ORDER#ord_0000000000"}, "sk": {"S": "META"}}
refused("AccessDeniedException", get, TableName="orders", Key=other, ProjectionExpression="pk")
refused("AccessDeniedException", narrow.client("dynamodb", config=ONCE).scan, TableName="orders")
print("session policies")

late = session(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
            },
        ],
    }
)
message = refused("AccessDeniedException", late.client("dynamodb", config=ONCE).list_tables)
assert "explicit deny in a session policy" in message, message
print("deadlines")
