//! What rules see from where they stand: the facts of a service, and those that belong to a site.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::index::{Direction, Domain, Index, is_shared};
use super::view::FactView;
use crate::facts::{Confidence, Data, Fact, FactId, FunctionId, Guard, Value};
use crate::project::{Area, ServiceId};
use crate::rules::conditions::{Context, Fields, Own, Pattern, Quantifier, Tri, Verdict, Via, World};
use crate::rules::lexicon::Lexicons;

/// One control in one service, while it is evaluated.
pub struct Scope<'a> {
    pub index: &'a Index<'a>,
    pub service: ServiceId,
    /// The control speaks of the whole repository.
    pub wide: bool,
    pub lexicons: &'a Lexicons,
    /// The first fact that would have satisfied a `some`, were it reached and used.
    near: RefCell<Option<FactId>>,
    /// Answers of patterns that do not depend on the site.
    known: RefCell<FxHashMap<Asked, Verdict>>,
}

/// A pattern, by its place in the rules, and what of the fact that asks decides which facts count.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Asked {
    pattern: usize,
    reached: bool,
    used: bool,
    area: Option<Area>,
}

/// Facts that a pattern may mean, and whether there may be more that nobody sees.
struct Candidates<'i> {
    ids: Cow<'i, [FactId]>,
    open: bool,
}

