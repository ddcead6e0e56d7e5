//! Code with holes: `random.choice($ITEMS)`. A pattern is read by the language's own parser and compared with what the
//! audit reads, so layout, quotes and comments do not matter.

use std::collections::BTreeMap;

use crate::project::FileKind;
use crate::syntax::code;
use crate::syntax::hir::{ExprId, ExprKind, Module, Prop, PropKind, Run, Use};

/// How a hole is called where the parser needs a name.
const HOLE: &str = "__hole_";
/// `$$$`: any further arguments.
const REST: &str = "__rest__";
/// Expressions around a finding that are tried.
const REACH: usize = 8;

/// An expression with holes.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    kind: FileKind,
    module: Module,
    root: ExprId,
}

impl Clone for Pattern {
    fn clone(&self) -> Pattern {
        let again = Pattern::parse(self.kind, &self.text);
        again.unwrap_or_else(|_| Pattern {
            text: self.text.clone(),
            kind: self.kind,
            module: Module::default(),
            root: ExprId::NONE,
        })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        (&self.text, self.kind) == (&other.text, other.kind)
    }
}

/// Where a pattern holds: the whole, and what fills its holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    pub root: ExprId,
    pub holes: BTreeMap<String, Hole>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hole {
    Expression(ExprId),
    /// Of a property: `process.env.$NAME`.
    Name(String),
}

impl Pattern {
    pub fn parse(kind: FileKind, text: &str) -> Result<Pattern, String> {
        let unreadable = || format!("`{text}` is no expression");
        let named = text.replace("$$$", REST).replace('$', HOLE);
        let path = if kind == FileKind::Python { "pattern.py" } else { "pattern.ts" };
        let source = format!("({named})");
        let module = code::parse_alone(kind, path, &source).and_then(Result::ok).ok_or_else(unreadable)?;
        let is_root = |&index: &usize| module.exprs.get(index).is_some_and(|expr| expr.role == Use::Statement);
        let root = (0..module.exprs.len()).find(is_root).and_then(|index| u32::try_from(index).ok());
        let root = ExprId(root.ok_or_else(unreadable)?);
        Ok(Pattern { text: text.to_owned(), kind, module, root })
    }

    /// The innermost expression around a place that the pattern holds for, the place itself being part of what the
    /// pattern spells out, not of a hole.
    pub fn find(&self, subject: &Module, site: ExprId) -> Option<Match> {
        let mut next = Some(site);
        for _ in 0..REACH {
            let root = next?;
            if let Some(state) = self.holds(subject, root)
                && state.spelt.contains(&site)
            {
                return Some(Match { root, holes: state.holes });
            }
            next = subject.exprs.get(root.0 as usize)?.parent.some();
        }
        None
    }

    /// The one argument of a call that the pattern holds for, written at its place or by name.
    pub fn argument(&self, subject: &Module, call: ExprId) -> Option<Match> {
        let (_, args) = subject.call(call)?;
        let values = subject.list(args).flat_map(|argument| match subject.kind(argument) {
            ExprKind::Object(run) if subject.expr(argument).role == Use::Keywords => {
                subject.object(run).iter().map(|prop| prop.value).collect()
            }
            _ => vec![argument],
        });
        let mut found = values.filter_map(|root| Some(Match { root, holes: self.holds(subject, root)?.holes }));
        found.next().filter(|_| found.next().is_none())
    }

    fn holds<'m>(&'m self, subject: &'m Module, root: ExprId) -> Option<State<'m>> {
        let mut state = State { pattern: &self.module, subject, holes: BTreeMap::new(), spelt: Vec::new() };
        state.holds(self.root, root).then_some(state)
    }
}

struct State<'m> {
    pattern: &'m Module,
    subject: &'m Module,
    holes: BTreeMap<String, Hole>,
    spelt: Vec<ExprId>,
}

