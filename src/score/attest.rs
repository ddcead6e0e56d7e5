//! What somebody vouches for, while it counts.

use std::collections::BTreeMap;

use crate::config::{Attestation, Date};
use crate::report::{AttestationReport, Notice};
use crate::rules::ControlInfo;

#[derive(Debug, Default)]
pub struct Attested {
    /// Control → who vouches.
    pub by: BTreeMap<usize, String>,
    pub reports: Vec<AttestationReport>,
    pub notices: Vec<Notice>,
}

/// `accepted = false` (`[gate] attestations = false`): they are listed and count nothing.
pub fn apply(controls: &[ControlInfo], attestations: &[Attestation], today: Date, accepted: bool) -> Attested {
    let mut attested = Attested::default();
    let say = |kind: &str, message: String| Notice { kind: kind.into(), path: None, line: None, message };
    for one in attestations {
        let ended = one.until.filter(|until| *until < today);
        if let Some(until) = ended {
            let message = format!("the attestation of `{}` by {} ended on {until}", one.control, one.by);
            attested.notices.push(say("expired-attestation", message));
        } else if accepted {
            let control = controls.iter().position(|control| control.id == one.control);
            attested.by.extend(control.map(|control| (control, one.by.clone())));
        }
        attested.reports.push(AttestationReport {
            control: one.control.clone(),
            by: one.by.clone(),
            evidence: one.evidence.clone(),
            on: one.on.map(|on| on.to_string()),
            until: one.until.map(|until| until.to_string()),
            expired: ended.is_some(),
        });
    }
    if !accepted && !attestations.is_empty() {
        let message = "[gate] attestations = false: what they vouch for counts as unknown";
        attested.notices.push(say("attestations-ignored", message.into()));
    }
    attested
}
