//! DynamoDB: GetItem and Query. Every name goes through a placeholder, so that no attribute's name can become an expression.

mod cell;
mod expression;

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity, Select};

use self::cell::Table;
use self::expression::{Expressions, expressions, value};
use super::answer::Kind;
use super::config::Aws;
use crate::core::plan::{DynamodbOperation, DynamodbRequest, PlanTarget};
use crate::core::run::event::ServiceFailure;
use crate::engine::ports::{FetchLimits, ItemRead, ItemStore, Keys, Rights, ServiceError};

/// One item by attribute.
type Item = HashMap<String, AttributeValue>;

#[async_trait]
impl ItemStore for Aws {
    async fn read(
        &self,
        target: &PlanTarget,
        keys: &Keys,
        request: &DynamodbRequest,
        ceiling: u64,
        limits: FetchLimits,
    ) -> Result<ItemRead, ServiceError> {
        if request.is_open() {
            return Err(not_sent("a value of the read is still open".to_owned()));
        }
        let expressions = expressions(request).map_err(not_sent)?;
        match request.operation {
            DynamodbOperation::Get => self.get(target, keys, request, expressions, limits).await,
            DynamodbOperation::Query => self.query(target, keys, request, expressions, ceiling, limits).await,
        }
    }
}

impl Aws {
    async fn get(
        &self,
        target: &PlanTarget,
        keys: &Keys,
        request: &DynamodbRequest,
        expressions: Expressions,
        limits: FetchLimits,
    ) -> Result<ItemRead, ServiceError> {
        let call = self.call(target, Rights::Minted(keys)).await?;
        let key = request.key.iter().map(|(name, given)| (name.clone(), value(given))).collect();
        let answer = self
            .dynamodb(&call.place)
            .get_item()
            .table_name(&request.table)
            .set_key(Some(key))
            .set_projection_expression(expressions.projection)
            .set_expression_attribute_names(some(expressions.names))
            .consistent_read(request.consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
            .customize()
            .config_override(call.dynamodb())
            .send()
            .await
            .map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))?;
        let cost = consumed(answer.consumed_capacity.as_ref())?;
        let mut table = Table::new(request, limits);
        if let Some(item) = answer.item {
            table.push(item);
        }
        Ok(ItemRead { rows: table.rows(), cost, stopped_by_ceiling: false })
    }

    /// Page by page: a page is at most 1 MB, which is the finest that a read can be braked. (A page's cost is known only after.)
    async fn query(
        &self,
        target: &PlanTarget,
        keys: &Keys,
        request: &DynamodbRequest,
        expressions: Expressions,
        ceiling: u64,
        limits: FetchLimits,
    ) -> Result<ItemRead, ServiceError> {
        let wanted = request.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut table = Table::new(request, limits);
        let (mut cost, mut start): (u64, Option<Item>) = (0, None);
        loop {
            let left = wanted.saturating_sub(table.taken());
            // DynamoDB's own limit counts what it evaluates: with a filter, that is not what it returns.
            let page = request.limit.filter(|_| request.filter.is_none()).map(|_| i32::try_from(left).unwrap_or(i32::MAX));
            let call = self.call(target, Rights::Minted(keys)).await?;
            let answer = self
                .dynamodb(&call.place)
                .query()
                .table_name(&request.table)
                .set_index_name(request.index.clone())
                .set_key_condition_expression(expressions.key.clone())
                .set_filter_expression(request.filter.as_ref().map(|filter| filter.expression.clone()))
                .set_projection_expression(expressions.projection.clone())
                .set_select(expressions.projection.as_ref().map(|_| Select::SpecificAttributes))
                .set_expression_attribute_names(some(expressions.names.clone()))
                .set_expression_attribute_values(some(expressions.values.clone()))
                .consistent_read(request.consistent)
                .scan_index_forward(!request.descending)
                .set_limit(page)
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Indexes)
                .customize()
                .config_override(call.dynamodb())
                .send()
                .await
                .map_err(|e| call.ear.heard(Kind::Ask, call.whose, e))?;
            cost = cost.saturating_add(consumed(answer.consumed_capacity.as_ref())?);
            for item in answer.items.unwrap_or_default().into_iter().take(left) {
                table.push(item);
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || table.taken() >= wanted || table.full() {
                return Ok(ItemRead { rows: table.rows(), cost, stopped_by_ceiling: false });
            }
            if cost >= ceiling {
                table.cut();
                return Ok(ItemRead { rows: table.rows(), cost, stopped_by_ceiling: true });
            }
        }
    }
}

/// Thousandths of a read unit. Units come in halves; the cost of a read that nobody measured is not zero, it is unknown.
fn consumed(capacity: Option<&ConsumedCapacity>) -> Result<u64, ServiceError> {
    let units = capacity.and_then(|capacity| capacity.capacity_units);
    match units.filter(|units| units.is_finite() && *units >= 0.0) {
        Some(units) => Ok((units * 1000.0).round() as u64),
        None => Err(ServiceError::Refused(ServiceFailure {
            code: "NoConsumedCapacity".to_owned(),
            message: "the service did not say what the read cost, so its ceiling cannot be held".to_owned(),
        })),
    }
}

/// DynamoDB refuses empty maps of names and values.
fn some<T>(map: HashMap<String, T>) -> Option<HashMap<String, T>> {
    (!map.is_empty()).then_some(map)
}

fn not_sent(message: String) -> ServiceError {
    ServiceError::Refused(ServiceFailure { code: "NotSent".to_owned(), message })
}