impl State<'_> {
    fn holds(&mut self, wanted: ExprId, found: ExprId) -> bool {
        let (pattern, subject) = (self.pattern, self.subject);
        if let Some(name) = name_of(self.pattern, wanted).and_then(|name| name.strip_prefix(HOLE)) {
            // A hole that is named twice would have to hold the same thing twice: patterns do without.
            return self.holes.insert(name.to_owned(), Hole::Expression(found)).is_none();
        }
        self.spelt.push(found);
        match (self.pattern.kind(wanted), self.subject.kind(found)) {
            (ExprKind::Str(a), ExprKind::Str(b)) => self.pattern.str(a) == self.subject.str(b),
            (ExprKind::Num(a), ExprKind::Num(b)) => {
                self.pattern.numbers.get(a as usize) == self.subject.numbers.get(b as usize)
            }
            (ExprKind::Bool(a), ExprKind::Bool(b)) => a == b,
            (ExprKind::Null, ExprKind::Null) => true,
            (ExprKind::Ident(_) | ExprKind::Global(_), ExprKind::Ident(_) | ExprKind::Global(_)) => {
                name_of(self.pattern, wanted) == name_of(self.subject, found)
            }
            (ExprKind::Member { object, name }, ExprKind::Member { object: other, name: other_name }) => {
                self.property(pattern.str(name), subject.str(other_name)) && self.holds(object, other)
            }
            (ExprKind::Call { callee, args }, ExprKind::Call { callee: other, args: given })
            | (ExprKind::New { callee, args }, ExprKind::New { callee: other, args: given }) => {
                self.holds(callee, other) && self.arguments(args, given)
            }
            (ExprKind::Logical { op, left, right }, ExprKind::Logical { op: other, left: l, right: r }) => {
                op == other && self.holds(left, l) && self.holds(right, r)
            }
            (ExprKind::Binary { op, left, right }, ExprKind::Binary { op: other, left: l, right: r }) => {
                use crate::syntax::hir::BinaryOp::{Add, Multiply};
                op == other && matches!(op, Add | Multiply) && self.holds(left, l) && self.holds(right, r)
            }
            (ExprKind::Object(wanted), ExprKind::Object(found)) => self.entries(wanted, found),
            _ => false,
        }
    }

    fn property(&mut self, wanted: &str, found: &str) -> bool {
        match wanted.strip_prefix(HOLE) {
            Some(name) => self.holes.insert(name.to_owned(), Hole::Name(found.to_owned())).is_none(),
            None => wanted == found,
        }
    }

    fn arguments(&mut self, wanted: Run, given: Run) -> bool {
        let wanted: Vec<ExprId> = self.pattern.list(wanted).collect();
        let given: Vec<ExprId> = self.subject.list(given).collect();
        let is_rest = |id: &ExprId| name_of(self.pattern, *id) == Some(REST);
        let (wanted, open) = match wanted.split_last() {
            Some((last, first)) if is_rest(last) => (first, true),
            _ => (wanted.as_slice(), false),
        };
        let fits = if open { given.len() >= wanted.len() } else { given.len() == wanted.len() };
        let same_role = |(a, b): (&ExprId, &ExprId)| {
            let keywords = |module: &Module, id: ExprId| module.expr(id).role == Use::Keywords;
            keywords(self.pattern, *a) == keywords(self.subject, *b)
        };
        let spread = given.iter().take(wanted.len()).any(|id| matches!(self.subject.kind(*id), ExprKind::Spread(_)));
        fits && !spread
            && wanted.iter().zip(&given).all(same_role)
            && wanted.iter().zip(&given).all(|(wanted, found)| self.holds(*wanted, *found))
    }

    /// The same keys, in any order.
    fn entries(&mut self, wanted: Run, found: Run) -> bool {
        let (wanted, found) = (self.pattern.object(wanted).to_vec(), self.subject.object(found).to_vec());
        let plain = |props: &[Prop]| props.iter().all(|prop| prop.kind == PropKind::Value && prop.key.is_some());
        if wanted.len() != found.len() || !plain(&wanted) || !plain(&found) {
            return false;
        }
        wanted.iter().all(|prop| {
            let key = prop.key.map(|key| self.pattern.str(key).to_owned());
            let same = found.iter().find(|other| other.key.map(|key| self.subject.str(key)) == key.as_deref());
            same.is_some_and(|other| self.holds(prop.value, other.value))
        })
    }
}

