use super::*;

const CHEAP: Argon2Params = Argon2Params {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

fn password(text: &str) -> Password {
    Password::parse(text.to_owned()).unwrap()
}

async fn verify(hasher: &Hasher, text: &str, stored: &str) -> Verification {
    hasher
        .verify(
            hasher.acquire_slot("home").await.unwrap(),
            password(text),
            Some(stored.to_owned()),
        )
        .await
        .unwrap()
}

async fn hash(hasher: &Hasher, text: &str) -> String {
    hasher
        .hash(
            hasher.acquire_slot("home").await.unwrap(),
            NewPassword::unchecked(text),
        )
        .await
        .unwrap()
}

#[tokio::test]
async fn a_new_hash_is_argon2id_with_the_parameters_of_mediamanager() {
    let hasher = Hasher::new(Argon2Params::STANDARD, 1).unwrap();
    let hash = hash(&hasher, "violet kettle harbour").await;
    assert!(
        hash.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"),
        "{hash}"
    );
    assert_eq!(
        verify(&hasher, "violet kettle harbour", &hash).await,
        Verification::Valid { upgrade: None }
    );
    assert_eq!(
        verify(&hasher, "violet kettle harbouR", &hash).await,
        Verification::Invalid
    );
}

#[tokio::test]
async fn weaker_hashes_are_accepted_and_upgraded() {
    let weak = hash(&Hasher::new(CHEAP, 1).unwrap(), "violet kettle harbour").await;
    let hasher = Hasher::new(
        Argon2Params {
            memory_kib: 128,
            ..CHEAP
        },
        1,
    )
    .unwrap();
    let bcrypt = bcrypt::hash("violet kettle harbour", 4).unwrap();
    for stored in [weak, bcrypt] {
        let Verification::Valid {
            upgrade: Some(upgrade),
        } = verify(&hasher, "violet kettle harbour", &stored).await
        else {
            panic!("{stored}")
        };
        assert_eq!(
            verify(&hasher, "violet kettle harbour", &upgrade).await,
            Verification::Valid { upgrade: None }
        );
        assert_eq!(
            verify(&hasher, "copper lantern", &stored).await,
            Verification::Invalid
        );
    }
}

#[tokio::test]
async fn unreadable_and_unaffordable_hashes_are_wrong_and_never_computed() {
    let hasher = Hasher::new(CHEAP, 1).unwrap();
    let tail = "c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for stored in [
        String::new(),
        "plain".to_owned(),
        "$2b$31$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu".to_owned(),
        format!("$argon2id$v=19$m=4194304,t=1,p=1${tail}"),
        format!("$argon2id$v=19$m=64,t=4000000,p=1${tail}"),
        format!("$scrypt$ln=1,r=1,p=1${tail}"),
    ] {
        assert_eq!(
            verify(&hasher, "anything", &stored).await,
            Verification::UnsupportedHash,
            "{stored}"
        );
    }
    assert_eq!(
        hasher
            .verify(
                hasher.acquire_slot("home").await.unwrap(),
                password("anything"),
                None
            )
            .await
            .unwrap(),
        Verification::Invalid
    );
}

#[tokio::test]
async fn a_client_that_goes_away_makes_no_room_for_another_hash() {
    let hasher = Hasher::new(CHEAP, 1).unwrap();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let (finish, finished) = std::sync::mpsc::channel::<()>();
    let job = hasher.run(hasher.acquire_slot("home").await.unwrap(), move || {
        (begin.send(()), finished.recv())
    });
    tokio::select! {
        _ = job => unreachable!("it waits"),
        begun = begun => begun.unwrap(),
    }
    let other = hasher.acquire_slot("other").await.unwrap();
    assert_eq!(
        other.turn().await.err(),
        Some(AuthError::Overloaded),
        "the memory is still in use"
    );
    finish.send(()).unwrap();
    other.turn().await.unwrap();
}
