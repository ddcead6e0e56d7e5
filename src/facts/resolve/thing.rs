//! What an expression may stand for, and short lists of alternatives.

use smallvec::SmallVec;

use crate::facts::paths::PathId;
use crate::facts::program::{ExprRef, FunctionRef, ModuleId};
use crate::syntax::hir::ClassIdx;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// Something of a package, or a global; `site` is the call that made it.
    Path {
        path: PathId,
        site: Option<ExprRef>,
    },
    Function(FunctionRef),
    Class(ModuleId, ClassIdx),
    Instance(ModuleId, ClassIdx),
    /// `new f()` of a plain function.
    Made(FunctionRef),
    /// An object, array or other literal.
    Data(ExprRef),
    Module(ModuleId),
}

pub type Things = SmallVec<[Thing; 2]>;
/// More alternatives than this are cut.
pub(super) const MAX_THINGS: usize = 8;

pub(super) fn one(thing: Thing) -> Things {
    let mut things = Things::new();
    things.push(thing);
    things
}

pub(super) fn dedup(things: &mut Things) {
    if things.len() < 2 {
        return;
    }
    let mut seen = SmallVec::<[Thing; 8]>::new();
    things.retain(|thing| {
        let new = !seen.contains(thing);
        if new {
            seen.push(*thing);
        }
        new
    });
    things.truncate(MAX_THINGS);
}
