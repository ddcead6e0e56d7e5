//! From the parser's statements to changes.

use sqlparser::ast::{
    AlterColumnOperation, AlterTableOperation, ColumnDef, ColumnOption, CreateIndex, DataType, Expr, FromTable,
    IndexColumn, ObjectName, ObjectType, ReferentialAction, RenameTableNameKind, Spanned, Statement, TableConstraint,
    TableFactor, TableWithJoins,
};
use sqlparser::tokenizer::Location;

use super::Dialect;
use super::change::{Change, Column, Constraint, DefaultValue, Index, Kind, Range, Reference, Rule, Security, What};
use crate::syntax::error::narrow;

/// Where a statement stands.
pub(super) struct Source<'t> {
    pub text: &'t str,
    pub at: Range,
    pub dialect: Dialect,
}

pub(super) fn changes(statement: &Statement, source: &Source<'_>) -> Vec<Change> {
    let one = |what: What| vec![Change { at: source.at, what }];
    match statement {
        Statement::CreateTable(it) if !it.temporary => one(What::CreateTable {
            table: name_of(&it.name),
            columns: it.columns.iter().map(|column| source.column(column)).collect(),
            constraints: it.constraints.iter().filter_map(|constraint| source.constraint(constraint)).collect(),
        }),
        Statement::CreateIndex(it) => one(What::CreateIndex {
            table: name_of(&it.table_name),
            index: source.index(it),
            concurrently: it.concurrently,
        }),
        Statement::CreateType { name, .. } => one(What::CreateType { name: name_of(name) }),
        Statement::AlterTable(it) => {
            let table = name_of(&it.name);
            let each = it.operations.iter().flat_map(|operation| source.operation(&table, operation));
            each.map(|what| Change { at: source.at, what }).collect()
        }
        Statement::Drop { object_type, names, table, .. } => names
            .iter()
            .filter_map(|name| match object_type {
                ObjectType::Table => Some(What::DropTable { table: name_of(name) }),
                ObjectType::Index => Some(What::DropIndex {
                    table: table.as_ref().map(name_of),
                    name: name_of(name),
                    concurrently: source.says("concurrently"),
                }),
                _ => None,
            })
            .map(|what| Change { at: source.at, what })
            .collect(),
        Statement::RenameTable(renames) => renames
            .iter()
            .map(|it| What::RenameTable { table: name_of(&it.old_name), to: name_of(&it.new_name) })
            .map(|what| Change { at: source.at, what })
            .collect(),
        Statement::Update(it) => written(&it.table).map_or_else(Vec::new, |table| {
            let whole = it.selection.is_none() && it.from.is_none();
            one(What::Write { table, whole })
        }),
        Statement::Delete(it) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &it.from;
            let whole = it.selection.is_none() && it.using.is_none();
            from.first().and_then(written).map_or_else(Vec::new, |table| one(What::Write { table, whole }))
        }
        Statement::Truncate(it) => it
            .table_names
            .iter()
            .map(|target| Change { at: source.at, what: What::Truncate { table: name_of(&target.name) } })
            .collect(),
        Statement::CreatePolicy(it) => {
            let condition = it.using.as_ref().or(it.with_check.as_ref()).map(ToString::to_string);
            let is = Security::Policy { name: it.name.value.clone(), condition };
            one(What::RowSecurity { table: name_of(&it.table_name), is })
        }
        Statement::DropPolicy(it) => {
            let is = Security::NoPolicy { name: it.name.value.clone() };
            one(What::RowSecurity { table: name_of(&it.table_name), is })
        }
        Statement::Set(_) => one(What::LimitLocks),
        _ => Vec::new(),
    }
}

/// The name without its schema.
fn name_of(name: &ObjectName) -> String {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.map(|ident| ident.value.clone()).unwrap_or_default()
}

fn written(from: &TableWithJoins) -> Option<String> {
    match &from.relation {
        TableFactor::Table { name, .. } => Some(name_of(name)),
        _ => None,
    }
}

