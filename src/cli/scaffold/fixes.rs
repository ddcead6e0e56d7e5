//! `readycheck scaffold --fix`

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use miette::miette;
use serde_json::json;

use super::{Inclusion, PlanOptions, Target, output, require_clean};
use crate::audit::Options;
use crate::cli::exit::Exit;
use crate::cli::facts::Format;
use crate::cli::session::Session;
use crate::cli::suggest;
use crate::report::text;
use crate::scaffold::{self, FixPlan, FixRequest, FixedSite, Library, SiteFate};

pub fn plan_or_apply(
    controls: &[String],
    asked: &PlanOptions,
    library: &Library,
    session: &mut Session,
) -> miette::Result<Exit> {
    check(controls, library, session)?;
    let target = Target::open(&asked.target, asked.apply, session)?;
    let request = FixRequest {
        controls: controls.to_vec(),
        review: asked.include.contains(&Inclusion::NeedsReview),
        service: asked.target.service.clone(),
    };
    let found = {
        let session = &*session;
        let reaudit = |overlay: &HashMap<String, Arc<[u8]>>| {
            session.audit(&Options { overlay: overlay.clone(), ..target.options.clone() }, true)
        };
        scaffold::fix(&target.audit, library, &request, &reaudit)?
    };
    let writes = asked.apply && !found.plan.is_empty();
    if writes && let Some(guard) = &target.guard {
        require_clean(&target.root, asked.allow_dirty)?;
        scaffold::apply(&target.root, &found.plan, library, &BTreeMap::new(), guard)?;
    }
    let text = match asked.target.format {
        Format::Json => as_json(&found, writes)?,
        Format::Terminal => as_text(&found, asked.apply, session.console.width(), session.console.out_color()),
    };
    session.console.print(&text).map(|()| Exit::Passed)
}

/// A control that is named has a fix.
fn check(controls: &[String], library: &Library, session: &Session) -> miette::Result<()> {
    let rules = session.engine.rules(&Options { path: ".".into(), no_config: true, ..Options::default() })?;
    let known = rules.iter().map(|rule| rule.info.id.as_str());
    suggest::check("control", controls, known, "`readycheck rules list` shows them all")?;
    let fixable: BTreeSet<&str> = library.fixes.iter().map(|fix| fix.control.as_str()).collect();
    match controls.iter().find(|control| !fixable.contains(control.as_str())) {
        None => Ok(()),
        Some(control) => {
            let known: Vec<&str> = fixable.into_iter().collect();
            let help = format!("fixes are written for {}", known.join(", "));
            Err(miette!(help = help, "no fix in place is written for `{control}`"))
        }
    }
}

fn as_json(found: &FixPlan, applied: bool) -> miette::Result<String> {
    let mut value = output::value(&found.plan, applied);
    if let Some(object) = value.as_object_mut() {
        object.insert("findings".into(), json!(found.sites));
    }
    output::printed(&value)
}

fn as_text(found: &FixPlan, apply: bool, width: usize, color: bool) -> String {
    if found.sites.is_empty() {
        return "There is nothing to do: no open finding has a fix.\n".to_owned();
    }
    let mut out = String::new();
    let done = if apply { "Fixed" } else { "To fix" };
    out.push_str(&listed(done, found, |fate| matches!(fate, SiteFate::Fixed), width));
    let reviewed = format!("{done}, for you to review");
    out.push_str(&listed(&reviewed, found, |fate| matches!(fate, SiteFate::FixedToReview), width));
    let left = "Left out: somebody may rely on how it is (--include needs-review takes them)";
    out.push_str(&listed(left, found, |fate| matches!(fate, SiteFate::ToReview), width));
    out.push_str(&listed("Not certain", found, |fate| matches!(fate, SiteFate::NotCertain(_)), width));
    if found.plan.is_empty() {
        out.push_str("Nothing is written.\n");
    } else {
        out.push_str(&output::body(&found.plan, apply, width, color));
    }
    out
}

fn listed(title: &str, found: &FixPlan, wanted: impl Fn(&SiteFate) -> bool, width: usize) -> String {
    let sites: Vec<&FixedSite> = found.sites.iter().filter(|site| wanted(&site.fate)).collect();
    if sites.is_empty() {
        return String::new();
    }
    let mut out = format!("{title}\n");
    for site in sites {
        let said = match &site.fate {
            SiteFate::NotCertain(reason) => format!("{} ({reason})", site.message),
            _ => site.title.clone(),
        };
        out.push_str(&format!("  {}:{}  {}\n", text::terminal(&site.path), site.line, site.control));
        for line in text::wrap(&said, width.saturating_sub(6)) {
            out.push_str(&format!("      {}\n", text::terminal(&line)));
        }
    }
    out.push('\n');
    out
}
