//! What is written into FastAPI services.

use serde_json::Value;

use crate::apps::{run, text, write};
use crate::python_apps::{factory, flat, packaged};

#[test]
fn settings_hold_what_is_read_and_what_is_used_without_it() {
    let service = flat();
    let root = service.path();
    write(
        root,
        "mail.py",
        "import os\n\nhost = os.environ[\"MAIL_HOST\"]\n\nif host:\n    sender = os.getenv(\"MAIL_SENDER\", \"shop\")\n\nreply_to = os.getenv(\"MAIL_SENDER\", \"nobody\")\ncopies = os.getenv(\"MAIL_COPIES\") is not None\n",
    );
    let main = text(root, "main.py");
    write(
        root,
        "main.py",
        &main.replace("from db import", "import mail\nfrom db import").replace("\"shop\")", "mail.host)"),
    );
    let ran = run(root, &["env-validation", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let settings = text(root, "core/settings.py");
    for line in [
        "database_url: str = \"postgresql://localhost/shop\"",
        "mail_host: str = Field(min_length=1)",
        "mail_sender: str | None = None",
        "mail_copies: str | None = None",
        "shop_name: str | None = None",
    ] {
        assert!(settings.contains(&format!("\n    {line}\n")), "{line}: {settings}");
    }
}

#[test]
fn indexes_of_foreign_keys_continue_the_revisions_that_are_there() {
    let service = packaged();
    let root = service.path();
    let manifest = text(root, "pyproject.toml")
        .replace("\"sqlalchemy>=2.0\"", "\"alembic>=1.14\",\n    \"sqlalchemy>=2.0\",\n    \"psycopg[binary]\"");
    write(root, "pyproject.toml", &manifest);
    let revision = |id: &str, after: &str| {
        format!(
            "from alembic import op\n\nrevision = \"{id}\"\ndown_revision = {after}\n\n\ndef upgrade() -> None:\n    op.execute(\"SELECT 1\")\n"
        )
    };
    write(root, "db/versions/1a31ce608336_first.py", &revision("1a31ce608336", "None"));
    write(root, "db/versions/2b31ce608336_second.py", &revision("2b31ce608336", "\"1a31ce608336\""));
    let models = "from sqlalchemy import Float, ForeignKey\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\n\n\nclass Base(DeclarativeBase):\n    pass\n\n\nclass Item(Base):\n    __tablename__ = \"items\"\n\n    id: Mapped[int] = mapped_column(primary_key=True)\n    parent_id: Mapped[int | None] = mapped_column(ForeignKey(\"items.id\"))\n    price: Mapped[float] = mapped_column(Float, default=0)\n";
    write(root, "app/models.py", models);
    let both = ["missing-index-migration", "money-decimal-migration"];
    let ran = run(root, &[both[0], both[1], "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let models_now = text(root, "app/models.py");
    assert!(models_now.contains("price: Mapped[float] = mapped_column(Numeric(19, 4), default=0)"), "{models_now}");
    assert!(
        models_now.starts_with("from sqlalchemy import ForeignKey\nfrom sqlalchemy import Numeric\n"),
        "{models_now}"
    );
    assert!(text(root, "app/models.py").contains("ForeignKey(\"items.id\"), index=True)"), "{}", ran.out);
    let made = walkdir::WalkDir::new(root.join("db/versions")).into_iter().flatten();
    let made: Vec<String> = made.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let name = made.iter().find(|name| name.ends_with("_index_foreign_keys.py")).unwrap();
    let written = text(root, &format!("db/versions/{name}"));
    for line in [
        "down_revision = \"2b31ce608336\"",
        "    with op.get_context().autocommit_block():",
        "            op.f(\"ix_items_parent_id\"),",
        "            postgresql_concurrently=True,",
    ] {
        assert!(written.contains(&format!("{line}\n")), "{line}: {written}");
    }
    // The second migration of the plan follows the first.
    let first = name.split('_').next().unwrap();
    let second = made.iter().find(|name| name.ends_with("_money_to_decimal.py")).unwrap();
    let second = text(root, &format!("db/versions/{second}"));
    assert!(second.contains(&format!("down_revision = \"{first}\"\n")), "{first}: {second}");

    // Two ends: which of them it would continue is not known.
    let other = packaged();
    write(other.path(), "pyproject.toml", &manifest);
    write(other.path(), "app/models.py", models);
    for id in ["1a31ce608336", "2b31ce608336"] {
        write(other.path(), &format!("db/versions/{id}_one.py"), &revision(id, "None"));
    }
    let ran = run(other.path(), &["missing-index-migration", "--apply", "--allow-dirty"]);
    assert!(ran.code != 0 && ran.out.contains("one head"), "{}{}", ran.out, ran.err);
}

#[test]
fn a_class_of_settings_that_is_there_is_made_when_the_service_starts() {
    let service = packaged();
    let root = service.path();
    write(
        root,
        "app/config.py",
        "from functools import lru_cache\n\nfrom pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n    mail_host: str\n\n\n@lru_cache\ndef get_settings() -> Settings:\n    return Settings()\n",
    );
    let items = text(root, "app/routers/items.py")
        .replace("from app.db", "from app.config import get_settings\nfrom app.db")
        .replace("return count()", "return count() if get_settings().mail_host else 0");
    write(root, "app/routers/items.py", &items);
    let ran = run(root, &["env-validation", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let main = text(root, "app/main.py");
    assert!(main.contains("from app.config import Settings\n"), "{main}");
    assert!(main.contains("\nSettings()\n\napp = FastAPI("), "{main}");
    assert!(!root.join("app/core/settings.py").exists(), "{}", ran.out);
}

#[test]
fn how_long_a_token_lives_is_no_secret() {
    let service = flat();
    let root = service.path();
    write(root, "tokens.py", "import os\n\nkey = os.environ[\"TOKEN_KEY\"]\nttl = os.environ[\"TOKEN_TTL_SECONDS\"]\n");
    let main = text(root, "main.py");
    write(
        root,
        "main.py",
        &main.replace("from db import", "import tokens\nfrom db import").replace("\"shop\")", "tokens.key)"),
    );
    let ran = run(root, &["env-production-example", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let example = text(root, ".env.example");
    assert!(example.contains("# Read in tokens.py:4\nTOKEN_TTL_SECONDS=\n"), "{example}");
    assert!(example.contains("Read in tokens.py:3\nTOKEN_KEY=\n") && example.contains("# Secret: "), "{example}");
}

#[test]
fn what_is_inserted_at_one_place_is_one_paragraph() {
    let service = packaged();
    let ran = run(service.path(), &["security-headers", "structured-logging", "health", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let main = text(service.path(), "app/main.py");
    let inserted = main.split("app = FastAPI(title=\"Shop\")\n\n").nth(1).unwrap();
    let paragraph: Vec<&str> = inserted.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(paragraph.len(), 5, "{main}");
}

#[test]
fn clients_keep_their_names_beside_what_the_standard_library_calls_so() {
    let service = factory();
    let ran = run(service.path(), &["health", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let checks = text(service.path(), "src/shop/core/health_checks.py");
    assert!(checks.contains("from shop.stores import cache"), "{checks}");
    assert!(!checks.contains("from functools import cache"), "{checks}");
}

/// `detail` is kept and more stands beside it: a test that compares the whole body would fail.
#[test]
fn tests_that_compare_whole_errors_are_left_passing() {
    let app = packaged();
    let compared = "def test_missing(client):\n    answer = client.get(\"/nope\")\n    assert answer.json() == {\"detail\": \"Not Found\"}\n";
    write(app.path(), "tests/test_items.py", compared);
    let ran = run(app.path(), &["--all", "--format", "json"]);
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    let left = plan["left_out"].as_array().unwrap().iter().find(|one| one["module"] == "error-handler");
    assert!(left.unwrap()["reason"].as_str().unwrap().contains("tests/test_items.py:3"), "{}", plan["left_out"]);
    let named = run(app.path(), &["error-handler"]);
    assert!(named.code == 0 && named.out.contains("register_error_handlers(app)"), "{}{}", named.out, named.err);
}
