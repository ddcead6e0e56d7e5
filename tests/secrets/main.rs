//! Secrets against generators that share no expression with the rules: how many of the keys are found, and how many of the decoys are taken for keys.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod decoys;
mod keys;
mod random;
mod wrap;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use random::Random;
use serde_json::Value;

const CONTROLS: [&str; 3] = ["hardcoded-secret", "docker-build-secrets", "committed-env-file"];
/// Each format is written down in so many different files.
const PER_FORMAT: usize = 4;
const PER_DECOY: usize = 6;

/// A tree of samples: which file holds a sample of what.
#[derive(Default)]
struct Samples {
    files: BTreeMap<String, (&'static str, String)>,
}

impl Samples {
    fn add(&mut self, path: &str, kind: &'static str, text: String) {
        let path = path.replace("{n}", &self.files.len().to_string());
        assert!(self.files.insert(path.clone(), (kind, text)).is_none(), "{path} is written twice");
    }

    /// The files of which the audit says that a secret stands in them.
    fn found(&self) -> BTreeSet<String> {
        let folder = tempfile::tempdir().unwrap();
        write(
            folder.path(),
            "package.json",
            r#"{ "name": "shop", "main": "src/server.js", "dependencies": { "express": "4.19.2" } }"#,
        );
        write(folder.path(), "src/server.js", "import express from 'express'\nexpress().listen(3000)\n");
        for (path, (_, text)) in &self.files {
            write(folder.path(), path, text);
        }
        let run = Command::cargo_bin("readycheck")
            .unwrap()
            .args(["audit", "--format", "json"])
            .arg(folder.path())
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&run.stdout).unwrap();
        let controls = report["controls"].as_array().unwrap().iter();
        controls
            .filter(|control| CONTROLS.contains(&control["id"].as_str().unwrap()))
            .flat_map(|control| control["findings"].as_array().unwrap())
            .map(|finding| {
                finding["location"]["path"].as_str().unwrap_or_else(|| finding["path"].as_str().unwrap()).to_owned()
            })
            .collect()
    }

    fn kinds(&self, paths: impl Iterator<Item = String>) -> BTreeMap<&'static str, Vec<String>> {
        let mut kinds: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for path in paths {
            kinds.entry(self.files[&path].0).or_default().push(path);
        }
        kinds
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn positives(random: &mut Random) -> Samples {
    let mut samples = Samples::default();
    for (at, (provider, make)) in keys::KEYS.iter().enumerate() {
        for turn in 0..PER_FORMAT {
            let (path, around) = wrap::AROUND_KEYS[(at + turn * 5) % wrap::AROUND_KEYS.len()];
            samples.add(path, provider, around.replace("{}", &make(random)));
        }
    }
    for (name, make) in keys::NAMED {
        for (path, around) in wrap::AROUND_NAMED {
            let named = around
                .replace("{camel}", &wrap::camel(name))
                .replace("{upper}", &name.to_uppercase())
                .replace("{snake}", name);
            samples.add(path, name, named.replace("{}", &make(random)));
        }
    }
    for (_, make) in keys::KEYS.iter().step_by(4) {
        let value = wrap::base64(make(random).as_bytes());
        samples.add(
            "deploy/secret{n}.yml",
            "in base64",
            format!("apiVersion: v1\nkind: Secret\ndata:\n  credential: {value}\n"),
        );
    }
    samples
}

fn negatives(random: &mut Random) -> Samples {
    let mut samples = Samples::default();
    for (kind, path, make) in decoys::DECOYS {
        for _ in 0..PER_DECOY {
            samples.add(path, kind, make(random));
        }
    }
    samples
}

#[test]
fn keys_are_found_and_decoys_are_not() {
    let mut random = Random::new(20_261_121);
    let (keys, decoys) = (positives(&mut random), negatives(&mut random));
    assert!(keys::KEYS.len() >= 60 && keys.files.len() + decoys.files.len() >= 400);
    let (hits, alarms) = (keys.found(), decoys.found());
    let lost = keys.kinds(keys.files.keys().filter(|path| !hits.contains(*path)).cloned());
    let false_alarms = decoys.kinds(alarms.iter().cloned());
    let hit = hits.len();
    let recall = 100 * hit / keys.files.len();
    let precision = 100 * hit / (hit + alarms.len());
    let table = format!(
        "{} keys, {} decoys: recall {recall} %, precision {precision} %\nnot found: {lost:#?}\nfalse alarms: {false_alarms:#?}",
        keys.files.len(),
        decoys.files.len()
    );
    assert!(recall >= 97 && precision >= 97, "{table}");
}
