//! readycheck.toml
