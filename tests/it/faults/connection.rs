//! PostgreSQL behind a failing network. SQLite has no network.

use std::time::Duration;

use super::{
    Answer, Siege, eventually,
    proxy::{Line, Proxy},
};
use crate::support::database::TestDatabase;

type Request = fn(&Siege) -> Answer;

/// Statements in the middle of a transaction, and the requests that send them.
const IN_THE_MIDST: [(&str, Request); 3] = [
    ("INSERT INTO \"auth_user_account\"", Siege::register),
    ("INSERT INTO \"auth_session\"", Siege::log_in),
    ("UPDATE \"auth_session\"", Siege::log_out),
];

async fn behind_a_proxy() -> Option<(Siege, Proxy)> {
    let database = TestDatabase::new().await;
    if !database.is_postgres() {
        return None;
    }
    let proxy = Proxy::before(&database.url).await;
    Some((Siege::on(database, &proxy.url).await, proxy))
}

/// Requests that need the database report it unavailable, others work, and all of them work when
/// the network does.
async fn goes_without(siege: &Siege) {
    let before = siege.rows().await;
    let requests = siege.writers().into_iter().chain(siege.readers()).collect();
    let (is_ready, (), ()) = tokio::join!(siege.is_ready(), siege.lives(), siege.refuses(requests));
    assert!(!is_ready, "nobody is sent here");
    assert_eq!(siege.rows().await, before);
}

#[tokio::test]
async fn a_database_that_is_gone_is_waited_for() {
    let Some((siege, proxy)) = behind_a_proxy().await else {
        return;
    };
    proxy.set(Line::Cut);
    goes_without(&siege).await;
    proxy.set(Line::Open);
    siege.recovers().await;
}

#[tokio::test]
async fn a_database_that_says_nothing_is_not_waited_for() {
    let Some((siege, proxy)) = behind_a_proxy().await else {
        return;
    };
    proxy.set(Line::Stalled);
    goes_without(&siege).await;
    proxy.set(Line::Open);
    siege.recovers().await;
}

#[tokio::test]
async fn connections_that_lead_nowhere_are_given_up() {
    let Some((siege, proxy)) = behind_a_proxy().await else {
        return;
    };
    proxy.set(Line::Stalled);
    goes_without(&siege).await;
    proxy.set(Line::Forgotten);
    siege.recovers().await;
}

#[tokio::test]
async fn a_database_that_takes_its_time_is_not_given_all_of_ours() {
    let Some((siege, proxy)) = behind_a_proxy().await else {
        return;
    };
    let before = siege.rows().await;
    proxy.set(Line::Slow(Duration::from_millis(600)));
    let (.., ()) = tokio::join!(siege.lives(), siege.refuses(siege.writers()));
    // The database rolls the transaction back at its own pace.
    eventually(async || siege.rows().await == before).await;
    proxy.set(Line::Open);
    siege.recovers().await;
}

#[tokio::test]
async fn a_line_that_breaks_in_the_midst_of_a_change_leaves_nothing_of_it() {
    for line in [Line::Cut, Line::Stalled] {
        for (words, request) in IN_THE_MIDST {
            let Some((siege, proxy)) = behind_a_proxy().await else {
                return;
            };
            let before = siege.rows().await;
            proxy.set_at(words, line);
            siege.refuses(vec![request(&siege)]).await;
            assert!(proxy.is(line), "nobody said {words}");
            proxy.set(Line::Open);
            eventually(async || siege.rows().await == before).await;
            siege.recovers().await;
        }
    }
}

#[tokio::test]
async fn a_change_that_lost_its_line_holds_up_nobody_for_long() {
    for (words, request) in IN_THE_MIDST {
        let Some((siege, proxy)) = behind_a_proxy().await else {
            return;
        };
        proxy.set_at(words, Line::Forgotten);
        // More requests than connections in the pool, so that the pool must discard the dead ones.
        siege
            .refuses((0..10).map(|_| request(&siege)).collect())
            .await;
        siege.recovers().await;
    }
}
