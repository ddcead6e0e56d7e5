//! Servers of nginx: what the places that pass requests on have in common, with what they inherit.

use std::collections::{BTreeMap, BTreeSet};

use super::{Proxy, ProxyFile, host_of};
use crate::facts::shapes::paths;
use crate::syntax::blocks::Directive;

/// How many files may include each other in a row, and locations lie in each other.
const MAX_DEPTH: usize = 4;
/// Servers of one file, and places of one server, that are looked at.
const MAX_SERVERS: usize = 100;
const MAX_PLACES: usize = 200;

/// Words without which a file of that name is something else.
pub fn is_likely(text: &str) -> bool {
    let has = |word: &str| text.contains(word);
    has("server") && (has("listen") || has("proxy_pass") || has("location") || has("upstream"))
        || has("add_header") && !has("<VirtualHost")
}

/// What files of one configuration share: snippets, and the directives of `http` blocks by folder.
pub struct Shared<'a> {
    snippets: BTreeMap<&'a str, &'a [Directive]>,
    http: Vec<(&'a str, &'a [Directive])>,
    /// The zones that limits are counted in, wherever they are defined.
    zones: BTreeSet<&'a str>,
}

impl<'a> Shared<'a> {
    pub fn new(files: &'a [(&ProxyFile<'a>, Vec<Directive>)]) -> Shared<'a> {
        let snippets = files.iter().map(|(file, directives)| (paths::name(file.path), directives.as_slice())).collect();
        let blocks = files.iter().flat_map(|(file, directives)| {
            let http = directives.iter().filter(|directive| directive.name == "http");
            http.map(|block| (paths::folder(file.path), block.children()))
        });
        let top = files.iter().flat_map(|(_, directives)| directives);
        let inner = top.clone().filter(|found| found.name == "http").flat_map(Directive::children);
        let zones = top.chain(inner).filter(|found| found.name == "limit_req_zone");
        let zones = zones.filter_map(|found| found.args.iter().find_map(|arg| zone_of(arg)));
        Shared { http: blocks.collect(), snippets, zones: zones.collect() }
    }

    /// The `http` block that a file without one is included in: that of a folder around it.
    fn around(&self, path: &str) -> &'a [Directive] {
        let folder = paths::folder(path);
        let under = |outer: &str| outer == "." || folder == outer || folder.starts_with(&format!("{outer}/"));
        let beside = |outer: &str| paths::folder(outer) == paths::folder(folder) && outer != ".";
        let mut found = self.http.iter().filter(|(outer, _)| under(outer) || beside(outer));
        found.next().map_or(&[], |(_, directives)| directives)
    }

    /// A level with what its `include`s bring.
    fn level<'d>(&'d self, directives: &'d [Directive], depth: usize) -> Vec<&'d Directive> {
        let mut found = Vec::new();
        for directive in directives {
            let snippet = (directive.name == "include").then(|| paths::name(directive.arg(0)));
            match snippet.and_then(|name| self.snippets.get(name)).filter(|_| depth > 0) {
                Some(snippet) => found.extend(self.level(snippet, depth - 1)),
                None => found.push(directive),
            }
        }
        found
    }
}

type Level<'d> = Vec<&'d Directive>;

pub fn servers(path: &str, directives: &[Directive], shared: &Shared<'_>) -> Vec<Proxy> {
    let own = directives.iter().find(|directive| directive.name == "http").map(Directive::children);
    let mut http = shared.level(own.unwrap_or(directives), MAX_DEPTH);
    if own.is_none() {
        http.extend(shared.level(shared.around(path), MAX_DEPTH).into_iter().filter(|found| found.name != "server"));
    }
    let servers: Vec<&&Directive> = http.iter().filter(|found| found.name == "server").take(MAX_SERVERS).collect();
    let whole = own.is_some() || !shared.around(path).is_empty();
    let redirects = servers.iter().any(|server| sends_to_https(&shared.level(server.children(), MAX_DEPTH), MAX_DEPTH));
    let read = servers.iter().map(|server| {
        let level = shared.level(server.children(), MAX_DEPTH);
        Server { shared, http: &http, own: &level, redirects, whole }.proxy(server)
    });
    read.collect()
}

