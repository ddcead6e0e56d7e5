//! Prisma schemas, over several files: datasources, models, columns, indexes, relations.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Data, Fact, Origins, Value};
use crate::project::FileId;
use crate::syntax::prisma::{Attribute, Block, Field, Schema, names, unquote};

use super::paths;
use super::values::{fact, optional, span};

const CLAUSE: &str = "shape prisma";

/// All facts of all schema files. Files below the folder of a datasource make one schema with it.
pub fn prisma(files: &[(FileId, &str, &Schema)]) -> Vec<Fact> {
    let homes: BTreeSet<&str> =
        files.iter().filter(|file| has_datasource(file.2)).map(|file| paths::folder(file.1)).collect();
    let mut groups: BTreeMap<&str, Vec<(FileId, &Schema)>> = BTreeMap::new();
    for (id, path, schema) in files {
        groups.entry(home(paths::folder(path), &homes)).or_default().push((*id, schema));
    }
    groups.values().flat_map(|group| Group::new(group).facts()).collect()
}

fn has_datasource(schema: &Schema) -> bool {
    schema.blocks.iter().any(|block| block.kind == "datasource")
}

/// The nearest folder, going up, that has a datasource; else the folder itself.
fn home<'p>(folder: &'p str, homes: &BTreeSet<&'p str>) -> &'p str {
    let ups = std::iter::successors(Some(folder), |folder| folder.rsplit_once('/').map(|(up, _)| up));
    let mut ups = ups.chain(std::iter::once("."));
    ups.find(|up| homes.contains(up)).unwrap_or(folder)
}

/// The files of one schema.
struct Group<'s> {
    files: &'s [(FileId, &'s Schema)],
    /// Names of models, views and composite types: fields of these types are no columns.
    records: BTreeSet<&'s str>,
    enums: BTreeSet<&'s str>,
    provider: Option<&'s str>,
    /// MySQL makes an index for each foreign key that it knows of.
    auto_index: bool,
}

impl<'s> Group<'s> {
    fn new(files: &'s [(FileId, &'s Schema)]) -> Self {
        let blocks = || files.iter().flat_map(|(_, schema)| &schema.blocks);
        let named =
            |kinds: &[&str]| blocks().filter(|b| kinds.contains(&b.kind.as_str())).map(|b| b.name.as_str()).collect();
        let source = blocks().find(|block| block.kind == "datasource");
        let property = |name: &str| source.and_then(|block| block.property(name)).and_then(|p| unquote(&p.value));
        let provider = property("provider");
        let mode = property("relationMode").or_else(|| property("referentialIntegrity"));
        Group {
            files,
            records: named(&["model", "view", "type"]),
            enums: named(&["enum"]),
            provider,
            auto_index: provider == Some("mysql") && mode != Some("prisma"),
        }
    }

    fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for (file, schema) in self.files {
            for block in &schema.blocks {
                match block.kind.as_str() {
                    "datasource" => facts.push(datasource(*file, block)),
                    "model" | "view" => facts.extend(self.model(*file, block)),
                    "type" => facts.extend(self.fields(*file, block)),
                    _ => {}
                }
            }
        }
        facts
    }

    fn model(&self, file: FileId, block: &Block) -> Vec<Fact> {
        let table = block.attributes.iter().find(|a| a.name == "map").and_then(|a| unquote(a.argument("name")?));
        let mut facts = vec![
            fact("model", span(file, block.start, block.end), CLAUSE, &block.name)
                .with("name", Value::text(block.name.as_str()))
                .with("table", Value::text(table.unwrap_or(&block.name)))
                .with("provider", optional(self.provider)),
        ];
        facts.extend(self.fields(file, block));
        facts.extend(block.attributes.iter().filter_map(|attribute| block_index(file, block, attribute)));
        facts
    }

    fn fields(&self, file: FileId, block: &Block) -> Vec<Fact> {
        block.fields.iter().flat_map(|field| self.field(file, block, field)).collect()
    }

    fn field(&self, file: FileId, block: &Block, field: &Field) -> Vec<Fact> {
        let at = span(file, field.start, field.end);
        if self.records.contains(field.type_name.as_str()) {
            return self.relation(file, block, field).into_iter().collect();
        }
        let (primary, unique) = (field.attribute("id").is_some(), field.attribute("unique").is_some());
        let whole = block.attributes.iter().any(|a| a.name == "id" && columns(a).contains(&field.name));
        let default = field.attribute("default").and_then(|attribute| attribute.argument("value"));
        let mut facts = vec![
            fact("column", at, CLAUSE, &block.name)
                .with("model", Value::text(block.name.as_str()))
                .with("name", Value::text(field.name.as_str()))
                .with("type", Value::text(self.column_type(&field.type_name)))
                .with("primary", Value::bool(primary || whole))
                .with("unique", Value::bool(primary || unique))
                .with("nullable", Value::bool(field.optional))
                .with("default", default.map_or(Value::ABSENT, literal)),
        ];
        if primary || unique {
            facts.push(index(file, block, (field.start, field.end), std::slice::from_ref(&field.name), true));
        }
        facts
    }

    /// The side of a relation that holds the key.
    fn relation(&self, file: FileId, block: &Block, field: &Field) -> Option<Fact> {
        let attribute = field.attribute("relation")?;
        let columns = names(attribute.named("fields")?);
        let on_delete = attribute.named("onDelete");
        Some(
            fact("relation", span(file, field.start, field.end), CLAUSE, &block.name)
                .with("model", Value::text(block.name.as_str()))
                .with("columns", Value::texts(columns))
                .with("target", Value::text(field.type_name.as_str()))
                .with("auto_index", Value::bool(self.auto_index))
                .with("on_delete", optional(on_delete.map(str::to_lowercase).as_deref()))
                .with("provider", optional(self.provider)),
        )
    }

    fn column_type(&self, name: &str) -> &'static str {
        match name {
            "Float" => "float",
            "Decimal" => "decimal",
            "Int" => "integer",
            "BigInt" => "bigint",
            "String" => "string",
            "Boolean" => "boolean",
            "DateTime" => "datetime",
            "Json" => "json",
            "Bytes" => "bytes",
            name if self.enums.contains(name) => "enum",
            _ => "other",
        }
    }
}

