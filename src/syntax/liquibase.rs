//! Change logs of Liquibase in XML, YAML and JSON: <https://docs.liquibase.com/change-types/home.html>. Each change is
//! written as the SQL that it stands for, so that it means what the same SQL means in a script.

use super::error::SyntaxError;
use super::sql::{self, Change, Dialect, Range, Rule, Script, What};
use super::{Node, NodeData, json, xml, yaml};
use xml::Element;

/// Changes of one file that are read.
const MAX_CHANGES: usize = 20_000;

/// Whether a file holds change sets, rather than only names files that do.
pub fn holds_changes(text: &str) -> bool {
    text.contains("databaseChangeLog") && text.contains("changeSet")
}

/// The changes of the last change set; those before it have been run and are `settled`.
pub fn parse(path: &str, text: &str, dialect: Dialect) -> Script {
    let root = match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("xml") => xml::parse(text),
        Some("json") => json::parse(text).map(|node| of_node("", &node)),
        _ => yaml::parse(text).map(|node| of_node("", &node)),
    };
    let root = match root {
        Ok(root) => root,
        Err(error) => return failed(error),
    };
    let logs = std::iter::once(&root).chain(&root.children).filter(|log| log.name == "databaseChangeLog");
    let sets: Vec<Vec<Change>> = logs
        .flat_map(|log| log.children_named("changeSet"))
        .map(|set| changes_of(set, dialect))
        .filter(|changes| !changes.is_empty())
        .collect();
    let Some((last, settled)) = sets.split_last() else { return Script::default() };
    Script { changes: last.clone(), settled: settled.concat(), errors: Vec::new() }
}

fn failed(error: SyntaxError) -> Script {
    Script { errors: vec![error], ..Script::default() }
}

/// A tree of another format in the form of XML: what is scalar is an attribute, the rest are children. Items of lists
/// are maps of one key, which is their name.
fn of_node(name: &str, node: &Node) -> Element {
    let mut element = Element { name: name.to_owned(), at: (node.start, node.end), ..Element::default() };
    for entry in node.entries() {
        match scalar(&entry.value) {
            Some(text) => element.attributes.push((entry.key.to_string(), text)),
            None if entry.value.items().is_empty() => {
                let mut child = of_node(&entry.key, &entry.value);
                child.at = (entry.key_start, entry.value.end.max(entry.key_end));
                element.children.push(child);
            }
            None => {
                let items = entry.value.items().iter().flat_map(|item| of_node(&entry.key, item).children);
                match &*entry.key {
                    // Only there because a list needs a name.
                    "changes" | "columns" => element.children.extend(items),
                    name => element.children.push(Element {
                        name: name.to_owned(),
                        children: items.collect(),
                        ..Element::default()
                    }),
                }
            }
        }
    }
    element
}

