//! Named word lists (`@money`, `@health-path`): what a name or a path is about.

use super::document::{as_text, as_texts, at, only_keys, parse};
use super::error::{Problem, RuleError};
use crate::syntax::Node;

/// All lexicons, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Lexicons {
    entries: Vec<(String, Lexicon)>,
}

/// Which of the loaded lexicons a condition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LexiconId(u32);

#[derive(Debug, Clone)]
enum Lexicon {
    Names(Names),
    Paths(Paths),
}

#[derive(Debug, Clone, Default)]
struct Names {
    positive: Vec<Vec<String>>,
    unless: Vec<Vec<String>>,
    unless_last: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Default)]
struct Paths {
    last: Vec<Vec<String>>,
    then: Vec<String>,
    any: Vec<Vec<String>>,
    unless: Vec<String>,
    parameters: Parameters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Parameters {
    None,
    NoId,
    #[default]
    Any,
}

const NAME_KEYS: &[&str] = &["about", "words", "phrases", "unless", "unless_last"];
const PATH_KEYS: &[&str] = &["about", "last", "then", "any", "unless", "parameters"];

impl Lexicons {
    /// Reads a lexicon file.
    pub fn parse(path: &str, text: &str) -> Result<Lexicons, RuleError> {
        let root = parse(path, text)?;
        let mut lexicons = Lexicons::default();
        for entry in root.entries() {
            let lexicon = read(&entry.value).map_err(|problem| problem.in_file(path, text))?;
            lexicons.entries.push((entry.key.to_string(), lexicon));
        }
        lexicons.entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(lexicons)
    }

    /// Whether a name or path belongs to a lexicon; false for a lexicon that does not exist.
    pub fn is(&self, name: &str, text: &str) -> bool {
        self.find(name).is_some_and(|id| self.contains(id, text))
    }

    pub fn find(&self, name: &str) -> Option<LexiconId> {
        let index = self.entries.binary_search_by(|(entry, _)| entry.as_str().cmp(name)).ok()?;
        u32::try_from(index).ok().map(LexiconId)
    }

    pub fn contains(&self, id: LexiconId, text: &str) -> bool {
        match self.entries.get(id.0 as usize) {
            Some((_, Lexicon::Names(names))) => names.contains(text),
            Some((_, Lexicon::Paths(paths))) => paths.contains(text),
            None => false,
        }
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }
}

fn read(node: &Node) -> Result<Lexicon, Problem> {
    if node.get("words").or_else(|| node.get("phrases")).is_some() {
        only_keys(node, "a lexicon of names", NAME_KEYS)?;
        let mut positive = phrases(node, "words")?;
        positive.extend(phrases(node, "phrases")?);
        Ok(Lexicon::Names(Names {
            positive,
            unless: phrases(node, "unless")?,
            unless_last: phrases(node, "unless_last")?,
        }))
    } else {
        only_keys(node, "a lexicon of paths", PATH_KEYS)?;
        Ok(Lexicon::Paths(Paths {
            last: paths(node, "last")?,
            then: paths(node, "then")?.into_iter().flatten().collect(),
            any: paths(node, "any")?,
            unless: paths(node, "unless")?.into_iter().flatten().collect(),
            parameters: parameters(node)?,
        }))
    }
}

fn parameters(node: &Node) -> Result<Parameters, Problem> {
    let Some(value) = node.get("parameters") else { return Ok(Parameters::default()) };
    match as_text(value, "`parameters`")? {
        "none" => Ok(Parameters::None),
        "no-id" => Ok(Parameters::NoId),
        "any" => Ok(Parameters::Any),
        word => Err(at(value, format!("`parameters` cannot be `{word}`")).suggest(word, ["none", "no-id", "any"])),
    }
}

fn texts<'a>(node: &'a Node, key: &str) -> Result<Vec<&'a str>, Problem> {
    node.get(key).map_or_else(|| Ok(Vec::new()), |value| as_texts(value, &format!("`{key}`")))
}

fn phrases(node: &Node, key: &str) -> Result<Vec<Vec<String>>, Problem> {
    Ok(texts(node, key)?.into_iter().map(words).filter(|words| !words.is_empty()).collect())
}

fn paths(node: &Node, key: &str) -> Result<Vec<Vec<String>>, Problem> {
    Ok(texts(node, key)?.into_iter().map(|path| path.split('/').map(plain).collect()).collect())
}

/// The words of a name, in lower case: `getJWTSecret_v2` → get jwt secret v2.
pub fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let characters: Vec<char> = name.chars().take(MAX_NAME).collect();
    for (index, &character) in characters.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|i| characters.get(i)).copied();
        if !character.is_alphanumeric() || starts_word(previous, character, characters.get(index + 1).copied()) {
            push_word(&mut words, &mut word);
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
    }
    push_word(&mut words, &mut word);
    words
}

