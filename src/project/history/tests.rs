use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;

/// A repository of loose objects, written by hand. Ids need not be what git would work out.
struct Repository {
    folder: tempfile::TempDir,
    count: u8,
}

impl Repository {
    fn new() -> Repository {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), ".git/HEAD", b"ref: refs/heads/main\n");
        Repository { folder, count: 0 }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn object(&mut self, kind: &str, content: &[u8]) -> String {
        self.count += 1;
        let id = format!("{:02x}", self.count).repeat(20);
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(format!("{kind} {}\0", content.len()).as_bytes()).unwrap();
        encoder.write_all(content).unwrap();
        let path = format!(".git/objects/{}/{}", &id[..2], &id[2..]);
        write(self.root(), &path, &encoder.finish().unwrap());
        id
    }

    fn tree(&mut self, entries: &[(&str, &str, &str)]) -> String {
        let mut content = Vec::new();
        for (mode, name, id) in entries {
            content.extend(format!("{mode} {name}\0").as_bytes());
            content.extend(id_of(id).unwrap());
        }
        self.object("tree", &content)
    }

    fn commit(&mut self, tree: &str, parents: &[&str], time: u32) -> String {
        let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let text = format!("tree {tree}\n{parents}author A <a> 1 +0000\ncommitter A <a> {time} +0000\n\nwords\n");
        self.object("commit", text.as_bytes())
    }

    fn point(&self, reference: &str, id: &str) {
        write(self.root(), &format!(".git/{reference}"), id.as_bytes());
    }
}

fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Two commits: `a.txt` and `src/b.txt`, then another `a.txt` and no `src`.
fn sample() -> Repository {
    let mut made = Repository::new();
    let (one, two, three) = (made.object("blob", b"one"), made.object("blob", b"two"), made.object("blob", b"three"));
    let inner = made.tree(&[("100644", "b.txt", &two)]);
    let first = made.tree(&[("100644", "a.txt", &one), ("120000", "link", &two), ("40000", "src", &inner)]);
    let second = made.tree(&[("100644", "a.txt", &three)]);
    let older = made.commit(&first, &[], 100);
    let newer = made.commit(&second, &[&older], 200);
    made.point("refs/heads/main", &newer);
    made.point("refs/tags/v1", &older);
    made
}

fn versions(root: &Path) -> (Vec<(String, String, String)>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let mut history = History::open(root).unwrap();
    let diagnostics = history.versions(&|_| true, &mut |version| {
        let text = String::from_utf8_lossy(&version.content).into_owned();
        found.push((version.path, text, version.commit[..2].to_owned()));
    });
    (found, diagnostics)
}

#[test]
fn every_version_once_the_older_first() {
    let made = sample();
    let (found, diagnostics) = versions(made.root());
    let wanted = [("a.txt", "one", "07"), ("src/b.txt", "two", "07"), ("a.txt", "three", "08")];
    assert_eq!(found, wanted.map(|(path, text, commit)| (path.to_owned(), text.to_owned(), commit.to_owned())));
    assert!(diagnostics.is_empty());
}

#[test]
fn commits_by_their_names() {
    let made = sample();
    let mut history = History::open(made.root()).unwrap();
    let mut paths = |name: &str| history.paths_of(name).map(|paths| paths.into_iter().collect::<Vec<_>>());
    assert_eq!(paths("main").unwrap(), ["a.txt"]);
    for name in ["v1", "HEAD~1", "main^", "refs/tags/v1", &"07".repeat(20)] {
        assert_eq!(paths(name).unwrap(), ["a.txt", "src/b.txt"], "{name}");
    }
    for name in ["nowhere", "HEAD~9", "HEAD^2", "../../HEAD", "HEAD~x", "main~99999999999999999999"] {
        assert!(paths(name).is_err(), "{name}");
    }
}

#[test]
fn without_history_the_reason_is_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(History::open(folder.path()).err().unwrap().contains("no work tree"));
    assert!(History::open(Repository::new().root()).err().unwrap().contains("no commit"));
}

