//! The harness itself: services that start, stop, come back and share nothing.

use crate::app::Start;
use crate::services::{Postgres, Redis, listens};

#[test]
#[ignore = "needs PostgreSQL: run by scripts/test"]
fn a_database_comes_back_with_its_data() {
    let mut postgres = Postgres::start();
    postgres.create("shop");
    postgres.sql("shop", "CREATE TABLE item (name text); INSERT INTO item VALUES ('kept')");
    postgres.stop();
    postgres.restart();
    assert_eq!(postgres.sql("shop", "SELECT name FROM item").trim(), "kept");
}

#[test]
#[ignore = "needs Redis: run by scripts/test"]
fn a_cache_goes_when_it_is_dropped() {
    let redis = Redis::start();
    let port: u16 = redis.url().rsplit(':').next().unwrap().parse().unwrap();
    assert!(listens(port));
    drop(redis);
    assert!(!listens(port));
}

const SERVICE: &str = "
const server = require('node:http').createServer((req, res) => res.end(JSON.stringify({ path: req.url, secret: process.env.SECRET })));
if (!process.env.SECRET) { console.error('SECRET is missing'); process.exit(3); }
server.listen(process.env.PORT, () => console.log('listening'));
process.on('SIGTERM', () => { console.log('going'); server.close(); });
";

#[test]
#[ignore = "needs Node: run by scripts/test"]
fn a_service_is_started_asked_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start::new(folder.path(), &["node", "-e", SERVICE]).set("SECRET", "given");
    let mut app = start.ready();
    let answer = app.get("/items");
    assert_eq!((answer.status, answer.json()["secret"].as_str()), (200, Some("given")));
    app.terminate();
    assert!(app.wait().success());
    assert!(app.log().contains("going") && !app.listens());
    let (status, log) = start.unset("SECRET").refused();
    assert_eq!((status.code(), log.trim()), (Some(3), "SECRET is missing"));
}
