//! The name of what a statement gives: `const server = ` in front of `app.listen(3000)`.

use super::anchors::{Outcome, Place};
use super::edits::Edit;
use super::language;
use super::module::EditSpec;
use super::outline::Outline;

/// Gives the result of a place's statement a name if the edit needs one, and says what has to be put in front of the
/// statement for that. The error says why it cannot be named.
pub fn name_result(place: &mut Place, spec: &EditSpec, outline: &Outline) -> Result<Option<Edit>, String> {
    match (&place.result, spec.result.is_empty()) {
        (_, true) | (Outcome::Named(_), false) => Ok(None),
        (Outcome::Elsewhere, false) => Err(format!("what is made there has no name in {}", place.path)),
        (Outcome::Dropped(at), false) => {
            let free = spec.result.iter().find(|name| !is_taken(outline, name));
            let name = free.ok_or_else(|| format!("{} is taken in {}", spec.result.join(", "), place.path))?;
            let edit = Edit::insert(*at, language::declaration(&place.path, name));
            place.result = Outcome::Named(name.clone());
            Ok(Some(edit))
        }
    }
}

fn is_taken(outline: &Outline, name: &String) -> bool {
    let binds =
        outline.blocks.iter().flat_map(|block| &block.statements).any(|statement| statement.binds.contains(name));
    binds || outline.imports.iter().any(|import| import.names.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::stack::Side;

    fn named(text: &str, result: Outcome) -> (Result<Option<Edit>, String>, Outcome) {
        let spec = EditSpec {
            anchor: "app.after-listen".into(),
            insert: String::new(),
            imports: Vec::new(),
            result: vec!["server".into(), "httpServer".into()],
            when: None,
        };
        let mut place = Place {
            path: "src/app.ts".into(),
            at: 0,
            indent: String::new(),
            gap_before: false,
            gap_after: 0,
            app: "app".into(),
            within: (0, 0),
            side: Side::After,
            is_chained: false,
            result,
            apart: false,
        };
        let edit = name_result(&mut place, &spec, &language::outline("src/app.ts", text).unwrap());
        (edit, place.result)
    }

    #[test]
    fn what_is_dropped_gets_the_first_name_that_is_free() {
        let (edit, result) = named("app.listen(1);\n", Outcome::Dropped(0));
        assert_eq!(edit, Ok(Some(Edit::insert(0, "const server = "))));
        assert_eq!(result, Outcome::Named("server".into()));
        let (_, result) = named("import { server } from \"./server\";\napp.listen(1);\n", Outcome::Dropped(35));
        assert_eq!(result, Outcome::Named("httpServer".into()));
        assert!(named("const server = 1, httpServer = 2;\n", Outcome::Dropped(34)).0.is_err());
    }

    #[test]
    fn a_name_is_kept_and_what_goes_elsewhere_is_left_alone() {
        assert_eq!(named("", Outcome::Named("web".into())), (Ok(None), Outcome::Named("web".into())));
        assert!(named("", Outcome::Elsewhere).0.is_err());
    }
}
