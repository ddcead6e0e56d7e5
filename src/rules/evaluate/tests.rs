use super::*;
use crate::facts::{Confidence, Data, Fact, FactId, FunctionId, Guard, Origins, Phase, Value};
use crate::project::{Area, File, FileId, FileKind, Service};
use crate::rules::{Applies, Priority, Source, document};

/// A project of two files in one HTTP service, and facts written as TOML tables.
struct World {
    project: Project,
    store: FactStore,
}

impl World {
    fn new() -> World {
        let service =
            Service { path: ".".into(), kinds: vec![crate::project::ProcessKind::Http], ..Service::default() };
        let files = ["a.ts", "b.ts"].map(|path| File::sample(path, FileKind::JavaScript)).to_vec();
        let project = Project { files, services: vec![service], ..Project::default() };
        World { project, store: FactStore::default() }
    }

    /// Adds a fact whose fields are written as a TOML table.
    fn add(&mut self, kind: &str, fields: &str) -> &mut Fact {
        let at = u32::try_from(self.store.facts.len()).unwrap() * 10;
        let mut fact = Fact::new(kind, Span { file: FileId(0), start: at, end: at + 5 }, "test");
        fact.area = Area::Server;
        let root = document::parse("f.toml", &format!("f = {fields}")).unwrap();
        for entry in root.get("f").unwrap().entries() {
            let value = match entry.value.as_text() {
                Some("?") => Value::UNKNOWN,
                _ => Value::from(&entry.value),
            };
            fact.fields.push((entry.key.clone(), value));
        }
        self.store.facts.push(fact);
        self.store.facts.last_mut().unwrap()
    }

    fn calls(&mut self, edges: &[(u32, u32)]) {
        for (from, to) in edges {
            let needed = from.max(to) + 1;
            self.store.calls.resize(self.store.calls.len().max(needed as usize), Vec::new());
            self.store.calls[*from as usize].push(FunctionId(*to));
        }
    }

    fn run(&self, control: &str) -> Evaluation {
        let (evaluated, _) = self.run_all(control);
        evaluated.into_iter().next().unwrap()
    }

    fn run_all(&self, control: &str) -> (Vec<Evaluation>, Vec<Diagnostic>) {
        let source = |path: &str, text: String| Source { path: path.into(), text: text.into() };
        let defaults = [
            ("id", "'c'"),
            ("title", "'T'"),
            ("problem", "'P'"),
            ("category", "'api'"),
            ("priority", "'P1'"),
            ("kind", "'defect'"),
        ];
        let missing =
            defaults.iter().filter(|(key, _)| !control.lines().any(|line| line.starts_with(&format!("{key} ="))));
        let head: String = missing.map(|(key, value)| format!("{key} = {value}\n")).collect();
        let lexicons = include_str!("../../../rules/lexicons.toml").to_owned();
        let files = vec![source("lexicons.toml", lexicons), source("api/c.toml", format!("{head}{control}"))];
        let rules = RuleSet::from_files(files).unwrap_or_else(|errors| panic!("{errors}"));
        let evaluated = evaluate(&rules, &self.project, &self.store, &|span| format!("code {}", span.start));
        (evaluated.evaluations, evaluated.diagnostics)
    }
}