/// What a name is called as it is written.
pub fn name_of(module: &Module, id: ExprId) -> Option<&str> {
    match module.kind(id) {
        ExprKind::Ident(symbol) => Some(module.str(module.symbol(symbol).name)),
        ExprKind::Global(name) => Some(module.str(name)),
        _ => None,
    }
}

/// The expressions that span a range.
pub fn at(module: &Module, start: u32, end: u32) -> Vec<ExprId> {
    let spans = |(_, expr): &(usize, &crate::syntax::hir::Expr)| (expr.start, expr.end) == (start, end);
    let found = module.exprs.iter().enumerate().filter(spans);
    found.filter_map(|(index, _)| u32::try_from(index).ok()).map(ExprId).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What fills the holes of a pattern around the text `site`, as text.
    fn holes(kind: FileKind, pattern: &str, text: &str, site: &str) -> Option<Vec<(String, String)>> {
        let path = if kind == FileKind::Python { "a.py" } else { "a.ts" };
        let module = code::parse_alone(kind, path, text).unwrap().unwrap();
        let pattern = Pattern::parse(kind, pattern).unwrap();
        let start = text.find(site).unwrap();
        let sites = at(&module, u32::try_from(start).unwrap(), u32::try_from(start + site.len()).unwrap());
        let found = sites.into_iter().find_map(|site| pattern.find(&module, site))?;
        let shown = |hole: &Hole| match hole {
            Hole::Expression(id) => text[module.expr(*id).start as usize..module.expr(*id).end as usize].to_owned(),
            Hole::Name(name) => name.clone(),
        };
        Some(found.holes.iter().map(|(name, id)| (name.clone(), shown(id))).collect())
    }

    fn one(name: &str, text: &str) -> Option<Vec<(String, String)>> {
        Some(vec![(name.to_owned(), text.to_owned())])
    }

    #[test]
    fn what_a_pattern_spells_out_has_to_be_there() {
        let js = |pattern: &str, text: &str, site: &str| holes(FileKind::JavaScript, pattern, text, site);
        let slice = "Math.random().toString(36).slice($N)";
        assert_eq!(js(slice, "const a = Math.random() .toString(36) .slice(2)", "Math.random()"), one("N", "2"));
        assert_eq!(js(slice, "const a = Math.random().toString(16).slice(2)", "Math.random()"), None);
        assert_eq!(js(slice, "const a = Math.random().toString(36).slice(2, 4)", "Math.random()"), None);
        let fallback = "f(process.env.A || 'x')";
        assert_eq!(js("$READ || $DEFAULT", fallback, "process.env.A"), None, "the site is a hole");
        let found = js("process.env.$NAME || $DEFAULT", fallback, "process.env.A");
        assert_eq!(found, Some(vec![("DEFAULT".into(), "'x'".into()), ("NAME".into(), "A".into())]));
        assert_eq!(js("new Client()", "const a = new Client()", "new Client()"), Some(Vec::new()));
        assert_eq!(js("new Client()", "const a = new Client({})", "new Client({})"), None);
        assert_eq!(js("$F($A, $$$)", "f(...a)", "f(...a)"), None);
    }

    #[test]
    fn keyword_arguments_have_no_order() {
        let python = |pattern: &str, text: &str, site: &str| holes(FileKind::Python, pattern, text, site);
        let choices = "random.choices(letters, k=8)";
        assert_eq!(
            python("random.choices($FROM, k=$K)", choices, choices),
            Some(vec![("FROM".into(), "letters".into()), ("K".into(), "8".into())])
        );
        assert_eq!(python("random.choices($FROM, $K)", choices, choices), None, "one is no keyword");
        assert_eq!(python("f(a=1, b=2)", "f(b=2, a=1)", "f(b=2, a=1)"), Some(Vec::new()));
        assert_eq!(python("$CALL($$$)", "f(1, b=2)", "f(1, b=2)"), one("CALL", "f"));
    }
}
