use super::parse;
use crate::syntax::hir::*;

fn read(text: &str) -> Module {
    parse(text).unwrap()
}

fn symbol<'m>(module: &'m Module, name: &str) -> &'m Symbol {
    module.symbols.iter().find(|symbol| module.str(symbol.name) == name).unwrap()
}

#[test]
fn keyword_arguments_are_one_object_behind_the_others() {
    let module = read("f(1, *a, x=2, **kw)\n");
    let args = module.exprs.iter().find_map(|e| match e.kind {
        ExprKind::Call { args, .. } => Some(args),
        _ => None,
    });
    let args = args.unwrap();
    assert_eq!(args.len, 3);
    let keywords = module.keywords(args).unwrap();
    let ExprKind::Object(run) = module.kind(keywords) else { panic!("no object") };
    let kinds: Vec<PropKind> = module.object(run).iter().map(|prop| prop.kind).collect();
    assert_eq!(kinds, [PropKind::Value, PropKind::Spread]);
}

#[test]
fn names_belong_to_the_function_that_assigns_them() {
    let module = read(
        "x = 1\ny = 1\ndef f():\n    global y\n    print(x)\n    x = 2\n    y = 3\nclass C:\n    x = 4\n    def m(self): return x\n",
    );
    let all: Vec<&Symbol> = module.symbols.iter().filter(|s| module.str(s.name) == "x").collect();
    let [outer, inner, of_class] = all.as_slice() else { panic!("{}", all.len()) };
    assert_eq!((outer.reads.len(), inner.reads.len(), of_class.reads.len()), (1, 1, 0));
    assert_eq!(symbol(&module, "y").assigned.len(), 1);
}

#[test]
fn comprehensions_have_names_of_their_own() {
    let module = read("x = [x for x in xs if (y := x)]\nprint(x, y)\n");
    assert_eq!(module.symbols.iter().filter(|s| module.str(s.name) == "x").count(), 2);
    assert!(module.exports.iter().any(|e| module.str(e.name) == "y"));
    assert!(module.contexts.iter().any(|c| matches!(c.kind, ContextKind::Loop { .. })));
}

#[test]
fn classes_know_their_members() {
    let module = read(
        "class A(B, metaclass=M):\n    name: str\n    size: int = 1\n    class Meta: ordering = []\n    def __init__(self, a): self.a = a\n    @property\n    def p(self): return self.a\n    @staticmethod\n    def s(x): return x\n    @wraps\n    async def m(self, x, *rest, k=1): ...\n",
    );
    let class = &module.classes[0];
    let names: Vec<&str> = class.members.iter().map(|m| module.str(m.name)).collect();
    assert_eq!(names, ["name", "size", "Meta", "p", "s", "m"]);
    assert!(matches!(module.kind(class.heritage), ExprKind::Array(run) if run.len == 2));
    assert_eq!(class.assigned.len(), 1);
    assert_eq!(module.function(class.constructor).parameters.len(), 1);
    let MemberKind::Method(method) = class.members[5].kind else { panic!("no method") };
    let method = module.function(method);
    assert_eq!((method.parameters.len(), method.decorators.len(), method.statements), (3, 1, 0));
    assert!(method.is_async && method.parameters[1].rest);
}

#[test]
fn what_stands_after_a_yield_is_told() {
    let module = read("async def lifespan(app):\n    start()\n    yield\n    stop()\n");
    let calls: Vec<ExprId> = (0..module.exprs.len())
        .map(|index| ExprId(u32::try_from(index).unwrap()))
        .filter(|&id| module.call(id).is_some())
        .collect();
    assert_eq!(calls.iter().map(|&id| module.is_after_yield(id)).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn guards_are_told() {
    let module = read("if TYPE_CHECKING:\n    import a\nimport b\nif __name__ == '__main__':\n    run()\n");
    let only: Vec<bool> = module.sources.iter().map(|source| source.type_only).collect();
    assert_eq!(only, [true, false]);
    let run = (0..module.exprs.len()).map(|i| ExprId(u32::try_from(i).unwrap())).find(|&id| module.call(id).is_some());
    assert!(module.is_main_guarded(run.unwrap()));
}

#[test]
fn what_fails_and_what_is_caught() {
    let module = read(
        "def f():\n    try:\n        g()\n    except (A, B) as e:\n        raise C(e) from e\n    except D:\n        raise\n    else:\n        h()\n    finally:\n        i()\n",
    );
    assert_eq!(module.functions[1].throws.len(), 2);
    assert!(matches!(symbol(&module, "e").definition, Definition::Caught(_)));
    let kinds: Vec<&ContextKind> = module.contexts.iter().map(|c| &c.kind).collect();
    assert!(kinds.iter().any(|kind| matches!(kind, ContextKind::Finally)));
    assert!(kinds.iter().any(|kind| matches!(kind, ContextKind::Try { catches: true })));
}

#[test]
fn tests_and_gaps_are_counted() {
    let module = read(
        "import pytest\n# TODO: more\ndef test_a():\n    assert 1 == 1\n@pytest.mark.skip(reason='x')\ndef test_b(): ...\nclass TestC:\n    def test_c(self): self.assertEqual(1, 1)\ndef helper(): ...\n",
    );
    assert_eq!(module.tests, TestStats { cases: 2, skipped: 1, assertions: 2 });
    assert_eq!((module.comments.len(), module.lines), (1, 9));
}

#[test]
fn new_syntax_is_read() {
    let text = "
type Alias[T] = list[T]
def f[T](x: T) -> T: return x
class G[T]: ...
match command:
    case {'a': [x, *rest], **other} if x: pass
    case Point(x=0, y=z) | z: pass
    case _: pass
async def g():
    async with a() as (b, c), d: ...
    async for i in e: ...
    return [await x async for x in y]
try: ...
except* ValueError: ...
t = t'{x} and {y!r:>{width}}'
f'{x!r:>{width}} {f\"{y}\"}'
a < b < c not in d
lambda *args, k=1, **kw: (yield)
x: int
del a[0], b.c
print(*a, **b)
";
    let module = read(text);
    assert!(module.too_deep.is_none());
    assert!(parse("def f(:\n").is_err());
    assert!(read("").exports.is_empty());
}
