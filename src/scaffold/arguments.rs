//! Arguments that modules pass to calls that are there: `lifespan=lifespan` of `FastAPI()`.

use super::anchors::Made;
use super::compose::{Composer, Step};
use super::edits::{Edit, indentation, line_start};
use super::language;
use super::module::ArgumentSpec;
use super::outline::{Argument, Call, Outline};
use super::work::Work;

impl Composer<'_> {
    /// Passes what the module wants to pass. What is ambiguous, or cannot stand beside what is passed already, is left
    /// to the user.
    pub(super) fn pass_arguments(&mut self, work: &mut Work<'_>) -> Result<(), String> {
        for spec in &work.variant.arguments {
            if !work.holds(spec.when.as_deref())? {
                continue;
            }
            let Some(call) = work.stack.call(&spec.of) else { continue };
            let wiring = self.wirings.get_mut(&work.stack.id).ok_or("the stack has no wiring")?;
            let is_clear = wiring.unclear().map_or(Ok(()), Err);
            let made = is_clear.and_then(|()| wiring.call(&call.pattern));
            let path = made.as_ref().map(|made| made.path.clone()).unwrap_or_default();
            let found = made.and_then(|made| {
                let (text, outline) =
                    wiring.source(&made.path).cloned().ok_or_else(|| format!("{} cannot be read", made.path))?;
                let call = language::call_at(&made.path, &text, made.start, made.end);
                Ok((
                    call.ok_or_else(|| format!("{} takes its options from elsewhere", made.path))?,
                    text,
                    outline,
                    made,
                ))
            });
            let reason = match found {
                Ok((call, text, outline, made)) => match change(work, spec, &made, &text, &call)? {
                    Ok(edit) => {
                        self.edit_call(work, spec, &made, &text, &outline, &call, edit)?;
                        continue;
                    }
                    Err(reason) => reason,
                },
                Err(reason) => reason,
            };
            let step = by_hand(work, spec, &path, &call.about, &reason)?;
            work.draft.wiring.push(step);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "what is known of the call, and what becomes of it")]
    fn edit_call(
        &mut self,
        work: &Work<'_>,
        spec: &ArgumentSpec,
        made: &Made,
        text: &str,
        outline: &Outline,
        call: &Call,
        edit: Edit,
    ) -> Result<(), String> {
        let passed = passed(spec, call, text);
        let first = first(call, text);
        let lines = spec.imports.iter().map(|line| work.argument(line, &made.path, passed, first));
        let imports = lines.map(|line| work.dressed(&made.path, &line?)).collect::<Result<Vec<_>, _>>()?;
        let mut edits = work.import_edits(&made.path, text, outline, &imports);
        edits.push(((usize::MAX, String::new()), edit));
        self.edit_code(&made.path, text, edits);
        Ok(())
    }
}

/// The argument's change, or why it is left to the user.
fn change(
    work: &Work<'_>,
    spec: &ArgumentSpec,
    made: &Made,
    text: &str,
    call: &Call,
) -> Result<Result<Edit, String>, String> {
    let in_the_way = |argument: &&super::outline::Argument| match &argument.name {
        Some(name) => spec.unless.contains(name),
        None => argument.is_spread,
    };
    if let Some(found) = call.arguments.iter().find(in_the_way) {
        let shown = text.get(found.start..found.end).unwrap_or_default();
        return Ok(Err(format!("{} passes `{shown}` already", made.path)));
    }
    let passed = passed(spec, call, text);
    let value = work.argument(&spec.value, &made.path, passed, first(call, text))?;
    let present = present(spec, call);
    Ok(match (present, value.is_empty()) {
        (_, true) => Err(format!("{} does it in its own way", made.path)),
        (Some(_), false) if passed == value => Ok(Edit::insert(made.end, "")),
        (Some(argument), false) => Ok(smallest(argument.value, passed, &value)),
        (None, false) if spec.position.is_some() => Err(format!("{} passes no such argument", made.path)),
        (None, false) => {
            let whole = spec.name.as_ref().map_or(value.clone(), |name| format!("{name}={value}"));
            Ok(appended(text, call, &whole).unwrap_or_else(|| on_lines(text, call, &whole)))
        }
    })
}

/// The argument of that name, or at that position.
fn present<'c>(spec: &ArgumentSpec, call: &'c Call) -> Option<&'c Argument> {
    match spec.position {
        Some(position) => call.arguments.get(position),
        None => call.arguments.iter().find(|argument| argument.name.is_some() && argument.name == spec.name),
    }
}

/// The change that leaves alone what an argument starts with before and after: others may change that.
fn smallest(at: usize, before: &str, after: &str) -> Edit {
    let same: usize =
        before.chars().zip(after.chars()).take_while(|(a, b)| a == b).map(|(letter, _)| letter.len_utf8()).sum();
    Edit::replace(at + same, at + before.len(), after.get(same..).unwrap_or_default())
}

/// What the call passes as the argument.
fn passed<'t>(spec: &ArgumentSpec, call: &Call, text: &'t str) -> &'t str {
    present(spec, call).and_then(|argument| text.get(argument.value..argument.end)).unwrap_or_default()
}

/// The first argument without a name.
fn first<'t>(call: &Call, text: &'t str) -> &'t str {
    let plain = call.arguments.first().filter(|argument| argument.name.is_none() && !argument.is_spread);
    plain.and_then(|argument| text.get(argument.start..argument.end)).unwrap_or_default()
}

/// How long a line may get: where formatters break it unless they are told otherwise.
const WIDTH: usize = 88;