#[test]
fn what_is_missing_is_told() {
    let mut made = sample();
    write(made.root(), ".git/shallow", b"x");
    assert!(versions(made.root()).1[0].message.contains("shallow"));
    fs::remove_file(made.root().join(".git/shallow")).unwrap();
    let gone = "ee".repeat(20);
    let tree = made.tree(&[("100644", "a.txt", &gone), ("40000", "src", &gone)]);
    let commit = made.commit(&tree, &[&gone], 300);
    made.point("refs/heads/side", &commit);
    let (found, diagnostics) = versions(made.root());
    assert_eq!((found.len(), diagnostics.len()), (3, 1));
    assert!(diagnostics[0].message.starts_with("2 objects"), "{diagnostics:?}");
}

#[test]
fn hostile_objects_do_no_harm() {
    let mut made = sample();
    let blob = made.object("blob", b"x");
    let climbing = made.tree(&[("100644", "..", &blob)]);
    let slash = made.tree(&[("100644", "a/b", &blob)]);
    // A folder that holds itself.
    let looped = format!("{:02x}", made.count + 1).repeat(20);
    made.tree(&[("40000", "deeper", &looped)]);
    for tree in [&climbing, &slash, &looped] {
        let commit = made.commit(tree, &[], 300);
        made.point(&format!("refs/heads/{commit}"), &commit);
    }
    write(made.root(), ".git/objects/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"not zlib");
    made.point("refs/heads/broken", &"aa".repeat(20));
    write(made.root(), ".git/objects/pack/pack-x.idx", b"\xfftOc\0\0\0\x02 short");
    write(made.root(), ".git/objects/pack/pack-x.pack", b"PACK");
    assert_eq!(versions(made.root()).0.len(), 3);
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A pack of two blobs, the second a delta of the first, with its index; ids in order.
fn write_pack(root: &Path, ids: [&str; 2]) {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\x02".to_vec();
    let first = pack.len() as u32;
    pack.push(3 << 4 | 5);
    pack.extend(compressed(b"abcde"));
    let second = pack.len() as u32;
    let delta = [5, 7, 0x91, 1, 3, 4, b'w', b'x', b'y', b'z'];
    pack.push(6 << 4 | delta.len() as u8);
    pack.push((second - first) as u8);
    pack.extend(compressed(&delta));
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    let ids = ids.map(|id| id_of(id).unwrap());
    for byte in 0..=255_u8 {
        index.extend((ids.iter().filter(|id| id[0] <= byte).count() as u32).to_be_bytes());
    }
    ids.iter().for_each(|id| index.extend(id));
    index.extend([0; 8]);
    index.extend(first.to_be_bytes());
    index.extend(second.to_be_bytes());
    write(root, ".git/objects/pack/pack-1.pack", &pack);
    write(root, ".git/objects/pack/pack-1.idx", &index);
}

#[test]
fn packs_and_their_deltas_are_read() {
    let mut made = sample();
    let ids = ["aa".repeat(20), "bb".repeat(20)];
    write_pack(made.root(), [&ids[0], &ids[1]]);
    let tree = made.tree(&[("100644", "p.txt", &ids[0]), ("100644", "q.txt", &ids[1])]);
    let commit = made.commit(&tree, &[], 300);
    made.point("refs/heads/packed", &commit);
    let (found, diagnostics) = versions(made.root());
    let texts: Vec<&str> = found.iter().skip(3).map(|(_, text, _)| text.as_str()).collect();
    assert_eq!((texts, diagnostics.len()), (vec!["abcde", "bcdwxyz"], 0));
    let path = made.root().join(".git/objects/pack/pack-1.pack");
    let whole = fs::read(&path).unwrap();
    for end in [0, 12, 14, whole.len() - 3] {
        fs::write(&path, &whole[..end]).unwrap();
        assert!(!versions(made.root()).1.is_empty(), "{end}");
    }
}