/// Longer texts are no names.
const MAX_NAME: usize = 200;

fn starts_word(previous: Option<char>, character: char, next: Option<char>) -> bool {
    let Some(previous) = previous else { return false };
    let hump = character.is_uppercase() && !previous.is_uppercase();
    let acronym_ends = character.is_uppercase() && previous.is_uppercase() && next.is_some_and(char::is_lowercase);
    hump || acronym_ends
}

fn push_word(words: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

impl Names {
    fn contains(&self, name: &str) -> bool {
        let words = words(name);
        occurs(&self.positive, &words) && !occurs(&self.unless, &words) && !ends(&self.unless_last, &words)
    }
}

fn occurs(phrases: &[Vec<String>], words: &[String]) -> bool {
    phrases.iter().any(|phrase| words.windows(phrase.len()).any(|window| same_words(phrase, window)))
}

fn ends(phrases: &[Vec<String>], words: &[String]) -> bool {
    phrases.iter().any(|phrase| {
        let start = words.len().checked_sub(phrase.len());
        start
            .filter(|start| *start > 0)
            .and_then(|start| words.get(start..))
            .is_some_and(|tail| same_words(phrase, tail))
    })
}

fn same_words(phrase: &[String], words: &[String]) -> bool {
    phrase.iter().zip(words).all(|(expected, word)| expected == word || word.strip_suffix('s') == Some(expected))
}

/// A segment without case and without what joins its words.
fn plain(segment: &str) -> String {
    segment.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}

impl Paths {
    fn contains(&self, path: &str) -> bool {
        if !path.contains('/') && !path.is_empty() && path.contains(char::is_whitespace) {
            return false;
        }
        let raw: Vec<&str> = path
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let segments: Vec<String> = raw.iter().map(|segment| plain(segment)).collect();
        if segments.iter().any(|segment| self.unless.contains(segment)) {
            return false;
        }
        let parameters: Vec<bool> = raw.iter().map(|segment| is_parameter(segment)).collect();
        self.parameters_allowed(&raw, &parameters)
            && (self.any.iter().any(|path| stands_anywhere(path, &segments)) || self.ends_path(&segments, &parameters))
    }

    fn parameters_allowed(&self, raw: &[&str], parameters: &[bool]) -> bool {
        match self.parameters {
            Parameters::Any => true,
            Parameters::None => !parameters.contains(&true),
            Parameters::NoId => {
                raw.iter().zip(parameters).all(|(segment, parameter)| !parameter || !is_identifier(segment))
            }
        }
    }

    /// A path of `last` ends the path, but for segments of `then`.
    fn ends_path(&self, segments: &[String], parameters: &[bool]) -> bool {
        let follows = |index: usize| {
            segments.get(index).is_some_and(|segment| self.then.contains(segment))
                || (parameters.get(index) == Some(&true) && self.then.iter().any(|then| then == "*param"))
        };
        let mut end = segments.len();
        loop {
            let head = segments.get(..end).unwrap_or_default();
            if self.last.iter().any(|path| ends_with(path, head)) {
                return true;
            }
            match end.checked_sub(1) {
                Some(shorter) if follows(shorter) => end = shorter,
                _ => return false,
            }
        }
    }
}

fn stands_anywhere(path: &[String], segments: &[String]) -> bool {
    segments.windows(path.len().max(1)).any(|window| same_segments(path, window))
}

fn ends_with(path: &[String], segments: &[String]) -> bool {
    let tail = segments.len().checked_sub(path.len()).and_then(|start| segments.get(start..));
    tail.is_some_and(|tail| same_segments(path, tail))
}

fn same_segments(path: &[String], segments: &[String]) -> bool {
    path.iter().zip(segments).all(|(expected, segment)| same_segment(expected, segment))
}

/// `#` in the expected segment stands for one or more digits.
fn same_segment(expected: &str, segment: &str) -> bool {
    if !expected.contains('#') {
        return expected == segment;
    }
    let mut rest = segment;
    for character in expected.chars() {
        if character == '#' {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            match rest.get(digits..) {
                Some(after) if digits > 0 => rest = after,
                _ => return false,
            }
        } else {
            match rest.strip_prefix(character) {
                Some(after) => rest = after,
                None => return false,
            }
        }
    }
    rest.is_empty()
}

/// `:id`, `[id]`, `{id}`, `<id>`, `*`.
fn is_parameter(segment: &str) -> bool {
    segment.starts_with([':', '[', '{', '<', '*'])
}

fn is_identifier(segment: &str) -> bool {
    words(segment).last().is_some_and(|word| matches!(word.as_str(), "id" | "uuid" | "slug" | "key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lexicons() -> Lexicons {
        Lexicons::parse("lexicons.toml", include_str!("../../rules/lexicons.toml")).unwrap()
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
}
