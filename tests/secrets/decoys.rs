//! Lines that look like secrets and are none, with the files in which they stand.

use super::random::{ALNUM, BASE64, DIGIT, HEX, LOWER, LOWER_ALNUM, Random, URL_SAFE};

/// What it is, the path (with `{n}` for the sample's number) and how the text is made.
pub type Decoy = (&'static str, &'static str, fn(&mut Random) -> String);

pub const DECOYS: &[Decoy] = &[
    ("UUID", "src/ids{n}.ts", |r| format!("export const TENANT_ID = '{}'\n", r.uuid())),
    ("UUID under a key's name", "config/ids{n}.yml", |r| format!("features:\n  key_id: {}\n", r.uuid())),
    ("commit", "src/build{n}.ts", |r| format!("export const REVISION = '{}'\n", r.text(HEX, 40))),
    ("digest of an image", "deploy/app{n}.yml", |r| {
        format!("spec:\n  image: registry.acme.io/shop@sha256:{}\n", r.text(HEX, 64))
    }),
    ("checksum", "scripts/fetch{n}.sh", |r| format!("echo \"{}  tool.tar.gz\" | sha256sum --check\n", r.text(HEX, 64))),
    ("integrity", "src/page{n}.tsx", |r| {
        format!(
            "export const Tag = () => <script src=\"https://cdn.acme.io/a.js\" integrity=\"sha384-{}\" />\n",
            r.text(BASE64, 64)
        )
    }),
    ("Python hashes", "requirements{n}.txt", |r| {
        format!("fastapi==0.115.0 \\\n    --hash=sha256:{}\n", r.text(HEX, 64))
    }),
    ("environment", "src/env{n}.ts", |r| {
        format!("export const apiKey = process.env.API_KEY_{}\n", r.text("ABCDEF", 4))
    }),
    ("environment, Python", "app/env_{n}.py", |r| {
        format!("import os\n\nPASSWORD = os.environ[\"PASSWORD_{}\"]\n", r.text("ABCDEF", 4))
    }),
    ("workflow secret", ".github/workflows/job{n}.yml", |r| {
        format!(
            "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    env:\n      API_TOKEN: ${{{{ secrets.TOKEN_{} }}}}\n    steps:\n      - run: make\n",
            r.text("ABC", 3)
        )
    }),
    ("template variable", "config/app{n}.yml", |r| format!("db:\n  password: ${{DB_PASSWORD_{}}}\n", r.text("ABC", 3))),
    ("placeholder", "config/sample{n}.properties", |r| {
        format!("api.api_key=your-{}-api-key-goes-here\n", r.text(LOWER, 5))
    }),
    ("angle placeholder", "config/angle{n}.yml", |r| {
        format!("auth:\n  client_secret: <your-{}-client-secret>\n", r.text(LOWER, 5))
    }),
    ("changeme", "config/change{n}.toml", |_| "[db]\npassword = \"changeme-changeme-changeme\"\n".to_owned()),
    ("masked", "src/masked{n}.ts", |r| {
        format!("export const shown = 'ghp_{}'\n", r.pick(&["****************", "xxxxxxxxxxxxxxxxxxxx"]))
    }),
    ("test key", "src/pay{n}.ts", |r| format!("export const stripe = new Stripe('sk_test_{}')\n", r.text(ALNUM, 24))),
    ("publishable key", "src/public{n}.ts", |r| format!("export const key = 'pk_live_{}'\n", r.text(ALNUM, 24))),
    ("documentation's AWS key", "src/aws{n}.ts", |_| "export const example = 'AKIAIOSFODNN7EXAMPLE'\n".to_owned()),
    ("public key", "config/public{n}.pem", |r| {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", r.text(BASE64, 64))
    }),
    ("certificate", "config/ca{n}.pem", |r| {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n{}\n-----END CERTIFICATE-----\n",
            r.text(BASE64, 64),
            r.text(BASE64, 64)
        )
    }),
    ("authorized key", "deploy/authorized_keys{n}", |r| {
        format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} dev@shop\n", r.text(BASE64, 43))
    }),
    ("image as data", "src/logo{n}.ts", |r| {
        format!("export const logo = 'data:image/png;base64,iVBORw0KGgo{}'\n", r.text(BASE64, 200))
    }),
    ("font as data", "src/font{n}.css", |r| {
        format!("@font-face {{ src: url(data:font/woff2;base64,d09GMgABAAAAA{}) }}\n", r.text(BASE64, 300))
    }),
    ("minified bundle", "public/app{n}.min.js", |r| {
        let names = (0..60).map(|_| format!("{}={{{}:\"{}\"}}", r.text(LOWER, 2), r.text(LOWER, 3), r.text(ALNUM, 12)));
        format!("!function(){{var {}}}();\n", names.collect::<Vec<_>>().join(","))
    }),
    ("translation", "locales/en{n}.json", |r| {
        format!("{{ \"password\": \"Please choose a password with {} letters\" }}\n", 10 + r.below(9))
    }),
    ("key of a translation", "src/labels{n}.ts", |r| {
        format!("export const secretLabel = 'settings.security.{}.secret-label'\n", r.text(LOWER, 8))
    }),
    ("form field", "src/form{n}.tsx", |_| {
        "export const Field = () => <input name=\"password\" type=\"password\" autoComplete=\"current-password\" />\n"
            .to_owned()
    }),
    ("name of a header", "src/header{n}.ts", |r| {
        format!("export const API_KEY_HEADER = 'x-{}-api-key-of-callers'\n", r.text(LOWER, 6))
    }),
    ("name of a cookie", "src/cookie{n}.ts", |r| {
        format!("export const sessionTokenCookie = '{}.session-token.v2'\n", r.text(LOWER, 6))
    }),
    ("type", "src/types{n}.ts", |_| {
        "export interface Login { email: string; password: string; accessToken: string }\n".to_owned()
    }),
    ("URL without password", "config/db{n}.yml", |r| {
        format!("db:\n  url: postgresql://shop@db-{}.acme.io:5432/shop\n", r.text(LOWER, 4))
    }),
    ("local URL", "docker-compose.dev{n}.yml", |_| {
        "services:\n  api:\n    build: .\n    environment:\n      DATABASE_URL: postgresql://postgres:postgres@localhost:5432/shop\n".to_owned()
    }),
    ("URL of templates", "src/url{n}.ts", |_| {
        "export const url = (c: { user: string; password: string }) => `postgres://${c.user}:${c.password}@db.acme.io/shop`\n".to_owned()
    }),
    ("path of a secret", "config/mount{n}.yml", |r| {
        format!("auth:\n  private_key: /run/secrets/{}-signing-key.pem\n", r.text(LOWER, 9))
    }),
    ("ARN of a secret", "deploy/arn{n}.tf", |r| {
        format!("  client_secret = \"arn:aws:secretsmanager:eu-west-1:{}:secret:shop/prod\"\n", r.text(DIGIT, 12))
    }),
    ("reference in Terraform", "deploy/ref{n}.tf", |r| {
        format!("  password = random_password.{}_database.result\n", r.text(LOWER, 6))
    }),
    ("encrypted value", "config/sealed{n}.yml", |r| {
        format!("db:\n  password: ENC[AES256_GCM,data:{},type:str]\n", r.text(BASE64, 24))
    }),
    ("hash in a test", "tests/password{n}.test.ts", |r| format!("const stored = '$2b$12${}'\n", r.text(ALNUM, 53))),
    ("base58 address", "src/chain{n}.ts", |r| format!("export const CONTRACT = '0x{}'\n", r.text(HEX, 40))),
    ("analytics id", "src/analytics{n}.ts", |r| {
        format!("export const measurementId = 'G-{}'\n", r.text("ABCDEFGH0123456789", 10))
    }),
    ("alphabet", "src/alphabet{n}.ts", |_| {
        "export const tokenAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'\n".to_owned()
    }),
    ("lock file", "package-lock{n}/package-lock.json", |r| {
        format!(
            "{{ \"packages\": {{ \"node_modules/a\": {{ \"version\": \"1.0.0\", \"integrity\": \"sha512-{}==\" }} }} }}\n",
            r.text(BASE64, 86)
        )
    }),
    ("event", "src/events{n}.ts", |r| {
        format!("export const PASSWORD_CHANGED = 'account.{}.password.changed'\n", r.text(LOWER, 8))
    }),
    ("tracking query", "src/links{n}.ts", |r| {
        format!(
            "export const link = 'https://acme.io/?utm_id={}&ref={}'\n",
            r.text(URL_SAFE, 22),
            r.text(LOWER_ALNUM, 12)
        )
    }),
];
