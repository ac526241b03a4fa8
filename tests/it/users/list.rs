//! The list of users: search, filters and pagination.

use mediamanager_auth::server::flows::users::Role;

use super::{household, listed, logged_in, search, texts};

#[tokio::test]
async fn an_administrator_finds_people_by_any_part_of_their_address() {
    let (app, mut ada, ..) = household("").await;
    for email in [
        "a_b@example.net",
        "axb@example.net",
        "100%real@example.net",
        "100xreal@example.net",
        "carol@example.net",
        "slash@example.net",
    ] {
        app.member(email).await;
    }
    // As MediaManager may have stored them.
    app.sql("UPDATE \"user\" SET email = 'Carol@Example.net' WHERE email = 'carol@example.net'")
        .await;
    app.sql(
        "UPDATE \"user\" SET email = 'back\\slash@example.net' WHERE email = 'slash@example.net'",
    )
    .await;
    for (text, found) in [
        ("CAROL", &["Carol@Example.net"][..]),
        ("  carol ", &["Carol@Example.net"]),
        ("a_b", &["a_b@example.net"]),
        ("%", &["100%real@example.net"]),
        ("0%r", &["100%real@example.net"]),
        ("\\", &["back\\slash@example.net"]),
        ("k\\s", &["back\\slash@example.net"]),
        ("\\%", &[]),
        ("example.org", &["ada@example.org", "bob@example.org"]),
        ("' OR 1=1 --", &[]),
        ("nobody", &[]),
    ] {
        let page = search(&mut ada, text, "").await;
        assert_eq!(listed(&page), found, "{text:?}");
        assert_eq!(page.attribute("#q", "value").as_deref(), Some(text.trim()));
        let caption = match found.len() {
            0 => "Nobody matches.".to_owned(),
            1 => "One account".to_owned(),
            number => format!("{number} accounts"),
        };
        assert_eq!(page.text("caption"), Some(caption), "{text:?}");
    }
    assert_eq!(listed(&search(&mut ada, "", "").await).len(), 8);
    let page = search(&mut ada, "\"><script>alert(1)</script>", "").await;
    assert!(!page.body.contains("<script>alert(1)"), "{}", page.body);
}

#[tokio::test]
async fn the_parts_of_the_list_hold_whom_they_say() {
    let (app, mut ada, ..) = household("").await;
    app.user("new@example.org", Role::Pending).await;
    app.user("gone@example.org", Role::Pending).await;
    app.sql("UPDATE \"user\" SET is_active = false WHERE email = 'gone@example.org'")
        .await;
    for (which, found) in [
        (
            "",
            &[
                "ada@example.org",
                "bob@example.org",
                "gone@example.org",
                "new@example.org",
            ][..],
        ),
        ("pending", &["new@example.org"]),
        ("active", &["ada@example.org", "bob@example.org"]),
        ("disabled", &["gone@example.org"]),
        ("administrators", &["ada@example.org"]),
        (
            "nonsense",
            &[
                "ada@example.org",
                "bob@example.org",
                "gone@example.org",
                "new@example.org",
            ],
        ),
    ] {
        assert_eq!(listed(&search(&mut ada, "", which).await), found, "{which}");
    }
    let page = search(&mut ada, "b@", "active").await;
    assert_eq!(
        (
            listed(&page),
            page.attribute("option[selected]", "value").as_deref()
        ),
        (vec!["bob@example.org".to_owned()], Some("active"))
    );
    let page = ada.get("/users").await;
    assert_eq!(
        texts(&page, "tbody td:nth-child(2)"),
        ["Active", "Active", "Disabled", "Waiting"]
    );
    assert_eq!(
        texts(&page, "tbody td:nth-child(3)"),
        ["Administrator", "Member", "Member", "Member"]
    );
    assert_eq!(texts(&page, "tbody button"), ["Approve new@example.org"]);
}

#[tokio::test]
async fn the_fifty_first_is_on_the_second_page() {
    let (app, mut ada, ..) = household("").await;
    for number in 0..51 {
        app.member(&format!("user{number:02}@example.net")).await;
    }
    let page = search(&mut ada, "@example.net", "active").await;
    assert_eq!(
        (
            listed(&page).len(),
            page.text("caption").as_deref(),
            page.text("nav.links").as_deref()
        ),
        (50, Some("51 accounts"), Some("Page 1 of 2 · Next page"))
    );
    let next = page.attribute("a[rel=next]", "href").unwrap();
    let page = ada.get(&next).await;
    assert_eq!(
        listed(&page),
        ["user50@example.net"],
        "the search goes along"
    );
    assert_eq!(
        page.text("nav.links").as_deref(),
        Some("Previous page · Page 2 of 2")
    );
    let previous = page.attribute("a[rel=prev]", "href").unwrap();
    assert_eq!(listed(&ada.get(&previous).await)[0], "user00@example.net");
    for (number, rows) in [
        ("0", 50),
        ("-1", 50),
        ("x", 50),
        ("", 50),
        ("3", 0),
        ("18446744073709551615", 0),
        ("99999999999999999999", 50),
    ] {
        assert_eq!(
            listed(
                &ada.get(&format!("/users?q=%40example.net&page={number}"))
                    .await
            )
            .len(),
            rows,
            "{number}"
        );
    }
}

#[tokio::test]
async fn the_menu_says_how_many_wait_and_the_list_lets_them_in() {
    let (app, mut ada, _, _) = household("").await;
    assert_eq!(ada.get("/account").await.text(".menu .badge"), None);
    app.user("eve@example.org", Role::Pending).await;
    app.user("new@example.org", Role::Pending).await;
    for path in ["/account", "/users", "/users/events"] {
        assert_eq!(
            ada.get(path).await.text(".menu .badge").as_deref(),
            Some("2 waiting"),
            "{path}"
        );
    }
    let mut eve = logged_in(&app, "eve@example.org").await;
    assert_eq!(
        (
            eve.get("/account").await.text(".menu a[href='/users']"),
            eve.get("/login").await.path.as_str()
        ),
        (None, "/login/verify")
    );
    let page = ada.get("/users").await;
    assert_eq!(
        page.text(".notice a").as_deref(),
        Some("2 accounts wait for approval")
    );
    let page = ada.submit(&page, "Approve eve@example.org", &[]).await;
    assert_eq!(
        (page.path.as_str(), listed(&page)),
        (
            "/users?which=pending&notice=user_approved",
            vec!["new@example.org".to_owned()]
        )
    );
    assert_eq!(page.text(".menu .badge").as_deref(), Some("1 waiting"));
    assert_eq!(
        eve.get("/login").await.path,
        "/account",
        "in her session, with the next click"
    );
    assert_eq!(
        app.count("SELECT count(*) FROM \"user\" WHERE is_verified")
            .await,
        3,
        "and nobody else"
    );
}