impl<'a> Scope<'a> {
    pub fn new(index: &'a Index<'a>, service: ServiceId, wide: bool, lexicons: &'a Lexicons) -> Scope<'a> {
        Scope { index, service, wide, lexicons, near: RefCell::default(), known: RefCell::default() }
    }

    /// The context of a site.
    pub fn at<'c>(&'c self, site: &'c FactView<'a>) -> Context<'c> {
        Context { subject: site, site: Some(site), world: Some(self), lexicons: self.lexicons }
    }

    /// The context of the service as a whole.
    pub fn whole(&self) -> Context<'_> {
        Context { subject: &Nothing, site: None, world: Some(self), lexicons: self.lexicons }
    }

    pub fn nearest_miss(&self) -> Option<FactId> {
        *self.near.borrow()
    }

    /// Whether a fact belongs to the service (or repository) at hand.
    pub fn holds(&self, fact: &Fact) -> bool {
        self.wide || self.index.belongs(fact, self.service)
    }

    /// The facts of a kind among which those that count here are.
    pub fn kind(&self, kind: &str) -> &'a [FactId] {
        if self.wide { self.index.kind(kind) } else { self.index.near(kind, self.service) }
    }

    /// Whether a fact is among those that a rule looks at.
    pub fn has_in_domain(&self, fact: &Fact, own: Own) -> bool {
        self.holds(fact) && (own.area || is_default_area(fact)) && (own.guard || !is_test_only(fact))
    }

    /// How many facts of a kind a rule looks at.
    pub fn count(&self, kind: &Arc<str>, own: Own) -> usize {
        let asked = Domain {
            kind: kind.clone(),
            service: (!self.wide).then_some(self.service),
            area: own.area,
            guard: own.guard,
        };
        self.index.count(asked, || {
            let facts = self.kind(kind).iter().filter_map(|id| self.index.fact(*id));
            facts.filter(|fact| self.has_in_domain(fact, own)).count()
        })
    }

    /// Some fact of the kind belongs here.
    pub fn has_kind(&self, kind: &str) -> bool {
        self.kind(kind).iter().filter_map(|id| self.index.fact(*id)).any(|fact| self.holds(fact))
    }

    /// Why facts of a kind may be missing.
    pub fn incomplete(&self, kind: &str) -> Option<&str> {
        let concerns = |service: ServiceId| self.wide || service == self.service || service == ServiceId(0);
        let mut reasons = self.index.store.incomplete.iter();
        reasons.find(|(service, of, _)| &**of == kind && concerns(*service)).map(|(_, _, reason)| &**reason)
    }

    /// The answer to a question about a pattern; asked once for all sites where it is the same for them.
    fn once(&self, pattern: &Pattern, context: &Context<'_>, ask: impl FnOnce(Option<&'a Fact>) -> Verdict) -> Verdict {
        let anchor = self.anchor(context);
        if pattern.via != Via::Service || pattern.mentions_site {
            return ask(anchor);
        }
        let asked = Asked {
            pattern: std::ptr::from_ref(pattern) as usize,
            reached: anchor.is_none_or(|fact| fact.reached),
            used: anchor.is_none_or(|fact| fact.used),
            area: anchor.map(|fact| fact.area),
        };
        if let Some(known) = self.known.borrow().get(&asked) {
            return *known;
        }
        let verdict = ask(anchor);
        self.known.borrow_mut().insert(asked, verdict);
        verdict
    }

    fn exists(&self, pattern: &Pattern, context: &Context<'_>, anchor: Option<&Fact>) -> Verdict {
        let mut verdict = Verdict::FALSE;
        let open = self.each_match(pattern, context, anchor, &mut |_, found| {
            verdict = verdict.or(found);
            verdict != Verdict::TRUE
        });
        if open {
            verdict = verdict.or(Verdict::UNKNOWN);
        }
        verdict
    }

    fn count_matches(
        &self,
        pattern: &Pattern,
        limits: (Option<u32>, Option<u32>),
        per: Option<&str>,
        context: &Context<'_>,
        anchor: Option<&Fact>,
    ) -> Verdict {
        let mut certain: FxHashSet<String> = FxHashSet::default();
        let mut possible: FxHashSet<String> = FxHashSet::default();
        let mut confidence = Confidence::High;
        let open = self.each_match(pattern, context, anchor, &mut |view, found| {
            let key = per.map_or_else(
                || view.id.0.to_string(),
                |field| format!("{:?}", view.field(field).unwrap_or(Value::ABSENT).data),
            );
            if found.tri == Tri::True {
                confidence = confidence.min(found.certain);
                certain.insert(key.clone());
            }
            if found.tri != Tri::False {
                possible.insert(key);
            }
            true
        });
        let least = u32::try_from(certain.len()).unwrap_or(u32::MAX);
        let most = if open { u32::MAX } else { u32::try_from(possible.len()).unwrap_or(u32::MAX) };
        let decide = |holds: bool, fails: bool| match (holds, fails) {
            (true, _) => Tri::True,
            (_, true) => Tri::False,
            _ => Tri::Unknown,
        };
        let min = limits.0.map_or(Tri::True, |min| decide(least >= min, most < min));
        let max = limits.1.map_or(Tri::True, |max| decide(most <= max, least > max));
        Verdict { tri: min.and(max), certain: confidence }
    }

    /// Calls back for every live fact that matches or may match, until the callback says stop. Facts that match but are
    /// dead are remembered as the nearest miss. Returns whether there may be facts that were not seen.
    fn each_match(
        &self,
        pattern: &Pattern,
        context: &Context<'_>,
        anchor: Option<&Fact>,
        found: &mut dyn FnMut(&FactView<'a>, Verdict) -> bool,
    ) -> bool {
        let mut open = false;
        for kind in &pattern.kinds {
            let candidates = self.candidates(pattern, kind, context, anchor);
            open |= candidates.open;
            for view in candidates.ids.iter().filter_map(|id| self.index.view(*id)) {
                if !self.in_domain(pattern, view.fact, anchor) {
                    continue;
                }
                let inner = Context { subject: &view, site: context.site, world: Some(self), lexicons: self.lexicons };
                let verdict = pattern.condition.evaluate(&inner);
                if verdict.tri == Tri::False {
                    continue;
                }
                if !is_live(view.fact, pattern.own, anchor) {
                    // Whether a control applies says nothing about what comes close to it.
                    if context.site.is_some() {
                        self.remember(verdict.tri, view.id);
                    }
                    continue;
                }
                let itself = Verdict { tri: Tri::True, certain: view.fact.certain };
                if !found(&view, verdict.and(itself)) {
                    return false;
                }
            }
        }
        open
    }

    fn remember(&self, tri: Tri, id: FactId) {
        let mut near = self.near.borrow_mut();
        if tri == Tri::True && near.is_none() {
            *near = Some(id);
        }
    }

    fn anchor(&self, context: &Context<'_>) -> Option<&'a Fact> {
        self.index.fact(context.subject.fact()?)
    }

    fn in_domain(&self, pattern: &Pattern, fact: &Fact, anchor: Option<&Fact>) -> bool {
        let here = pattern.via != Via::Service || self.holds(fact) || is_shared(fact);
        let area = pattern.own.area || is_default_area(fact) || anchor.is_some_and(|anchor| anchor.area == fact.area);
        here && area && (pattern.own.guard || !is_test_only(fact))
    }

    fn candidates(
        &self,
        pattern: &Pattern,
        kind: &str,
        context: &Context<'_>,
        anchor: Option<&Fact>,
    ) -> Candidates<'_> {
        let index = self.index;
        if pattern.via == Via::Service {
            return Candidates { ids: self.joined(pattern, kind, context), open: self.incomplete(kind).is_some() };
        }
        let Some(anchor) = anchor else { return Candidates { ids: Cow::Borrowed(&[]), open: true } };
        match pattern.via {
            Via::Service | Via::File => {
                Candidates { ids: Cow::Borrowed(index.file(kind, anchor.at.file)), open: false }
            }
            Via::Function => {
                let ids = anchor.function.map_or(&[][..], |function| index.function(kind, function));
                Candidates { ids: Cow::Borrowed(ids), open: false }
            }
            Via::Inside => {
                let inside = |id: &FactId| index.fact(*id).is_some_and(|fact| encloses(anchor, fact));
                let ids = index.file(kind, anchor.at.file).iter().copied().filter(inside).collect();
                Candidates { ids: Cow::Owned(ids), open: false }
            }
            Via::Reaches => self.reached(pattern, kind, anchor, 0),
            Via::Handles => self.reached(pattern, kind, anchor, anchor.shared_roots),
            Via::ReachedFrom => self.reaching(pattern, kind, anchor),
            Via::Chain => self.chain(pattern, kind, anchor),
        }
    }

    /// Facts in the functions that the site leads to, but for its first `shared` roots. At module level without a
    /// function: those beside it.
    fn reached(&self, pattern: &Pattern, kind: &str, anchor: &Fact, shared: usize) -> Candidates<'_> {
        let mut roots = roots(anchor);
        roots.drain(..shared.min(roots.len()));
        let opaque = anchor.get("handler").is_some_and(Value::is_unknown);
        if roots.is_empty() {
            let beside = |id: &FactId| self.index.fact(*id).is_some_and(|fact| fact.function.is_none());
            let ids = self.index.file(kind, anchor.at.file).iter().copied().filter(beside).collect();
            let leads_away = matches!(&*anchor.kind, "route" | "hook");
            return Candidates { ids: Cow::Owned(ids), open: opaque || leads_away };
        }
        let reach = self.index.reach(&roots, pattern.hops, Direction::Callees);
        let mut ids: Vec<FactId> =
            reach.iter().flat_map(|function| self.index.function(kind, *function)).copied().collect();
        ids.sort_unstable();
        Candidates { ids: Cow::Owned(ids), open: opaque }
    }

    /// Facts that lead to the function of the site.
    fn reaching(&self, pattern: &Pattern, kind: &str, anchor: &Fact) -> Candidates<'_> {
        let Some(function) = anchor.function else { return Candidates { ids: Cow::Borrowed(&[]), open: false } };
        let callers = self.index.reach(&[function], pattern.hops, Direction::Callers);
        let leads_here = |id: &FactId| {
            self.index.fact(*id).is_some_and(|fact| roots(fact).iter().any(|root| callers.contains(root)))
        };
        let ids = self.index.kind(kind).iter().copied().filter(leads_here).collect();
        Candidates { ids: Cow::Owned(ids), open: false }
    }

    /// Facts that the chain of the site names, before or after a role where the pattern says so.
    fn chain(&self, pattern: &Pattern, kind: &str, anchor: &Fact) -> Candidates<'_> {
        let links: Vec<&Value> = match anchor.get("chain").map(|value| &value.data) {
            Some(Data::List(items)) => items.iter().collect(),
            Some(Data::Unknown) => return Candidates { ids: Cow::Borrowed(&[]), open: true },
            _ => Vec::new(),
        };
        let open = links.iter().any(|link| link.is_unknown());
        let has_role = |role: &str| links.iter().position(|link| self.link_has_role(link, role));
        let before = pattern.before.as_deref().map(|role| has_role(role).unwrap_or(0));
        let after = pattern.after.as_deref().map(|role| has_role(role).unwrap_or(links.len()));
        let in_order = |place: usize| before.is_none_or(|at| place < at) && after.is_none_or(|at| place > at);
        let ids =
            links.iter().enumerate().filter(|(place, _)| in_order(*place)).filter_map(|(_, link)| link_fact(link));
        let ids = ids.filter(|id| self.index.fact(*id).is_some_and(|fact| &*fact.kind == kind)).collect();
        Candidates { ids: Cow::Owned(ids), open }
    }

    fn link_has_role(&self, link: &Value, role: &str) -> bool {
        let named = |value: &Value| match &value.data {
            Data::List(items) => items.iter().any(|item| item.as_text() == Some(role)),
            _ => value.as_text() == Some(role),
        };
        if named(&link.field("role")) || named(&link.field("roles")) || named(link) {
            return true;
        }
        let fact = link_fact(link).and_then(|id| self.index.fact(id));
        fact.is_some_and(|fact| ["role", "roles"].iter().any(|field| fact.get(field).is_some_and(named)))
    }
}

