//! Facts by what rules ask for: kind, file, function, the value of a joined field, what calls reach.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::view::FactView;
use crate::facts::{Data, Fact, FactId, FactStore, FunctionId, Value};
use crate::project::{Area, FileId, ProcessKind, Project, ServiceId};
use crate::rules::conditions::{Fields, is_opaque};

type Reach = Arc<FxHashSet<FunctionId>>;

/// All facts of a project, found quickly. Lists are in the order of the store.
pub struct Index<'a> {
    pub store: &'a FactStore,
    pub project: &'a Project,
    kinds: FxHashMap<&'a str, OfKind>,
    callers: Vec<Vec<FunctionId>>,
    domains: Vec<FxHashSet<ServiceId>>,
    /// By service, the facts that may count for it, by their kind; found once somebody asks.
    near: Vec<OnceLock<FxHashMap<&'a str, Vec<FactId>>>>,
    joins: Mutex<FxHashMap<(String, String, By), Arc<Join>>>,
    reached: Mutex<ReachCache>,
    counts: Mutex<FxHashMap<Domain, usize>>,
}

/// Which facts a rule looks at, but for its condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain {
    pub kind: Arc<str>,
    /// None for the whole repository.
    pub service: Option<ServiceId>,
    /// Facts of any area, of any guard.
    pub area: bool,
    pub guard: bool,
}

/// The facts of one kind.
#[derive(Default)]
struct OfKind {
    all: Vec<FactId>,
    by_file: FxHashMap<FileId, Vec<FactId>>,
    by_function: FxHashMap<FunctionId, Vec<FactId>>,
}

/// What was reached from where, as long as it is not too much to keep.
#[derive(Default)]
struct ReachCache {
    known: FxHashMap<(Vec<FunctionId>, u8, Direction), Reach>,
    size: usize,
}

/// Functions that the cache holds at most.
const MAX_CACHED: usize = 4_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    Callees,
    Callers,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// It is the value.
    Value,
    /// It holds the value, or is it.
    Element,
}

/// Facts of a kind by the value of one field.
#[derive(Default)]
struct Join {
    plain: FxHashMap<Key, Vec<FactId>>,
    /// Lists, records and what is unknown: may equal anything.
    other: Vec<FactId>,
}

/// A value that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Absent,
    Null,
    Bool(bool),
    Number(u64),
    Text(Arc<str>),
    Fact(FactId),
}

impl Key {
    fn of(value: &Value) -> Option<Key> {
        Some(match &value.data {
            Data::Absent => Key::Absent,
            Data::Null => Key::Null,
            Data::Bool(value) => Key::Bool(*value),
            Data::Number(value) => Key::Number(value.to_bits()),
            Data::Text(text) => Key::Text(text.clone()),
            Data::Fact(id) => Key::Fact(*id),
            Data::Unknown | Data::List(_) | Data::Record(_) => return None,
        })
    }

    /// The elements of a list, or the value as its own only one; none where something opaque may be among them.
    fn of_elements(value: &Value) -> Option<Vec<Key>> {
        let items = match &value.data {
            Data::List(items) => items,
            _ => std::slice::from_ref(value),
        };
        items.iter().map(|item| if is_opaque(item) { None } else { Key::of(item) }).collect()
    }
}