fn datasource(file: FileId, block: &Block) -> Fact {
    let provider = block.property("provider").map(|property| match unquote(&property.value) {
        Some(text) => Value::text(text),
        None => Value::texts(names(&property.value).iter().filter_map(|name| unquote(name))),
    });
    let url = block.property("url").map(|property| match unquote(&property.value) {
        Some(text) => Value::text(without_password(text)),
        None if property.value.starts_with("env(") => Value { data: Data::Unknown, origins: Origins::ENV },
        None => Value::UNKNOWN,
    });
    fact("datasource", span(file, block.start, block.end), CLAUSE, &block.name)
        .with("provider", provider.unwrap_or(Value::ABSENT))
        .with("url", url.unwrap_or(Value::ABSENT))
        .with("source", Value::text("prisma"))
}

/// `scheme://user:***@host` for an address with a password.
fn without_password(url: &str) -> String {
    let parts = url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    match parts {
        Some((scheme, (credentials, host))) => {
            let user = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{host}")
        }
        None => url.to_owned(),
    }
}

/// `@@id`, `@@unique` and `@@index`; kinds of index that find no equal values are left out.
fn block_index(file: FileId, block: &Block, attribute: &Attribute) -> Option<Fact> {
    let unique = match attribute.name.as_str() {
        "id" | "unique" => true,
        "index" => false,
        _ => return None,
    };
    if matches!(attribute.named("type"), Some("Gin" | "Gist" | "SpGist" | "Brin")) {
        return None;
    }
    let columns = columns(attribute);
    (!columns.is_empty()).then(|| index(file, block, (attribute.start, attribute.end), &columns, unique))
}

fn columns(attribute: &Attribute) -> Vec<String> {
    attribute.argument("fields").map(names).unwrap_or_default()
}

fn index(file: FileId, block: &Block, at: (u32, u32), columns: &[String], unique: bool) -> Fact {
    fact("index", span(file, at.0, at.1), CLAUSE, &block.name)
        .with("model", Value::text(block.name.as_str()))
        .with("columns", Value::texts(columns))
        .with("unique", Value::bool(unique))
        .with("partial", Value::ABSENT)
}

