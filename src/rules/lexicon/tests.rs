use super::*;

fn lexicons() -> Lexicons {
    Lexicons::parse("lexicons.toml", include_str!("../../../rules/lexicons.toml")).unwrap()
}

#[track_caller]
fn check(lexicon: &str, good: &[&str], bad: &[&str]) {
    let lexicons = lexicons();
    assert!(lexicons.find(lexicon).is_some(), "no lexicon {lexicon}");
    let missed: Vec<_> = good.iter().filter(|word| !lexicons.is(lexicon, word)).collect();
    let wrong: Vec<_> = bad.iter().filter(|word| lexicons.is(lexicon, word)).collect();
    assert!(missed.is_empty() && wrong.is_empty(), "@{lexicon} missed {missed:?}, wrongly took {wrong:?}");
}

#[test]
fn splits_names_into_words() {
    assert_eq!(words("getJWTSecret_v2"), ["get", "jwt", "secret", "v2"]);
    assert_eq!(words("X-API-Key"), ["x", "api", "key"]);
    assert_eq!(words("TOKEN_TTL"), ["token", "ttl"]);
    assert_eq!(words("été"), ["été"]);
}

#[test]
fn money() {
    check(
        "money",
        &[
            "price",
            "unit_price",
            "totalAmount",
            "balance",
            "priceCents",
            "shippingCost",
            "total",
            "order_total",
            "salary",
            "fees",
            "creditLimit",
        ],
        &[
            "total_count",
            "totalPages",
            "tax_rate",
            "score",
            "cost_center_id",
            "discountCode",
            "amountOfItems",
            "total_users",
            "creditCardNumber",
            "paymentMethod",
            "title",
            "totalTime",
            "feeling",
            "isCredit",
            "balancer",
            "total_score",
        ],
    );
}

#[test]
fn minor_unit() {
    check(
        "minor-unit",
        &["priceCents", "amount_in_cents", "feeMinor", "wei", "balance_pence"],
        &["price", "percent", "total", "center", "century"],
    );
}

#[test]
fn secret() {
    check(
        "secret",
        &[
            "JWT_SECRET",
            "password",
            "DB_PASSWORD",
            "apiKey",
            "STRIPE_SECRET_KEY",
            "accessToken",
            "SESSION_SECRET",
            "privateKey",
            "GITHUB_TOKEN",
            "client_secret",
            "ENCRYPTION_KEY",
            "SMTP_PASS_PHRASE_PASSPHRASE",
            "API_KEYS",
        ],
        &[
            "TOKEN_TTL",
            "PASSWORD_MIN_LENGTH",
            "KEY_PREFIX",
            "CACHE_KEY",
            "PUBLIC_KEY",
            "PUBLIC_KEY_URL",
            "tokenType",
            "passwordField",
            "PORT",
            "LOG_LEVEL",
            "NEXT_PUBLIC_API_KEY",
            "JWT_EXPIRES_IN",
            "publishableKey",
            "secretary",
            "primaryKey",
            "accessKeyId",
            "TOKEN_URL",
            "passwordResetUrl",
            "SUPABASE_ANON_KEY",
            "maxTokens",
            "keyboard",
            "PASSWORD_HASH",
        ],
    );
}

#[test]
fn auth_names() {
    check(
        "auth-name",
        &[
            "token",
            "resetToken",
            "sessionId",
            "otp",
            "verificationCode",
            "apiKey",
            "inviteCode",
            "csrf",
            "generateToken",
            "password",
            "salt",
        ],
        &[
            "statusCode",
            "countryCode",
            "errorCode",
            "useState",
            "setState",
            "jitter",
            "delay",
            "tokenCount",
            "color",
            "index",
            "id",
            "code",
            "shuffle",
        ],
    );
}

#[test]
fn auth_cookies() {
    check(
        "auth-cookie",
        &[
            "session",
            "connect.sid",
            "access_token",
            "refreshToken",
            "__Host-session",
            "jwt",
            "sid",
            "auth",
            "next-auth.session-token",
        ],
        &["theme", "locale", "cookie_consent", "sidebar_state", "XSRF-TOKEN", "lang", "_ga", "basket"],
    );
}

