//! Unusual ID tokens that are valid.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{ada, nested, now, with_more};
use crate::support::{Account, Household};

#[tokio::test]
async fn small_differences_of_the_clocks_are_forgiven() {
    for (name, offset) in [("iat", 50), ("nbf", 50), ("exp", -50), ("iat", -590)] {
        let home = Household::new().await;
        home.provider.twist("claims", move |claims| {
            claims[name] = (now() + offset).into()
        });
        assert_eq!(
            home.come_back(&ada()).await.status,
            StatusCode::SEE_OTHER,
            "{name} {offset}"
        );
    }
}

#[tokio::test]
async fn what_is_right_in_an_unusual_way_is_accepted() {
    let home = Household::new().await;
    for (name, twist) in [
        (
            "one audience in a list",
            (|claims| claims["aud"] = json!([claims["aud"].clone()])) as fn(&mut Value),
        ),
        ("azp", |claims| claims["azp"] = claims["aud"].clone()),
        ("a session that is a number", |claims| {
            claims["sid"] = 123.into()
        }),
        ("a session with NUL in it", |claims| {
            claims["sid"] = "a\u{0}b".into()
        }),
        ("a fraction of a second", |claims| {
            claims["iat"] = json!(now() as f64 + 0.5)
        }),
        ("subject of 255", |claims| {
            claims["sub"] = "x".repeat(255).into()
        }),
    ] {
        home.provider.twist("claims", twist);
        assert_eq!(
            home.come_back(&Account::confirmed(&format!("{}@example.org", name.len())))
                .await
                .status,
            StatusCode::SEE_OTHER,
            "{name}"
        );
    }
    home.provider.is_good_again();
    home.provider.twist("header", |header| {
        drop(header.as_object_mut().unwrap().remove("typ"))
    });
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "no typ"
    );
    home.provider.knobs().payload = Some(|claims| with_more(&claims, nested(32).as_bytes()));
    assert_eq!(
        home.come_back(&ada()).await.status,
        StatusCode::SEE_OTHER,
        "nested as deeply as may be"
    );
}