fn scalar(node: &Node) -> Option<String> {
    match &node.data {
        NodeData::Bool(value) => Some(value.to_string()),
        NodeData::Number(value) => Some(value.to_string()),
        NodeData::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

fn changes_of(set: &Element, dialect: Dialect) -> Vec<Change> {
    let all = set.children.iter().take(MAX_CHANGES).flat_map(|change| {
        let statements = statements(change).into_iter();
        statements.flat_map(|statement| sql::parse(&statement, dialect).changes).map(|found| placed(found, change.at))
    });
    all.collect()
}

/// The change and all that it speaks of, where the change stands in the change log.
fn placed(mut change: Change, at: Range) -> Change {
    change.at = at;
    let constraint = |constraint: &mut sql::Constraint| {
        constraint.at = at;
        if let Rule::Index(index) = &mut constraint.rule {
            index.at = at;
        }
    };
    match &mut change.what {
        What::CreateTable { columns, constraints, .. } => {
            columns.iter_mut().for_each(|column| column.at = at);
            constraints.iter_mut().for_each(constraint);
        }
        What::AddColumn { column, .. } => column.at = at,
        What::AddConstraint { constraint: own, .. } => constraint(own),
        What::CreateIndex { index, .. } => index.at = at,
        _ => {}
    }
    change
}

fn statements(change: &Element) -> Vec<String> {
    let said = |name: &str| change.attribute(name).unwrap_or_default();
    let (table, column) = (quoted(said("tableName")), quoted(said("columnName")));
    let on = |rest: String| vec![format!("ALTER TABLE {table} {rest}")];
    match change.name.as_str() {
        "createTable" => {
            let columns: Vec<String> = change.children_named("column").map(described).collect();
            vec![format!("CREATE TABLE {table} ({})", columns.join(", "))]
        }
        "dropTable" => vec![format!("DROP TABLE {table}")],
        "renameTable" => {
            vec![format!("ALTER TABLE {} RENAME TO {}", quoted(said("oldTableName")), quoted(said("newTableName")))]
        }
        "addColumn" => {
            let columns = change.children_named("column");
            columns.map(|column| format!("ALTER TABLE {table} ADD COLUMN {}", described(column))).collect()
        }
        "dropColumn" => {
            let listed = change.children_named("column").filter_map(|column| column.attribute("name"));
            let names = listed.chain(change.attribute("columnName"));
            names.map(|name| format!("ALTER TABLE {table} DROP COLUMN {}", quoted(name))).collect()
        }
        "renameColumn" => {
            on(format!("RENAME COLUMN {} TO {}", quoted(said("oldColumnName")), quoted(said("newColumnName"))))
        }
        "modifyDataType" => on(format!("ALTER COLUMN {column} TYPE {}", said("newDataType"))),
        "addNotNullConstraint" => on(format!("ALTER COLUMN {column} SET NOT NULL")),
        "dropNotNullConstraint" => on(format!("ALTER COLUMN {column} DROP NOT NULL")),
        "addUniqueConstraint" => on(format!("ADD UNIQUE ({})", quoted_list(said("columnNames")))),
        "addPrimaryKey" => on(format!("ADD PRIMARY KEY ({})", quoted_list(said("columnNames")))),
        "addForeignKeyConstraint" => {
            let base = quoted(said("baseTableName"));
            let policy = change.attribute("onDelete").map_or(String::new(), |policy| format!(" ON DELETE {policy}"));
            vec![format!(
                "ALTER TABLE {base} ADD FOREIGN KEY ({}) REFERENCES {} ({}){policy}",
                quoted_list(said("baseColumnNames")),
                quoted(said("referencedTableName")),
                quoted_list(said("referencedColumnNames")),
            )]
        }
        "createIndex" => {
            let unique = if said("unique") == "true" { "UNIQUE " } else { "" };
            let columns: Vec<String> =
                change.children_named("column").filter_map(|column| column.attribute("name")).map(quoted).collect();
            vec![format!("CREATE {unique}INDEX {} ON {table} ({})", quoted(said("indexName")), columns.join(", "))]
        }
        "dropIndex" => vec![format!("DROP INDEX {}", quoted(said("indexName")))],
        "sql" => vec![change.attribute("sql").map_or_else(|| change.text.clone(), str::to_owned)],
        _ => Vec::new(),
    }
}

/// `"id" bigint NOT NULL PRIMARY KEY`
fn described(column: &Element) -> String {
    let name = quoted(column.attribute("name").unwrap_or_default());
    let mut words = format!("{name} {}", column.attribute("type").unwrap_or("text"));
    let defaults = ["defaultValue", "defaultValueNumeric", "defaultValueBoolean", "defaultValueComputed"];
    if let Some((kind, value)) = defaults.iter().find_map(|kind| Some((*kind, column.attribute(kind)?))) {
        let value = if kind == "defaultValue" { format!("'{}'", value.replace('\'', "''")) } else { value.to_owned() };
        words += &format!(" DEFAULT {value}");
    }
    if column.attribute("autoIncrement") == Some("true") {
        words += " GENERATED BY DEFAULT AS IDENTITY";
    }
    let Some(rules) = column.child("constraints") else { return words };
    let is = |name: &str, value: &str| rules.attribute(name) == Some(value);
    for (holds, rule) in [
        (is("nullable", "false"), " NOT NULL"),
        (is("primaryKey", "true"), " PRIMARY KEY"),
        (is("unique", "true"), " UNIQUE"),
    ] {
        words += if holds { rule } else { "" };
    }
    let cascade = if is("deleteCascade", "true") { " ON DELETE CASCADE" } else { "" };
    let target = rules.attribute("references").map(str::to_owned).or_else(|| {
        let (table, column) = (rules.attribute("referencedTableName")?, rules.attribute("referencedColumnNames")?);
        Some(format!("{table}({column})"))
    });
    words + &target.map_or(String::new(), |target| format!(" REFERENCES {target}{cascade}"))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.trim().replace('"', ""))
}

fn quoted_list(names: &str) -> String {
    names.split(',').map(quoted).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const XML: &str = r#"<databaseChangeLog><changeSet id="1" author="kim">
<createTable tableName="orders"><column name="id" type="bigint" autoIncrement="true"><constraints primaryKey="true"/></column>
<column name="note" type="varchar(9)" defaultValue="it's"><constraints nullable="false"/></column></createTable>
<rollback><dropTable tableName="orders"/></rollback></changeSet>
<changeSet id="2" author="kim"><createIndex tableName="orders" indexName="ix" unique="true"><column name="note"/></createIndex>
<sql><![CDATA[ALTER TABLE orders DROP COLUMN note]]></sql></changeSet></databaseChangeLog>"#;

    #[test]
    fn change_sets_of_xml() {
        let script = parse("a.xml", XML, Dialect::Postgres);
        let What::CreateTable { table, columns, .. } = &script.settled[0].what else { panic!("{script:?}") };
        assert_eq!((table.as_str(), columns.len(), script.settled.len()), ("orders", 2, 1));
        assert!(columns[0].primary && !columns[1].nullable && columns[1].default.is_some());
        let What::CreateIndex { index, .. } = &script.changes[0].what else { panic!("{script:?}") };
        assert_eq!((index.unique, &index.columns), (true, &vec![Some("note".to_owned())]));
        assert!(XML[script.changes[0].at.0 as usize..].starts_with("<createIndex"));
        assert!(matches!(&script.changes[1].what, What::DropColumn { column, .. } if column == "note"));
    }

    #[test]
    fn change_sets_of_yaml_and_json() {
        let text = "databaseChangeLog:\n- changeSet:\n    id: 1\n    changes:\n    - createTable:\n        tableName: a\n        columns:\n        - column: {name: id, type: bigint, constraints: {primaryKey: true}}\n- changeSet:\n    id: 2\n    changes:\n    - addColumn: {tableName: a, columns: [{column: {name: b, type: double, constraints: {nullable: false}}}]}\n";
        let script = parse("a.yaml", text, Dialect::Unknown);
        assert!(matches!(&script.settled[..], [Change { what: What::CreateTable { .. }, .. }]), "{script:?}");
        let [Change { what: What::AddColumn { table, column }, at }] = &script.changes[..] else {
            panic!("{script:?}")
        };
        assert_eq!((table.as_str(), column.name.as_str(), column.nullable), ("a", "b", false));
        assert!(text[at.0 as usize..].starts_with("addColumn"), "{}", &text[at.0 as usize..]);
        let json = r#"{"databaseChangeLog":[{"changeSet":{"id":1,"changes":[{"dropTable":{"tableName":"a"}}]}}]}"#;
        assert_eq!(parse("a.json", json, Dialect::Unknown).changes.len(), 1);
    }

    #[test]
    fn broken_logs_are_told() {
        assert_eq!(parse("a.xml", "<databaseChangeLog><changeSet", Dialect::Unknown).errors.len(), 1);
        assert!(parse("a.yaml", "databaseChangeLog: []", Dialect::Unknown).changes.is_empty());
    }
}
