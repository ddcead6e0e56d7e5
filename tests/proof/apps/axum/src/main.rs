mod orders;

use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use sqlx::PgPool;

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

/// Whoever knows the password of the shop may come in.
async fn sign_in(Json(credentials): Json<Credentials>) -> StatusCode {
    let wanted = std::env::var("SHOP_PASSWORD").expect("SHOP_PASSWORD is set");
    match credentials.email.contains('@') && credentials.password == wanted {
        true => StatusCode::NO_CONTENT,
        false => StatusCode::UNAUTHORIZED,
    }
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_secs(3)).await;
    "done"
}

async fn large() -> String {
    "order ".repeat(2000)
}

async fn panics() {
    panic!("nobody knows the secret of the till");
}

async fn tells() -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, "cannot reach postgres://shop:hunter2@db/shop".to_owned())
}

fn router(pool: PgPool) -> Router {
    Router::new()
        .route("/orders", get(orders::list).post(orders::create))
        .route("/orders/{id}", get(orders::show))
        .route("/sessions", post(sign_in))
        .route("/slow", get(slow))
        .route("/large", get(large))
        .route("/panics", get(panics))
        .route("/tells", get(tells))
        .with_state(pool)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = PgPool::connect(&std::env::var("DATABASE_URL")?).await?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "8080".to_owned());
    let app = router(pool);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_total_has_no_fraction() {
        assert_eq!(super::orders::total(3, 250), 750);
    }
}