impl Source<'_> {
    /// The statement has that word (in lower case).
    fn says(&self, word: &str) -> bool {
        let statement = self.text.get(self.at.0 as usize..self.at.1 as usize).unwrap_or_default();
        statement.to_ascii_lowercase().split_whitespace().any(|part| part == word)
    }

    fn operation(&self, table: &str, operation: &AlterTableOperation) -> Vec<What> {
        let table = table.to_owned();
        let one = |what| vec![what];
        match operation {
            AlterTableOperation::AddColumn { column_def, .. } => {
                one(What::AddColumn { table, column: self.column(column_def) })
            }
            AlterTableOperation::DropColumn { column_names, .. } => column_names
                .iter()
                .map(|column| What::DropColumn { table: table.clone(), column: column.value.clone() })
                .collect(),
            AlterTableOperation::RenameColumn { old_column_name, new_column_name } => one(What::RenameColumn {
                table,
                column: old_column_name.value.clone(),
                to: new_column_name.value.clone(),
            }),
            AlterTableOperation::RenameTable { table_name } => {
                let (RenameTableNameKind::As(to) | RenameTableNameKind::To(to)) = table_name;
                one(What::RenameTable { table, to: name_of(to) })
            }
            AlterTableOperation::AddConstraint { constraint, not_valid } => self
                .constraint(constraint)
                .map(|constraint| What::AddConstraint { table, constraint, not_valid: *not_valid })
                .into_iter()
                .collect(),
            AlterTableOperation::DropConstraint { name, .. } | AlterTableOperation::DropForeignKey { name, .. } => {
                one(What::DropConstraint { table, name: name.value.clone() })
            }
            AlterTableOperation::DropIndex { name } => {
                one(What::DropIndex { table: Some(table), name: name.value.clone(), concurrently: false })
            }
            AlterTableOperation::EnableRowLevelSecurity => one(What::RowSecurity { table, is: Security::On }),
            AlterTableOperation::DisableRowLevelSecurity => one(What::RowSecurity { table, is: Security::Off }),
            AlterTableOperation::ForceRowLevelSecurity => one(What::RowSecurity { table, is: Security::Forced(true) }),
            AlterTableOperation::NoForceRowLevelSecurity => {
                one(What::RowSecurity { table, is: Security::Forced(false) })
            }
            AlterTableOperation::AlterColumn { column_name, op } => {
                self.column_operation(table, column_name.value.clone(), op).into_iter().collect()
            }
            AlterTableOperation::ModifyColumn { col_name, data_type, options, .. } => {
                self.modified(table, col_name.value.clone(), data_type, options)
            }
            AlterTableOperation::ChangeColumn { old_name, new_name, data_type, options, .. } => {
                let (old, new) = (old_name.value.clone(), new_name.value.clone());
                let renamed =
                    (old != new).then(|| What::RenameColumn { table: table.clone(), column: old, to: new.clone() });
                renamed.into_iter().chain(self.modified(table, new, data_type, options)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn column_operation(&self, table: String, column: String, operation: &AlterColumnOperation) -> Option<What> {
        Some(match operation {
            AlterColumnOperation::SetNotNull => What::SetNullable { table, column, nullable: false },
            AlterColumnOperation::DropNotNull => What::SetNullable { table, column, nullable: true },
            AlterColumnOperation::SetDefault { value } => {
                What::SetDefault { table, column, default: Some(default(value)) }
            }
            AlterColumnOperation::DropDefault => What::SetDefault { table, column, default: None },
            AlterColumnOperation::SetDataType { data_type, .. } => {
                What::SetType { table, column, kind: self.kind(data_type) }
            }
            AlterColumnOperation::AddGenerated { .. } => return None,
        })
    }

    fn modified(&self, table: String, column: String, of: &DataType, options: &[ColumnOption]) -> Vec<What> {
        let required = options.iter().any(|option| matches!(option, ColumnOption::NotNull));
        vec![
            What::SetType { table: table.clone(), column: column.clone(), kind: self.kind(of) },
            What::SetNullable { table, column, nullable: !required },
        ]
    }

    fn column(&self, it: &ColumnDef) -> Column {
        let written = it.data_type.to_string().to_ascii_lowercase();
        let serial = written.contains("serial");
        let mut column = Column {
            name: it.name.value.clone(),
            at: self.line_of(it.name.span.start),
            kind: self.kind(&it.data_type),
            nullable: !serial,
            primary: false,
            unique: false,
            default: serial.then(|| DefaultValue { text: "nextval".into(), volatile: true, lasting: true }),
            references: None,
            check: None,
        };
        for option in &it.options {
            match &option.option {
                ColumnOption::NotNull => column.nullable = false,
                ColumnOption::PrimaryKey(_) => (column.primary, column.nullable) = (true, false),
                ColumnOption::Unique(_) => column.unique = true,
                ColumnOption::Default(expr) => column.default = Some(default(expr)),
                ColumnOption::Generated { .. } | ColumnOption::Identity(_) => {
                    column.default = Some(DefaultValue { text: "generated".into(), volatile: true, lasting: true });
                }
                ColumnOption::ForeignKey(key) => {
                    column.references =
                        Some(Reference { table: name_of(&key.foreign_table), on_delete: key.on_delete.map(policy) });
                }
                ColumnOption::Check(check) => column.check = Some(check.expr.to_string()),
                _ => {}
            }
        }
        column
    }

    fn constraint(&self, it: &TableConstraint) -> Option<Constraint> {
        let named = |name: &Option<sqlparser::ast::Ident>| name.as_ref().map(|name| name.value.clone());
        let (name, rule) = match it {
            TableConstraint::PrimaryKey(key) => (named(&key.name), Rule::PrimaryKey(plain_columns(&key.columns)?)),
            TableConstraint::Unique(key) => {
                (named(&key.name).or(named(&key.index_name)), Rule::Unique(plain_columns(&key.columns)?))
            }
            TableConstraint::ForeignKey(key) => {
                let columns = key.columns.iter().map(|column| column.value.clone()).collect();
                let on_delete = key.on_delete.map(policy);
                let reference = Reference { table: name_of(&key.foreign_table), on_delete };
                (named(&key.name), Rule::ForeignKey { columns, reference })
            }
            TableConstraint::Check(check) => (named(&check.name), Rule::Check(check.expr.to_string())),
            TableConstraint::Index(index) => {
                let name = named(&index.name);
                let index = Index {
                    name: name.clone(),
                    columns: index.columns.iter().map(column_name).collect(),
                    unique: false,
                    partial: false,
                    equality: true,
                    at: self.line_of(it.span().start),
                };
                (name, Rule::Index(index))
            }
            _ => return None,
        };
        Some(Constraint { name, at: self.line_of(it.span().start), rule })
    }

    fn index(&self, it: &CreateIndex) -> Index {
        let using = it.using.as_ref().map(|using| using.to_string().to_ascii_lowercase());
        Index {
            name: it.name.as_ref().map(name_of),
            columns: it.columns.iter().map(column_name).collect(),
            unique: it.unique,
            partial: it.predicate.is_some(),
            equality: using.is_none_or(|using| matches!(using.as_str(), "btree" | "hash")),
            at: self.at,
        }
    }

    /// The place of a line and column of the statement, up to the end of the line; the whole statement where the parser
    /// does not tell.
    fn line_of(&self, location: Location) -> Range {
        let (start, end) = (self.at.0 as usize, self.at.1 as usize);
        let Some(statement) = self.text.get(start..end).filter(|_| location.line > 0) else { return self.at };
        let line = usize::try_from(location.line).unwrap_or(usize::MAX);
        let mut lines = statement.split_inclusive('\n');
        let before: usize = lines.by_ref().take(line - 1).map(str::len).sum();
        let Some(text) = lines.next() else { return self.at };
        let column = usize::try_from(location.column).unwrap_or(1).saturating_sub(1);
        let skipped: usize = text.chars().take(column).map(char::len_utf8).sum();
        (narrow(start + before + skipped), narrow(start + before + text.trim_end().len().max(skipped)))
    }

    fn kind(&self, of: &DataType) -> Kind {
        let written = of.to_string().to_ascii_lowercase();
        let base = written.split('(').next().unwrap_or_default().trim();
        let word = base.split_whitespace().next().unwrap_or_default();
        let zoned = match self.dialect {
            Dialect::Mysql | Dialect::Sqlite => None,
            _ => Some(word == "timestamptz" || written.contains("with time zone")),
        };
        let name = if written.ends_with("[]") { "other" } else { kind_name(base, word) };
        let custom = match of {
            DataType::Custom(custom, _) if name == "other" => Some(name_of(custom).to_ascii_lowercase()),
            _ => None,
        };
        Kind { name: name.to_owned(), custom, zoned: zoned.filter(|_| name == "datetime") }
    }
}

/// The kind of a type by the word that a database or a builder of schemas has for it.
pub(crate) fn kind_of_word(word: &str) -> &'static str {
    kind_name(word, word)
}

fn kind_name<'k>(base: &str, word: &str) -> &'k str {
    match word {
        "float" | "float4" | "float8" | "real" | "double" | "float32" | "float64" => "float",
        "numeric" | "decimal" | "dec" | "money" | "smallmoney" => "decimal",
        "bigint" | "int8" | "bigserial" | "serial8" | "biginteger" | "bigincrements" => "bigint",
        "int" | "integer" | "int4" | "int2" | "smallint" | "tinyint" | "mediumint" | "serial" | "smallserial"
        | "increments" => "integer",
        "text" | "varchar" | "char" | "character" | "citext" | "uuid" | "nvarchar" | "nchar" | "tinytext"
        | "mediumtext" | "longtext" | "string" | "clob" | "bpchar" => "string",
        "bool" | "boolean" | "bit" => "boolean",
        "timestamp" | "timestamptz" | "datetime" => "datetime",
        "date" => "date",
        "json" | "jsonb" => "json",
        "bytea" | "blob" | "binary" | "varbinary" | "tinyblob" | "mediumblob" | "longblob" => "bytes",
        "enum" => "enum",
        _ if base.starts_with("character varying") => "string",
        _ => "other",
    }
}

fn plain_columns(columns: &[IndexColumn]) -> Option<Vec<String>> {
    columns.iter().map(column_name).collect()
}

fn column_name(column: &IndexColumn) -> Option<String> {
    match &column.column.expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        // What one dialect takes for a name is a text in another.
        Expr::Value(value) => match &value.value {
            sqlparser::ast::Value::DoubleQuotedString(name) => Some(name.clone()),
            _ => None,
        },
        // A prefix of MySQL: `name(20)`.
        Expr::Function(call) if matches!(&call.args, sqlparser::ast::FunctionArguments::List(list) if list.args.iter().all(|arg| arg.to_string().parse::<u32>().is_ok())) => {
            Some(name_of(&call.name))
        }
        _ => None,
    }
}

fn policy(action: ReferentialAction) -> String {
    action.to_string().chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Functions that give the same for all rows of one statement.
const STABLE: [&str; 7] =
    ["now", "current_timestamp", "current_date", "current_time", "localtimestamp", "transaction_timestamp", "timezone"];

fn default(expr: &Expr) -> DefaultValue {
    let text = expr.to_string();
    let called = match expr {
        Expr::Function(call) => Some(name_of(&call.name).to_ascii_lowercase()),
        _ => None,
    };
    let volatile = called.is_some_and(|name| !STABLE.contains(&name.as_str()));
    DefaultValue { text, volatile, lasting: true }
}
