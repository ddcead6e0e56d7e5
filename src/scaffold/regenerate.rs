//! What a module that was applied would write today.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use miette::miette;

use super::compose::Composer;
use super::history::histories;
use super::library::Library;
use super::plan::{Reaudit, service_of};
use super::rewrite::Regenerated;
use super::store::Lock;
use crate::project::Tree;

/// Renders and wires the module at an index of the lock into the project as it was before it.
pub fn regenerate(
    tree: &Tree,
    library: &Library,
    lock: &Lock,
    index: usize,
    reaudit: Reaudit<'_>,
) -> miette::Result<Regenerated> {
    let locked = lock.modules.get(index).ok_or_else(|| miette!("the lock has changed meanwhile"))?;
    let module = library
        .module(&locked.id)
        .ok_or_else(|| miette!("this readycheck has no module `{}`; `eject` lets go of it", locked.id))?;
    let histories = histories(tree, lock).map_err(|problem| miette!("{problem}"))?;
    let mut earlier: HashMap<String, Arc<[u8]>> = HashMap::new();
    let mut created = BTreeSet::new();
    for (path, history) in &histories {
        for change in history.changes.iter().filter(|change| change.module == index) {
            match &change.before {
                Some(before) => {
                    earlier.insert(path.clone(), Arc::from(before.as_bytes()));
                }
                None => {
                    created.insert(path.clone());
                }
            }
        }
    }
    // The audit is of the project as it was: what the module created is seen with nothing in it.
    let mut without = earlier.clone();
    without.extend(created.iter().map(|path| (path.clone(), Arc::from([]))));
    let audit = reaudit(&without)?;
    let service = service_of(&audit, library, Some(&locked.service))?;
    let planned = lock.modules.iter().filter(|other| other.service == locked.service);
    let planned = planned.map(|other| other.id.clone()).collect();
    let others = Lock {
        modules: lock.modules.iter().filter(|other| other.id != locked.id).cloned().collect(),
        ..Lock::default()
    };
    let mut composer =
        Composer::new(&audit, library, service, &others, planned, locked.inputs.clone()).replacing(created);
    let draft = composer.add(module).map_err(|reason| miette!("`{}` cannot be updated: {reason}", locked.id))?;
    let mut texts: std::collections::BTreeMap<String, String> =
        draft.changes.into_iter().map(|change| (change.path, change.after)).collect();
    for (path, before) in earlier {
        // What it no longer edits returns to what it was.
        texts.entry(path).or_insert_with(|| String::from_utf8_lossy(&before).into_owned());
    }
    Ok(Regenerated { fingerprint: library.fingerprint(&locked.id), inserted: draft.inserted, texts })
}
