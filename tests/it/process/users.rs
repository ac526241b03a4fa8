//! Managing users from the command line.

use super::{Home, Serving, text};
use crate::support::PASSWORD;

#[test]
fn the_shell_refuses_what_the_pages_refuse() {
    let home = Home::standard();
    for (arguments, password, reason) in [
        (&["not an address"][..], PASSWORD, "Enter an e-mail address"),
        (&["ada@example.org"], "short", "Use at least 12 characters."),
        (&["ada@example.org"], "passwordpassword", "easy to guess"),
        (
            &["--admin", "--pending", "ada@example.org"],
            PASSWORD,
            "cannot be used with",
        ),
    ] {
        let refused = home.create_user(arguments, password);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains(reason),
            "{}",
            text(&refused.stderr)
        );
    }
    assert!(
        home.create_user(&["ada@example.org"], PASSWORD)
            .status
            .success()
    );
    let again = home.create_user(&["ADA@example.org"], PASSWORD);
    assert!(
        text(&again.stderr).contains("There is an account with this e-mail address already."),
        "{}",
        text(&again.stderr)
    );
}

#[test]
fn the_operator_approves_who_waits() {
    let home = Home::standard();
    assert!(
        home.create_user(&["--pending", "ada@example.org"], PASSWORD)
            .status
            .success()
    );
    let approve = |email| {
        home.command()
            .args(["user", "approve", email])
            .output()
            .unwrap()
    };
    assert_eq!(
        text(&approve("Ada@Example.org").stdout),
        "ada@example.org is approved.\n"
    );
    assert_eq!(
        text(&approve("eve@example.org").stderr),
        "Nobody has the address eve@example.org.\n"
    );
    let serving = Serving::start(&home, "Listening");
    let answer = serving.post(
        "/login",
        &format!(
            "email=ada%40example.org&password={}",
            PASSWORD.replace(' ', "+")
        ),
    );
    assert!(answer.contains("location: /account"), "{answer}");
    serving.stop();
}
