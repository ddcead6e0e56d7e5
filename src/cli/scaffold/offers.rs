//! Which modules there are, and which of them a project could use.

use miette::IntoDiagnostic;
use serde_json::json;

use crate::audit::Audit;
use crate::cli::facts::Format;
use crate::report::{State, text, view};
use crate::scaffold::{self, Library, Lock, Module};

const SCHEMA: &str = "readycheck/scaffold-modules/1";

/// Every module of the binary.
pub fn all(library: &Library, format: Format, width: usize) -> miette::Result<String> {
    if format == Format::Json {
        let modules: Vec<_> = library.modules.iter().map(described).collect();
        let value = json!({ "schema": SCHEMA, "modules": modules });
        return Ok(format!("{}\n", serde_json::to_string_pretty(&value).into_diagnostic()?));
    }
    let mut out = String::new();
    for module in &library.modules {
        let stacks: Vec<&str> = module.variants.iter().map(|variant| variant.stack.as_str()).collect();
        out.push_str(&format!("{}  {}\n", text::pad(&module.id, 24), module.title));
        let closes = if module.closes.is_empty() { "-".to_owned() } else { module.closes.join(", ") };
        let detail = format!("closes {closes} · {} · {}", module.effect.word(), stacks.join(", "));
        for line in text::wrap(&detail, width.saturating_sub(26)) {
            out.push_str(&format!("{:26}{line}\n", ""));
        }
    }
    Ok(out)
}

fn described(module: &Module) -> serde_json::Value {
    json!({
        "id": module.id,
        "title": module.title,
        "closes": module.closes,
        "helps": module.helps,
        "effect": module.effect.word(),
        "needs": module.needs,
        "stacks": module.variants.iter().map(|variant| &variant.stack).collect::<Vec<_>>(),
    })
}

/// A module that a service could use.
struct Offer<'l> {
    module: &'l Module,
    /// Controls that it would close and that are open, with their states.
    open: Vec<(String, State)>,
    /// Why it cannot be written.
    obstacle: Option<String>,
}

/// The modules that close something open in a project.
pub fn open(
    audit: &Audit,
    library: &Library,
    service: Option<&str>,
    format: Format,
    width: usize,
) -> miette::Result<String> {
    let id = scaffold::service_of(audit, library, service)?;
    let lock = Lock::read(&audit.project.tree).map_err(|problem| miette::miette!("{problem}"))?;
    let service = audit.project.service(id);
    let offers: Vec<Offer> = library
        .modules
        .iter()
        .filter(|module| lock.module(&module.id, &service.path).is_none())
        .filter_map(|module| {
            let state = |control: &String| Some((control.clone(), scaffold::state_of(audit, id, control)?.state));
            let is_open = |(_, state): &(String, State)| matches!(state, State::Fail | State::Partial);
            let open: Vec<_> = module.closes.iter().filter_map(state).filter(is_open).collect();
            let obstacle = library.variant(module, service).is_none().then(|| "not for this stack yet".to_owned());
            (!open.is_empty()).then_some(Offer { module, open, obstacle })
        })
        .collect();
    match format {
        Format::Json => as_json(&offers, &service.path),
        Format::Terminal => Ok(as_text(&offers, &service.path, width)),
    }
}

fn as_json(offers: &[Offer<'_>], service: &str) -> miette::Result<String> {
    let offers: Vec<_> = offers
        .iter()
        .map(|offer| {
            let mut value = described(offer.module);
            if let Some(object) = value.as_object_mut() {
                object.insert("open".into(), json!(offer.open.iter().map(|(id, _)| id).collect::<Vec<_>>()));
                object.insert("obstacle".into(), json!(offer.obstacle));
            }
            value
        })
        .collect();
    let value = json!({ "schema": SCHEMA, "service": service, "offers": offers });
    Ok(format!("{}\n", serde_json::to_string_pretty(&value).into_diagnostic()?))
}

fn as_text(offers: &[Offer<'_>], service: &str, width: usize) -> String {
    if offers.is_empty() {
        return "Nothing that is open has a module that could close it.\n".to_owned();
    }
    let mut out = format!("Modules that close what is open in {}:\n\n", text::terminal(service));
    for offer in offers {
        let open: Vec<String> = offer.open.iter().map(|(id, state)| format!("{} {id}", view::mark(*state))).collect();
        out.push_str(&format!("  {}{}\n", text::pad(&offer.module.id, 22), open.join("  ")));
        let mut notes = Vec::new();
        if offer.module.effect != scaffold::Effect::Additive {
            notes.push(format!("{}: --all leaves it out", offer.module.effect.word()));
        }
        if !offer.module.needs.is_empty() {
            notes.push(format!("needs {}", offer.module.needs.join(", ")));
        }
        notes.extend(offer.obstacle.clone());
        for line in text::wrap(&notes.join(" · "), width.saturating_sub(24)) {
            out.push_str(&format!("  {:22}{line}\n", ""));
        }
    }
    out.push_str("\n→ readycheck scaffold MODULE       the diff\n→ readycheck scaffold --all --apply  write every additive module\n");
    out
}
