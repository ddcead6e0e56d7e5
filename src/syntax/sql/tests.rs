use super::*;

fn changes(text: &str) -> Vec<What> {
    parse(text, dialect_of(text)).changes.into_iter().map(|change| change.what).collect()
}

fn table(text: &str) -> (Vec<Column>, Vec<Constraint>) {
    match changes(text).into_iter().next() {
        Some(What::CreateTable { columns, constraints, .. }) => (columns, constraints),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_have_their_columns_and_constraints() {
    let text = "CREATE TABLE public.\"orders\" (\n  id bigserial PRIMARY KEY,\n  total double precision NOT NULL DEFAULT 0,\n  made timestamp,\n  paid timestamptz DEFAULT now(),\n  key uuid DEFAULT gen_random_uuid(),\n  user_id int REFERENCES users (id) ON DELETE SET NULL,\n  CONSTRAINT positive CHECK (total >= 0),\n  UNIQUE (user_id, made)\n);";
    let (columns, constraints) = table(text);
    let kinds: Vec<_> = columns.iter().map(|column| column.kind.name.as_str()).collect();
    assert_eq!(kinds, ["bigint", "float", "datetime", "datetime", "string", "integer"]);
    assert_eq!(columns.iter().map(|column| column.kind.zoned).collect::<Vec<_>>()[2..4], [Some(false), Some(true)]);
    assert!(columns[0].primary && !columns[0].nullable && !columns[1].nullable && columns[2].nullable);
    let volatile: Vec<_> = columns.iter().map(|c| c.default.as_ref().is_some_and(|d| d.volatile)).collect();
    assert_eq!(volatile, [true, false, false, false, true, false]);
    let reference = columns[5].references.clone().unwrap();
    assert_eq!((reference.table.as_str(), reference.on_delete.as_deref()), ("users", Some("setnull")));
    assert!(text[columns[1].at.0 as usize..].starts_with("total double"));
    assert!(matches!(constraints[0].rule, Rule::Check(_)));
    assert_eq!(constraints[1].rule, Rule::Unique(vec!["user_id".into(), "made".into()]));
    assert!(
        text[constraints[1].at.0 as usize..].starts_with("UNIQUE")
            || text[constraints[1].at.0 as usize..].starts_with("user_id")
    );
}

#[test]
fn alterations_and_indexes() {
    let text = "ALTER TABLE a ADD COLUMN b int NOT NULL, DROP COLUMN c; ALTER TABLE a ALTER COLUMN d TYPE bigint;\
        ALTER TABLE a ALTER d SET NOT NULL; CREATE UNIQUE INDEX CONCURRENTLY i ON a (b, lower(e)) WHERE f;\
        CREATE INDEX j ON a USING gin (g); DROP INDEX i; ALTER TABLE a RENAME TO z; ALTER TABLE z ENABLE ROW LEVEL SECURITY;\
        UPDATE z SET b = 1; UPDATE z SET b = 1 WHERE d = 2; SET lock_timeout = '2s'";
    let found = changes(text);
    assert_eq!(found.len(), 12, "{found:?}");
    assert!(matches!(&found[0], What::AddColumn { column, .. } if !column.nullable && column.default.is_none()));
    assert!(matches!(&found[4], What::CreateIndex { index, concurrently: true, .. }
        if index.unique && index.partial && index.columns == [Some("b".to_owned()), None]));
    assert!(matches!(&found[5], What::CreateIndex { index, .. } if !index.equality));
    assert!(
        matches!(&found[9], What::Write { whole: true, .. }) && matches!(&found[10], What::Write { whole: false, .. })
    );
    assert_eq!(found[11], What::LimitLocks);
}

#[test]
fn dialects_are_told_apart() {
    let mysql = "CREATE TABLE `a` (`id` int unsigned NOT NULL AUTO_INCREMENT, `p` double, `d` datetime, PRIMARY KEY (`id`), KEY `k` (`p`)) ENGINE=InnoDB;";
    assert_eq!(dialect_of(mysql), Dialect::Mysql);
    let (columns, constraints) = table(mysql);
    assert_eq!((columns[1].kind.name.as_str(), columns[2].kind.zoned), ("float", None));
    assert!(matches!(&constraints[1].rule, Rule::Index(index) if index.columns == [Some("p".to_owned())]));
    let sqlite = "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, p REAL)";
    assert_eq!(dialect_of(sqlite), Dialect::Sqlite);
    assert_eq!(table(sqlite).0.len(), 2);
}

#[test]
fn what_does_not_parse_costs_only_itself() {
    let text = "CREATE TABLE a (id int);\nCREATE TABLE b (id int,\n;\nDROP TABLE c;\nALTER TABLE d ADD";
    let script = parse(text, Dialect::Postgres);
    assert_eq!(script.changes.len(), 2);
    let lines: Vec<u32> = script.errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [2, 5]);
}

#[test]
fn deep_and_long_scripts_end() {
    let deep = format!("CREATE TABLE a (b int DEFAULT {}1{});", "(".repeat(5_000), ")".repeat(5_000));
    assert!(parse(&deep, Dialect::Postgres).changes.is_empty());
    let long = format!("INSERT INTO a VALUES {};\nCREATE TABLE b (c int);", "(1, 'x'),".repeat(200_000));
    assert_eq!(parse(&long, Dialect::Postgres).changes.len(), 1);
}

#[test]
fn who_may_see_which_rows() {
    let text = "ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE notes FORCE ROW LEVEL SECURITY;\
        CREATE POLICY own ON public.notes FOR ALL USING (tenant_id = current_setting('app.tenant')::uuid);\
        CREATE POLICY put ON notes FOR INSERT WITH CHECK (tenant_id IS NOT NULL); DROP POLICY IF EXISTS put ON notes";
    let found: Vec<Security> = changes(text)
        .into_iter()
        .filter_map(|what| match what {
            What::RowSecurity { table, is } if table == "notes" => Some(is),
            _ => None,
        })
        .collect();
    let policy =
        |name: &str, condition: &str| Security::Policy { name: name.into(), condition: Some(condition.into()) };
    let wanted = [
        Security::On,
        Security::Forced(true),
        policy("own", "tenant_id = current_setting('app.tenant')::UUID"),
        policy("put", "tenant_id IS NOT NULL"),
        Security::NoPolicy { name: "put".into() },
    ];
    assert_eq!(found, wanted);
}
