//! Rules and templates are embedded: a new or changed file among them means a new build.

fn main() {
    println!("cargo::rerun-if-changed=rules");
    println!("cargo::rerun-if-changed=templates");
}
