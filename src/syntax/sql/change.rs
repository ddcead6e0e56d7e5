//! What statements do to a schema.

/// A half-open range of bytes.
pub type Range = (u32, u32);

#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub at: Range,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    CreateTable {
        table: String,
        columns: Vec<Column>,
        constraints: Vec<Constraint>,
    },
    DropTable {
        table: String,
    },
    RenameTable {
        table: String,
        to: String,
    },
    AddColumn {
        table: String,
        column: Column,
    },
    DropColumn {
        table: String,
        column: String,
    },
    RenameColumn {
        table: String,
        column: String,
        to: String,
    },
    SetType {
        table: String,
        column: String,
        kind: Kind,
    },
    /// The column is as described from here on; what that changes follows from what it was before.
    Describe {
        table: String,
        column: Column,
        indexed: bool,
    },
    SetNullable {
        table: String,
        column: String,
        nullable: bool,
    },
    SetDefault {
        table: String,
        column: String,
        default: Option<DefaultValue>,
    },
    AddConstraint {
        table: String,
        constraint: Constraint,
        not_valid: bool,
    },
    DropConstraint {
        table: String,
        name: String,
    },
    CreateIndex {
        table: String,
        index: Index,
        concurrently: bool,
    },
    DropIndex {
        table: Option<String>,
        name: String,
        concurrently: bool,
    },
    /// Which rows a user of the database may see and write.
    RowSecurity {
        table: String,
        is: Security,
    },
    /// An `UPDATE` or `DELETE`; of all rows if nothing bounds it.
    Write {
        table: String,
        whole: bool,
    },
    Truncate {
        table: String,
    },
    /// Code of the project that does something with rows.
    RunCode,
    CreateType {
        name: String,
    },
    /// `SET lock_timeout`, `SET statement_timeout`
    LimitLocks,
    /// `VALIDATE CONSTRAINT`
    Validate {
        table: String,
        name: String,
    },
    /// Upkeep in the word that facts use, such as `reindex`; whether it leaves the table usable meanwhile.
    Upkeep {
        op: &'static str,
        table: Option<String>,
        safe: bool,
    },
    /// A transaction that the script opens itself.
    Begin,
    End,
}

/// What a statement says of the row-level security of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Security {
    On,
    Off,
    /// Whether it binds the owner of the table, too.
    Forced(bool),
    /// A policy with its condition, for reading or else for writing.
    Policy {
        name: String,
        condition: Option<String>,
    },
    NoPolicy {
        name: String,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub at: Range,
    pub kind: Kind,
    pub nullable: bool,
    pub primary: bool,
    pub unique: bool,
    pub default: Option<DefaultValue>,
    pub references: Option<Reference>,
    pub check: Option<String>,
}

/// The type of a column, by the word that facts use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    pub name: String,
    /// What the statement calls a type of the schema's own, in lower case.
    pub custom: Option<String>,
    /// Of times: whether they carry their zone, where the dialect has both sorts.
    pub zoned: Option<bool>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct DefaultValue {
    pub text: String,
    /// Worked out anew for every row (`gen_random_uuid()`), so that adding the column rewrites the table.
    pub volatile: bool,
    /// The database keeps it, so that who does not know the column can still write rows.
    pub lasting: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub table: String,
    /// `cascade`, `setnull`, `restrict` …; none where the statement leaves it to the default.
    pub on_delete: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Constraint {
    pub name: Option<String>,
    pub at: Range,
    pub rule: Rule,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    PrimaryKey(Vec<String>),
    Unique(Vec<String>),
    ForeignKey {
        columns: Vec<String>,
        reference: Reference,
    },
    Check(String),
    /// `INDEX name (a, b)` in a table of MySQL.
    Index(Index),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub name: Option<String>,
    /// None for an expression.
    pub columns: Vec<Option<String>>,
    pub unique: bool,
    pub partial: bool,
    /// Finds equal values (not GIN, GiST, BRIN, full text).
    pub equality: bool,
    pub at: Range,
}
