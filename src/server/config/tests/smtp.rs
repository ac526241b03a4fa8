use super::{configured, problem, warning};
use crate::server::config::Secret;

#[test]
fn mail_is_encrypted_unless_the_operator_insists() {
    let smtp = |more: &str| {
        configured(&format!(
            "[notifications.smtp_config]\nsmtp_host = 'mail'\nfrom_email = 'a@b'\n{more}"
        ))
        .expect(more)
    };
    let config = smtp("");
    let defaults = config.smtp.expect("complete");
    assert_eq!(
        (
            defaults.port,
            defaults.use_tls,
            defaults.user.is_none(),
            defaults.password.is_none()
        ),
        (587, true, true, true)
    );
    assert!(config.warnings.is_empty());

    let plain = smtp("use_tls = false");
    assert!(
        !plain.smtp.expect("complete").use_tls
            && plain.warnings[0].starts_with("notifications.smtp_config.use_tls is false")
    );
    let implicit = smtp("use_tls = false\nsmtp_port = 465");
    assert!(implicit.smtp.expect("complete").use_tls && implicit.warnings.is_empty());
    let login = smtp("smtp_user = 'u'\nsmtp_password = ' p '")
        .smtp
        .expect("complete");
    assert_eq!(
        (
            login.user.as_deref(),
            login.password.as_ref().map(Secret::expose)
        ),
        (Some("u"), Some(" p "))
    );
}

#[test]
fn a_host_without_sender_sends_nothing_and_says_so() {
    assert_eq!(
        warning("[notifications.smtp_config]\nsmtp_host = 'mail'"),
        "notifications.smtp_config.from_email is not set: no mail is sent."
    );
    let more = "[notifications.smtp_config]\nsmtp_host = 'mail'\nfrom_email = 'Media <a@b>'";
    assert!(problem(more).starts_with(
        "config.toml:6:1: notifications.smtp_config.from_email is not an e-mail address"
    ));
}
