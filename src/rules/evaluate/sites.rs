//! The sites of one control in one service: each fact once, with the best that any rule says of it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::scope::{Scope, is_default_area, is_test_only};
use super::view::FactView;
use crate::facts::{Confidence, Data, FactId, Value};
use crate::rules::conditions::{Condition, Context, Fields, Tri, Verdict};
use crate::rules::outcome::{ControlKind, Mode};
use crate::rules::schema::{Control, Rule};

/// What the rules of a control say, before it is put into words.
#[derive(Default)]
pub struct Survey {
    pub sites: Vec<SiteState>,
    by_fact: FxHashMap<FactId, usize>,
    pub hits: Vec<Hit>,
    /// Facts that give credit: rule, fact.
    pub evidence: Vec<(usize, FactId)>,
    /// Dead facts that would have given credit, and what notes say: rule, fact.
    pub misses: Vec<(usize, FactId)>,
    pub notes: Vec<(usize, FactId)>,
    /// Per rule.
    pub counts: Vec<Count>,
    /// Every site of every rule: rule, fact.
    pub outcomes: Vec<(usize, FactId, Outcome)>,
}

/// What one rule says of one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Bad,
    Good,
    Half,
    Unknown,
    /// It would be good, were it reached and used; or a rule that only notes things notes it.
    Dead,
    /// A site without anything to say of it.
    None,
}

/// What was looked at for one rule.
#[derive(Default, Clone, Copy)]
pub struct Count {
    pub facts: usize,
    pub sites: usize,
    pub bad: usize,
    pub good: usize,
    pub unknown: usize,
}

pub struct SiteState {
    pub fact: FactId,
    pub credit: f64,
    pub unknown: bool,
    pub confidence: Confidence,
    /// Some rule of it counts every site.
    pub ratio: bool,
    /// The first rule that wants this site satisfied, for the finding if it is not.
    pub wanted_by: Option<usize>,
}

/// A site that is bad.
pub struct Hit {
    pub rule: usize,
    pub fact: FactId,
    pub confidence: Confidence,
}

/// A fact that a rule looks at, and how sure it is that it does.
struct Looked<'a> {
    rule: usize,
    view: FactView<'a>,
    confidence: Confidence,
    /// The `each` condition is unknown.
    maybe: bool,
    /// Reached and used, or the rule judges that itself.
    live: bool,
}

pub fn survey(control: &Control, scope: &Scope<'_>) -> Survey {
    let mut survey = Survey::default();
    for (number, rule) in control.rules.iter().enumerate() {
        let mut count = Count::default();
        let mut groups = FxHashSet::default();
        for kind in &rule.each.kinds {
            for view in scope.kind(kind).iter().filter_map(|id| scope.index.view(*id)) {
                if in_domain(rule, &view, scope) {
                    count.facts += 1;
                    look(control, (number, rule), view, scope, &mut groups, &mut survey, &mut count);
                }
            }
        }
        survey.counts.push(count);
    }
    survey.sites.iter_mut().for_each(|site| site.unknown &= site.credit == 0.0);
    survey
}

fn in_domain(rule: &Rule, view: &FactView<'_>, scope: &Scope<'_>) -> bool {
    let own = rule.each.own;
    scope.holds(view.fact) && (own.area || is_default_area(view.fact)) && (own.guard || !is_test_only(view.fact))
}

fn look<'a>(
    control: &Control,
    (number, rule): (usize, &Rule),
    view: FactView<'a>,
    scope: &Scope<'a>,
    groups: &mut FxHashSet<String>,
    survey: &mut Survey,
    count: &mut Count,
) {
    let each = rule.each.condition.evaluate(&scope.at(&view));
    if each.tri == Tri::False || (!rule.group.is_empty() && !groups.insert(group_key(rule, &view))) {
        return;
    }
    count.sites += 1;
    let own = rule.own();
    let looked = Looked {
        rule: number,
        view,
        confidence: rule.confidence.min(view.fact.certain).min(each.certain),
        maybe: each.tri == Tri::Unknown,
        live: (own.reached || view.fact.reached) && (own.used || view.fact.used),
    };
    let context = scope.at(&looked.view);
    let bad = judge_bad(rule, &looked, &context, survey, count);
    let good = if rule.credits() {
        judge_good(control, rule, &looked, &context, survey, count)
    } else if rule.only_notes() {
        Outcome::None
    } else {
        count_site(control, rule, &looked, (bad, &context), survey)
    };
    let outcome = match bad {
        Tri::True => Outcome::Bad,
        Tri::Unknown if good == Outcome::None => Outcome::Unknown,
        _ => good,
    };
    let noted = !looked.maybe && rule.note.as_ref().is_some_and(|note| note.evaluate(&context).tri == Tri::True);
    if noted {
        survey.notes.push((number, looked.view.id));
    }
    let outcome = if noted && rule.only_notes() { Outcome::Dead } else { outcome };
    survey.outcomes.push((number, looked.view.id, outcome));
}

/// A place that an application of the rule has in common with others of its group.
fn group_key(rule: &Rule, view: &FactView<'_>) -> String {
    let values = rule.group.iter().map(|field| text_of(&view.field(field).unwrap_or(Value::ABSENT)));
    values.collect::<Vec<_>>().join("\u{0}")
}

fn text_of(value: &Value) -> String {
    match &value.data {
        Data::List(items) => items.iter().map(text_of).collect::<Vec<_>>().join("\u{1}"),
        data => format!("{data:?}"),
    }
}

