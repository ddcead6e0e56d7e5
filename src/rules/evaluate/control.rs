//! One control in one service.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Snippets;
use super::fingerprint::{self, SecretNumbers};
use super::index::Index;
use super::scope::Scope;
use super::sites::{Outcome, Survey, survey};
use super::view::{FactView, path};
use crate::facts::{Confidence, Data, FactId};
use crate::project::{Area, Diagnostic, FileId, ProcessKind, Service, ServiceId};
use crate::rules::RuleSet;
use crate::rules::conditions::{Fields, Tri};
use crate::rules::outcome::{
    ASKS_FOR_ATTESTATION, Applies, ControlKind, Evaluation, Evidence, Finding, NOT_IMPLEMENTED, Priority, Site,
};
use crate::rules::schema::{Control, Rule};

/// Findings of one rule in one file; more are left out and said.
const MAX_FINDINGS: usize = 200;
/// Good news of one control.
const MAX_EVIDENCE: usize = 200;

pub struct Evaluator<'a> {
    number: usize,
    control: &'a Control,
    service: ServiceId,
    index: &'a Index<'a>,
    snippets: Snippets<'a>,
    scope: Scope<'a>,
}

impl<'a> Evaluator<'a> {
    pub fn new(
        rules: &'a RuleSet,
        number: usize,
        control: &'a Control,
        service: ServiceId,
        index: &'a Index<'a>,
        snippets: Snippets<'a>,
    ) -> Evaluator<'a> {
        let scope = Scope::new(index, service, control.info.repository_wide, &rules.lexicons);
        Evaluator { number, control, service, index, snippets, scope }
    }

    pub fn evaluate(&self) -> (Evaluation, Vec<Diagnostic>) {
        if let Some(reason) = self.excluded() {
            return (self.blank(Applies::No(reason)), Vec::new());
        }
        let applies = self.applies_explicitly();
        if self.control.rules.is_empty() || matches!(applies, Some(Applies::No(_))) {
            return (self.blank(self.without_rules(applies)), Vec::new());
        }
        let survey = survey(self.control, &self.scope);
        let applies = self.applies(applies, &survey);
        let mut diagnostics = Vec::new();
        let mut evaluation = self.blank(applies);
        evaluation.searched = self.searched(&survey);
        if !matches!(evaluation.applies, Applies::No(_)) {
            self.fill(&mut evaluation, &survey, &mut diagnostics);
        }
        (evaluation, diagnostics)
    }

    /// What every rule says of every site, gaps included; nothing where the control does not apply.
    pub fn verdicts(&self) -> Vec<(usize, FactId, Outcome)> {
        if matches!(self.applies_explicitly(), Some(Applies::No(_))) {
            return Vec::new();
        }
        let survey = survey(self.control, &self.scope);
        let mut outcomes = survey.outcomes.clone();
        if self.control.info.kind == ControlKind::Coverage {
            let gaps: FxHashSet<(usize, FactId)> = survey.gaps().iter().map(|gap| (gap.rule, gap.fact)).collect();
            for (_, _, outcome) in outcomes.iter_mut().filter(|(rule, fact, _)| gaps.contains(&(*rule, *fact))) {
                *outcome = Outcome::Bad;
            }
        }
        outcomes
    }

    /// Whether the `applies` of the control holds; true without one.
    pub fn condition_to_apply(&self) -> Tri {
        match self.applies_explicitly() {
            None | Some(Applies::Yes) => Tri::True,
            Some(Applies::Unknown(_)) => Tri::Unknown,
            Some(Applies::No(_)) => Tri::False,
        }
    }

    fn service(&self) -> Option<&'a Service> {
        self.index.project.services.get(self.service.0 as usize)
    }

    /// Why the control is not for this service, whatever its code says.
    fn excluded(&self) -> Option<String> {
        let info = &self.control.info;
        let service = self.service()?;
        if let Some((_, platform)) = service.provided.iter().find(|(control, _)| *control == info.id) {
            return Some(format!("provided by {platform}"));
        }
        let kinds: Vec<ProcessKind> = if info.repository_wide {
            self.index.project.services.iter().flat_map(|service| service.kinds.iter().copied()).collect()
        } else {
            service.kinds.clone()
        };
        let concerned = info.processes.is_empty() || info.processes.iter().any(|kind| kinds.contains(kind));
        (!concerned && !self.is_proved_without_code()).then(|| format!("only for {}", list(&info.processes)))
    }

    /// Nothing but configuration lies here (a folder of Dockerfiles or manifests), so that nobody can tell what runs, and
    /// yet that configuration says what is wrong with it.
    fn is_proved_without_code(&self) -> bool {
        let without_code = |service: &Service| service.kinds.is_empty() && service.languages.is_empty();
        self.index.project.services.iter().all(without_code)
            && survey(self.control, &self.scope).outcomes.iter().any(|(_, _, outcome)| *outcome == Outcome::Bad)
    }

    fn applies_explicitly(&self) -> Option<Applies> {
        let applies = self.control.applies.as_ref()?;
        Some(match applies.when.evaluate(&self.scope.whole()).tri {
            Tri::True => Applies::Yes,
            Tri::Unknown => Applies::Unknown(self.why_unknown(&applies.when.kinds())),
            Tri::False if applies.when.kinds().contains(&"route") && self.routes_are_missing() => {
                Applies::Unknown(NO_ROUTES.to_owned())
            }
            Tri::False => {
                Applies::No(applies.otherwise.clone().unwrap_or_else(|| "nothing here that it is about".to_owned()))
            }
        })
    }

    fn why_unknown(&self, kinds: &[&str]) -> String {
        let reason = kinds.iter().find_map(|kind| self.scope.incomplete(kind));
        reason.unwrap_or("cannot tell whether it applies").to_owned()
    }

    fn without_rules(&self, applies: Option<Applies>) -> Applies {
        match applies {
            Some(Applies::No(reason)) => Applies::No(reason),
            _ if self.control.info.kind == ControlKind::Manual => Applies::Unknown(ASKS_FOR_ATTESTATION.to_owned()),
            _ => Applies::Unknown(NOT_IMPLEMENTED.to_owned()),
        }
    }

    /// With explicit words, or by whether there is anything to look at.
    fn applies(&self, explicit: Option<Applies>, survey: &Survey) -> Applies {
        let rules = &self.control.rules;
        let about_routes = rules.iter().any(|rule| rule.each.kinds.iter().all(|kind| &**kind == "route"));
        if about_routes && survey.sites.is_empty() && self.routes_are_missing() {
            return Applies::Unknown(NO_ROUTES.to_owned());
        }
        if let Some(applies) = explicit {
            return applies;
        }
        let looked = survey.counts.iter().any(|count| count.sites > 0);
        let absence_is_clean = rules.iter().any(Rule::finds_all);
        if looked || absence_is_clean || self.control.info.kind == ControlKind::Capability {
            return Applies::Yes;
        }
        let kinds: Vec<&str> = rules.iter().flat_map(|rule| &rule.each.kinds).map(|kind| &**kind).collect();
        match kinds.iter().find_map(|kind| self.scope.incomplete(kind)) {
            Some(reason) => Applies::Unknown(reason.to_owned()),
            None => Applies::No(format!("no {} that it is about", words(&kinds))),
        }
    }

    /// A server, and nobody could tell its routes.
    fn routes_are_missing(&self) -> bool {
        let serves = |service: &Service| service.kinds.contains(&ProcessKind::Http);
        let is_server = if self.control.info.repository_wide {
            self.index.project.services.iter().any(serves)
        } else {
            self.service().is_some_and(serves)
        };
        is_server && !self.scope.has_kind("route")
    }

    fn blank(&self, applies: Applies) -> Evaluation {
        let (priority, blocker) = self.priority_of_service();
        Evaluation {
            control: self.number,
            service: self.service,
            applies,
            priority,
            blocker,
            sites: Vec::new(),
            findings: Vec::new(),
            evidence: Vec::new(),
            nearest_miss: None,
            searched: Vec::new(),
        }
    }

    /// The first case that holds for the service as a whole; of a defect without findings the last.
    fn priority_of_service(&self) -> (Priority, bool) {
        let info = &self.control.info;
        let decides = info.kind != ControlKind::Defect;
        let whole = self.scope.whole();
        let case = self.control.cases.iter().find(|case| decides && case.holds(&whole)).or(self.control.cases.last());
        case.map_or((info.priority, info.blocker), |case| (case.is, case.blocker.unwrap_or(info.blocker)))
    }

    fn priority_of_site(&self, view: &FactView<'a>) -> (Priority, bool) {
        let info = &self.control.info;
        let context = self.scope.at(view);
        let case = self.control.cases.iter().find(|case| case.holds(&context)).or(self.control.cases.last());
        case.map_or((info.priority, info.blocker), |case| (case.is, case.blocker.unwrap_or(info.blocker)))
    }

    fn fill(&self, evaluation: &mut Evaluation, survey: &Survey, diagnostics: &mut Vec<Diagnostic>) {
        let places = self.sites(survey, evaluation);
        self.findings(survey, &places, evaluation, diagnostics);
        if let Some(worst) = evaluation.findings.iter().map(|finding| finding.priority).min() {
            evaluation.priority = worst;
            evaluation.blocker = evaluation.findings.iter().any(|finding| finding.blocker);
        }
        let satisfied = !evaluation.sites.is_empty() && evaluation.sites.iter().all(|site| site.credit >= 1.0);
        let evidence = survey.evidence.iter().take(MAX_EVIDENCE).filter_map(|(rule, fact)| self.evidence(*rule, *fact));
        evaluation.evidence = evidence.collect();
        if !satisfied || !evaluation.findings.is_empty() {
            evaluation.nearest_miss = self.nearest_miss(survey);
        }
    }

    /// Puts the sites in order; where the best stands for all, only it. Returns where each went.
    fn sites(&self, survey: &Survey, evaluation: &mut Evaluation) -> Vec<Option<usize>> {
        let open_sites = survey.open_sites();
        let open = |index: usize| open_sites.contains(&index);
        let single = self.control.info.kind != ControlKind::Defect;
        let (kept, merged): (Vec<usize>, Vec<usize>) = (0..survey.sites.len())
            .filter(|index| self.is_kept(survey, *index))
            .partition(|index| !single || survey.sites.get(*index).is_none_or(|site| site.ratio));
        let credit = |index: &usize| survey.sites.get(*index).map_or(0.0, |site| site.credit);
        let best = merged.iter().copied().reduce(|best, other| {
            let better = (!open(other), credit(&other)) > (!open(best), credit(&best));
            if better { other } else { best }
        });
        let doubtful = merged.iter().any(|index| survey.sites.get(*index).is_some_and(|site| site.unknown));
        let mut chosen: Vec<usize> = kept.into_iter().chain(best).collect();
        chosen.sort_by_key(|index| survey.sites.get(*index).map(|site| site.fact));
        let mut places = vec![None; survey.sites.len()];
        for index in chosen {
            let Some(state) = survey.sites.get(index) else { continue };
            let Some(view) = self.index.view(state.fact) else { continue };
            let unknown = if best == Some(index) { doubtful && state.credit == 0.0 } else { state.unknown };
            if let Some(place) = places.get_mut(index) {
                *place = Some(evaluation.sites.len());
            }
            evaluation.sites.push(Site {
                at: view.fact.at,
                credit: state.credit,
                unknown,
                mutates: matches!(view.field("mutates").map(|value| value.data), Some(Data::Bool(true))),
                confidence: state.confidence,
            });
        }
        places
    }

    /// Sites outside the path that the user asked about count only where they are good.
    fn is_kept(&self, survey: &Survey, index: usize) -> bool {
        survey.sites.get(index).is_some_and(|site| site.credit > 0.0 || self.in_scope(site.fact))
    }

    fn in_scope(&self, fact: FactId) -> bool {
        let file = self.index.fact(fact).and_then(|fact| self.index.project.any_file(fact.at.file));
        file.is_none_or(|file| file.in_scope || (file.area == Area::Config && self.control.info.repository_wide))
    }

    fn findings(
        &self,
        survey: &Survey,
        places: &[Option<usize>],
        evaluation: &mut Evaluation,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let mut found: Vec<(usize, FactId, Confidence)> =
            survey.hits.iter().map(|hit| (hit.rule, hit.fact, hit.confidence)).collect();
        if self.control.info.kind == ControlKind::Coverage {
            found.extend(survey.gaps().into_iter().map(|gap| (gap.rule, gap.fact, gap.confidence)));
        }
        found.retain(|(_, fact, _)| self.in_scope(*fact));
        found.sort_by_key(|(rule, fact, _)| (self.index.fact(*fact).map(|fact| fact.at), *rule, *fact));
        let mut numbers = SecretNumbers::default();
        let mut per_file: FxHashMap<(usize, u32), usize> = FxHashMap::default();
        for (number, fact, confidence) in found {
            let (Some(rule), Some(view)) = (self.control.rules.get(number), self.index.view(fact)) else { continue };
            let count = per_file.entry((number, view.fact.at.file.0)).or_default();
            *count += 1;
            if *count > MAX_FINDINGS {
                continue;
            }
            let site = survey.site_of(fact).and_then(|index| places.get(index).copied().flatten());
            evaluation.findings.push(self.finding(rule, &view, confidence, site, &mut numbers));
        }
        diagnostics.extend(per_file.into_iter().filter(|(_, count)| *count > MAX_FINDINGS).filter_map(
            |((rule, file), count)| {
                let rule = &self.control.rules.get(rule)?.id;
                let path = self.index.project.any_file(FileId(file))?.path.to_string();
                let message = format!("`{rule}` has {count} findings here; {MAX_FINDINGS} are shown");
                Some(Diagnostic { kind: "limit".to_owned(), path, line: 1, message })
            },
        ));
    }

    fn finding(
        &self,
        rule: &Rule,
        view: &FactView<'a>,
        confidence: Confidence,
        site: Option<usize>,
        numbers: &mut SecretNumbers,
    ) -> Finding {
        let (priority, blocker) = self.priority_of_site(view);
        let symbol = &view.fact.symbol;
        let fingerprint = if rule.secret {
            numbers.next(&rule.id, path(self.index.project, view.fact), symbol)
        } else {
            fingerprint::of_code(&rule.id, &(self.snippets)(view.fact.at), symbol)
        };
        Finding {
            rule: rule.id.clone(),
            at: view.fact.at,
            message: self.message(rule, view),
            confidence,
            site,
            service: view.fact.service,
            fingerprint,
            trace: Vec::new(),
            secret: rule.secret,
            priority,
            blocker,
        }
    }

    fn message(&self, rule: &Rule, view: &FactView<'a>) -> String {
        rule.message.as_ref().map_or_else(|| self.control.info.problem.clone(), |message| message.render(view))
    }

    fn evidence(&self, rule: usize, fact: FactId) -> Option<Evidence> {
        let rule = self.control.rules.get(rule)?;
        let view = self.index.view(fact)?;
        Some(Evidence { rule: rule.id.clone(), at: view.fact.at, message: name(&view) })
    }

    /// What would have counted, were it reached and used; else what a note says.
    fn nearest_miss(&self, survey: &Survey) -> Option<Evidence> {
        let dead = survey.misses.first().copied().or_else(|| {
            let rule = self.control.rules.iter().position(Rule::credits).unwrap_or(0);
            self.scope.nearest_miss().map(|fact| (rule, fact))
        });
        if let Some((rule, fact)) = dead {
            let view = self.index.view(fact)?;
            let rule = self.control.rules.get(rule)?.id.clone();
            return Some(Evidence { rule, at: view.fact.at, message: why_dead(&view) });
        }
        let (rule, fact) = survey.notes.first().copied()?;
        let rule = self.control.rules.get(rule)?;
        let view = self.index.view(fact)?;
        let message = rule.message.as_ref().map_or_else(|| why_dead(&view), |message| message.render(&view));
        Some(Evidence { rule: rule.id.clone(), at: view.fact.at, message })
    }

    fn searched(&self, survey: &Survey) -> Vec<String> {
        let lines = self.control.rules.iter().zip(&survey.counts).map(|(rule, count)| {
            let kinds: Vec<&str> = rule.each.kinds.iter().map(|kind| &**kind).collect();
            format!(
                "{}: looked at {} {} facts, {} sites: {} bad, {} good, {} unknown",
                rule.id,
                count.facts,
                words(&kinds),
                count.sites,
                count.bad,
                count.good,
                count.unknown
            )
        });
        lines.collect()
    }
}

