//! Files that hold one value each, in the shapes in which people write them down.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Standard base64, padded.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The path (with `{n}` for the sample's number) and the text around `{}`.
pub const AROUND_KEYS: &[(&str, &str)] = &[
    ("src/client{n}.ts", "import { Client } from './client'\nexport const client = new Client('{}')\n"),
    ("src/settings{n}.js", "module.exports = {\n  region: 'eu-central-1',\n  credential: \"{}\",\n}\n"),
    ("app/client_{n}.py", "import service\n\nclient = service.Client(\"{}\", timeout=3)\n"),
    ("src/client_{n}.rs", "pub fn client() -> Client {\n    Client::new(\"{}\")\n}\n"),
    ("internal/client{n}.go", "package internal\n\nvar credential = \"{}\"\n"),
    ("src/main/java/Client{n}.java", "class Client {\n  static final String CREDENTIAL = \"{}\";\n}\n"),
    ("config/service{n}.yml", "service:\n  region: eu\n  credential: \"{}\"\n"),
    ("config/service{n}.json", "{\n  \"region\": \"eu\",\n  \"credential\": \"{}\"\n}\n"),
    ("config/service{n}.toml", "[service]\ncredential = \"{}\"\n"),
    ("config/service{n}.properties", "service.region=eu\nservice.credential={}\n"),
    ("deploy/main{n}.tf", "variable \"credential\" {\n  default = \"{}\"\n}\n"),
    ("scripts/deploy{n}.sh", "#!/bin/sh\nexport SERVICE_CREDENTIAL=\"{}\"\n./deploy\n"),
    ("src/commented{n}.ts", "export const timeout = 3000\n// until the rotation: '{}'\n"),
    ("config/appsettings{n}.xml", "<configuration>\n  <add key=\"Credential\" value=\"{}\" />\n</configuration>\n"),
];

/// The same for values beside a name, `{name}` in the file's own spelling.
pub const AROUND_NAMED: &[(&str, &str)] = &[
    ("src/named{n}.ts", "export const settings = {\n  {camel}: '{}',\n}\n"),
    ("src/constant{n}.ts", "export const {upper} = '{}'\n"),
    ("app/settings_{n}.py", "{upper} = \"{}\"\n"),
    ("config/named{n}.yml", "service:\n  {snake}: \"{}\"\n"),
    ("config/named{n}.properties", "service.{snake}={}\n"),
    ("config/named{n}.toml", "[service]\n{snake} = \"{}\"\n"),
    ("deploy/named{n}.tf", "  {snake} = \"{}\"\n"),
    ("scripts/named{n}.sh", "export {upper}=\"{}\"\n"),
];

/// `client_secret` as `clientSecret`.
pub fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}
