//! Which facts may satisfy a condition, looked up by the values that it asks their fields for.

use std::borrow::Cow;

use super::index::By;
use super::scope::Scope;
use crate::facts::{FactId, Value};
use crate::rules::conditions::{Clause, Condition, Context, Operand, Pattern, Predicate};

impl<'a> Scope<'a> {
    /// The facts of a kind among which those are that satisfy a condition.
    pub fn candidates_of(&self, condition: &Condition, kind: &str) -> Cow<'a, [FactId]> {
        let looked_up = self.looked_up(condition, kind, &self.whole());
        looked_up.map_or_else(|| Cow::Borrowed(self.kind(kind)), Cow::Owned)
    }

    /// Facts of the kind that may count here; where the pattern asks a field to equal or hold something, only those that
    /// may.
    pub(super) fn joined(&self, pattern: &Pattern, kind: &str, context: &Context<'_>) -> Cow<'_, [FactId]> {
        let looked_up = self.looked_up(&pattern.condition, kind, context);
        looked_up.map_or_else(|| Cow::Borrowed(self.kind(kind)), Cow::Owned)
    }

    /// The facts of a kind among which those are that satisfy a condition, where the index knows them: by the first
    /// clause that it can look up.
    fn looked_up(&self, condition: &Condition, kind: &str, context: &Context<'_>) -> Option<Vec<FactId>> {
        condition.clauses.iter().find_map(|clause| match clause {
            Clause::Field { name, test } => self.looked_up_by_field(name, test, kind, context),
            Clause::Any(conditions) => {
                let found = conditions.iter().map(|condition| self.looked_up(condition, kind, context));
                let mut ids = found.collect::<Option<Vec<_>>>()?.concat();
                ids.sort_unstable();
                ids.dedup();
                Some(ids)
            }
            _ => None,
        })
    }

    fn looked_up_by_field(
        &self,
        field: &str,
        test: &Predicate,
        kind: &str,
        context: &Context<'_>,
    ) -> Option<Vec<FactId>> {
        let (test, by) = match test {
            Predicate::Has(test) => (&**test, By::Element),
            test => (test, By::Value),
        };
        let value = match test {
            Predicate::Text(text) => Value::text(text.clone()),
            Predicate::Same(Operand::Site(path)) => match path.as_slice() {
                [field] => context.site?.field(field).unwrap_or(Value::ABSENT),
                _ => return None,
            },
            _ => return None,
        };
        self.index.joined(kind, field, &value, by)
    }
}
