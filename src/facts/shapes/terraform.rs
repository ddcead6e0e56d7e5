//! Terraform: a `cloud-resource` for each block of a `.tf` file.

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::syntax::SyntaxError;
use crate::syntax::hcl::{self, Block};

use super::values::{fact, span, value_of};

/// Blocks that are kept of one file.
const MAX_BLOCKS: usize = 1_000;

pub fn is_terraform(path: &str) -> bool {
    path.ends_with(".tf") || path.ends_with(".tofu")
}

pub fn terraform(file: FileId, text: &str) -> Result<Vec<Fact>, SyntaxError> {
    let blocks = hcl::parse(text)?;
    Ok(blocks.iter().take(MAX_BLOCKS).map(|block| resource(file, block)).collect())
}

fn resource(file: FileId, block: &Block) -> Fact {
    let label = |index: usize| block.labels.get(index).map_or("", String::as_str);
    let name = block.labels.last().map_or("", String::as_str);
    fact("cloud-resource", span(file, block.start, block.end), "shape terraform", name)
        .with("block", Value::text(block.kind.as_str()))
        .with("type", Value::text(label(0)))
        .with("name", Value::text(name))
        .with("values", value_of(&block.body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_become_resources() {
        let facts = terraform(FileId(0), "resource \"aws_lb\" \"web\" {\n  internal = false\n}\nlocals {\n a = 1\n}\n")
            .unwrap();
        assert_eq!((facts.len(), facts[0].get("type")), (2, Some(&Value::text("aws_lb"))));
        assert_eq!(facts[0].get("values").unwrap().field("internal"), Value::bool(false));
        assert!(terraform(FileId(0), "resource {").is_err() && is_terraform("infra/main.tf"));
    }
}
