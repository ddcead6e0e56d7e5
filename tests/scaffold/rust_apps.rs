//! Small services in Rust, each of another shape.

use tempfile::TempDir;

use crate::apps::write;

const MANIFEST: &str = "[package]\nname = \"small-shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\naxum = \"0.7\"\nserde = { version = \"1\", features = [\"derive\"] }\nsqlx = { version = \"0.8\", features = [\"runtime-tokio\", \"postgres\"] }\ntokio = { version = \"1\", features = [\"full\"] }\n";

/// A program that calls its library, which makes the router in a function and serves it in another module.
pub fn library() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "Cargo.toml", MANIFEST);
    write(
        root,
        "src/main.rs",
        "#[tokio::main]\nasync fn main() -> Result<(), Box<dyn std::error::Error>> {\n    let url = std::env::var(\"DATABASE_URL\")?;\n    let pool = sqlx::PgPool::connect(&url).await?;\n    small_shop::http::serve(pool).await\n}\n",
    );
    write(root, "src/lib.rs", "//! The shop.\n\npub mod http;\n");
    write(
        root,
        "src/http/mod.rs",
        "use axum::extract::State;\nuse axum::routing::{get, post};\nuse axum::Router;\nuse sqlx::PgPool;\n\nasync fn items(State(_pool): State<PgPool>) -> &'static str {\n    \"items\"\n}\n\nasync fn log_in(body: String) -> String {\n    body\n}\n\nfn router(pool: PgPool) -> Router {\n    Router::new().route(\"/items\", get(items)).route(\"/login\", post(log_in)).with_state(pool)\n}\n\npub async fn serve(pool: PgPool) -> Result<(), Box<dyn std::error::Error>> {\n    let listener = tokio::net::TcpListener::bind(\"0.0.0.0:3000\").await?;\n    axum::serve(listener, router(pool)).await?;\n    Ok(())\n}\n",
    );
    folder
}
