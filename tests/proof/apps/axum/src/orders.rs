use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::Json;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

#[derive(Serialize, sqlx::FromRow)]
pub struct Order {
    id: i32,
    total: i32,
}

#[derive(Deserialize)]
pub struct Wish {
    amount: i32,
    price: i32,
}

pub fn total(amount: i32, price: i32) -> i32 {
    amount * price
}

fn failed(error: sqlx::Error) -> (StatusCode, String) {
    match error {
        sqlx::Error::RowNotFound => (StatusCode::NOT_FOUND, "no such order".to_owned()),
        error => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

pub async fn list(State(pool): State<PgPool>) -> Result<Json<Vec<Order>>, (StatusCode, String)> {
    let orders = sqlx::query_as("SELECT id, total FROM orders ORDER BY id LIMIT 50").fetch_all(&pool).await;
    orders.map(Json).map_err(failed)
}

pub async fn show(State(pool): State<PgPool>, Path(id): Path<i32>) -> Result<Json<Order>, (StatusCode, String)> {
    let order = sqlx::query_as("SELECT id, total FROM orders WHERE id = $1").bind(id).fetch_one(&pool).await;
    order.map(Json).map_err(failed)
}

pub async fn create(
    State(pool): State<PgPool>,
    Json(wish): Json<Wish>,
) -> Result<(StatusCode, Json<Order>), (StatusCode, String)> {
    let insert = "INSERT INTO orders (total) VALUES ($1) RETURNING id, total";
    let order = sqlx::query_as(insert).bind(total(wish.amount, wish.price)).fetch_one(&pool).await;
    order.map(|order| (StatusCode::CREATED, Json(order))).map_err(failed)
}
