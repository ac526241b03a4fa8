use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::{sleep, timeout},
};

/// State of the connections between the program and the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Open,
    /// Every packet is delayed by this time, in both directions.
    Slow(Duration),
    /// Packets are dropped without an error.
    Stalled,
    /// Packets of open connections are dropped and new connections work, as behind a router that
    /// has lost its connection table.
    Forgotten,
    /// Connections are reset, and new ones refused.
    Cut,
}

/// A proxy between the program and PostgreSQL, so that a test does not affect the server that all
/// tests share.
pub struct Proxy {
    /// URL of the database through the proxy.
    pub url: String,
    line: watch::Sender<Line>,
    trap: watch::Sender<Option<(&'static str, Line)>>,
}

impl Proxy {
    pub async fn before(database_url: &str) -> Self {
        let (scheme_and_user, place) = database_url.rsplit_once('@').unwrap();
        let (server, database) = place.split_once('/').unwrap();
        let server: SocketAddr = server.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (line, trap) = (watch::channel(Line::Open).0, watch::channel(None).0);
        tokio::spawn(listen(listener, server, line.clone(), trap.clone()));
        // Without a statement cache every statement is sent as text, which the proxy can match.
        Self {
            url: format!("{scheme_and_user}@{address}/{database}?statement-cache-capacity=0"),
            line,
            trap,
        }
    }

    pub fn set(&self, line: Line) {
        self.trap.send_replace(None);
        self.line.send_replace(line);
    }

    /// Switches to `line` at the next packet that contains this text, before the server receives
    /// the packet.
    pub fn set_at(&self, words: &'static str, line: Line) {
        self.trap.send_replace(Some((words, line)));
    }

    /// Whether the text was sent.
    pub fn is(&self, line: Line) -> bool {
        *self.line.borrow() == line
    }
}

async fn listen(
    mut listener: TcpListener,
    server: SocketAddr,
    line: watch::Sender<Line>,
    trap: watch::Sender<Option<(&'static str, Line)>>,
) {
    let address = listener.local_addr().unwrap();
    let mut changes = line.subscribe();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { return };
                tokio::spawn(carry(client, server, line.clone(), trap.clone()));
            }
            changed = changes.changed() => if changed.is_err() { return },
        }
        if *changes.borrow_and_update() == Line::Cut {
            drop(listener);
            changes.wait_for(|line| *line != Line::Cut).await.unwrap();
            listener = listen_again(address).await;
        }
    }
}

/// Another process may use the port for a moment.
async fn listen_again(address: SocketAddr) -> TcpListener {
    let again = async {
        loop {
            match TcpListener::bind(address).await {
                Ok(listener) => return listener,
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    };
    timeout(Duration::from_secs(10), again)
        .await
        .expect("the port is not free again")
}

async fn carry(
    client: TcpStream,
    server: SocketAddr,
    line: watch::Sender<Line>,
    trap: watch::Sender<Option<(&'static str, Line)>>,
) {
    let is_young = *line.borrow() == Line::Forgotten;
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let mut changes = line.subscribe();
    // The direction that ends first closes the other one: both halves are dropped.
    tokio::select! {
        () = forward(from_client, to_server, line.clone(), Some(trap), is_young) => {},
        () = forward(from_server, to_client, line.clone(), None, is_young) => {},
        _ = changes.wait_for(|line| *line == Line::Cut) => {},
    }
}

async fn forward(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    line: watch::Sender<Line>,
    trap: Option<watch::Sender<Option<(&'static str, Line)>>>,
    is_young: bool,
) {
    let mut bytes = vec![0; 64 * 1024];
    let mut changes = line.subscribe();
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if let Some((words, then)) = trap.as_ref().and_then(|trap| *trap.borrow())
            && bytes[..length]
                .windows(words.len())
                .any(|window| window == words.as_bytes())
        {
            line.send_replace(then);
        }
        let passes = |line: &Line| *line != Line::Stalled && (*line != Line::Forgotten || is_young);
        let Ok(now) = changes.wait_for(passes).await.map(|line| *line) else {
            return;
        };
        if let Line::Slow(delay) = now {
            sleep(delay).await;
        }
        if now == Line::Cut || to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