const NO_ROUTES: &str = "no route could be resolved";

/// What a fact is called in evidence.
fn name(view: &FactView<'_>) -> String {
    let field = |field: &str| view.field(field).and_then(|value| value.as_text().map(str::to_owned));
    let method = field("method").filter(|_| &*view.fact.kind == "route");
    match (method, field("api"), field("name"), field("path").filter(|_| view.fact.get("path").is_some())) {
        (Some(method), _, _, Some(path)) => format!("{method} {path}"),
        (_, Some(api), ..) => api,
        (_, _, Some(name), _) => name,
        (.., Some(path)) => path,
        _ => view.fact.kind.to_string(),
    }
}

fn why_dead(view: &FactView<'_>) -> String {
    match &view.fact.because {
        Some(because) => because.to_string(),
        None if !view.fact.reached => format!("`{}` is in a module that no entry point reaches", name(view)),
        None => format!("`{}` is never used", name(view)),
    }
}

fn words(kinds: &[&str]) -> String {
    let mut kinds: Vec<&str> = kinds.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.join(" or ")
}

fn list(kinds: &[ProcessKind]) -> String {
    let name = |kind: &ProcessKind| {
        crate::rules::load::PROCESSES.iter().find(|(_, known)| known == kind).map_or("", |(name, _)| *name)
    };
    kinds.iter().map(name).collect::<Vec<_>>().join(", ")
}