/// A default: a literal, or the text of a function (`now()`).
fn literal(text: &str) -> Value {
    match (unquote(text), text) {
        (Some(inner), _) => Value::text(inner),
        (None, "true") => Value::bool(true),
        (None, "false") => Value::bool(false),
        (None, other) => match other.parse::<f64>() {
            Ok(number) => Value::number(number),
            Err(_) => Value { data: Data::Text(other.into()), origins: Origins::default() },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::prisma::parse;

    const SOURCE: &str = "datasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n}\n";
    const MODELS: &str = "model Order {\n  id String @id @default(cuid())\n  total Float @default(0)\n  role Role\n  userId String @map(\"user_id\")\n  user User @relation(fields: [userId], references: [id], onDelete: Cascade)\n  lines Line[]\n  @@index([userId, total(sort: Desc)])\n  @@index([id], type: Gin)\n  @@map(\"orders\")\n}\nmodel Line {\n  a Int\n  b Int\n  order Order? @relation(fields: [a, b], references: [x, y])\n  @@id([a, b])\n}\nmodel User { \n id String @id\n email String? @unique\n orders Order[]\n}\n";

    fn facts(files: &[(&str, &str)]) -> Vec<Fact> {
        let schemas: Vec<_> = files.iter().map(|(_, text)| parse(text)).collect();
        let files: Vec<_> = files
            .iter()
            .zip(&schemas)
            .enumerate()
            .map(|(id, ((path, _), schema))| (FileId(id as u32), *path, schema))
            .collect();
        prisma(&files)
    }

    fn of<'f>(facts: &'f [Fact], kind: &str, model: &str) -> Vec<&'f Fact> {
        facts.iter().filter(|f| &*f.kind == kind && &*f.symbol == model).collect()
    }

    fn sample() -> Vec<Fact> {
        let roles = "enum Role {\n  ADMIN\n}\n";
        facts(&[
            ("prisma/schema/main.prisma", SOURCE),
            ("prisma/schema/models/order.prisma", MODELS),
            ("prisma/schema/role.prisma", roles),
        ])
    }

    #[test]
    fn models_and_columns_over_several_files() {
        let facts = sample();
        assert_eq!(of(&facts, "model", "Order")[0].get("table"), Some(&Value::text("orders")));
        let columns: Vec<_> = of(&facts, "column", "Order")
            .iter()
            .map(|f| (f.get("name").unwrap().as_text().unwrap(), f.get("type").unwrap().as_text().unwrap()))
            .collect();
        assert_eq!(columns, [("id", "string"), ("total", "float"), ("role", "enum"), ("userId", "string")]);
        let columns = of(&facts, "column", "Order");
        assert_eq!(columns[0].get("primary"), Some(&Value::bool(true)));
        assert_eq!(columns[1].get("default"), Some(&Value::number(0.0)));
        assert_eq!(of(&facts, "column", "User")[1].get("nullable"), Some(&Value::bool(true)));
        let source = facts.iter().find(|f| &*f.kind == "datasource").unwrap();
        assert_eq!(source.get("provider"), Some(&Value::text("postgresql")));
        assert!(source.get("url").unwrap().origins.has(Origins::ENV));
    }

    #[test]
    fn indexes_and_relations() {
        let facts = sample();
        let indexes: Vec<_> = of(&facts, "index", "Order").iter().map(|f| f.get("columns").cloned().unwrap()).collect();
        assert_eq!(indexes, [Value::texts(["id"]), Value::texts(["userId", "total"])]);
        assert_eq!(of(&facts, "index", "Line")[0].get("unique"), Some(&Value::bool(true)));
        assert_eq!(of(&facts, "index", "User").len(), 2);
        let relation = of(&facts, "relation", "Order")[0];
        for (field, wanted) in [
            ("columns", Value::texts(["userId"])),
            ("target", Value::text("User")),
            ("auto_index", Value::bool(false)),
            ("on_delete", Value::text("cascade")),
            ("provider", Value::text("postgresql")),
        ] {
            assert_eq!(relation.get(field), Some(&wanted), "{field}");
        }
        assert!(MODELS[relation.at.start as usize..].starts_with("user User @relation"));
        assert_eq!(of(&facts, "relation", "Line")[0].get("columns"), Some(&Value::texts(["a", "b"])));
        assert!(of(&facts, "relation", "User").is_empty());
    }

    #[test]
    fn mysql_indexes_its_foreign_keys() {
        let schema = |mode: &str| format!("datasource db {{\n provider = \"mysql\"\n {mode}\n}}\n{MODELS}");
        let auto = |text: &str| {
            let facts = facts(&[("schema.prisma", text)]);
            of(&facts, "relation", "Order")[0].get("auto_index").cloned()
        };
        assert_eq!(auto(&schema("relationMode = \"foreignKeys\"")), Some(Value::bool(true)));
        assert_eq!(auto(&schema("relationMode = \"prisma\"")), Some(Value::bool(false)));
    }

    #[test]
    fn separate_schemas_stay_separate() {
        let other = "datasource db {\n provider = \"sqlite\"\n url = \"file:./dev.db\"\n}\nmodel A {\n id Int @id\n b B @relation(fields: [id], references: [id])\n}\nmodel B {\n id Int @id\n}\n";
        let facts = facts(&[("a/schema.prisma", SOURCE), ("b/schema.prisma", other)]);
        assert_eq!(of(&facts, "relation", "A")[0].get("provider"), Some(&Value::text("sqlite")));
    }

    #[test]
    fn passwords_of_literal_addresses_are_masked() {
        let text = "datasource db {\n provider = \"postgresql\"\n url = \"postgresql://app:hunter22@db:5432/app\"\n}\n";
        let facts = facts(&[("schema.prisma", text)]);
        assert_eq!(facts[0].get("url"), Some(&Value::text("postgresql://app:***@db:5432/app")));
    }
}