fn rules_of(evaluation: &Evaluation) -> Vec<&str> {
    evaluation.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

fn credits(evaluation: &Evaluation) -> Vec<f64> {
    evaluation.sites.iter().map(|site| site.credit).collect()
}

const TIMEOUT: &str = "mode = 'ratio'\nrule.no-timeout = { each = { fact = 'outbound' }, bad = { timeout = [':absent', false, 0] }, message = '`{api}` waits' }";

#[test]
fn bad_sites_are_findings_and_unknown_ones_are_counted() {
    let mut world = World::new();
    world.add("outbound", "{}").api = "fetch".into();
    world.add("outbound", "{ timeout = 5000 }");
    world.add("outbound", "{ timeout = '?' }");
    let evaluation = world.run(TIMEOUT);
    assert_eq!(evaluation.applies, Applies::Yes);
    assert_eq!(evaluation.findings.len(), 1);
    let finding = &evaluation.findings[0];
    assert_eq!(
        (finding.message.as_str(), finding.confidence, finding.site),
        ("`fetch` waits", Confidence::High, Some(0))
    );
    let unknown: Vec<bool> = evaluation.sites.iter().map(|site| site.unknown).collect();
    assert_eq!(unknown, [false, false, true]);
    assert_eq!(evaluation.searched, ["no-timeout: looked at 3 outbound facts, 3 sites: 1 bad, 0 good, 1 unknown"]);
}

#[test]
fn confidence_is_the_lowest_of_rule_site_and_joined_facts() {
    let mut world = World::new();
    world.add("cors", "{ credentials = true }").certain = Confidence::Medium;
    let rule = "rule.r = { each = { fact = 'cors' }, bad = true }";
    assert_eq!(world.run(rule).findings[0].confidence, Confidence::Medium);
    let weak = "rule.r = { each = { fact = 'cors' }, bad = true, confidence = 'low' }";
    assert_eq!(world.run(weak).findings[0].confidence, Confidence::Low);
    world.store.facts[0].certain = Confidence::High;
    world.add("cookie", "{ name = 'session' }").certain = Confidence::Low;
    let joined = "rule.r = { each = { fact = 'cors' }, bad = { some = { fact = 'cookie', name = '@auth-cookie' } } }";
    assert_eq!(world.run(joined).findings[0].confidence, Confidence::Low);
    world.add("cookie", "{ name = 'session' }");
    assert_eq!(world.run(joined).findings[0].confidence, Confidence::High);
}

#[test]
fn unreached_defects_lose_one_step_unless_the_rule_judges_it() {
    let mut world = World::new();
    world.add("module", "{ capability = 'auth' }").reached = false;
    assert_eq!(
        world.run("rule.r = { each = { fact = 'module' }, bad = true }").findings[0].confidence,
        Confidence::Medium
    );
    let judges = "rule.r = { each = { fact = 'module' }, bad = { reached = false } }";
    assert_eq!(world.run(judges).findings[0].confidence, Confidence::High);
}

#[test]
fn other_areas_and_test_guards_are_left_out_unless_asked_for() {
    let mut world = World::new();
    world.add("outbound", "{}").area = Area::Test;
    world.add("outbound", "{}").guard = Guard::TEST;
    assert!(world.run(TIMEOUT).findings.is_empty());
    let wide =
        "rule.r = { each = { fact = 'outbound', area = ['test', 'server'], guard = { has = ['test'] } }, bad = true }";
    assert_eq!(world.run(wide).findings.len(), 1);
}

const AUTH: &str = "kind = 'coverage'\nrule.route-without-auth = { each = { fact = 'route', path = { not = '@public-path' } }, \
    good = { roles = { has = 'auth' } }, half = { roles = { has = 'auth/half' } }, message = '{method} {path}' }";

#[test]
fn coverage_takes_the_best_evidence_and_names_gaps() {
    let mut world = World::new();
    world.add("route", "{ method = 'GET', path = '/a', roles = ['auth'] }");
    world.add("route", "{ method = 'GET', path = '/b', roles = ['auth/half'] }");
    world.add("route", "{ method = 'POST', path = '/c', roles = [], mutates = true }");
    world.add("route", "{ method = 'GET', path = '/d', roles = [':opaque'] }");
    world.add("route", "{ method = 'GET', path = '/health', roles = [] }");
    let evaluation = world.run(AUTH);
    assert_eq!(credits(&evaluation), [1.0, 0.5, 0.0, 0.0]);
    assert_eq!(evaluation.findings.iter().map(|f| f.message.as_str()).collect::<Vec<_>>(), ["POST /c"]);
    assert!(evaluation.sites[2].mutates && !evaluation.sites[0].mutates);
    assert!(evaluation.sites[3].unknown);
    assert_eq!(evaluation.evidence[0].message, "GET /a");
}

#[test]
fn several_rules_share_a_site() {
    let mut world = World::new();
    world.add("route", "{ method = 'GET', path = '/a', roles = ['auth'] }");
    let control = "kind = 'coverage'\nrule.one = { each = { fact = 'route' }, good = { roles = { has = 'x' } } }\n\
        rule.two = { each = { fact = 'route' }, good = { roles = { has = 'auth' } } }";
    let evaluation = world.run(control);
    assert_eq!(credits(&evaluation), [1.0]);
    assert!(evaluation.findings.is_empty());
}

#[test]
fn low_confidence_evidence_counts_half() {
    let mut world = World::new();
    world.add("route", "{ path = '/a', roles = ['auth'] }").certain = Confidence::Low;
    assert_eq!(credits(&world.run(AUTH)), [0.5]);
}

#[test]
fn dead_evidence_earns_nothing_and_is_the_nearest_miss() {
    let mut world = World::new();
    let role = world.add("role", "{ role = 'rate-limit' }");
    role.used = false;
    role.because = Some("`lib/limit.ts` is never imported".into());
    let control = "kind = 'capability'\nrule.r = { each = { fact = 'role', role = 'rate-limit' }, good = true }";
    let evaluation = world.run(control);
    assert!(evaluation.sites.is_empty());
    assert_eq!(evaluation.nearest_miss.unwrap().message, "`lib/limit.ts` is never imported");
}

#[test]
fn dead_facts_do_not_satisfy_some_but_are_remembered() {
    let mut world = World::new();
    world.add("route", "{ path = '/a', roles = [] }");
    world.add("header", "{ name = 'RateLimit' }").reached = false;
    let control = "kind = 'coverage'\nrule.r = { each = { fact = 'route' }, good = { some = { fact = 'header' } } }";
    let evaluation = world.run(control);
    assert_eq!(credits(&evaluation), [0.0]);
    assert!(evaluation.nearest_miss.unwrap().message.contains("no entry point reaches"));
    let wider = "kind = 'coverage'\nrule.r = { each = { fact = 'route' }, good = { some = { fact = 'header', reached = false } } }";
    assert_eq!(credits(&world.run(wider)), [1.0]);
}

#[test]
fn dead_routes_are_no_sites_of_coverage() {
    let mut world = World::new();
    world.add("route", "{ path = '/a', roles = ['auth'] }");
    world.add("route", "{ path = '/b', roles = [] }").reached = false;
    let evaluation = world.run(AUTH);
    assert_eq!(credits(&evaluation), [1.0]);
    assert!(evaluation.findings.is_empty());
}

#[test]
fn the_best_site_of_a_capability_stands_for_it() {
    let mut world = World::new();
    world.add("hook", "{ on = 'signal', signals = 'SIGTERM' }");
    world.add("hook", "{ on = 'shutdown', signals = ['SIGTERM'] }");
    let control = "kind = 'capability'\nrule.r = { each = { fact = 'hook' }, good = { on = 'shutdown' } }";
    assert_eq!(credits(&world.run(control)), [1.0]);
    let ratio =
        "kind = 'capability'\nmode = 'ratio'\nrule.r = { each = { fact = 'hook' }, good = { on = 'shutdown' } }";
    assert_eq!(credits(&world.run(ratio)), [0.0, 1.0]);
}

#[test]
fn notes_explain_and_are_worth_nothing() {
    let mut world = World::new();
    world.add("role", "{ role = 'rate-limit' }").used = false;
    let control = "kind = 'capability'\nrule.r = { each = { fact = 'role' }, note = { used = false }, message = 'a limiter nobody mounts' }";
    let evaluation = world.run(control);
    assert!(evaluation.sites.is_empty() && evaluation.findings.is_empty());
    assert_eq!(evaluation.nearest_miss.unwrap().message, "a limiter nobody mounts");
}

const INDEX: &str = "rule.r = { each = { fact = 'relation' }, bad = { none = { fact = 'index', model = '$model', columns = { serves = '$columns' } } } }";

#[test]
fn joins_look_up_the_field_of_the_site() {
    let mut world = World::new();
    world.add("relation", "{ model = 'Order', columns = ['userId'] }");
    world.add("relation", "{ model = 'Item', columns = ['orderId'] }");
    world.add("index", "{ model = 'Order', columns = ['userId', 'date'] }");
    world.add("index", "{ model = 'Item', columns = ['date', 'orderId'] }");
    let evaluation = world.run(INDEX);
    assert_eq!(evaluation.findings.len(), 1);
    assert_eq!(evaluation.findings[0].at.start, 10);
}

#[test]
fn none_is_unknown_where_a_file_was_not_read() {
    let mut world = World::new();
    world.add("relation", "{ model = 'Order', columns = ['userId'] }");
    world.store.incomplete.push((ServiceId(0), "index".into(), "a migration did not parse".into()));
    let evaluation = world.run(INDEX);
    assert!(evaluation.findings.is_empty() && evaluation.sites[0].unknown);
}

#[test]
fn an_unknown_join_leaves_none_unknown() {
    let mut world = World::new();
    world.add("relation", "{ model = 'Order', columns = ['userId'] }");
    world.add("index", "{ model = '?', columns = ['userId'] }");
    assert!(world.run(INDEX).findings.is_empty());
}

#[test]
fn joins_by_identity() {
    let mut world = World::new();
    world.add("state", "{ type = 'Map' }");
    world.add("state", "{ type = 'Set' }");
    let change = world.add("change", "{ effect = 'grow' }");
    change.fields.push(("state".into(), Value { data: Data::Fact(FactId(1)), origins: Origins::default() }));
    let control = "rule.r = { each = { fact = 'state', some = { fact = 'change', state = '$id', effect = 'grow' } }, bad = { none = { fact = 'change', state = '$id', effect = 'shrink' } } }";
    let evaluation = world.run(control);
    assert_eq!(evaluation.findings.len(), 1);
    assert_eq!(evaluation.findings[0].at.start, 10);
}

#[test]
fn fields_of_facts_that_values_refer_to() {
    let mut world = World::new();
    world.add("router", "{ prefix = '/admin' }");
    let route = world.add("route", "{ path = '/x' }");
    route.fields.push(("router".into(), Value { data: Data::Fact(FactId(0)), origins: Origins::default() }));
    world.add("route", "{ path = '/y' }");
    let control = "rule.r = { each = { fact = 'route' }, bad = { router = { prefix = '@admin-path' } } }";
    assert_eq!(world.run(control).findings.len(), 1);
}

#[test]
fn reaches_follows_calls_for_some_hops() {
    let mut world = World::new();
    world.calls(&[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]);
    world.add("route", "{ path = '/a' }").roots = vec![FunctionId(0)];
    world.add("query", "{ op = 'read' }").function = Some(FunctionId(4));
    let rule = |hops: &str| {
        format!(
            "rule.r = {{ each = {{ fact = 'route' }}, bad = {{ some = {{ fact = 'query', via = 'reaches'{hops} }} }} }}"
        )
    };
    assert_eq!(world.run(&rule("")).findings.len(), 1);
    assert_eq!(world.run(&rule(", hops = 3")).findings.len(), 0);
    let back = "rule.r = { each = { fact = 'query' }, bad = { some = { fact = 'route', via = 'reached-from' } } }";
    assert_eq!(world.run(back).findings.len(), 1);
}

#[test]
fn a_route_without_known_handler_reaches_who_knows_what() {
    let mut world = World::new();
    world.add("route", "{ path = '/a' }");
    let control = "kind = 'coverage'\nrule.r = { each = { fact = 'route' }, good = { none = { fact = 'input', via = 'reaches' } } }";
    let evaluation = world.run(control);
    assert!(evaluation.sites[0].unknown && evaluation.findings.is_empty());
}

#[test]
fn file_function_and_inside() {
    let mut world = World::new();
    let outer = world.add("call", "{ name = 'each' }");
    outer.at.end = 100;
    outer.function = Some(FunctionId(0));
    let inner = world.add("query", "{ op = 'read' }");
    inner.function = Some(FunctionId(0));
    let elsewhere = world.add("stop", "{ what = 'server' }");
    elsewhere.at.file = FileId(1);
    let finds = |world: &World, pattern: &str| {
        let control = format!("rule.r = {{ each = {{ fact = 'call' }}, bad = {{ some = {{ {pattern} }} }} }}");
        world.run(&control).findings.len()
    };
    assert_eq!(finds(&world, "fact = 'query', via = 'inside'"), 1);
    assert_eq!(finds(&world, "fact = 'query', via = 'function'"), 1);
    assert_eq!(finds(&world, "fact = 'query', via = 'file'"), 1);
    assert_eq!(finds(&world, "fact = 'stop', via = 'file'"), 0);
    assert_eq!(finds(&world, "fact = 'stop'"), 1);
    world.store.facts[1].at = Span { file: FileId(0), start: 90, end: 120 };
    assert_eq!(finds(&world, "fact = 'query', via = 'inside'"), 0);
}

#[test]
fn chains_have_an_order() {
    let mut world = World::new();
    world.add("mount", "{ roles = ['body-parser'] }");
    world.add("mount", "{ roles = ['signature'] }");
    let route = world.add("route", "{ roles = ['signature', 'body-parser'] }");
    let link = |id| Value { data: Data::Fact(FactId(id)), origins: Origins::default() };
    route.fields.push(("chain".into(), Value::list(vec![link(0), link(1)])));
    let control = |order: &str| {
        format!(
            "rule.r = {{ each = {{ fact = 'route' }}, bad = {{ some = {{ fact = 'mount', via = 'chain', {order} = 'signature', roles = {{ has = 'body-parser' }} }} }} }}"
        )
    };
    assert_eq!(world.run(&control("before")).findings.len(), 1);
    assert_eq!(world.run(&control("after")).findings.len(), 0);
}

#[test]
fn counting_with_bounds_and_per() {
    let mut world = World::new();
    for place in 0..3 {
        let client = world.add("client", "{ store = 'database' }");
        client.at.file = FileId(place.min(1));
        client.phase = Phase::Module;
    }
    let rule = |tail: &str| {
        format!(
            "rule.r = {{ each = {{ fact = 'client', phase = 'module' }}, bad = {{ count = {{ fact = 'client', store = '$store', {tail} }} }} }}"
        )
    };
    assert_eq!(world.run(&rule("min = 2, per = 'file'")).findings.len(), 3);
    assert_eq!(world.run(&rule("min = 3, per = 'file'")).findings.len(), 0);
    assert_eq!(world.run(&rule("min = 3")).findings.len(), 3);
    assert_eq!(world.run(&rule("max = 2")).findings.len(), 0);
    world.add("client", "{ store = '?' }");
    assert_eq!(world.run(&rule("max = 3")).findings.len(), 0, "one more is possible");
}

#[test]
fn groups_are_one_site() {
    let mut world = World::new();
    world.add("query", "{ model = 'A', filter = ['x'] }");
    world.add("query", "{ model = 'A', filter = ['x'] }");
    world.add("query", "{ model = 'A', filter = ['y'] }");
    let control = "rule.r = { each = { fact = 'query', group = ['model', 'filter'] }, bad = true }";
    assert_eq!(world.run(control).findings.len(), 2);
}

#[test]
fn priorities_follow_the_worst_open_finding() {
    let mut world = World::new();
    world.add("route", "{ method = 'GET' }");
    world.add("route", "{ method = 'POST' }");
    let cases = "priority = [{ when = { method = 'POST' }, is = 'P0', blocker = true }, { is = 'P2' }]\n";
    let evaluation = world.run(&format!("{cases}rule.r = {{ each = {{ fact = 'route' }}, bad = true }}"));
    assert_eq!((evaluation.priority, evaluation.blocker), (Priority::P0, true));
    let of_each: Vec<_> = evaluation.findings.iter().map(|f| (f.priority, f.blocker)).collect();
    assert_eq!(of_each, [(Priority::P2, false), (Priority::P0, true)]);
    let clean = world.run(&format!("{cases}rule.r = {{ each = {{ fact = 'route' }}, bad = {{ method = 'PUT' }} }}"));
    assert_eq!((clean.priority, clean.blocker), (Priority::P2, false));
}

#[test]
fn priorities_of_capabilities_follow_the_service() {
    let mut world = World::new();
    world.add("client", "{ store = 'database' }");
    let control = "kind = 'capability'\npriority = [{ when = { some = { fact = 'client', store = 'database' } }, is = 'P0' }, { is = 'P3' }]\n\
        rule.r = { each = { fact = 'hook' }, good = true }";
    assert_eq!(world.run(control).priority, Priority::P0);
    world.store.facts.clear();
    assert_eq!(world.run(control).priority, Priority::P3);
}

#[test]
fn applicability() {
    let mut world = World::new();
    let none = world.run(TIMEOUT);
    assert_eq!(none.applies, Applies::No("no outbound that it is about".into()));
    assert_eq!(world.run(AUTH).applies, Applies::Unknown("no route could be resolved".into()));
    let either = "kind = 'capability'\nrule.r = { each = { fact = 'route' }, good = true }\nrule.s = { each = { fact = 'capability' }, good = true }";
    assert_eq!(world.run(either).applies, Applies::Unknown("no route could be resolved".into()));
    let when = "applies = { when = { some = { fact = 'client' } }, else = 'no data' }\nrule.r = { each = { fact = 'query' }, bad = true }";
    assert_eq!(world.run(when).applies, Applies::No("no data".into()));
    world.store.incomplete.push((ServiceId(0), "client".into(), "db.ts did not parse".into()));
    assert_eq!(world.run(when).applies, Applies::Unknown("db.ts did not parse".into()));
    world.add("client", "{}");
    assert_eq!(world.run(when).applies, Applies::Yes);
    assert_eq!(world.run("kind = 'capability'").applies, Applies::Unknown("not implemented yet".into()));
    assert_eq!(
        world.run("kind = 'manual'").applies,
        Applies::Unknown("no file can show it: it asks for an attestation".into())
    );
    let worker = "processes = ['worker']\nrule.r = { each = { fact = 'query' }, bad = true }";
    assert_eq!(world.run(worker).applies, Applies::No("only for worker".into()));
    let defective = "processes = ['worker']\nrule.r = { each = { fact = 'client' }, bad = true }";
    assert_eq!(world.run(defective).applies, Applies::No("only for worker".into()));
    world.project.services[0].provided.push(("c".into(), "Vercel".into()));
    assert_eq!(world.run(when).applies, Applies::No("provided by Vercel".into()));
    world.project.services[0].kinds.clear();
    world.project.services[0].provided.clear();
    assert_eq!(world.run(defective).findings.len(), usize::from(world.project.services[0].languages.is_empty()));
    world.project.services[0].languages.clear();
    assert_eq!(world.run(defective).findings.len(), 1);
    assert_eq!(world.run(worker).applies, Applies::No("only for worker".into()));
    assert_eq!(world.run(AUTH).applies, Applies::No("no route that it is about".into()));
}

#[test]
fn services_see_their_own_facts_and_shared_configuration() {
    let mut world = World::new();
    world.project.services.push(Service {
        path: "b".into(),
        kinds: vec![crate::project::ProcessKind::Http],
        ..Service::default()
    });
    world.add("outbound", "{}").service = ServiceId(1);
    let (both, _) = world.run_all(TIMEOUT);
    assert_eq!(both.iter().map(|e| e.findings.len()).collect::<Vec<_>>(), [0, 1]);
    let (wide, _) = world.run_all(&format!("repository_wide = true\n{TIMEOUT}"));
    assert_eq!((wide.len(), wide[0].findings.len()), (1, 1));
    let setting = world.add("setting", "{ key = 'nginx.limit_req' }");
    setting.area = Area::Config;
    let joined = "rule.r = { each = { fact = 'outbound' }, bad = { some = { fact = 'setting' } } }";
    let (both, _) = world.run_all(joined);
    assert_eq!(both[1].findings.len(), 1);
}

#[test]
fn libraries_count_for_the_services_that_use_them() {
    let mut world = World::new();
    let library =
        Service { path: "lib".into(), kinds: vec![crate::project::ProcessKind::Library], ..Service::default() };
    world.project.services.push(library);
    world.project.services[0].uses.push(ServiceId(1));
    world.add("outbound", "{}").service = ServiceId(1);
    assert_eq!(world.run(TIMEOUT).findings.len(), 1);
}

#[test]
fn findings_outside_the_given_path_are_not_reported() {
    let mut world = World::new();
    world.project.files[0].in_scope = false;
    world.add("outbound", "{}");
    let evaluation = world.run(TIMEOUT);
    assert!(evaluation.findings.is_empty() && evaluation.sites.is_empty());
}

#[test]
fn a_flood_of_findings_is_capped_and_said() {
    let mut world = World::new();
    for _ in 0..250 {
        world.add("outbound", "{}");
    }
    let (evaluations, diagnostics) = world.run_all(TIMEOUT);
    assert_eq!(evaluations[0].findings.len(), 200);
    assert_eq!(evaluations[0].sites.len(), 250);
    assert_eq!(diagnostics[0].message, "`no-timeout` has 250 findings here; 200 are shown");
}

#[test]
fn secrets_do_not_shape_their_fingerprint() {
    let mut world = World::new();
    world.add("match", "{ rule = 'key', text = '****' }").area = Area::Config;
    world.add("match", "{ rule = 'key', text = '****' }");
    world.add("match", "{ rule = 'other', text = 'x' }");
    let control = "[rule.key]\nsecret = true\nmatch = { regex = 'AK[A-Z]+', keywords = ['AK'] }";
    let evaluation = world.run(control);
    assert_eq!(rules_of(&evaluation), ["key", "key"]);
    assert!(evaluation.findings[0].secret);
    assert_ne!(evaluation.findings[0].fingerprint, evaluation.findings[1].fingerprint);
    let moved = {
        world.store.facts[0].at.start = 1;
        world.run(control)
    };
    assert_eq!(evaluation.findings[0].fingerprint, moved.findings[0].fingerprint);
}

#[test]
fn no_match_is_clean_not_inapplicable() {
    let world = World::new();
    let evaluation = world.run("[rule.key]\nmatch = { regex = 'AK', keywords = ['AK'] }");
    assert_eq!(evaluation.applies, Applies::Yes);
}

/// In time that grows with sites times indexes this would not end.
#[test]
fn many_sites_with_joins_are_joined() {
    let mut world = World::new();
    for number in 0..20_000 {
        world.add("relation", &format!("{{ model = 'M{number}', columns = ['a'] }}"));
        world.add("index", &format!("{{ model = 'M{number}', columns = ['a'] }}"));
    }
    assert!(world.run(INDEX).findings.is_empty());
}

#[test]
fn half_that_is_certain_counts_where_more_is_unknown() {
    let mut world = World::new();
    world.add("route", "{ method = 'GET', path = '/a', roles = ['auth/half', ':opaque'] }");
    let evaluation = world.run(AUTH);
    assert_eq!(credits(&evaluation), [0.5]);
    assert!(!evaluation.sites[0].unknown);
}