fn judge_bad(rule: &Rule, looked: &Looked<'_>, context: &Context<'_>, survey: &mut Survey, count: &mut Count) -> Tri {
    let Some(condition) = &rule.bad else { return Tri::False };
    if looked.maybe {
        count.unknown += 1;
        return Tri::Unknown;
    }
    let verdict = condition.evaluate(context);
    match verdict.tri {
        Tri::True => {
            count.bad += 1;
            let confidence = looked.confidence.min(verdict.certain);
            let confidence = if looked.live { confidence } else { step_down(confidence) };
            survey.hits.push(Hit { rule: looked.rule, fact: looked.view.id, confidence });
        }
        Tri::Unknown => count.unknown += 1,
        Tri::False => {}
    }
    verdict.tri
}

fn judge_good(
    control: &Control,
    rule: &Rule,
    looked: &Looked<'_>,
    context: &Context<'_>,
    survey: &mut Survey,
    count: &mut Count,
) -> Outcome {
    let verdict = |condition: &Option<_>| match condition {
        Some(condition) if !looked.maybe => Condition::evaluate(condition, context),
        Some(_) => Verdict::UNKNOWN,
        None => Verdict::FALSE,
    };
    let (good, half) = (verdict(&rule.good), verdict(&rule.half));
    let (value, certain) = match (good.tri, half.tri) {
        (Tri::True, _) => (1.0, good.certain),
        (_, Tri::True) => (0.5, half.certain),
        _ => (0.0, Confidence::High),
    };
    if !looked.live {
        if value > 0.0 {
            survey.misses.push((looked.rule, looked.view.id));
            return Outcome::Dead;
        }
        return Outcome::None;
    }
    let confidence = looked.confidence.min(certain);
    let doubt = if confidence == Confidence::Low { 0.5 } else { 1.0 };
    let unknown = value == 0.0 && (good.tri.or(half.tri) == Tri::Unknown || is_open(rule, context));
    count.unknown += usize::from(unknown);
    if value > 0.0 {
        count.good += 1;
        survey.evidence.push((looked.rule, looked.view.id));
    }
    let wants = rule.good.is_some() && rule.bad.is_none();
    let site = survey.site(looked, rule_mode(control, rule), confidence);
    site.credit = site.credit.max(value * doubt);
    site.unknown |= unknown;
    if wants && looked.confidence > Confidence::Low {
        site.wanted_by.get_or_insert(looked.rule);
    }
    match value {
        1.0 => Outcome::Good,
        _ if unknown => Outcome::Unknown,
        0.0 => Outcome::None,
        _ => Outcome::Half,
    }
}

/// The rule says that nobody can tell.
fn is_open(rule: &Rule, context: &Context<'_>) -> bool {
    rule.unknown.as_ref().is_some_and(|unknown| unknown.evaluate(context).tri != Tri::False)
}

/// The site of a rule that does not know what is good: satisfied where it is not bad, unless nobody can tell. Of a
/// capability, only what nobody can tell is one.
fn count_site(
    control: &Control,
    rule: &Rule,
    looked: &Looked<'_>,
    (bad, context): (Tri, &Context<'_>),
    survey: &mut Survey,
) -> Outcome {
    let unknown = bad == Tri::Unknown || bad == Tri::False && is_open(rule, context);
    let counts = match control.info.kind {
        ControlKind::Coverage => looked.live || bad == Tri::True,
        ControlKind::Defect => true,
        ControlKind::Capability => looked.live && unknown && rule.bad.is_none(),
        ControlKind::Manual => false,
    };
    if counts {
        let site = survey.site(looked, rule_mode(control, rule), looked.confidence);
        site.credit = site.credit.max(if bad == Tri::False && !unknown { 1.0 } else { 0.0 });
        site.unknown |= unknown;
    }
    if unknown { Outcome::Unknown } else { Outcome::None }
}

fn rule_mode(control: &Control, rule: &Rule) -> Mode {
    rule.mode.unwrap_or(control.info.mode)
}

/// One step less certain.
fn step_down(confidence: Confidence) -> Confidence {
    match confidence {
        Confidence::High => Confidence::Medium,
        Confidence::Medium | Confidence::Low => Confidence::Low,
    }
}

impl Survey {
    fn site(&mut self, looked: &Looked<'_>, mode: Mode, confidence: Confidence) -> &mut SiteState {
        let next = self.sites.len();
        let index = *self.by_fact.entry(looked.view.id).or_insert(next);
        if index == next {
            self.sites.push(SiteState {
                fact: looked.view.id,
                credit: 0.0,
                unknown: false,
                confidence,
                ratio: false,
                wanted_by: None,
            });
        }
        let site = &mut self.sites[index];
        site.ratio |= mode == Mode::Ratio;
        site.confidence = site.confidence.max(confidence);
        site
    }

    /// Certain sites without any credit or defect, with the rule that wants them satisfied: what coverage lacks.
    pub fn gaps(&self) -> Vec<Hit> {
        let open = self.open_sites();
        let uncovered = self
            .sites
            .iter()
            .enumerate()
            .filter(|(index, site)| site.credit == 0.0 && !site.unknown && !open.contains(index));
        let hit =
            |site: &SiteState| site.wanted_by.map(|rule| Hit { rule, fact: site.fact, confidence: site.confidence });
        uncovered.filter_map(|(_, site)| hit(site)).collect()
    }

    /// The sites that some rule finds bad.
    pub fn open_sites(&self) -> FxHashSet<usize> {
        self.hits.iter().filter_map(|hit| self.site_of(hit.fact)).collect()
    }

    pub fn site_of(&self, fact: FactId) -> Option<usize> {
        self.by_fact.get(&fact).copied()
    }
}
