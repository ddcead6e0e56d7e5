//! Which names and texts of a module have a word that a stack asks for: each is taken apart once, for all who ask.
//!
//! In go the words of the stacks, out come the texts with them, by module.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::names::each_word;
use crate::facts::graph::is_audited;
use crate::facts::program::{ModuleId, Program};
use crate::facts::stacks::Stacks;
use crate::syntax::hir::{Atom, Module};

/// Longer texts are prose.
const MAX_TEXT: usize = 400;
/// Longer names are those of no field.
const MAX_FIELD: usize = 40;

/// The texts of one module, by who asks for their words.
#[derive(Debug, Default)]
pub(super) struct AskedWords {
    pub mentions: FxHashSet<Atom>,
    pub told: FxHashSet<Atom>,
    pub told_to: FxHashSet<Atom>,
    pub fields: FxHashSet<Atom>,
}

const MENTIONS: u8 = 1;
const TOLD: u8 = 2;
const TOLD_TO: u8 = 4;
const FIELDS: u8 = 8;

/// Of each audited module; the others have none.
pub(super) fn asked_words(program: &Program<'_>, stacks: &Stacks) -> Vec<(ModuleId, AskedWords)> {
    let lists = [
        (MENTIONS, &stacks.mentions),
        (TOLD, &stacks.told),
        (TOLD_TO, &stacks.told_to),
        (FIELDS, &stacks.fields.words),
    ];
    let mut asked: FxHashMap<&str, u8> = FxHashMap::default();
    for (who, words) in lists {
        for word in words {
            *asked.entry(word).or_default() |= who;
        }
    }
    let audited: Vec<ModuleId> =
        program.ids().filter(|&id| is_audited(program.project.file(program.loaded(id).file).area)).collect();
    audited.into_par_iter().map(|id| (id, AskedWords::of(program.module(id), &asked))).collect()
}

impl AskedWords {
    fn of(hir: &Module, asked: &FxHashMap<&str, u8>) -> AskedWords {
        let mut found = AskedWords::default();
        let mut buffer = String::new();
        for (atom, text) in hir.strings.iter().filter(|(_, text)| text.len() <= MAX_TEXT) {
            let mut by = 0;
            each_word(text, &mut buffer, |word| by |= asked.get(word).copied().unwrap_or_default());
            if by != 0 {
                found.add(atom, text, by);
            }
        }
        found
    }

    fn add(&mut self, atom: Atom, text: &str, by: u8) {
        let is_name = text.len() <= MAX_FIELD;
        let lists = [
            (MENTIONS, &mut self.mentions),
            (TOLD, &mut self.told),
            (TOLD_TO, &mut self.told_to),
            (FIELDS, &mut self.fields),
        ];
        for (who, list) in lists {
            if by & who != 0 && (who != FIELDS || is_name) {
                list.insert(atom);
            }
        }
    }
}
