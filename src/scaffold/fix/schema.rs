//! Lines of a Prisma schema.

use crate::scaffold::edits::{Edit, indentation, line_end};
use crate::syntax::prisma;

/// Adds an attribute (`@@index([userId])`) to a model, behind those that it has.
pub fn add_attribute(text: &str, model: &str, line: &str, line_break: &str) -> Result<Edit, String> {
    let schema = prisma::parse(text);
    let mut blocks = schema.blocks.iter().filter(|block| block.kind == "model" && block.name == model);
    let (Some(block), None) = (blocks.next(), blocks.next()) else {
        return Err(format!("the schema does not have exactly one model `{model}`"));
    };
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let has = |attribute: &prisma::Attribute| {
        let written = text.get(attribute.start as usize..attribute.end as usize).unwrap_or_default();
        squeezed(written) == squeezed(line)
    };
    if block.attributes.iter().any(has) {
        return Err(format!("`{model}` has `{line}` already"));
    }
    let field = block.fields.iter().map(|field| field.end as usize).max().ok_or("the model has no fields")?;
    let attribute = block.attributes.iter().map(|attribute| attribute.end as usize).max();
    let last = attribute.map_or(field, |end| end.max(field));
    let indent = indentation(text, last);
    let gap = if attribute.is_some_and(|end| end > field) { "" } else { line_break };
    Ok(Edit::insert(line_end(text, last), format!("{gap}{indent}{line}{line_break}")))
}

/// Gives a field another type, and its attribute of the database (`@db.Decimal(19, 4)`).
pub fn retype(text: &str, model: &str, field: &str, name: &str, native: &str) -> Result<Vec<Edit>, String> {
    let schema = prisma::parse(text);
    let mut blocks = schema.blocks.iter().filter(|block| block.kind == "model" && block.name == model);
    let (Some(block), None) = (blocks.next(), blocks.next()) else {
        return Err(format!("the schema does not have exactly one model `{model}`"));
    };
    let found = block.fields.iter().find(|one| one.name == field);
    let found = found.ok_or_else(|| format!("`{model}` has no field `{field}`"))?;
    let (start, end) = (found.start as usize, found.end as usize);
    let behind = start + found.name.len();
    let written = text.get(behind..end).and_then(|rest| rest.find(&found.type_name));
    let at = behind + written.ok_or_else(|| format!("the type of `{model}.{field}` cannot be told"))?;
    let mark = usize::from(found.optional) + 2 * usize::from(found.list);
    let typed = at + found.type_name.len();
    let mut edits = vec![Edit::replace(at, typed, name)];
    match found.attributes.iter().find(|attribute| attribute.name.starts_with("db.")) {
        Some(old) => edits.push(Edit::replace(old.start as usize, old.end as usize, native)),
        None => edits.push(Edit::insert(typed + mark, format!(" {native}"))),
    }
    Ok(edits)
}

/// What the database calls a model and its fields.
pub fn names(text: &str, model: &str, fields: &[String]) -> Option<(String, Vec<String>)> {
    let schema = prisma::parse(text);
    let block = schema.blocks.iter().find(|block| block.kind == "model" && block.name == model)?;
    let mapped = |attribute: Option<&prisma::Attribute>| {
        attribute.and_then(|one| one.argument("name")).and_then(prisma::unquote).map(str::to_owned)
    };
    let map = block.attributes.iter().find(|attribute| attribute.name == "map");
    let table = mapped(map).unwrap_or_else(|| model.to_owned());
    let column = |name: &String| {
        let field = block.fields.iter().find(|field| field.name == *name)?;
        Some(mapped(field.attribute("map")).unwrap_or_else(|| name.clone()))
    };
    Some((table, fields.iter().map(column).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffold::edits::apply;

    fn with(text: &str, line: &str) -> String {
        add_attribute(text, "A", line, "\n").map_or_else(|reason| reason, |edit| apply(text, &[edit]))
    }

    #[test]
    fn attributes_stand_behind_the_fields() {
        assert_eq!(
            with("model A {\n  id Int @id // key\n}\nmodel B {\n  id Int @id\n}\n", "@@index([b])"),
            "model A {\n  id Int @id // key\n\n  @@index([b])\n}\nmodel B {\n  id Int @id\n}\n"
        );
        assert_eq!(
            with("model A {\n\tid Int @id\n\n\t@@map(\"as\")\n}\n", "@@index([b])"),
            "model A {\n\tid Int @id\n\n\t@@map(\"as\")\n\t@@index([b])\n}\n"
        );
    }

    #[test]
    fn fields_get_another_type_and_keep_the_rest() {
        let typed = |field: &str| {
            let text = format!("model A {{\n  total_Float  {field}\n}}\n");
            let edits = retype(&text, "A", "total_Float", "Decimal", "@db.Decimal(19, 4)").unwrap();
            apply(&text, &edits).lines().nth(1).unwrap().trim().to_owned()
        };
        assert_eq!(
            typed("Float? @default(0) // money"),
            "total_Float  Decimal? @db.Decimal(19, 4) @default(0) // money"
        );
        assert_eq!(typed("Float @db.Real"), "total_Float  Decimal @db.Decimal(19, 4)");
        assert!(retype("model A {\n}\n", "A", "b", "Decimal", "@db.X").is_err());
    }

    #[test]
    fn the_database_has_names_of_its_own() {
        let text = "model A {\n  id Int @id\n  userId Int @map(\"user_id\")\n\n  @@map(\"as\")\n}\n";
        let found = names(text, "A", &["userId".to_owned(), "id".to_owned()]);
        assert_eq!(found, Some(("as".to_owned(), vec!["user_id".to_owned(), "id".to_owned()])));
        assert_eq!(names(text, "A", &["other".to_owned()]), None);
    }

    #[test]
    fn what_is_there_or_nowhere_is_refused() {
        assert!(with("model A {\n  id Int @id\n  @@index([ b ])\n}\n", "@@index([b])").contains("already"));
        assert!(with("model B {\n  id Int @id\n}\n", "@@index([b])").contains("exactly one"));
    }
}
