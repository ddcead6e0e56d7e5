//! Which findings can be fixed in place, and the proof that they are gone afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use miette::miette;
use rustc_hash::FxHashSet;
use serde::Serialize;

use super::propose::{Done, Left, Site, still_reads};
use super::spec::{Certainty, Fix};
use crate::audit::Audit;
use crate::facts::Fact;
use crate::project::{SOURCE_LIMIT, ServiceId, decode};
use crate::report::{FindingState, State};
use crate::scaffold::compose::Composer;
use crate::scaffold::library::Library;
use crate::scaffold::module::Effect;
use crate::scaffold::plan::{Plan, Planned, Reaudit, readable_manifests, service_of};
use crate::scaffold::store::Lock;
use crate::scaffold::verify::{self, Promise};
use crate::syntax::line_at;

/// What stands before the control in the names of fixes: `fix:outbound-timeout`.
const PREFIX: &str = "fix:";

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct FixRequest {
    /// Every control that has a fix, without any.
    pub controls: Vec<String>,
    /// Fixes that somebody should look at, too.
    pub review: bool,
    pub service: Option<String>,
}

/// What would be written, checked, and what becomes of each finding.
#[derive(Debug)]
pub struct FixPlan {
    pub plan: Plan,
    pub sites: Vec<FixedSite>,
}

/// A finding that a fix is written for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FixedSite {
    pub control: String,
    pub path: String,
    pub line: u32,
    pub message: String,
    /// What the fix does.
    pub title: String,
    #[serde(flatten)]
    pub fate: SiteFate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "reason")]
pub enum SiteFate {
    Fixed,
    /// It is fixed, and somebody may rely on how it was.
    FixedToReview,
    /// It would be, were such fixes asked for.
    ToReview,
    NotCertain(String),
}

/// Plans fixes, audits the result, and drops what does not hold.
pub fn fix(audit: &Audit, library: &Library, request: &FixRequest, reaudit: Reaudit<'_>) -> miette::Result<FixPlan> {
    let service = service_of(audit, library, request.service.as_deref())?;
    readable_manifests(audit, service)?;
    let lock = Lock::read(&audit.project.tree).map_err(|problem| miette!("{problem}"))?;
    let sites = sites(audit, library, service, &request.controls, &open_findings(audit));
    let mut round = Round { audit, library, service, lock: &lock, sites: &sites, refused: BTreeMap::new() };
    loop {
        let tried = round.compose(request.review);
        let refused = round.check(&tried, reaudit)?;
        match refused {
            Checked::Holds(plan) => return Ok(FixPlan { plan: *plan, sites: round.told(&tried) }),
            Checked::Refused(more) => round.refused.extend(more),
        }
    }
}

/// The findings of a project that one command would fix, each as (control, path, line), and how certain that is.
pub fn offers(audit: &Audit, library: &Library) -> BTreeMap<(String, String, u32), Certainty> {
    let Ok(lock) = Lock::read(&audit.project.tree) else { return BTreeMap::new() };
    let services = (0..audit.project.services.len()).filter_map(|index| u16::try_from(index).ok()).map(ServiceId);
    let open = open_findings(audit);
    let mut found = BTreeMap::new();
    for service in services {
        let sites = sites(audit, library, service, &[], &open);
        if sites.is_empty() {
            continue;
        }
        let round = Round { audit, library, service, lock: &lock, sites: &sites, refused: BTreeMap::new() };
        let tried = round.compose(true);
        let fixed = sites.iter().zip(&tried.fates).filter_map(|(site, fate)| Some((site, fate.as_ref().ok()?)));
        found.extend(fixed.map(|(site, done)| ((site.control.clone(), site.path.clone(), site.line), done.certainty)));
    }
    found
}

/// Of the findings of a report, those that are open: fingerprint, path and line.
type OpenFindings<'a> = FxHashSet<(&'a str, &'a str, u32)>;

