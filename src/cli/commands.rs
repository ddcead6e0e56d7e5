//! Which command of `readycheck scaffold` closes what an audit found open.

use std::collections::BTreeMap;

use crate::audit::Audit;
use crate::project::ServiceId;
use crate::report::view;
use crate::scaffold::{self, Certainty, Library};

/// Names the command of each open control: its fix in place where one is certain for a finding, else the module that
/// closes it and is written for the service.
pub fn name(audit: &mut Audit) -> miette::Result<()> {
    let library = Library::embedded()?;
    let fixable = scaffold::offers(audit, &library);
    let mut commands = BTreeMap::new();
    for (index, control) in audit.report.controls.iter().enumerate().filter(|(_, control)| view::is_open(control)) {
        let offered = |one: &crate::report::FindingReport| {
            fixable.get(&(control.id.clone(), one.path.clone(), one.line)).copied()
        };
        let asked = match control.findings.iter().filter_map(offered).min() {
            Some(Certainty::Safe) => Some(format!("--fix {}", control.id)),
            Some(Certainty::NeedsReview) => Some(format!("--fix {} --include needs-review", control.id)),
            None => module_for(audit, &library, &control.id, &control.service),
        };
        if let Some(asked) = asked {
            let served = audit.report.project.services.len() > 1;
            let service = if served { format!(" --service {}", control.service) } else { String::new() };
            commands.insert(index, format!("readycheck scaffold {asked}{service}"));
        }
    }
    for (index, control) in audit.report.controls.iter_mut().enumerate() {
        control.command = commands.remove(&index);
    }
    Ok(())
}

/// The first module that closes a control and has a variant for the service.
fn module_for(audit: &Audit, library: &Library, control: &str, service: &str) -> Option<String> {
    let index = audit.project.services.iter().position(|known| known.path == service)?;
    let service = audit.project.service(ServiceId(u16::try_from(index).ok()?));
    let closes = |module: &&scaffold::Module| {
        module.closes.iter().any(|closed| closed == control) && library.variant(module, service).is_some()
    };
    library.modules.iter().find(closes).map(|module| module.id.clone())
}