impl<'a> Index<'a> {
    pub fn new(store: &'a FactStore, project: &'a Project) -> Index<'a> {
        let mut index = Index {
            store,
            project,
            kinds: FxHashMap::default(),
            callers: reverse(&store.calls),
            domains: domains(project),
            near: (0..project.services.len().max(1)).map(|_| OnceLock::new()).collect(),
            joins: Mutex::default(),
            reached: Mutex::default(),
            counts: Mutex::default(),
        };
        for (number, fact) in (0u32..).zip(&store.facts) {
            let id = FactId(number);
            let of_kind = index.kinds.entry(&fact.kind).or_default();
            of_kind.all.push(id);
            of_kind.by_file.entry(fact.at.file).or_default().push(id);
            if let Some(function) = fact.function {
                of_kind.by_function.entry(function).or_default().push(id);
            }
        }
        index
    }

    pub fn fact(&self, id: FactId) -> Option<&'a Fact> {
        self.store.facts.get(id.0 as usize)
    }

    pub fn view(&self, id: FactId) -> Option<FactView<'a>> {
        self.fact(id).map(|fact| FactView { id, fact, project: self.project })
    }

    pub fn kind(&self, kind: &str) -> &[FactId] {
        self.kinds.get(kind).map_or(&[], |of_kind| &of_kind.all)
    }

    /// The facts of a kind that may count for a service: those that belong to it, and the configuration that all share.
    pub fn near(&self, kind: &str, service: ServiceId) -> &[FactId] {
        let Some(near) = self.near.get(service.0 as usize) else { return self.kind(kind) };
        near.get_or_init(|| self.gather(service)).get(kind).map_or(&[], Vec::as_slice)
    }

    fn gather(&self, service: ServiceId) -> FxHashMap<&'a str, Vec<FactId>> {
        let counts = |id: &FactId| self.fact(*id).is_some_and(|fact| is_shared(fact) || self.belongs(fact, service));
        let of_kind = |of_kind: &OfKind| of_kind.all.iter().copied().filter(counts).collect();
        self.kinds.iter().map(|(kind, all)| (*kind, of_kind(all))).collect()
    }

    pub fn file(&self, kind: &str, file: FileId) -> &[FactId] {
        self.kinds.get(kind).and_then(|of_kind| of_kind.by_file.get(&file)).map_or(&[], Vec::as_slice)
    }

    pub fn function(&self, kind: &str, function: FunctionId) -> &[FactId] {
        self.kinds.get(kind).and_then(|of_kind| of_kind.by_function.get(&function)).map_or(&[], Vec::as_slice)
    }

    /// How many facts a domain has, counted once.
    pub fn count(&self, domain: Domain, count: impl FnOnce() -> usize) -> usize {
        if let Some(known) = self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(&domain) {
            return *known;
        }
        let found = count();
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).insert(domain, found);
        found
    }

    /// Whether facts of one service count for another: its own, and those of the libraries that it uses.
    pub fn belongs(&self, fact: &Fact, service: ServiceId) -> bool {
        fact.service == service
            || self.domains.get(service.0 as usize).is_some_and(|domain| domain.contains(&fact.service))
    }

    /// Facts of a kind whose field may equal (or hold) a value; none if the value cannot be looked up.
    pub fn joined(&self, kind: &str, field: &str, value: &Value, by: By) -> Option<Vec<FactId>> {
        let key = Key::of(value)?;
        let join = self.join(kind, field, by);
        let mut ids = join.plain.get(&key).cloned().unwrap_or_default();
        ids.extend(&join.other);
        ids.sort_unstable();
        Some(ids)
    }

    fn join(&self, kind: &str, field: &str, by: By) -> Arc<Join> {
        let name = (kind.to_owned(), field.to_owned(), by);
        let mut joins = self.joins.lock().unwrap_or_else(PoisonError::into_inner);
        joins.entry(name).or_insert_with(|| Arc::new(self.build_join(kind, field, by))).clone()
    }

    fn build_join(&self, kind: &str, field: &str, by: By) -> Join {
        let mut join = Join::default();
        for view in self.kind(kind).iter().filter_map(|id| self.view(*id)) {
            let value = view.field(field).unwrap_or(Value::ABSENT);
            let keys = match by {
                By::Value => Key::of(&value).map(|key| vec![key]),
                By::Element => Key::of_elements(&value),
            };
            let Some(keys) = keys else {
                join.other.push(view.id);
                continue;
            };
            for key in keys {
                let ids = join.plain.entry(key).or_default();
                if ids.last() != Some(&view.id) {
                    ids.push(view.id);
                }
            }
        }
        join
    }

    /// The functions that calls lead to (or come from) within some hops, the roots included.
    pub fn reach(&self, roots: &[FunctionId], hops: u8, direction: Direction) -> Reach {
        let mut roots = roots.to_vec();
        roots.sort_unstable();
        roots.dedup();
        let key = (roots, hops, direction);
        if let Some(known) = self.reached.lock().unwrap_or_else(PoisonError::into_inner).known.get(&key) {
            return known.clone();
        }
        let edges = if direction == Direction::Callees { &self.store.calls } else { &self.callers };
        let found = Arc::new(walk(edges, &key.0, hops));
        let mut cache = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.size < MAX_CACHED {
            cache.size += found.len();
            cache.known.insert(key, found.clone());
        }
        found
    }
}

/// Configuration at the top of the repository counts for every service.
pub fn is_shared(fact: &Fact) -> bool {
    fact.service == ServiceId(0) && fact.area == Area::Config
}

fn walk(edges: &[Vec<FunctionId>], roots: &[FunctionId], hops: u8) -> FxHashSet<FunctionId> {
    let mut seen: FxHashSet<FunctionId> = roots.iter().copied().collect();
    let mut queue: VecDeque<(FunctionId, u8)> = roots.iter().map(|root| (*root, 0)).collect();
    while let Some((function, distance)) = queue.pop_front() {
        if distance >= hops {
            continue;
        }
        for next in edges.get(function.0 as usize).into_iter().flatten() {
            if seen.insert(*next) {
                queue.push_back((*next, distance + 1));
            }
        }
    }
    seen
}

fn reverse(calls: &[Vec<FunctionId>]) -> Vec<Vec<FunctionId>> {
    let mut callers = vec![Vec::new(); calls.len()];
    for (number, callees) in (0u32..).zip(calls) {
        for callee in callees {
            if let Some(list) = callers.get_mut(callee.0 as usize) {
                list.push(FunctionId(number));
            }
        }
    }
    callers
}

/// Every service with the libraries that it uses, directly or through others.
fn domains(project: &Project) -> Vec<FxHashSet<ServiceId>> {
    let is_library = |id: ServiceId| {
        project.services.get(id.0 as usize).is_some_and(|s| s.kinds.iter().all(|kind| *kind == ProcessKind::Library))
    };
    let closure = |start: u16| {
        let mut seen = FxHashSet::default();
        let mut open = vec![ServiceId(start)];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                let used = project.services.get(id.0 as usize).map_or(&[][..], |service| &service.uses);
                open.extend(used.iter().copied().filter(|used| is_library(*used)));
            }
        }
        seen
    };
    (0u16..).zip(&project.services).map(|(number, _)| closure(number)).collect()
}

#[cfg(test)]
mod tests {
    use super::Key;
    use crate::facts::Value;

    #[test]
    fn a_list_is_found_by_its_elements_unless_one_is_opaque() {
        let found = |value: &Value| Key::of_elements(value).map(|keys| keys.len());
        assert_eq!(found(&Value::texts(["a.ts", "b.ts"])), Some(2));
        assert_eq!(found(&Value::text("a.ts")), Some(1));
        assert_eq!(found(&Value::texts(["auth", ":opaque"])), None);
        assert_eq!(found(&Value::list(vec![Value::text("a"), Value::UNKNOWN])), None);
        assert_eq!(found(&Value::UNKNOWN), None);
    }
}
