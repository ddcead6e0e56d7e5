use super::*;

fn read(files: &[(&str, &str)], facts: &[Fact]) -> Vec<Fact> {
    let files = files.iter().enumerate().map(|(index, (path, text))| ProxyFile {
        id: FileId(u32::try_from(index).unwrap()),
        path,
        text,
        area: Area::Config,
        service: ServiceId(0),
    });
    let input =
        ProxyInput { files: files.collect(), backends: vec![Backend { id: ServiceId(2), folder: "api" }], facts };
    proxies(&input).0
}

fn of_kind<'f>(facts: &'f [Fact], kind: &str) -> Vec<&'f Fact> {
    facts.iter().filter(|fact| &*fact.kind == kind).collect()
}

fn container(fields: &[(&str, Value)]) -> Fact {
    let at = span(FileId(9), 0, 1);
    fields.iter().fold(fact("container", at, "test", "api"), |fact, (name, value)| fact.with(name, value.clone()))
}

const NGINX: &str = "http {\n  limit_req_zone $binary_remote_addr zone=a:10m rate=5r/s;\n  gzip on;\n  gzip_types application/json;\n  limit_req zone=a;\n  upstream api { server api:3000 max_fails=2; server api2:3000; }\n  server { listen 80; return 301 https://$host$request_uri; }\n  server {\n    listen 443 ssl;\n    ssl_certificate /etc/letsencrypt/live/x/fullchain.pem;\n    ssl_protocols TLSv1.2 TLSv1.3;\n    client_max_body_size 10m;\n    add_header X-Frame-Options DENY always;\n    add_header X-Content-Type-Options nosniff;\n    location / { proxy_pass http://api; }\n    location /ws { proxy_pass http://api; add_header X-Frame-Options DENY; }\n  }\n}\n";

#[test]
fn nginx_with_everything() {
    let mounted = container(&[
        ("binds", Value::texts(["deploy/nginx"])),
        ("published", Value::texts(["443:443"])),
        ("restart", Value::text("always")),
    ]);
    let facts = read(&[("deploy/nginx/nginx.conf", NGINX)], &[mounted]);
    let proxies = of_kind(&facts, "proxy");
    assert_eq!(proxies.len(), 2);
    let main = proxies[1];
    assert_eq!((main.service, main.reached), (ServiceId(2), true));
    for (field, wanted) in [
        ("tls", Value::bool(true)),
        ("renewal", Value::bool(true)),
        ("redirects", Value::bool(true)),
        ("rate_limit", Value::bool(true)),
        ("body_limit", Value::text("10mb")),
        ("balanced", Value::bool(true)),
        ("checks", Value::bool(true)),
        ("serves", Value::bool(true)),
        ("published", Value::bool(true)),
        ("upstreams", Value::texts(["api", "api2"])),
        ("compresses", Value::texts(["text/html", "application/json"])),
    ] {
        assert_eq!(main.get(field), Some(&wanted), "{field}");
    }
    let headers = main.get("headers").unwrap();
    assert_eq!(headers.field("x-frame-options"), Value::text("DENY"));
    assert!(headers.field("x-content-type-options").is_absent(), "the location's own header replaces it");
    assert_eq!(proxies[0].get("serves"), Some(&Value::bool(false)));
}

#[test]
fn proxies_that_nothing_deploys_are_unreached() {
    let facts =
        read(&[("contrib/nginx.conf", "server { listen 80; location / { proxy_pass http://127.0.0.1:80; } }")], &[]);
    let proxy = of_kind(&facts, "proxy")[0];
    assert_eq!((proxy.reached, proxy.get("wired")), (false, Some(&Value::bool(false))));
    assert_eq!(of_kind(&facts, "directive").len(), 4);
}

#[test]
fn snippets_belong_to_the_http_block_around_them() {
    let files = [
        ("nginx/nginx.conf", "http { server_tokens off; include conf.d/*.conf; server { listen 1; } }"),
        (
            "nginx/conf.d/app.conf",
            "server { include common.conf; location / { proxy_pass $api; } set $api http://api:1; }",
        ),
        ("nginx/common.conf", "add_header X-Frame-Options DENY; # server location"),
    ];
    let facts = read(&files, &[]);
    let app = of_kind(&facts, "proxy")[1];
    assert_eq!(app.get("hides_version"), Some(&Value::bool(true)));
    assert_eq!(app.get("upstreams"), Some(&Value::texts(["api"])));
    assert_eq!(app.get("headers").unwrap().field("x-frame-options"), Value::text("DENY"));
}

