//! The texts of a module, one after the other in one piece of memory.

use super::ids::Atom;

/// Texts by their [`Atom`].
#[derive(Debug, Default)]
pub struct Strings {
    all: String,
    /// Where each text ends; it starts where the one before it ends.
    ends: Vec<u32>,
}

impl Strings {
    /// Adds a text, whether or not it is there already; none where they would take more than 4 GB.
    pub fn push(&mut self, text: &str) -> Option<Atom> {
        let atom = u32::try_from(self.ends.len()).ok().map(Atom);
        let end = u32::try_from(self.all.len() + text.len()).ok()?;
        self.all.push_str(text);
        self.ends.push(end);
        atom
    }

    /// The text of an atom; empty where there is none.
    pub fn get(&self, atom: Atom) -> &str {
        let index = atom.0 as usize;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let text = self.ends.get(index).and_then(|&end| self.all.get(start as usize..end as usize));
        text.unwrap_or_default()
    }

    /// Every text with its atom.
    pub fn iter(&self) -> impl Iterator<Item = (Atom, &str)> {
        (0..).map(Atom).take(self.ends.len()).map(|atom| (atom, self.get(atom)))
    }

    /// Gives back the memory that no text takes.
    pub fn fit(&mut self) {
        self.all = self.all.as_str().to_owned();
        self.ends = self.ends.as_slice().to_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_their_atoms() {
        let mut strings = Strings::default();
        let atoms: Vec<Atom> = ["", "é", "", "last"].iter().filter_map(|text| strings.push(text)).collect();
        let found: Vec<&str> = atoms.iter().map(|&atom| strings.get(atom)).collect();
        assert_eq!(found, ["", "é", "", "last"]);
        assert!(strings.iter().eq(atoms.into_iter().zip(found)));
        assert_eq!(strings.get(Atom(4)), "");
        assert_eq!(strings.get(Atom(u32::MAX)), "");
    }
}
