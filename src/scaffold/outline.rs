//! What edits need to know of a source file, in any language: its imports, its lists of statements, what they name.

/// One file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Behind what has to stay first: a `#!` line, directives, a docstring.
    pub start: usize,
    pub imports: Vec<Import>,
    /// Every list of statements, outer ones before inner ones.
    pub blocks: Vec<Block>,
    pub exports: Vec<Export>,
    pub habits: Habits,
}

/// A statement at the top that brings in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub start: usize,
    pub end: usize,
    /// As written: `./lib/db`, `express`, `app.core`.
    pub specifier: String,
    /// What it is called here.
    pub names: Vec<String>,
    /// `import`, not `require`.
    pub is_module_syntax: bool,
}

/// A list of statements: a module's, a function's, a branch's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    pub start: usize,
    pub end: usize,
    /// Names that it declares.
    pub binds: Vec<String>,
    /// The name that its expression starts with: `app` of `app.use(x)` and of `const server = app.listen()`.
    pub receiver: Option<String>,
    /// Names that it passes to a call.
    pub passes: Vec<String>,
    /// It hands something to the outside: a `return`, an export.
    pub leaves: bool,
}

/// A call, as far as its arguments can be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// Behind its opening parenthesis.
    pub open: usize,
    /// Its closing parenthesis.
    pub close: usize,
    pub arguments: Vec<Argument>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Argument {
    pub name: Option<String>,
    /// It spreads what it holds: `**options`.
    pub is_spread: bool,
    pub start: usize,
    /// Where its value starts, behind its name.
    pub value: usize,
    pub end: usize,
}

/// A name that other files can import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// `default` for the module itself.
    pub name: String,
    pub local: String,
}

/// How the file is written: counts of what was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Habits {
    pub double_quotes: usize,
    pub single_quotes: usize,
    pub semicolons: usize,
    pub no_semicolons: usize,
    /// By the blanks that one level adds.
    pub indents: std::collections::BTreeMap<String, usize>,
    pub imports: usize,
    pub requires: usize,
    /// Endings of relative imports: with and without an extension.
    pub with_extension: usize,
    pub without_extension: usize,
}

impl Outline {
    /// The innermost list that holds a place directly, with the index of the statement that holds it.
    pub fn statement_at(&self, at: usize) -> Option<(&Block, usize)> {
        let holds = |statement: &Statement| statement.start <= at && at < statement.end;
        self.blocks.iter().rev().find_map(|block| Some((block, block.statements.iter().position(holds)?)))
    }

    /// The names that the outermost statements declare, with the place of each.
    pub fn top_level(&self) -> &[Statement] {
        self.blocks.first().map_or(&[], |block| &block.statements)
    }
}

impl Habits {
    pub fn add(&mut self, other: &Habits) {
        self.double_quotes += other.double_quotes;
        self.single_quotes += other.single_quotes;
        self.semicolons += other.semicolons;
        self.no_semicolons += other.no_semicolons;
        for (indent, count) in &other.indents {
            *self.indents.entry(indent.clone()).or_default() += count;
        }
        self.imports += other.imports;
        self.requires += other.requires;
        self.with_extension += other.with_extension;
        self.without_extension += other.without_extension;
    }

    /// What most levels are indented by.
    pub fn indent(&self) -> Option<&str> {
        let most = self.indents.iter().max_by_key(|(indent, count)| (**count, std::cmp::Reverse(indent.len())));
        most.map(|(indent, _)| indent.as_str())
    }
}
