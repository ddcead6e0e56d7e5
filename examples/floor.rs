//! The floor that `benches/audit.sh` measures an audit against: walk a tree, read every file, parse JavaScript and
//! TypeScript with oxc, Python with ruff and Rust with syn, and do nothing with the result.
//!
//! `cargo run --release --example floor -- PATH [THREADS]`

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ignore::{WalkBuilder, WalkState};
use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;
use rayon::prelude::*;

/// The audit's own limits.
const SOURCE_LIMIT: u64 = 2 << 20;
const DATA_LIMIT: u64 = 20 << 20;
/// oxc recurses over nested code.
const STACK: usize = 64 << 20;

/// What one file or all of them amount to.
#[derive(Default)]
struct Work {
    files: usize,
    bytes: usize,
    parsed: usize,
}

impl Work {
    fn plus(self, other: Work) -> Work {
        Work { files: self.files + other.files, bytes: self.bytes + other.bytes, parsed: self.parsed + other.parsed }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let root = args.next().ok_or("usage: floor PATH [THREADS]")?;
    let threads = args.next().map_or(Ok(1), |n| n.parse())?;

    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build()?;
    let files = walk(Path::new(&root), threads);
    let work = pool.install(|| files.par_iter().map(|path| read_and_parse(path)).reduce(Work::default, Work::plus));

    writeln!(std::io::stdout(), "{} files, {} bytes, {} parsed", work.files, work.bytes, work.parsed)?;
    Ok(())
}

/// Every file under `root` that no ignore rule names, hidden ones included.
fn walk(root: &Path, threads: usize) -> Vec<PathBuf> {
    let found = Mutex::new(Vec::new());
    let skip_git = |entry: &ignore::DirEntry| entry.file_name() != ".git";
    let walker = WalkBuilder::new(root).hidden(false).filter_entry(skip_git).threads(threads).build_parallel();
    walker.run(|| {
        Box::new(|entry| {
            if let Ok(entry) = entry
                && entry.file_type().is_some_and(|kind| kind.is_file())
                && let Ok(mut found) = found.lock()
            {
                found.push(entry.into_path());
            }
            WalkState::Continue
        })
    });
    found.into_inner().unwrap_or_default()
}

fn read_and_parse(path: &Path) -> Work {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let dialect = SourceType::from_path(path).ok();
    let is_code = dialect.is_some() || matches!(extension, Some("py" | "rs"));
    let limit = if is_code { SOURCE_LIMIT } else { DATA_LIMIT };
    if path.metadata().map_or(true, |meta| meta.len() > limit) {
        return Work::default();
    }
    let Ok(bytes) = std::fs::read(path) else { return Work::default() };
    let parsed = is_code && std::str::from_utf8(&bytes).is_ok_and(|text| parse(extension, dialect, text));
    Work { files: 1, bytes: bytes.len(), parsed: usize::from(parsed) }
}

/// Whether there was anything to parse.
fn parse(extension: Option<&str>, dialect: Option<SourceType>, text: &str) -> bool {
    match (dialect, extension) {
        (Some(dialect), _) => {
            let allocator = Allocator::default();
            std::hint::black_box(Parser::new(&allocator, text, dialect).parse().program.body.len());
        }
        (None, Some("py")) => {
            std::hint::black_box(ruff_python_parser::parse_module(text).is_ok());
        }
        (None, Some("rs")) => {
            std::hint::black_box(syn::parse_file(text).is_ok());
        }
        _ => return false,
    }
    true
}