#[test]
fn sensitive_and_personal() {
    check(
        "sensitive",
        &[
            "password",
            "user.password",
            "authToken",
            "req.headers.authorization",
            "cardNumber",
            "cvv",
            "apiKey",
            "cookie",
        ],
        &[
            "tokenCount",
            "passwordLength",
            "tokenType",
            "maxTokens",
            "promptTokens",
            "email",
            "secretName",
            "isPasswordValid",
            "panel",
        ],
    );
    check(
        "personal",
        &["email", "user_email", "phoneNumber", "firstName", "dateOfBirth", "ipAddress", "address", "userEmail"],
        &[
            "emailTemplate",
            "name",
            "walletAddress",
            "emailProvider",
            "addressId",
            "filename",
            "smtpEmail",
            "emailVerifiedAt",
        ],
    );
    check(
        "tenant",
        &["tenantId", "organizationId", "orgId", "workspace_id", "accountId"],
        &["organizationName", "userId", "companyLogo", "origin"],
    );
    check(
        "privilege",
        &["role", "isAdmin", "balance", "permissions", "ownerId"],
        &["name", "roleName", "title", "email"],
    );
    check(
        "password",
        &["password", "userPassword", "pwd"],
        &["passwordMinLength", "passwordHash", "passport", "passwordResetAt"],
    );
    check(
        "placeholder",
        &["changeme", "your-api-key", "<your-secret>", "replace-me", "xxx", "EXAMPLE", "your_key_here"],
        &["hunter2", "s3cr3t", "prod"],
    );
}

#[test]
fn health_paths() {
    check(
        "health-path",
        &[
            "/health",
            "/healthz",
            "/api/health",
            "/api/v1/health/live",
            "/health/ready",
            "/livez",
            "/readyz",
            "/ping",
            "/health-check",
            "/_health",
            "/api/healthcheck",
        ],
        &[
            "/health-records",
            "/api/health/records",
            "/patients/:id/health",
            "/",
            "/users",
            "/live-stream",
            "/health/:id",
            "/statuses",
        ],
    );
    check(
        "readiness-path",
        &["/ready", "/readyz", "/health/ready", "/api/readiness"],
        &["/health", "/already", "/ready/:id"],
    );
}

#[test]
fn public_paths() {
    check(
        "public-path",
        &[
            "/login",
            "/api/auth/login",
            "/auth/register",
            "/api/auth/[...nextauth]",
            "/auth/google/callback",
            "/forgot-password",
            "/health",
            "/docs",
            "/robots.txt",
            "/.well-known/jwks.json",
            "/auth/reset-password/:token",
            "/api/v1/auth/refresh-token",
            "/openapi.json",
            "/verify-email",
        ],
        &[
            "/users",
            "/api/orders",
            "/loginhistory",
            "/admin/login-attempts",
            "/users/:id",
            "/settings/verify",
            "/products",
            "/publications",
            "/api/admin/register",
        ],
    );
    check(
        "login-path",
        &["/login", "/api/auth/sign-in", "/password/reset", "/auth/login"],
        &["/logins", "/users", "/auth/logout", "/token/:id"],
    );
}

#[test]
fn other_paths() {
    check(
        "admin-path",
        &["/admin", "/api/admin/users", "/backoffice"],
        &["/administrators-guide", "/users", "/badminton"],
    );
    check(
        "inbound-webhook",
        &[
            "/webhook",
            "/webhooks/stripe",
            "/api/stripe/webhook",
            "/api/webhooks",
            "/webhooks/:provider",
            "/api/stripe-webhook",
        ],
        &[
            "/webhook-subscriptions",
            "/webhooks/:id",
            "/webhooks/subscriptions",
            "/hooks-list",
            "/settings/webhooks",
            "/webhookLogs",
        ],
    );
    check("versioned-path", &["/api/v1/users", "/v2", "/v10/x"], &["/api/users", "/video", "/vx", "/v"]);
}

#[test]
fn mistakes_are_named() {
    let error = Lexicons::parse("l.toml", "[a]\nwords = ['x']\nunles = ['y']").unwrap_err();
    assert_eq!(error.position(), (3, 1));
    assert_eq!(error.problem().help.as_deref(), Some("did you mean `unless`?"));
}