#[test]
fn caddyfiles() {
    let text = "shop.test {\n  encode gzip\n  header {\n    Strict-Transport-Security \"max-age=31536000\"\n    -Server\n  }\n  reverse_proxy /api/* api:3000\n}\n:8080 {\n  reverse_proxy web:1\n}\n";
    let facts = read(&[("Caddyfile", text)], &[]);
    let proxies = of_kind(&facts, "proxy");
    let flags: Vec<_> = proxies.iter().map(|proxy| proxy.get("tls").cloned().unwrap()).collect();
    assert_eq!(flags, [Value::bool(true), Value::bool(false)]);
    assert_eq!(proxies[0].get("headers").unwrap().field("strict-transport-security"), Value::text("max-age=31536000"));
    assert_eq!(proxies[0].get("upstreams"), Some(&Value::texts(["api"])));
    let bare = read(&[("Caddyfile", "shop.test\nreverse_proxy api:3000\n")], &[]);
    assert_eq!(of_kind(&bare, "proxy")[0].get("tls"), Some(&Value::bool(true)));
}

#[test]
fn labels_of_traefik() {
    let labels = [
        ("traefik.enable", "true"),
        ("traefik.http.routers.api.rule", "Host(`x`)"),
        ("traefik.http.routers.api.tls.certresolver", "le"),
        ("traefik.http.routers.api.middlewares", "secure@docker, slow"),
        ("traefik.http.middlewares.secure.headers.stsSeconds", "31536000"),
        ("traefik.http.middlewares.slow.rateLimit.average", "100"),
        ("traefik.http.middlewares.unused.compress", "true"),
    ];
    let fields = labels.iter().map(|(name, value)| ((*name).into(), Value::text(*value))).collect();
    let record = Record::closed(fields);
    let labels = Value { data: Data::Record(Arc::new(record)), origins: Origins::default() };
    let facts = read(&[], &[container(&[("labels", labels)]), container(&[])]);
    let proxy = of_kind(&facts, "proxy")[0];
    assert_eq!((proxy.get("tls"), proxy.get("rate_limit")), (Some(&Value::bool(true)), Some(&Value::bool(true))));
    assert_eq!(proxy.get("compresses"), Some(&Value::list(Vec::new())));
    assert_eq!(proxy.get("headers").unwrap().field("strict-transport-security"), Value::text("max-age=31536000"));
}

#[test]
fn names_of_files() {
    for path in [
        "nginx.conf",
        "deploy/conf.d/default.conf",
        "nginx/default.conf.template",
        "nginx/sites-enabled/app",
        "Caddyfile.prod",
    ] {
        assert!(is_proxy_file(path), "{path}");
    }
    for path in ["src/app.ts", "config", "caddy.md"] {
        assert!(!is_proxy_file(path), "{path}");
    }
    let (facts, diagnostics) = proxies(&ProxyInput {
        files: vec![ProxyFile {
            id: FileId(0),
            path: "nginx.conf",
            text: "server {\n listen 80;\n",
            area: Area::Config,
            service: ServiceId(0),
        }],
        backends: Vec::new(),
        facts: &[],
    });
    assert_eq!((facts.len(), diagnostics[0].line), (0, 1));
}