impl World for Scope<'_> {
    fn quantify(&self, quantifier: &Quantifier, context: &Context<'_>) -> Verdict {
        match quantifier {
            Quantifier::Some(pattern) => self.once(pattern, context, |anchor| self.exists(pattern, context, anchor)),
            Quantifier::None(pattern) => {
                let exists = self.once(pattern, context, |anchor| self.exists(pattern, context, anchor));
                let verdict = exists.not();
                if verdict.tri == Tri::True { Verdict::TRUE } else { verdict }
            }
            Quantifier::Count { pattern, min, max, per } => {
                let limits = (*min, *max);
                self.once(pattern, context, |anchor| {
                    self.count_matches(pattern, limits, per.as_deref(), context, anchor)
                })
            }
        }
    }

    fn fact_field(&self, fact: FactId, name: &str) -> Option<Value> {
        self.index.view(fact)?.field(name)
    }
}

/// Fields of the service as a whole: none that anybody knows.
struct Nothing;

impl Fields for Nothing {
    fn field(&self, name: &str) -> Option<Value> {
        (name != "id").then_some(Value::UNKNOWN)
    }
}

/// The fact that a link of a chain stands for.
fn link_fact(link: &Value) -> Option<FactId> {
    match (&link.data, &link.field("fact").data) {
        (Data::Fact(id), _) | (_, Data::Fact(id)) => Some(*id),
        _ => None,
    }
}

