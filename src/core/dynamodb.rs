//! DynamoDB: key schema, access path, expressions, item sizes.