/// The findings of a service among `open` that a fix is written for, sorted by control and place.
pub(super) fn sites<'a>(
    audit: &'a Audit,
    library: &'a Library,
    service: ServiceId,
    controls: &[String],
    open: &OpenFindings<'_>,
) -> Vec<Site<'a>> {
    let mut texts = HashMap::new();
    let mut sites = Vec::new();
    for evaluation in &audit.evaluations {
        let Some(info) = audit.controls.get(evaluation.control) else { continue };
        let is_fixable = library.fixes.iter().any(|fix| fix.control == info.id);
        if !is_fixable || (!controls.is_empty() && !controls.contains(&info.id)) {
            continue;
        }
        for finding in evaluation.findings.iter().filter(|finding| finding.service == service) {
            let fixes_of = |fact: &Fact| -> Vec<&'a Fix> {
                let kind = audit.project.file(finding.at.file).kind;
                let fits = |fix: &&Fix| {
                    fix.control == info.id
                        && *fix.fact == *fact.kind
                        && fix.language.kind() == kind
                        && fix.is_about(&fact.api)
                };
                library.fixes.iter().filter(fits).collect()
            };
            let facts = audit.facts.facts_at(finding.at);
            let mut fixable = facts.iter().map(|fact| (fact, fixes_of(fact))).filter(|(_, fixes)| !fixes.is_empty());
            let Some((fact, fixes)) = fixable.next() else { continue };
            let path = audit.project.file(finding.at.file).path.to_string();
            let text = texts.entry(finding.at.file).or_insert_with(|| {
                let bytes = audit.project.tree.read(&path, SOURCE_LIMIT).unwrap_or_default();
                decode(&bytes).unwrap_or_default().to_owned()
            });
            let line = line_at(text, finding.at.start as usize);
            if open.contains(&(finding.fingerprint.as_str(), path.as_str(), line)) {
                let (control, message) = (info.id.clone(), finding.message.clone());
                sites.push(Site { control, path, line, message, fact, fixes });
            }
        }
    }
    sites.sort_by(|a, b| (&a.control, &a.path, a.fact.at.start).cmp(&(&b.control, &b.path, b.fact.at.start)));
    sites.dedup_by(|a, b| a.control == b.control && a.fact.at == b.fact.at);
    sites
}

pub(super) fn open_findings(audit: &Audit) -> OpenFindings<'_> {
    let findings = audit.report.controls.iter().flat_map(|control| &control.findings);
    let open = findings.filter(|finding| finding.state == FindingState::Open);
    open.map(|finding| (finding.fingerprint.as_str(), finding.path.as_str(), finding.line)).collect()
}

struct Round<'a> {
    audit: &'a Audit,
    library: &'a Library,
    service: ServiceId,
    lock: &'a Lock,
    sites: &'a [Site<'a>],
    /// By the index of the site.
    refused: BTreeMap<usize, String>,
}

/// One try.
struct Tried {
    drafts: Vec<Planned>,
    /// What became of each site.
    fates: Vec<Result<Done, Left>>,
}

enum Checked {
    Holds(Box<Plan>),
    Refused(BTreeMap<usize, String>),
}