/// Behind the last argument, on a line of its own if that has one; nothing where the one line gets too long.
fn appended(text: &str, call: &Call, argument: &str) -> Option<Edit> {
    let Some(last) = call.arguments.last() else {
        let is_object = text.get(..call.open).is_some_and(|before| before.ends_with('{'));
        let gap = if is_object { " " } else { "" };
        return Some(Edit::insert(call.open, format!("{gap}{argument}{gap}")));
    };
    let rest = text.get(last.end..call.close).unwrap_or_default();
    let comma = rest.find(',').map_or(last.end, |at| last.end + at + 1);
    let has_comma = comma > last.end;
    if !rest.contains('\n') {
        let gap = if has_comma { " " } else { ", " };
        let line = text.get(line_start(text, call.open)..call.close).unwrap_or_default();
        let is_one_line = !line.contains('\n');
        let fits = line.chars().count() + gap.len() + argument.chars().count() < WIDTH;
        return (fits || !is_one_line).then(|| Edit::insert(comma, format!("{gap}{argument}")));
    }
    let own_line = text.get(line_start(text, last.start)..last.start).is_some_and(|before| before.trim().is_empty());
    let line_break = if rest.contains("\r\n") { "\r\n" } else { "\n" };
    let comma_before = if has_comma { "" } else { "," };
    if own_line {
        let blanks = indentation(text, last.start);
        let comma_after = if has_comma { "," } else { "" };
        return Some(Edit::insert(comma, format!("{comma_before}{line_break}{blanks}{argument}{comma_after}")));
    }
    Some(Edit::insert(comma, format!("{comma_before} {argument}")))
}

/// All arguments of a call on one line, each on a line of its own.
fn on_lines(text: &str, call: &Call, argument: &str) -> Edit {
    let blanks = indentation(text, call.open);
    let line_break = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let present = call.arguments.iter().filter_map(|one| text.get(one.start..one.end));
    let lines: String = present.chain([argument]).map(|one| format!("{line_break}{blanks}    {one},")).collect();
    Edit::replace(call.open, call.close, format!("{lines}{line_break}{blanks}"))
}

/// What the user passes to the call, and imports in its file if that is known.
fn by_hand(work: &Work<'_>, spec: &ArgumentSpec, path: &str, about: &str, reason: &str) -> Result<Step, String> {
    let conventions = work.renderer.conventions();
    let guess = format!("app.{}", conventions.extension);
    let path = if path.is_empty() { &guess } else { path };
    let value = work.argument(&spec.value, path, "", "…")?;
    let whole = spec.name.as_ref().map_or(value.clone(), |name| format!("{name}={value}"));
    let imports = spec.imports.iter().map(|line| work.argument(line, path, "", "…"));
    let imports = imports.map(|line| Ok(work.dressed(path, &line?)?.trim_end().to_owned()));
    let mut lines = imports.collect::<Result<Vec<_>, String>>()?;
    lines.push(whole);
    Ok(Step { text: format!("Pass this to {about} ({reason})"), snippet: Some(lines.join(conventions.line_break())) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::apply;

    fn with(text: &str) -> String {
        let start = text.find("FastAPI(").unwrap();
        let end = text.rfind(')').unwrap() + 1;
        let call = language::call_at("app.py", text, start, end).unwrap();
        let edit = appended(text, &call, "lifespan=lifespan");
        apply(text, &[edit.unwrap_or_else(|| on_lines(text, &call, "lifespan=lifespan"))])
    }

    #[test]
    fn arguments_are_laid_out_as_their_neighbours() {
        for (before, after) in [
            ("app = FastAPI()\n", "app = FastAPI(lifespan=lifespan)\n"),
            ("app = FastAPI(title=\"Shop\")\n", "app = FastAPI(title=\"Shop\", lifespan=lifespan)\n"),
            ("app = FastAPI(debug=True, )\n", "app = FastAPI(debug=True, lifespan=lifespan )\n"),
            (
                "app = FastAPI(\n    title=\"Shop\",\n    debug=True,  # for now\n)\n",
                "app = FastAPI(\n    title=\"Shop\",\n    debug=True,\n    lifespan=lifespan,  # for now\n)\n",
            ),
            (
                "app = FastAPI(\n    title=\"Shop\"\n)\n",
                "app = FastAPI(\n    title=\"Shop\",\n    lifespan=lifespan\n)\n",
            ),
            (
                "application = FastAPI(title=\"A shop of many things\", version=\"2026.11\", debug=True)\n",
                "application = FastAPI(\n    title=\"A shop of many things\",\n    version=\"2026.11\",\n    debug=True,\n    lifespan=lifespan,\n)\n",
            ),
            (
                "app = FastAPI(\n    title=\"Shop\", debug=True\n)\n",
                "app = FastAPI(\n    title=\"Shop\", debug=True, lifespan=lifespan\n)\n",
            ),
        ] {
            assert_eq!(with(before), after);
        }
    }

    #[test]
    fn options_of_javascript_are_laid_out_alike() {
        for (before, after) in [
            ("new Pool({})", "new Pool({ ...options })"),
            ("new Pool({ url })", "new Pool({ url, ...options })"),
            ("new Pool({\n  url,\n})", "new Pool({\n  url,\n  ...options,\n})"),
        ] {
            let call = language::call_at("db.js", before, 0, before.len()).unwrap();
            assert_eq!(apply(before, &[appended(before, &call, "...options").unwrap()]), after);
        }
    }

    #[test]
    fn the_first_argument_is_told() {
        let text = "e = create_engine(settings.url, echo=True)\n";
        let call = language::call_at("db.py", text, 4, text.len() - 1).unwrap();
        assert_eq!(first(&call, text), "settings.url");
        let named = "e = create_engine(url=settings.url)\n";
        assert_eq!(first(&language::call_at("db.py", named, 4, named.len() - 1).unwrap(), named), "");
        assert_eq!(language::call_at("db.js", "f(1)\n", 0, 4), None);
    }
}
