//! Requests to a started service, as its clients send them.

use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{Method, redirect};
use serde_json::Value;

/// Longer than any answer takes, shorter than the patience of a test.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of one service. Every request is on a connection of its own unless `keeping` is used.
#[derive(Clone)]
pub struct Http {
    base: String,
    client: Client,
}

/// An answer with everything read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Http {
    pub fn new(port: u16) -> Self {
        let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy().pool_max_idle_per_host(0);
        Self { base: format!("http://127.0.0.1:{port}"), client: builder.timeout(PATIENCE).build().unwrap() }
    }

    /// A request to be completed: `http.request("POST", "/items").header("a", "b").body("…")`, then [`answer`].
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub fn get(&self, path: &str) -> Answer {
        answer(self.request("GET", path))
    }

    /// What the service answers, or nothing while it does not.
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        read(self.request("GET", path)).ok()
    }

    /// Posts a text as JSON, whether it is any or not.
    pub fn post_json(&self, path: &str, body: &str) -> Answer {
        answer(self.request("POST", path).header("content-type", "application/json").body(body.to_owned()))
    }
}

/// Sends a request; fails if there is no answer.
pub fn answer(request: RequestBuilder) -> Answer {
    read(request).unwrap_or_else(|error| panic!("no answer: {error:?}"))
}

fn read(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send()?;
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned())).collect();
    Ok(Answer { status, headers, body: response.text()? })
}

impl Answer {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless this is a problem document (RFC 9457) of that status which tells nothing of the inside.
    pub fn is_problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        let kind = self.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/problem+json"), "{self:?}");
        for inside in
            ["    at ", "stack", "node_modules", "Traceback", "site-packages", "File \\\"", ".ts:", ".js:", ".py"]
        {
            assert!(!self.body.contains(inside), "{inside}: {self:?}");
        }
        let document = self.json();
        assert_eq!(document["status"], status, "{self:?}");
        assert!(document["title"].is_string() && document["code"].is_string(), "{self:?}");
        document
    }
}
