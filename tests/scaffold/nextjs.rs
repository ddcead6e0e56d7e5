//! What is written into the unready Next.js fixture.

use crate::apps::{fixture, run, text, write};
use crate::reports::{audit, state};

#[test]
fn handlers_keep_what_is_theirs_inside_of_the_wrapper() {
    let ledger = fixture("nextjs-ledger-unready");
    let root = ledger.path();
    assert_eq!(run(root, &["body-limits", "rate-limit", "--apply", "--allow-dirty"]).code, 0);
    let wrapper = text(root, "lib/http/with-route.ts");
    let layers: Vec<&str> = wrapper.lines().filter_map(|line| line.trim().strip_prefix("route = ")).collect();
    assert_eq!(
        layers,
        ["withLimits(route);", "withRateLimit(route);", "withErrors(route);", "withRequestId(route);"],
        "{wrapper}"
    );
    let accounts = text(root, "app/api/v1/accounts/route.ts");
    assert!(accounts.contains("import { withRoute } from \"@/lib/http/with-route\";\n"), "{accounts}");
    assert!(accounts.contains("export const POST = withRoute(async function POST(request: NextRequest) {\n"));
    // What one handler checks does not count for the others.
    let report = audit(root);
    assert_ne!(state(&report, "route-authentication"), "pass");
    assert_ne!(state(&report, "input-validation"), "pass");
}

#[test]
fn the_configuration_keeps_what_it_says() {
    let ledger = fixture("nextjs-ledger-unready");
    let root = ledger.path();
    assert_eq!(run(root, &["security-headers", "--apply", "--allow-dirty"]).code, 0);
    let config = text(root, "next.config.ts");
    for expected in [
        "const config: NextConfig = {\n  poweredByHeader: false,\n  eslint:",
        "    return [\n      { source: \"/:path*\", headers: securityHeaders },\n      {\n        source: \"/api/:path*\",",
        "\nconst securityHeaders = [\n",
    ] {
        assert!(config.contains(expected), "{expected}\n{config}");
    }
}

#[test]
fn errors_that_are_reported_already_stay_with_who_reports_them() {
    let ledger = fixture("nextjs-ledger-unready");
    let root = ledger.path();
    let own = "export async function register() {\n}\n\nexport { onRequestError } from \"./lib/reports\";\n";
    write(root, "instrumentation.ts", own);
    write(root, "lib/reports.ts", "export function onRequestError(error: unknown) {\n  console.error(error);\n}\n");
    let ran = run(root, &["error-tracking", "--apply", "--allow-dirty"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("`onRequestError` is in instrumentation.ts"), "{}", ran.out);
    let instrumentation = text(root, "instrumentation.ts");
    assert!(instrumentation.contains("await import(\"./lib/observability/error-tracking\");"), "{instrumentation}");
    assert_eq!(instrumentation.matches("onRequestError").count(), 1, "{instrumentation}");
}

#[test]
fn the_pages_router_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "package.json",
        "{ \"name\": \"pages\", \"dependencies\": { \"next\": \"^15.5.6\", \"react\": \"^19.2.0\" } }\n",
    );
    write(root, "pages/index.jsx", "export default function Home() {\n  return <main>Hi</main>\n}\n");
    write(root, "pages/api/hello.js", "export default function handler(req, res) {\n  res.json({})\n}\n");
    let named = run(root, &["request-id", "--apply", "--allow-dirty"]);
    assert_ne!(named.code, 0, "{}", named.out);
    let said = format!("{}{}", named.out, named.err);
    assert!(said.contains("app router of Next.js"), "{said}");
    let all = run(root, &["--all", "--apply", "--allow-dirty"]);
    assert_eq!(all.code, 0, "{}{}", all.out, all.err);
    assert!(root.join("docs/RUNBOOK.md").exists() && !root.join("app").exists() && !root.join("lib").exists());
}
