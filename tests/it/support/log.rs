use std::{
    cell::RefCell,
    io::{self, Write},
    sync::{Mutex, Once},
};

thread_local! {
    static WRITTEN: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

static ONCE: Once = Once::new();

/// The lines about computed hashes, which are written by threads of no test.
static HASHES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The log of this thread from now on, which contains everything that a single-threaded test
/// causes. One subscriber for all tests: a thread-local one may miss the first line of a callsite
/// that two threads reach at the same time.
pub struct Log;

struct ThisThread;

impl Log {
    pub fn begin() -> Self {
        ONCE.call_once(|| {
            let subscriber = tracing_subscriber::fmt()
                .json()
                .with_max_level(tracing::Level::TRACE)
                .with_writer(|| ThisThread)
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        WRITTEN.set(Some(Vec::new()));
        Self
    }

    pub fn text(&self) -> String {
        WRITTEN.with_borrow(|written| {
            String::from_utf8_lossy(written.as_deref().unwrap_or_default()).into_owned()
        })
    }
}

/// How many hashes of this kind the request has computed.
pub fn hashes_of(request_id: &str, kind: &str) -> usize {
    let hashes = HASHES.lock().unwrap();
    let of_request = hashes.iter().filter(|line| line.contains(request_id));
    of_request.filter(|line| line.contains(kind)).count()
}

impl Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        if line.contains("_computed") {
            HASHES.lock().unwrap().push(line.into_owned());
        }
        WRITTEN.with_borrow_mut(|written| {
            written
                .iter_mut()
                .for_each(|written| written.extend_from_slice(bytes))
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
