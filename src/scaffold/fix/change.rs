//! Edits of expressions: one becomes another, a call gets an option or loses one.

use super::pattern::{Hole, Match};
use crate::project::FileKind;
use crate::scaffold::edits::{Edit, indentation, line_start};
use crate::syntax::hir::{ExprId, ExprKind, Module, Prop, PropKind, Use};

/// Lines do not get longer by what is added.
const WIDTH: usize = 100;

/// Where the formatters of Python break a line.
const PYTHON_WIDTH: usize = 88;

/// A file that is edited.
pub struct Source<'a> {
    pub path: &'a str,
    pub kind: FileKind,
    pub text: &'a str,
    pub module: &'a Module,
    /// What one level is indented by.
    pub indent: &'a str,
    pub line_break: &'a str,
}

/// Edits, and whether they replace a value that somebody has written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    pub edits: Vec<Edit>,
    pub replaces: bool,
}

impl Source<'_> {
    pub fn span(&self, id: ExprId) -> (usize, usize) {
        let expr = self.module.expr(id);
        (expr.start as usize, expr.end as usize)
    }

    pub fn shown(&self, id: ExprId) -> &str {
        let (start, end) = self.span(id);
        self.text.get(start..end).unwrap_or_default()
    }

    pub fn filled<'s>(&'s self, hole: &'s Hole) -> &'s str {
        match hole {
            Hole::Expression(id) => self.shown(*id),
            Hole::Name(name) => name,
        }
    }

    fn between(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn has_comment(&self, text: &str) -> bool {
        match self.kind {
            FileKind::Python => text.contains('#'),
            _ => text.contains("//") || text.contains("/*"),
        }
    }

    /// What matched becomes the text, with `$NAME` for the holes.
    pub fn replace(&self, found: &Match, template: &str) -> Result<Changed, String> {
        let (start, end) = self.span(found.root);
        let mut kept: Vec<(usize, usize)> = found
            .holes
            .values()
            .filter_map(|hole| if let Hole::Expression(id) = hole { Some(self.span(*id)) } else { None })
            .collect();
        kept.sort_unstable();
        let mut at = start;
        for (from, to) in kept {
            if self.has_comment(self.between(at, from)) {
                return Err("a comment stands in the middle of it".to_owned());
            }
            at = to;
        }
        if self.has_comment(self.between(at, end)) {
            return Err("a comment stands in the middle of it".to_owned());
        }
        // Longer names first: `$NAMES` is not `$NAME` and an `S`.
        let mut text = template.to_owned();
        for (name, hole) in found.holes.iter().rev() {
            text = text.replace(&format!("${name}"), self.filled(hole));
        }
        Ok(Changed { edits: vec![Edit::replace(start, end, text)], replaces: false })
    }

    /// Sets and drops options of a call: of the object at an index of its arguments, else keyword arguments.
    pub fn options(
        &self,
        call: ExprId,
        argument: Option<usize>,
        set: &[(String, String)],
        drop: &[String],
    ) -> Result<Changed, String> {
        let (_, args) = self.module.call(call).ok_or("it is no call")?;
        let args: Vec<ExprId> = self.module.list(args).collect();
        if args.iter().any(|id| matches!(self.module.kind(*id), ExprKind::Spread(_))) {
            return Err("it is called with a list that is spread out".to_owned());
        }
        let holder = match argument {
            Some(index) => args.get(index).copied(),
            None => args.last().copied().filter(|id| self.module.expr(*id).role == Use::Keywords),
        };
        match (holder, argument) {
            (Some(holder), _) => match self.module.kind(holder) {
                ExprKind::Object(run) => {
                    let props = self.module.object(run).to_vec();
                    self.entries(call, holder, &props, set, drop)
                }
                _ => Err(format!("its options are `{}`, made elsewhere", first_line(self.shown(holder)))),
            },
            (None, Some(index)) if index == args.len() && !set.is_empty() => self.append_object(call, &args, set),
            (None, None) if !set.is_empty() => self.append_keywords(call, &args, set),
            (None, Some(_)) if !set.is_empty() => Err("the arguments before its options are left out".to_owned()),
            (None, _) => Err("it has no such option".to_owned()),
        }
    }

    fn append_object(&self, call: ExprId, args: &[ExprId], set: &[(String, String)]) -> Result<Changed, String> {
        let entries: Vec<String> = set.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        let (start, end) = self.span(call);
        let used = end - line_start(self.text, end).max(start.min(line_start(self.text, end)));
        let short = format!("{{ {} }}", entries.join(", "));
        let object = if used + short.len() <= WIDTH {
            short
        } else {
            let outer = indentation(self.text, end);
            let lines: Vec<String> =
                entries.iter().map(|entry| format!("{outer}{}{entry},{}", self.indent, self.line_break)).collect();
            format!("{{{}{}{outer}}}", self.line_break, lines.concat())
        };
        self.append(call, args.last().copied(), &[object])
    }

    fn append_keywords(&self, call: ExprId, args: &[ExprId], set: &[(String, String)]) -> Result<Changed, String> {
        if self.kind != FileKind::Python {
            return Err("it has no options".to_owned());
        }
        let keywords: Vec<String> = set.iter().map(|(key, value)| format!("{key}={value}")).collect();
        self.append(call, args.last().copied(), &keywords)
    }

    /// Puts items behind the last one of a bracket that ends where `holder` ends.
    fn append(&self, holder: ExprId, last: Option<ExprId>, items: &[String]) -> Result<Changed, String> {
        let (_, end) = self.span(holder);
        let closing = end - 1;
        let Some(last) = last else {
            let empty = self.between(0, closing).trim_end().ends_with(['(', '{']);
            let edit = Edit::insert(closing, items.join(", "));
            return if empty { Ok(Changed::from(edit)) } else { Err("a comment stands in its brackets".to_owned()) };
        };
        let (last_start, last_end) = self.span(last);
        let tail = self.between(last_end, closing);
        if !tail.chars().all(|c| c == ',' || c.is_whitespace()) {
            return Err("something stands between its last argument and the bracket".to_owned());
        }
        let comma = tail.find(',');
        let at = last_end + comma.map_or(0, |at| at + 1);
        let (start, line) = (self.span(holder).0, line_start(self.text, last_start));
        let is_one_line = self.kind == FileKind::Python && self.between(start, last_end).matches('\n').count() == 1;
        let fits = last_end - line + items.join(", ").len() + 2 <= PYTHON_WIDTH;
        let text = if tail.contains('\n') && comma.is_none() && is_one_line && fits {
            // One line between the brackets holds them all: formatters leave it so while it is not too long.
            format!(", {}", items.join(", "))
        } else if tail.contains('\n') {
            let line = format!("{}{}", self.line_break, indentation(self.text, last_start));
            let joined = items.join(&format!(",{line}"));
            match comma {
                Some(_) => format!("{line}{joined},"),
                None => format!(",{line}{joined}"),
            }
        } else {
            match comma {
                Some(_) => format!(" {},", items.join(", ")),
                None => format!(", {}", items.join(", ")),
            }
        };
        Ok(Changed::from(Edit::insert(at, text)))
    }

    /// Sets and drops entries of an object, or of the keyword arguments of a call.
    fn entries(
        &self,
        call: ExprId,
        holder: ExprId,
        props: &[Prop],
        set: &[(String, String)],
        drop: &[String],
    ) -> Result<Changed, String> {
        let is_keywords = self.module.expr(holder).role == Use::Keywords;
        if props.iter().any(|prop| prop.kind != PropKind::Value || prop.key.is_none()) {
            return Err("some of its options come from elsewhere".to_owned());
        }
        if let Some(changed) = self.widened(holder, props, set, drop, is_keywords) {
            return Ok(changed);
        }
        let named = |name: &str| props.iter().find(|prop| prop.key.is_some_and(|key| self.module.str(key) == name));
        let mut changed = Changed::default();
        let mut missing = Vec::new();
        for (key, value) in set {
            match named(key) {
                Some(prop) if self.shown(prop.value) == value => {}
                Some(prop) => {
                    let (start, end) = self.span(prop.value);
                    let text = if self.is_shorthand(prop) { format!("{key}: {value}") } else { value.clone() };
                    changed.edits.push(Edit::replace(start, end, text));
                    changed.replaces = true;
                }
                None if is_keywords => missing.push(format!("{key}={value}")),
                None => missing.push(format!("{key}: {value}")),
            }
        }
        for prop in drop.iter().filter_map(|key| named(key)) {
            changed.edits.push(self.without(prop, props)?);
            changed.replaces = true;
        }
        if !missing.is_empty() {
            let last = props.last().map(|prop| prop.value);
            let outer = if is_keywords { call } else { holder };
            let more = match last {
                None => Changed::from(Edit::replace(
                    self.span(holder).0,
                    self.span(holder).1,
                    format!("{{ {} }}", missing.join(", ")),
                )),
                Some(_) => self.append(outer, last, &missing)?,
            };
            changed.edits.extend(more.edits);
        }
        if changed.edits.is_empty() { Err("its options are as they should be".to_owned()) } else { Ok(changed) }
    }

    /// An object on one line that would get too long is written on several.
    fn widened(
        &self,
        holder: ExprId,
        props: &[Prop],
        set: &[(String, String)],
        drop: &[String],
        is_keywords: bool,
    ) -> Option<Changed> {
        let (start, end) = self.span(holder);
        let object = self.between(start, end);
        if is_keywords || props.is_empty() || !drop.is_empty() || object.contains('\n') || self.has_comment(object) {
            return None;
        }
        let mut entries: Vec<(&str, String)> = Vec::new();
        for prop in props {
            let key = prop.key.map(|key| self.module.str(key))?;
            let (value, value_end) = self.span(prop.value);
            let written = self.between(self.key_start(prop).unwrap_or(value), value_end);
            entries.push((key, written.to_owned()));
        }
        let mut replaces = false;
        for (key, value) in set {
            let text = format!("{key}: {value}");
            match entries.iter_mut().find(|(known, _)| known == key) {
                Some(entry) => {
                    replaces |= entry.1 != text;
                    entry.1 = text;
                }
                None => entries.push((key, text)),
            }
        }
        let joined: usize = entries.iter().map(|(_, text)| text.chars().count() + 2).sum();
        let rest = self.text.get(end..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let used = self.between(line_start(self.text, start), start).chars().count() + rest.chars().count();
        if used + joined + 2 <= WIDTH {
            return None;
        }
        let outer = indentation(self.text, start);
        let line = |(_, text): &(&str, String)| format!("{outer}{}{text},{}", self.indent, self.line_break);
        let lines: String = entries.iter().map(line).collect();
        let text = format!("{{{}{lines}{outer}}}", self.line_break);
        Some(Changed { edits: vec![Edit::replace(start, end, text)], replaces })
    }

    /// `{ verify }`: the name is the value.
    fn is_shorthand(&self, prop: &Prop) -> bool {
        self.key_start(prop).is_none()
    }

    /// Where `key: value` or `key=value` starts.
    fn key_start(&self, prop: &Prop) -> Option<usize> {
        let (value, _) = self.span(prop.value);
        let key = self.module.str(prop.key?);
        let before = self.between(0, value).trim_end().strip_suffix([':', '='])?.trim_end();
        let bare = before.strip_suffix(['"', '\'']).unwrap_or(before);
        let start = bare.strip_suffix(key)?.len();
        Some(start - (before.len() - bare.len()))
    }

    /// Takes an entry out, with the comma and the line that were its own.
    fn without(&self, prop: &Prop, props: &[Prop]) -> Result<Edit, String> {
        let start = self.key_start(prop).ok_or("it is written as a mere name")?;
        let (_, end) = self.span(prop.value);
        let index = props.iter().position(|other| other.value == prop.value).unwrap_or(0);
        let following = props.get(index + 1).and_then(|next| self.key_start(next).or(Some(self.span(next.value).0)));
        if let Some(next) = following {
            return self.gap(end, next).map(|()| Edit::remove(start, next));
        }
        // The last one: the comma before it goes, a comma behind it stays for those that are left.
        let before = self.between(0, start).trim_end();
        match before.strip_suffix(',') {
            Some(rest) => Ok(Edit::remove(rest.len(), end)),
            None => {
                let tail = self.between(end, self.text.len());
                let comma = tail.len() - tail.trim_start().strip_prefix(',').map_or(tail.len(), str::len);
                Ok(Edit::remove(start, end + comma))
            }
        }
    }

    fn gap(&self, end: usize, next: usize) -> Result<(), String> {
        let plain = self.between(end, next).chars().all(|c| c == ',' || c.is_whitespace());
        if plain { Ok(()) } else { Err("a comment stands beside it".to_owned()) }
    }
}

impl From<Edit> for Changed {
    fn from(edit: Edit) -> Changed {
        Changed { edits: vec![edit], replaces: false }
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::apply;
    use crate::scaffold::fix::pattern::Pattern;
    use crate::syntax::code;

    fn with<T>(kind: FileKind, text: &str, work: impl FnOnce(&Source<'_>) -> T) -> T {
        let path = if kind == FileKind::Python { "a.py" } else { "a.ts" };
        let module = code::parse_alone(kind, path, text).unwrap().unwrap();
        work(&Source { path, kind, text, module: &module, indent: "  ", line_break: "\n" })
    }

    fn call_of(source: &Source<'_>) -> ExprId {
        let outermost = (0..source.module.exprs.len()).map(|index| ExprId(u32::try_from(index).unwrap()));
        outermost.into_iter().find(|id| source.module.call(*id).is_some()).unwrap()
    }

    fn set(kind: FileKind, text: &str, argument: Option<usize>, set: &[(&str, &str)], drop: &[&str]) -> String {
        let set: Vec<_> = set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let drop: Vec<_> = drop.iter().map(|key| (*key).to_owned()).collect();
        with(kind, text, |source| match source.options(call_of(source), argument, &set, &drop) {
            Ok(changed) => apply(text, &changed.edits),
            Err(reason) => reason,
        })
    }

    #[test]
    fn objects_of_arguments_get_options() {
        let js = |text: &str, entries: &[(&str, &str)]| set(FileKind::JavaScript, text, Some(1), entries, &[]);
        let secure = [("a", "1"), ("b", "2")];
        assert_eq!(js("f(x)", &secure), "f(x, { a: 1, b: 2 })");
        assert_eq!(js("f(x, {})", &secure), "f(x, { a: 1, b: 2 })");
        assert_eq!(js("f(x, { c })", &secure), "f(x, { c, a: 1, b: 2 })");
        assert_eq!(js("f(x, { a: 9, c })", &secure), "f(x, { a: 1, c, b: 2 })");
        assert_eq!(js("f(x, { a, c })", &secure), "f(x, { a: 1, c, b: 2 })");
        assert_eq!(js("f(x, {\n  c: 3,\n})", &secure), "f(x, {\n  c: 3,\n  a: 1,\n  b: 2,\n})");
        assert_eq!(js("f(x, {\n  c: 3\n})", &secure), "f(x, {\n  c: 3,\n  a: 1,\n  b: 2\n})");
        assert_eq!(js("f(\n  x,\n)", &secure), "f(\n  x,\n  { a: 1, b: 2 },\n)");
        let long = "y".repeat(90);
        assert_eq!(
            js(&format!("f({long}, {{ a, c: 3 }})"), &secure),
            format!("f({long}, {{\n  a: 1,\n  c: 3,\n  b: 2,\n}})")
        );
        assert_eq!(js(&format!("f({long})"), &secure), format!("f({long}, {{\n  a: 1,\n  b: 2,\n}})"));
        for (text, reason) in [
            ("f(x, y)", "made elsewhere"),
            ("f(x, { ...y })", "come from elsewhere"),
            ("f(...x)", "spread"),
            ("f()", "left out"),
            ("f(x /* c */)", "something stands"),
            ("f(x, { a: 1, b: 2 })", "as they should be"),
        ] {
            assert!(js(text, &secure).contains(reason), "{text}: {}", js(text, &secure));
        }
    }

    #[test]
    fn keyword_arguments_are_options_of_python() {
        let py = |text: &str| set(FileKind::Python, text, None, &[("timeout", "30")], &[]);
        assert_eq!(py("f(x)\n"), "f(x, timeout=30)\n");
        assert_eq!(py("f()\n"), "f(timeout=30)\n");
        assert_eq!(py("f(x, timeout=None)\n"), "f(x, timeout=30)\n");
        assert_eq!(py("f(\n    x,\n    json=y,\n)\n"), "f(\n    x,\n    json=y,\n    timeout=30,\n)\n");
        assert_eq!(py("f(\n    x, json=y\n)\n"), "f(\n    x, json=y, timeout=30\n)\n");
        let long = "y".repeat(80);
        assert_eq!(py(&format!("f(\n    x, {long}\n)\n")), format!("f(\n    x, {long},\n    timeout=30\n)\n"));
        assert!(py("f(x, **y)\n").contains("come from elsewhere"));
    }

    #[test]
    fn options_are_dropped_with_their_comma() {
        let py = |text: &str| set(FileKind::Python, text, None, &[], &["verify"]);
        assert_eq!(py("f(verify=False)\n"), "f()\n");
        assert_eq!(py("f(x, verify=False)\n"), "f(x)\n");
        assert_eq!(py("f(x, verify=False, a=1)\n"), "f(x, a=1)\n");
        assert_eq!(py("f(\n    x,\n    verify=False,\n)\n"), "f(\n    x,\n)\n");
        assert!(py("f(x)\n").contains("no such option"));
        let js = set(FileKind::JavaScript, "f(x, { 'verify': false, a })", Some(1), &[], &["verify"]);
        assert_eq!(js, "f(x, { a })");
    }

    #[test]
    fn expressions_are_replaced_with_what_fills_the_holes() {
        let text = "const s = process.env.SECRET || \"x\";";
        let replaced = |text: &str| {
            with(FileKind::JavaScript, text, |source| {
                let pattern = Pattern::parse(FileKind::JavaScript, "process.env.$NAME || $VALUE").unwrap();
                let start = u32::try_from(text.find("process").unwrap()).unwrap();
                let site = super::super::pattern::at(source.module, start, start + 18)[0];
                source.replace(&pattern.find(source.module, site).unwrap(), "need(\"$NAME\")")
            })
        };
        assert_eq!(apply(text, &replaced(text).unwrap().edits), "const s = need(\"SECRET\");");
        let commented = "const s = process.env.SECRET /* for now */ || \"x\";";
        assert!(replaced(commented).unwrap_err().contains("comment"));
    }
}