/// Requests over plain HTTP are answered with an address of HTTPS.
fn sends_to_https(level: &Level<'_>, depth: usize) -> bool {
    level.iter().any(|directive| match directive.name.as_str() {
        "return" | "rewrite" => directive.args.iter().any(|arg| arg.starts_with("https://")),
        "location" | "if" if depth > 0 => sends_to_https(&directive.children().iter().collect(), depth - 1),
        _ => false,
    })
}

struct Server<'d> {
    shared: &'d Shared<'d>,
    http: &'d Level<'d>,
    own: &'d Level<'d>,
    redirects: bool,
    /// The `http` block around it is known.
    whole: bool,
}

/// The directives around a place where requests are passed on, the innermost level first.
struct Passing<'d> {
    levels: [&'d [&'d Directive]; 3],
    target: &'d Directive,
}

const PASSES: [&str; 5] = ["proxy_pass", "grpc_pass", "uwsgi_pass", "fastcgi_pass", "scgi_pass"];

impl Server<'_> {
    fn proxy(&self, server: &Directive) -> Proxy {
        let locations = self.locations(self.own, MAX_DEPTH);
        let places: Vec<Passing<'_>> = locations
            .iter()
            .take(MAX_PLACES)
            .filter_map(|level| {
                let target = level.iter().find(|directive| PASSES.contains(&directive.name.as_str()))?;
                Some(Passing { levels: [level, self.own, self.http], target })
            })
            .collect();
        let listens = || self.own.iter().filter(|directive| directive.name == "listen");
        let tls = listens()
            .any(|listen| listen.args.iter().any(|arg| matches!(arg.as_str(), "ssl" | "quic" | "http3")))
            || self.text("ssl").is_some_and(|value| value == "on");
        let plain = listens().next().is_none() || listens().any(|listen| !listen.args.iter().any(|arg| arg == "ssl"));
        let certificate = self.text("ssl_certificate").unwrap_or_default();
        let names = self.own.iter().find(|directive| directive.name == "server_name");
        let all = |test: &dyn Fn(&Passing<'_>) -> bool| !places.is_empty() && places.iter().all(test);
        Proxy {
            software: "nginx",
            name: names.map_or_else(|| "server".to_owned(), |names| names.arg(0).to_owned()),
            at: (server.start, server.end),
            tls: tls && !certificate.is_empty(),
            renewal: is_renewed(&certificate) || self.answers_challenges(),
            protocols: self.words("ssl_protocols"),
            redirects: self.redirects || (plain && sends_to_https(self.own, MAX_DEPTH)),
            headers: common_headers(&places),
            rate_limit: all(&|place| self.is_limited(place)),
            body_limit: self.text("client_max_body_size").filter(|size| size != "0").map(|size| size_text(&size)),
            timeout: longest_wait(&places),
            compresses: self.compresses(),
            hides_version: self.text("server_tokens").map(|value| value == "off"),
            upstreams: self.upstreams(&places),
            balanced: places.iter().any(|place| self.serving(place.target) > 1),
            checks: places.iter().any(|place| self.is_checked(place)),
            outer: self.is_behind_another() || is_local(names),
        }
    }

    /// The server itself and its locations, each with what it includes.
    fn locations<'d>(&'d self, level: &[&'d Directive], depth: usize) -> Vec<Level<'d>> {
        let mut found = vec![level.to_vec()];
        for location in level.iter().filter(|directive| directive.name == "location" && depth > 0) {
            let inner = self.shared.level(location.children(), MAX_DEPTH);
            found.extend(self.locations(&inner, depth - 1));
        }
        found
    }

    /// The value that holds for the server: its own or that of `http`.
    fn text(&self, name: &str) -> Option<String> {
        let mut levels = [self.own, self.http].into_iter();
        levels.find_map(|level| level.iter().find(|found| found.name == name)).map(|found| found.arg(0).to_owned())
    }

    fn words(&self, name: &str) -> Vec<String> {
        let mut levels = [self.own, self.http].into_iter();
        let found = levels.find_map(|level| level.iter().find(|found| found.name == name));
        found.map(|found| found.args.clone()).unwrap_or_default()
    }

    fn compresses(&self) -> Vec<String> {
        let on = |name: &str| self.text(name).is_some_and(|value| value == "on");
        let mut types = Vec::new();
        for (switch, list) in [("gzip", "gzip_types"), ("brotli", "brotli_types"), ("zstd", "zstd_types")] {
            if on(switch) {
                types.push("text/html".to_owned());
                types.extend(self.words(list));
            }
        }
        types
    }

    fn answers_challenges(&self) -> bool {
        let servers = self.http.iter().filter(|found| found.name == "server").flat_map(|server| server.children());
        let locations = servers.chain(self.own.iter().copied()).filter(|found| found.name == "location");
        locations.flat_map(|found| &found.args).any(|arg| arg.contains(".well-known/acme-challenge"))
    }

    fn is_behind_another(&self) -> bool {
        let levels = [self.own, self.http].into_iter().flatten();
        let mut all = levels.flat_map(|found| std::iter::once(*found).chain(found.children()));
        all.any(|found| {
            matches!(found.name.as_str(), "set_real_ip_from" | "real_ip_header")
                || found.args.iter().any(|arg| arg.contains("$http_x_forwarded_proto"))
        })
    }

    /// The servers that a target stands for: those of an `upstream`, or itself.
    fn members(&self, target: &Directive) -> Vec<String> {
        let Some(host) = host_of(&self.resolved(target.arg(0))) else { return Vec::new() };
        match self.upstream(&host) {
            Some(upstream) => upstream.all("server").filter_map(|server| host_of(server.arg(0))).collect(),
            None => vec![host],
        }
    }

    fn upstream(&self, name: &str) -> Option<&Directive> {
        let found = self.http.iter().find(|found| found.name == "upstream" && found.arg(0).eq_ignore_ascii_case(name));
        found.copied()
    }

    /// A variable that `set` gives a value.
    fn resolved(&self, target: &str) -> String {
        let Some(variable) = target.find('$').and_then(|at| target.get(at..)) else { return target.to_owned() };
        let end = variable.get(1..).and_then(|rest| rest.find(|c: char| !c.is_alphanumeric() && c != '_'));
        let name = end.and_then(|end| variable.get(..=end)).unwrap_or(variable);
        let all = self.own.iter().flat_map(|found| std::iter::once(*found).chain(found.children()));
        let mut set = all.filter(|found| found.name == "set" && found.arg(0) == name).map(|found| found.arg(1));
        set.next_back().map_or_else(|| target.to_owned(), |value| target.replace(name, value))
    }

    fn upstreams(&self, places: &[Passing<'_>]) -> Vec<String> {
        let mut hosts: Vec<String> = places.iter().flat_map(|place| self.members(place.target)).collect();
        // A target in the environment is one too, although nobody can tell which.
        let unnamed = places.iter().filter(|place| self.members(place.target).is_empty());
        hosts.extend(unnamed.map(|place| place.target.arg(0).to_owned()));
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// How many servers a target shares its requests among: those that do not only wait for others to fail.
    fn serving(&self, target: &Directive) -> usize {
        let host = host_of(&self.resolved(target.arg(0))).unwrap_or_default();
        let serves = |server: &&Directive| !server.args.iter().any(|arg| matches!(arg.as_str(), "down" | "backup"));
        self.upstream(&host).map_or(1, |upstream| upstream.all("server").filter(serves).count())
    }

    /// A server that fails is left out for a while, as nginx does of several servers unless it is told otherwise.
    /// https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails
    fn is_checked(&self, place: &Passing<'_>) -> bool {
        let host = host_of(&self.resolved(place.target.arg(0))).unwrap_or_default();
        let counted = self.upstream(&host).is_some_and(|upstream| {
            upstream.all("server").count() > 1
                && upstream.all("server").any(|server| !server.args.iter().any(|arg| arg == "max_fails=0"))
        });
        let passes_on = !place.of("proxy_next_upstream").iter().any(|found| found.arg(0) == "off");
        counted && passes_on || !place.of("health_check").is_empty()
    }

    /// A limit holds where it is enforced and what counts for it is defined, here or in a file that nobody showed us.
    fn is_limited(&self, place: &Passing<'_>) -> bool {
        let dry = place.text("limit_req_dry_run").is_some_and(|value| value == "on");
        let is_made = |limit: &&Directive| {
            let zone = limit.args.iter().find_map(|arg| zone_of(arg));
            zone.is_some_and(|zone| self.shared.zones.contains(zone) || !self.whole)
        };
        !dry && place.of("limit_req").iter().any(is_made)
    }
}

impl Passing<'_> {
    /// All directives of that name at the innermost level that has one: it replaces those further out.
    fn of(&self, name: &str) -> Vec<&Directive> {
        let at = |level: &&[&Directive]| level.iter().any(|found| found.name == name);
        let level = self.levels.iter().copied().find(|level| at(level)).unwrap_or_default();
        level.iter().copied().filter(|found| found.name == name).collect()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.of(name).first().map(|found| found.arg(0).to_owned())
    }

    /// Seconds until nginx gives up on an answer, where that is said: `proxy_read_timeout` of `proxy_pass`.
    fn wait(&self) -> Option<u64> {
        let kind = self.target.name.strip_suffix("_pass").unwrap_or("proxy");
        self.text(&format!("{kind}_read_timeout")).and_then(|text| seconds(&text))
    }

    /// It is meant for connections that stay open, such as those of WebSockets.
    fn stays_open(&self) -> bool {
        let upgrades = self.of("proxy_set_header").iter().any(|set| set.arg(0).eq_ignore_ascii_case("upgrade"));
        upgrades && self.wait().is_some_and(|wait| wait > LONG_WAIT)
    }

    fn headers(&self) -> BTreeMap<String, String> {
        let set = self.of("add_header").into_iter().chain(self.of("more_set_headers"));
        set.map(|found| match found.arg(0).split_once(':') {
            Some((name, value)) => (name.trim().to_ascii_lowercase(), value.trim().to_owned()),
            None => (found.arg(0).to_ascii_lowercase(), found.arg(1).to_owned()),
        })
        .collect()
    }
}

/// `zone=api:10m` names `api`.
fn zone_of(argument: &str) -> Option<&str> {
    let zone = argument.strip_prefix("zone=")?.split(':').next()?;
    (!zone.is_empty()).then_some(zone)
}

/// How long nginx waits for an answer unless it is told otherwise.
const USUAL_WAIT: u64 = 60;
/// Longer than this, a wait is no deadline.
const LONG_WAIT: u64 = 300;

/// The longest time that a place waits for an answer, where some place says how long; those for connections that stay open
/// aside.
fn longest_wait(places: &[Passing<'_>]) -> Option<String> {
    let waits: Vec<Option<u64>> = places.iter().filter(|place| !place.stays_open()).map(|place| place.wait()).collect();
    waits.iter().any(Option::is_some).then(|| {
        let longest = waits.iter().map(|wait| wait.unwrap_or(USUAL_WAIT)).max().unwrap_or(USUAL_WAIT);
        format!("{longest}s")
    })
}

/// Seconds of `30`, `30s`, `1m30s`, `1d`.
fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let (unit, length) = match after {
            _ if after.starts_with("ms") => (0, 2),
            _ if after.starts_with('m') => (60, 1),
            _ if after.starts_with('h') => (3_600, 1),
            _ if after.starts_with('d') => (86_400, 1),
            _ if after.starts_with('s') => (1, 1),
            "" => (1, 0),
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = after.get(length..)?;
    }
    (!text.is_empty()).then_some(total)
}

/// The headers that all places send: one that sets its own loses those of the levels around it.
fn common_headers(places: &[Passing<'_>]) -> BTreeMap<String, String> {
    let mut all = places.iter().map(Passing::headers);
    let first = all.next().unwrap_or_default();
    all.fold(first, |mut common, headers| {
        common.retain(|name, _| headers.contains_key(name));
        common
    })
}

/// A server that answers to its own machine only is no edge.
fn is_local(names: Option<&&Directive>) -> bool {
    let all = names.map(|names| names.args.as_slice()).unwrap_or_default();
    !all.is_empty() && all.iter().all(|name| matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]"))
}

fn is_renewed(certificate: &str) -> bool {
    ["letsencrypt", "acme", "certbot", "lego"].iter().any(|word| certificate.contains(word))
}

/// `10m` as rules read sizes.
fn size_text(size: &str) -> String {
    let lower = size.to_ascii_lowercase();
    if lower.ends_with(['k', 'm', 'g']) { format!("{lower}b") } else { format!("{lower}b").replace("bb", "b") }
}
