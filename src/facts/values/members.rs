//! The value of a member: a field of a record, of a module, of an instance, or of something outside.
//!
//! In go the object and the name or key, out comes what stands there.

use super::errors::{error_member, is_error};
use super::fold::follow;
use crate::facts::model::{Data, Origins, Value};
use crate::facts::program::{Exported, ExprRef};
use crate::facts::resolve::{Evaluator, Thing};
use crate::syntax::hir::{Definition, ExprId};

impl Evaluator<'_> {
    pub(super) fn member_value(&mut self, at: ExprRef, object: ExprId, name: &str) -> Value {
        if let Some(value) = self.path_value(at) {
            return value;
        }
        let object_ref = ExprRef { module: at.module, expr: object };
        let of = self.value(object_ref);
        if of.origins.has(Origins::REQUEST.with(Origins::PARAMETER))
            && let Some(origins) = self.schema_field(object_ref, name)
        {
            return Value { data: Data::Unknown, origins };
        }
        // An object that holds an error (`{ data, error }`) is none itself.
        let known = matches!(&of.data, Data::Record(record) if record.fields.iter().any(|(field, _)| &**field == name));
        if is_error(of.origins) && !known {
            return error_member(&of, name);
        }
        match &of.data {
            Data::Record(_) => {
                let field = of.field(name);
                if !field.is_absent() {
                    return field;
                }
            }
            Data::List(items) if name == "length" => return Value::number(items.len() as f64),
            _ => {}
        }
        if name == "length" {
            return Value { data: Data::Unknown, origins: Origins::DYNAMIC };
        }
        let things = self.things(at);
        if let [Thing::Data(data)] = things.as_slice()
            && *data != at
            && let value = self.value(*data)
            && !self.depends_on_call(at, *data, &value)
        {
            return value;
        }
        if let Some(value) = self.field_constant(object_ref, name) {
            return value;
        }
        // A member of what a request holds is still the request's.
        Value { data: Data::Unknown, origins: of.origins }
    }

    /// What another function puts into an object from its parameters is different for each of its calls.
    fn depends_on_call(&self, reader: ExprRef, data: ExprRef, value: &Value) -> bool {
        let function = |at: ExprRef| (at.module, self.program.module(at.module).function_of(at.expr));
        value.origins.has(Origins::PARAMETER) && function(reader) != function(data)
    }

    /// `config.secret`, where `config` is a class instance or module with that constant.
    fn field_constant(&mut self, object: ExprRef, name: &str) -> Option<Value> {
        let program = self.program;
        for thing in self.things(object) {
            match thing {
                Thing::Module(module) => match program.export_named(module, name)? {
                    Exported::Expr(expr) => return Some(self.value(expr)),
                    Exported::Symbol(module, symbol) => {
                        let entry = program.module(module).symbol(symbol);
                        if let Definition::Variable { init, steps, .. } = &entry.definition
                            && entry.assigned.is_empty()
                        {
                            let value = self.value(ExprRef { module, expr: *init });
                            return Some(follow(program.module(module), value, steps));
                        }
                    }
                    _ => {}
                },
                Thing::Data(data) => {
                    let field = self.value(data).field(name);
                    if !field.is_absent() && !self.depends_on_call(object, data, &field) {
                        return Some(field);
                    }
                }
                Thing::Instance(module, class) => {
                    let hir = program.module(module);
                    let assigned = hir.class(class).assigned.iter().find(|(n, _)| hir.str(*n) == name);
                    if let Some((_, expr)) = assigned {
                        let value = self.value(ExprRef { module, expr: *expr });
                        // What an object was wired with is no value of a call.
                        let wired = Origins::PARAMETER.with(Origins::GIVEN);
                        return Some(Value { origins: value.origins.without(wired), ..value });
                    }
                }
                _ => {}
            }
        }
        None
    }

    pub(super) fn index_value(&mut self, at: ExprRef, object: ExprId, index: ExprId) -> Value {
        if let Some(value) = self.path_value(at) {
            return value;
        }
        let of = self.value(ExprRef { module: at.module, expr: object });
        let key = self.value(ExprRef { module: at.module, expr: index });
        match (&of.data, &key.data) {
            (Data::Record(_), Data::Text(name)) => of.field(name),
            (Data::List(items), Data::Number(n)) if *n >= 0.0 => {
                items.get(*n as usize).cloned().unwrap_or(Value::ABSENT)
            }
            // Whatever the key, only what the table holds comes out.
            (Data::Record(record), _) if !record.open => {
                Value { data: Data::Unknown, origins: of.origins.with(Origins::ALLOW_LISTED) }
            }
            _ => Value { data: Data::Unknown, origins: of.origins },
        }
    }
}