impl<'a> Round<'a> {
    fn compose(&self, review: bool) -> Tried {
        let path = &self.audit.project.service(self.service).path;
        let applied = self.lock.modules.iter().filter(|module| module.service == *path);
        let planned = applied.map(|module| module.id.clone()).collect();
        let mut composer = Composer::new(self.audit, self.library, self.service, self.lock, planned, BTreeMap::new());
        let mut tried = Tried { drafts: Vec::new(), fates: Vec::new() };
        let refused = |index: &usize| self.refused.get(index).cloned();
        tried.fates =
            (0..self.sites.len()).map(|index| Err(Left::Because(refused(&index).unwrap_or_default()))).collect();
        for control in self.controls() {
            let own = |(index, site): &(usize, &Site<'a>)| site.control == control && !self.refused.contains_key(index);
            let chosen: Vec<(usize, &Site<'a>)> = self.sites.iter().enumerate().filter(own).collect();
            let places: Vec<&Site<'a>> = chosen.iter().map(|(_, site)| *site).collect();
            let (draft, fates) = composer.fix(format!("{PREFIX}{control}"), &places, review);
            for ((index, _), fate) in chosen.iter().zip(fates) {
                if let Some(slot) = tried.fates.get_mut(*index) {
                    *slot = fate;
                }
            }
            if !draft.changes.is_empty() {
                let title = self.title(&control);
                tried.drafts.push(Planned { draft, title, effect: Effect::Additive, promises: Vec::new() });
            }
        }
        tried
    }

    fn controls(&self) -> BTreeSet<String> {
        self.sites.iter().map(|site| site.control.clone()).collect()
    }

    fn title(&self, control: &str) -> String {
        let info = self.audit.controls.iter().find(|info| info.id == control);
        info.map(|info| info.title.clone()).unwrap_or_default()
    }

    /// Whether what was tried reads, closes what it is for, and brings nothing new.
    fn check(&self, tried: &Tried, reaudit: Reaudit<'_>) -> miette::Result<Checked> {
        let mut plan = Plan {
            service: self.audit.project.service(self.service).path.clone(),
            drafts: tried.drafts.clone(),
            left_out: Vec::new(),
            before: verify::score_of(self.audit, self.service).unwrap_or_else(|| self.audit.report.score.clone()),
            after: None,
            turns: Vec::new(),
            steps: Vec::new(),
        };
        if plan.drafts.is_empty() {
            return Ok(Checked::Holds(Box::new(plan)));
        }
        let files = plan.files();
        let broken = files.iter().filter(|(path, (_, after))| !still_reads(path, after));
        let mut refused: BTreeMap<usize, String> = BTreeMap::new();
        for (path, _) in broken {
            refused.extend(self.fixed_in(tried, path, None, "the result would not parse"));
        }
        if !refused.is_empty() {
            return Ok(Checked::Refused(refused));
        }
        let overlay: HashMap<String, Arc<[u8]>> =
            files.iter().map(|(path, (_, after))| (path.clone(), Arc::from(after.as_bytes()))).collect();
        let after = reaudit(&overlay)?;
        refused.extend(self.still_open(tried, &after));
        for (path, reason) in verify::new_findings(self.audit, &after, &overlay) {
            if !refused.keys().any(|index| self.sites.get(*index).is_some_and(|site| site.path == path)) {
                refused.extend(self.fixed_in(tried, &path, None, &reason));
            }
        }
        if !refused.is_empty() {
            return Ok(Checked::Refused(refused));
        }
        for planned in &mut plan.drafts {
            let control = planned.draft.module.trim_start_matches(PREFIX).to_owned();
            let now = verify::state_of(&after, self.service, &control).map(|found| found.state);
            // Where nothing is left that the control is about, nothing is wrong either.
            let is_closed = matches!(now, Some(State::Pass | State::NotApplicable));
            let promise = if is_closed { Promise::Closed } else { Promise::Rises };
            planned.promises = vec![(control, promise)];
        }
        plan.steps = plan.drafts.iter().flat_map(|planned| planned.draft.steps.clone()).collect();
        plan.turns = verify::turns(self.audit, &after, self.service);
        plan.after = verify::score_of(&after, self.service);
        Ok(Checked::Holds(Box::new(plan)))
    }

    /// Sites whose control finds as much in their file as without the fix.
    fn still_open(&self, tried: &Tried, after: &Audit) -> BTreeMap<usize, String> {
        let mut refused = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for site in self.sites {
            if !seen.insert((&site.control, &site.path)) {
                continue;
            }
            let fixed = self.fixed_in(tried, &site.path, Some(&site.control), "").len();
            let count = |audit: &Audit| self.count(audit, &site.control, &site.path);
            if fixed > 0 && count(after) + fixed > count(self.audit) {
                let reason = "the audit of the result still finds it";
                refused.extend(self.fixed_in(tried, &site.path, Some(&site.control), reason));
            }
        }
        refused
    }

    fn count(&self, audit: &Audit, control: &str, path: &str) -> usize {
        let service = &audit.project.service(self.service).path;
        let reports = audit.report.controls.iter().filter(|report| report.id == control);
        let findings = reports.flat_map(|report| &report.findings);
        let own = findings.filter(|one| one.path == path && one.state == FindingState::Open && one.service == *service);
        own.map(|one| (one.line, one.column, &one.rule)).collect::<BTreeSet<_>>().len()
    }

    /// The sites that were fixed in a file, with a reason to refuse them.
    fn fixed_in(&self, tried: &Tried, path: &str, control: Option<&str>, reason: &str) -> BTreeMap<usize, String> {
        let both = self.sites.iter().zip(&tried.fates).enumerate();
        let own = both.filter(|(_, (site, fate))| {
            site.path == path && fate.is_ok() && control.is_none_or(|control| site.control == control)
        });
        own.map(|(index, _)| (index, reason.to_owned())).collect()
    }

    fn told(&self, tried: &Tried) -> Vec<FixedSite> {
        let title = |site: &Site<'_>| site.fixes.first().map(|fix| fix.title.clone()).unwrap_or_default();
        let told = |(site, fate): (&Site<'_>, &Result<Done, Left>)| FixedSite {
            control: site.control.clone(),
            path: site.path.clone(),
            line: site.line,
            message: site.message.clone(),
            title: fate.as_ref().map_or_else(|_| title(site), |done| done.title.clone()),
            fate: match fate {
                Ok(Done { certainty: Certainty::Safe, .. }) => SiteFate::Fixed,
                Ok(Done { certainty: Certainty::NeedsReview, .. }) => SiteFate::FixedToReview,
                Err(Left::ToReview) => SiteFate::ToReview,
                Err(Left::Because(reason)) => SiteFate::NotCertain(reason.clone()),
            },
        };
        self.sites.iter().zip(&tried.fates).map(told).collect()
    }
}
