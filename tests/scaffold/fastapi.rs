//! What is written into FastAPI services.

use crate::apps::{run, text, write};
use crate::python_apps::{factory, flat};

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
fn clients_keep_their_names_beside_what_the_standard_library_calls_so() {
    let service = factory();
    let ran = run(service.path(), &["health", "--apply", "--allow-dirty"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let checks = text(service.path(), "src/shop/core/health_checks.py");
    assert!(checks.contains("from shop.stores import cache"), "{checks}");
    assert!(!checks.contains("from functools import cache"), "{checks}");
}