#[test]
fn nginx_in_a_config_map() {
    let object = |text: &str| {
        let node = crate::syntax::yaml::parse(text).unwrap();
        crate::facts::shapes::kubernetes(FileId(3), &node).remove(0)
    };
    let map = object(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: edge}\ndata:\n  notes: server listen\n  default.conf: |\n    server { listen 80; add_header X-Frame-Options DENY; location / { proxy_pass http://api:3000; } }\n  broken.conf: 'server { listen 80; '\n",
    );
    let pod = object(
        "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {volumes: [{name: c, configMap: {name: edge}}]}}}\n",
    );
    for (facts, wired) in [(vec![map.clone()], false), (vec![map, pod], true)] {
        let found = read(&[], &facts);
        let proxies = of_kind(&found, "proxy");
        assert_eq!(proxies.len(), 1);
        let proxy = proxies[0];
        assert_eq!((proxy.at.file, proxy.reached, proxy.service), (FileId(3), wired, ServiceId(2)));
        assert_eq!(proxy.get("headers").unwrap().field("x-frame-options").as_text(), Some("DENY"));
        assert_eq!(proxy.get("published"), Some(&Value::bool(false)));
    }
}

/// The field of the proxy of a server with these directives in an `http` block of its own.
fn field_of(http: &str, server: &str, field: &str) -> Value {
    let text = format!("http {{ {http} server {{ {server} }} }}");
    let facts = read(&[("nginx.conf", &text)], &[]);
    of_kind(&facts, "proxy")[0].get(field).cloned().unwrap_or(Value::ABSENT)
}

#[test]
fn limits_of_nginx_need_a_zone_and_must_be_enforced() {
    const ZONE: &str = "limit_req_zone $binary_remote_addr zone=api:10m rate=5r/s;";
    let limited = |http: &str, place: &str| {
        let server = format!("listen 80; location / {{ {place} proxy_pass http://api; }}");
        field_of(http, &server, "rate_limit") == Value::bool(true)
    };
    assert!(limited(ZONE, "limit_req zone=api burst=20;"));
    assert!(!limited(ZONE, ""), "the zone is not used");
    assert!(!limited(ZONE, "limit_req zone=other;"), "the zone is not defined");
    assert!(!limited("", "limit_req zone=api;"));
    assert!(!limited(ZONE, "limit_req zone=api; limit_req_dry_run on;"));
    let included = "server { listen 80; location / { limit_req zone=api; proxy_pass http://api; } }";
    let facts = read(&[("conf.d/app.conf", included)], &[]);
    let proxy = of_kind(&facts, "proxy")[0];
    assert_eq!(proxy.get("rate_limit"), Some(&Value::bool(true)), "the zone may stand in what includes the file");
}

#[test]
fn the_longest_wait_of_nginx_counts() {
    let timeout = |server: &str| field_of("", &format!("listen 80; {server}"), "timeout");
    let place = |inner: &str| format!("location /{} {{ {inner} proxy_pass http://api; }}", inner.len());
    assert_eq!(timeout(&place("")), Value::ABSENT);
    assert_eq!(timeout(&place("proxy_read_timeout 1m30s;")), Value::text("90s"));
    assert_eq!(timeout(&(place("proxy_read_timeout 5;") + &place(""))), Value::text("60s"));
    assert_eq!(timeout(&(place("proxy_read_timeout 5;") + &place("proxy_read_timeout 1d;"))), Value::text("86400s"));
    let open = place("proxy_set_header Upgrade $http_upgrade; proxy_read_timeout 1d;");
    assert_eq!(timeout(&(place("proxy_read_timeout 5;") + &open)), Value::text("5s"));
    assert_eq!(timeout(&open), Value::ABSENT);
    let python = "uwsgi_read_timeout 30; location / { uwsgi_pass app:8000; proxy_read_timeout 9s; }";
    assert_eq!(timeout(python), Value::text("30s"));
    assert_eq!(timeout(&place("proxy_read_timeout $wait;")), Value::ABSENT);
}

#[test]
fn servers_of_nginx_that_fail_are_left_out() {
    let of = |servers: &str, place: &str, field: &str| {
        let server = format!("listen 80; location / {{ {place} proxy_pass http://api; }}");
        field_of(&format!("upstream api {{ {servers} }}"), &server, field) == Value::bool(true)
    };
    assert!(of("server a; server b;", "", "checks") && of("server a; server b;", "", "balanced"));
    assert!(!of("server a max_fails=0; server b max_fails=0;", "", "checks"));
    assert!(!of("server a; server b;", "proxy_next_upstream off;", "checks"));
    assert!(!of("server a max_fails=3;", "", "checks"), "there is no other server");
    assert!(!of("server a; server b backup;", "", "balanced") && !of("server a; server b down;", "", "balanced"));
}

#[test]
fn files_of_traefik_say_what_labels_say() {
    let dynamic = "http:\n  routers:\n    api:\n      rule: Host(`shop.test`)\n      entryPoints: [websecure]\n      middlewares: [limit, secure@file]\n      service: api\n      tls: {certResolver: le}\n    plain:\n      rule: Path(`/x`)\n      service: other\n      middlewares: [unused]\n  middlewares:\n    limit: {rateLimit: {average: 10}}\n    secure: {headers: {stsSeconds: 31536000, frameDeny: true}}\n  services:\n    api:\n      loadBalancer:\n        healthCheck: {path: /health}\n        servers: [{url: \"http://api:3000\"}, {url: \"http://api2:3000\"}]\n";
    let fixed = "[entryPoints.web.http.redirections.entryPoint]\nto = \"websecure\"\nscheme = \"https\"\n[certificatesResolvers.le.acme]\nemail = \"ops@shop.test\"\n";
    let mounted = container(&[("binds", Value::texts(["traefik"])), ("published", Value::texts(["443:443"]))]);
    let facts = read(&[("traefik/dynamic.yml", dynamic), ("traefik/traefik.toml", fixed)], &[mounted]);
    let proxies = of_kind(&facts, "proxy");
    let [api, plain] = proxies.as_slice() else { panic!("{proxies:#?}") };
    for (field, wanted) in [
        ("tls", Value::bool(true)),
        ("renewal", Value::bool(true)),
        ("redirects", Value::bool(true)),
        ("rate_limit", Value::bool(true)),
        ("balanced", Value::bool(true)),
        ("checks", Value::bool(true)),
        ("wired", Value::bool(true)),
        ("upstreams", Value::texts(["api", "api2"])),
    ] {
        assert_eq!(api.get(field), Some(&wanted), "{field}");
    }
    assert_eq!(api.get("headers").unwrap().field("strict-transport-security"), Value::text("max-age=31536000"));
    assert_eq!((plain.get("tls"), plain.get("rate_limit")), (Some(&Value::bool(false)), Some(&Value::bool(false))));
    assert!(!is_traefik_file("traefik/docker-compose.yml") && !is_traefik_file("docs/traefik.md"));
}

#[test]
fn odd_files_of_traefik_are_survived() {
    let nested = format!("http: {}1{}", "{a: ".repeat(40), "}".repeat(40));
    for text in ["", "[", "http: 3", "http: {routers: [a]}", "http: {routers: {a: 1, b: {service: [x]}}}", &nested] {
        let _ = read(&[("traefik.yml", text), ("traefik.toml", text)], &[]);
    }
}
