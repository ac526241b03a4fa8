//! The command line as an operator uses it.

use crate::{
    process::{Home, Serving, text},
    support::PASSWORD,
};

fn run(home: &Home, arguments: &[&str]) -> (i32, String) {
    let output = home.command().args(arguments).output().unwrap();
    (output.status.code().unwrap(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

#[test]
fn the_operator_manages_people_from_the_shell() {
    let home = Home::standard();
    for (flags, email) in [(&["--admin"][..], "ada@example.org"), (&[], "bob@example.org"), (&["--waiting"], "eve@example.org")] {
        let arguments: Vec<&str> = flags.iter().copied().chain([email]).collect();
        assert!(home.create_user(&arguments, PASSWORD).status.success());
    }
    let list = |arguments: &[&str]| {
        let output = home.command().args(["user", "list"]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert_eq!(list(&[]), "ada@example.org\tactive\tadministrator\tnever\nbob@example.org\tactive\tmember\tnever\neve@example.org\twaiting\tmember\tnever\n");
    assert_eq!(list(&["--waiting"]), "eve@example.org\twaiting\tmember\tnever\n");
    assert_eq!(list(&["--admins", "BOB"]), "");
    for (arguments, said) in [
        (&["user", "approve", "Eve@example.org"][..], "eve@example.org is approved.\n"),
        (&["user", "disable", "bob@example.org"], "bob@example.org is disabled.\n"),
        (&["user", "end-sessions", "eve@example.org"], "eve@example.org is logged out everywhere (0 sessions).\n"),
        (&["user", "admin", "eve@example.org"], "eve@example.org is now an administrator.\n"),
        (&["user", "admin", "--revoke", "ada@example.org"], "ada@example.org is now a member.\n"),
    ] {
        let (code, output) = run(&home, arguments);
        assert!(code == 0 && output.contains(said), "{arguments:?}: {output}");
    }
    assert_eq!(list(&["--disabled"]), "bob@example.org\tdisabled\tmember\tnever\n");
    assert_eq!(list(&["--admins"]), "eve@example.org\tactive\tadministrator\tnever\n");
    for (arguments, said) in [
        (&["user", "disable", "eve@example.org"][..], "This is the last active administrator."),
        (&["user", "admin", "--revoke", "eve@example.org"], "This is the last active administrator."),
        (&["user", "enable", "nobody@example.org"], "Nobody has the address nobody@example.org."),
        (&["user", "end-sessions", "no address"], "Enter an e-mail address"),
    ] {
        let (code, output) = run(&home, arguments);
        assert!(code == 1 && output.contains(said), "{arguments:?}: {output}");
    }
    assert!(run(&home, &["user", "enable", "bob@example.org"]).1.contains("bob@example.org is enabled."));
    let serving = Serving::start(&home, "Listening");
    let form = format!("email=bob%40example.org&password={}", PASSWORD.replace(' ', "+"));
    assert!(serving.post("/login", &form).starts_with("HTTP/1.1 303"));
    assert!(run(&home, &["user", "end-sessions", "bob@example.org"]).1.contains("(1 session)"), "also while the program runs");
    serving.stop();
}

#[test]
fn a_container_asks_the_program_how_it_is() {
    let home = Home::standard();
    let health = |port: u16| home.command().arg("healthcheck").env("MEDIAMANAGER_SERVER__PORT", port.to_string()).output().unwrap();
    let serving = Serving::start(&home, "Listening");
    let (port, fine) = (serving.port, health(serving.port));
    assert_eq!((fine.status.code(), text(&fine.stderr).as_str()), (Some(0), ""));
    serving.stop();
    let gone = health(port);
    assert!(gone.status.code() == Some(1) && text(&gone.stderr).contains("nobody answers at http://127.0.0.1:"), "{}", text(&gone.stderr));
}

#[test]
fn a_shell_gets_its_completions_without_any_configuration() {
    let empty = Home::new("");
    for shell in ["bash", "zsh", "fish"] {
        let (code, said) = run(&empty, &["completions", shell]);
        assert!(code == 0 && said.contains("reset-link"), "{shell}: {said}");
    }
}
