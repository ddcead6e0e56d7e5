//! A plan on the screen and as JSON.

use miette::IntoDiagnostic;
use serde_json::{Value, json};

use super::diff;
use crate::report::{Score, text, view};
use crate::scaffold::{Plan, Planned, Promise};

const SCHEMA: &str = "readycheck/scaffold/1";

pub fn json(plan: &Plan, applied: bool) -> miette::Result<String> {
    printed(&value(plan, applied))
}

pub fn printed(value: &Value) -> miette::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value).into_diagnostic()?))
}

pub fn value(plan: &Plan, applied: bool) -> Value {
    let files: Vec<Value> = plan
        .files()
        .into_iter()
        .map(|(path, (before, after))| {
            let diff = diff::of(&path, before.as_deref(), Some(&after), false);
            json!({ "path": path, "created": before.is_none(), "diff": diff })
        })
        .collect();
    let modules: Vec<Value> = plan.drafts.iter().map(module).collect();
    json!({
        "schema": SCHEMA,
        "service": plan.service,
        "applied": applied,
        "score": { "before": plan.before.value, "after": plan.after.as_ref().and_then(|score| score.value) },
        "modules": modules,
        "left_out": plan.left_out,
        "turns": plan.turns,
        "files": files,
        "steps": plan.steps,
    })
}

fn module(planned: &Planned) -> Value {
    let promises: serde_json::Map<String, Value> =
        planned.promises.iter().map(|(id, promise)| (id.clone(), json!(promise))).collect();
    json!({
        "id": planned.draft.module,
        "title": planned.title,
        "effect": planned.effect.word(),
        "stack": planned.draft.stack,
        "closes": promises,
        "files": planned.draft.changes.iter().map(|change| &change.path).collect::<Vec<_>>(),
    })
}

/// The diff (unless it has just been written), what it does to the controls and the score, and what is left to do.
pub fn terminal(plan: &Plan, apply: bool, width: usize, color: bool) -> String {
    let mut out = String::new();
    for one in &plan.left_out {
        let sign = if one.asked { "✗" } else { "–" };
        for (index, line) in text::wrap(&format!("{}: {}", one.module, one.reason), width - 4).iter().enumerate() {
            let lead = if index == 0 { format!("{sign} ") } else { "  ".to_owned() };
            out.push_str(&format!("{lead}{}\n", text::terminal(line)));
        }
    }
    if plan.is_refused() {
        out.push_str("\nNothing was written.\n");
        return out;
    }
    if plan.is_empty() {
        out.push_str("There is nothing to do: what these modules write is there.\n");
        return out;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&body(plan, apply, width, color));
    out
}

/// The diff or the files, what changes, and what is left to do.
pub fn body(plan: &Plan, apply: bool, width: usize, color: bool) -> String {
    let mut out = String::new();
    if apply {
        out.push_str(&written(plan));
    } else {
        for (path, (before, after)) in plan.files() {
            out.push_str(&diff::of(&path, before.as_deref(), Some(&after), color));
        }
        out.push('\n');
    }
    out.push_str(&effects(plan));
    out.push_str(&steps(plan, width));
    if !apply {
        out.push_str("\n→ the same with --apply writes this\n");
    }
    out
}

fn written(plan: &Plan) -> String {
    let files = plan.files();
    let lines = files.iter().map(|(path, (before, _))| {
        let verb = if before.is_some() { "edited " } else { "created" };
        format!("  {verb}  {}\n", text::terminal(path))
    });
    lines.collect::<String>() + "\n"
}

fn effects(plan: &Plan) -> String {
    let mut out = String::new();
    for planned in &plan.drafts {
        out.push_str(&format!("{}  {}\n", text::pad(&planned.draft.module, 20), planned.title));
        for (control, promise) in &planned.promises {
            out.push_str(&format!("  {}\n", promised(control, promise)));
        }
    }
    let closed = |control: &str| plan.drafts.iter().flat_map(|planned| &planned.promises).any(|(id, _)| id == control);
    let others: Vec<_> = plan.turns.iter().filter(|turn| !closed(&turn.control)).collect();
    if !others.is_empty() {
        out.push_str("Also\n");
        for turn in others {
            let sign = if turn.worse { "↓" } else { "↑" };
            out.push_str(&format!(
                "  {sign} {}: {} → {}\n",
                turn.control,
                view::state(turn.before),
                view::state(turn.after)
            ));
        }
    }
    if let Some(after) = &plan.after {
        out.push_str(&format!("\nScore {} → {}\n", number(&plan.before), number(after)));
    }
    out
}

fn promised(control: &str, promise: &Promise) -> String {
    match promise {
        Promise::Closed => format!("✓ {control} passes"),
        Promise::Held => format!("✓ {control} passed before"),
        Promise::Rises => format!("↑ {control} rises"),
        Promise::NotVerified(why) => format!("? {control} is not verified ({why})"),
        Promise::AfterSteps => format!("· {control} passes once the steps below are done"),
        Promise::Broken(why) => format!("✗ {control}: {why}"),
    }
}

fn number(score: &Score) -> String {
    score
        .value
        .map_or_else(|| "without a number".to_owned(), |_| format!("{} ({})", view::value(score), view::grade(score)))
}

fn steps(plan: &Plan, width: usize) -> String {
    if plan.steps.is_empty() {
        return String::new();
    }
    let mut out = "\nLeft to do\n".to_owned();
    for (index, step) in plan.steps.iter().enumerate() {
        for (line, shown) in text::wrap(&step.text, width - 6).iter().enumerate() {
            let lead = if line == 0 { format!("{:>3}. ", index + 1) } else { "     ".to_owned() };
            out.push_str(&format!("{lead}{}\n", text::terminal(shown)));
        }
        for line in step.snippet.iter().flat_map(|snippet| snippet.lines()) {
            out.push_str(&format!("       {}\n", text::terminal_code(line)));
        }
    }
    out
}
