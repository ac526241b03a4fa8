//! The rooms of `src`, and what each of them may use.

pub struct Room {
    /// The module path of the room.
    pub path: &'static str,
    /// The modules that the room may use besides itself.
    pub rooms: &'static [&'static str],
    /// The crates that the room may use besides the standard library.
    pub crates: &'static [&'static str],
}

#[rustfmt::skip]
pub const ROOMS: &[Room] = &[
    Room {
        path: "domain",
        rooms: &[],
        crates: &["percent_encoding", "serde", "strum", "uuid"],
    },
    Room {
        path: "islands",
        rooms: &["domain"],
        crates: &[
            "leptos", "serde", "serde_json", "wasm_bindgen", "wasm_bindgen_futures", "web_sys",
        ],
    },
    Room {
        path: "text",
        rooms: &["domain"],
        crates: &[],
    },
    Room {
        path: "app",
        rooms: &["domain", "islands", "server::flows", "server::web::server_fn", "text"],
        crates: &["leptos", "percent_encoding", "strum", "time"],
    },
    Room {
        path: "server::web",
        rooms: &[
            "app", "domain", "islands", "server::AppState", "server::clock", "server::config",
            "server::crypto", "server::db", "server::diagnostics", "server::flows",
            "server::oidc", "server::strict_json", "server::telemetry", "server::user_agent",
            "text",
        ],
        crates: &[
            "axum", "base64", "cookie", "form_urlencoded", "futures_util", "ipnet", "leptos",
            "leptos_axum", "metrics", "percent_encoding", "rust_embed", "serde", "serde_json",
            "strum", "tokio", "tower", "tower_http", "tracing", "utoipa", "utoipa_axum", "uuid",
        ],
    },
    Room {
        path: "server::flows",
        rooms: &[
            "app::paths", "domain", "server::AppState", "server::clock", "server::config",
            "server::crypto", "server::db", "server::diagnostics", "server::mailer",
            "server::oidc", "server::telemetry", "text",
        ],
        crates: &[
            "base64", "futures_util", "metrics", "percent_encoding", "reqwest", "serde", "sha2",
            "tokio", "tracing", "uuid",
        ],
    },
    Room {
        path: "server::db",
        rooms: &["domain", "server::crypto", "server::diagnostics"],
        crates: &["percent_encoding", "sea_orm", "sea_orm_migration", "tokio", "tracing"],
    },
    Room {
        path: "server::oidc",
        rooms: &[
            "domain", "server::clock", "server::config", "server::crypto", "server::diagnostics",
            "server::strict_json", "server::telemetry",
        ],
        crates: &[
            "base64", "httpdate", "metrics", "oauth2", "openidconnect", "reqwest", "serde",
            "serde_json", "tokio", "tracing", "url", "uuid",
        ],
    },
    Room {
        path: "server::mailer",
        rooms: &["domain", "server::clock", "server::config", "server::crypto", "text"],
        crates: &["html_escape", "lettre", "tokio"],
    },
    Room {
        path: "server::config",
        rooms: &["app::paths", "domain", "server::telemetry"],
        crates: &["ipnet", "percent_encoding", "serde_json", "strsim", "toml", "url"],
    },
    Room {
        path: "server::crypto",
        rooms: &["domain", "server::clock", "server::config", "server::telemetry"],
        crates: &[
            "argon2", "argon2_rust", "base64", "bcrypt", "cookie", "getrandom", "hkdf", "jsonwebtoken",
            "metrics", "rand", "serde", "sha2", "tokio", "tracing", "uuid", "zxcvbn",
        ],
    },
    Room {
        path: "server::telemetry",
        rooms: &["domain", "server::AppState", "server::config", "server::db"],
        crates: &[
            "axum", "metrics", "metrics_exporter_prometheus", "serde", "serde_json", "tokio",
            "tracing", "tracing_subscriber",
        ],
    },
    Room {
        path: "server::cli",
        rooms: &[
            "domain", "server::AppState", "server::clock", "server::config", "server::crypto",
            "server::db", "server::diagnostics", "server::flows", "server::mailer",
            "server::oidc", "server::telemetry", "server::web", "text",
        ],
        crates: &[
            "axum_server", "clap", "clap_complete", "listenfd", "metrics", "reqwest", "rpassword",
            "rustls", "socket2", "tokio", "tokio_util", "tracing",
        ],
    },
    Room {
        path: "server::state",
        rooms: &[
            "app::page_context", "server::clock", "server::config", "server::crypto",
            "server::db", "server::flows", "server::mailer", "server::oidc", "server::web",
        ],
        crates: &["axum", "leptos", "tokio_util"],
    },
    Room {
        path: "server::clock",
        rooms: &[],
        crates: &["time"],
    },
    Room {
        path: "server::diagnostics",
        rooms: &[],
        crates: &[],
    },
    Room {
        path: "server::strict_json",
        rooms: &[],
        crates: &["serde", "serde_json"],
    },
    Room {
        path: "server::user_agent",
        rooms: &[],
        crates: &[],
    },
];