fn roots(fact: &Fact) -> Vec<FunctionId> {
    if fact.roots.is_empty() { fact.function.into_iter().collect() } else { fact.roots.clone() }
}

fn encloses(outer: &Fact, inner: &Fact) -> bool {
    outer.at.start <= inner.at.start && inner.at.end <= outer.at.end
}

/// Reached and used, or at least as much as the site that asks.
fn is_live(fact: &Fact, own: Own, anchor: Option<&Fact>) -> bool {
    let reached = own.reached || fact.reached || anchor.is_some_and(|anchor| !anchor.reached);
    let used = own.used || fact.used || anchor.is_some_and(|anchor| !anchor.used);
    reached && used
}

/// Where facts count unless a pattern says otherwise.
pub fn is_default_area(fact: &Fact) -> bool {
    match &*fact.kind {
        "match" => true,
        "test" | "file" => !matches!(fact.area, Area::Vendored | Area::Generated),
        "section" => matches!(fact.area, Area::Docs | Area::Config | Area::Server | Area::Script),
        _ => matches!(fact.area, Area::Server | Area::Config | Area::Migration),
    }
}

/// Holds only in test runs.
pub fn is_test_only(fact: &Fact) -> bool {
    fact.guard.0 & Guard::TEST.0 != 0
}
