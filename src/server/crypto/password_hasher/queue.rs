use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

use crate::domain::AuthError;

/// How long a request may wait for its turn (SR-171).
const MAX_WAIT: Duration = Duration::from_secs(2);
/// The length of the queue (SR-171). A network that has no slot yet gets one nevertheless.
const MAX_QUEUED: usize = 64;
/// The slots of one network, about a third of a second of work for each processor.
const MAX_OF_NETWORK: usize = 16;
/// The slots of all networks together, which bounds the memory of waiting requests.
const MAX_SLOTS: usize = 256;
/// The delay of a rejection. Without it a client would retry at once, and rejecting would use the
/// whole processor.
const REJECT_DELAY: Duration = Duration::from_secs(1);

/// Admits requests that need the processor for long, and gives them their turns (SR-170, SR-171).
///
/// The slots are shared out by network, and the turns too: the first request of every network comes
/// before the second of any. Otherwise one client that sends requests without a pause keeps
/// everybody else from logging in (SR-024).
pub struct Queue {
    max_running: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    /// The number of slots by network.
    slots: HashMap<String, usize>,
    /// The waiting requests in the order of their turns.
    waiting: BTreeMap<Position, oneshot::Sender<Turn>>,
    next_number: u64,
}

/// A request's place in the queue: how many slots its network had already, then its arrival.
type Position = (usize, u64);

/// A slot in the queue, which is released when it is dropped.
pub struct QueueSlot {
    queue: Arc<Queue>,
    network: String,
    position: Position,
}

/// The right to compute now, which passes on when it is dropped.
pub struct Turn(Arc<Queue>);

impl Queue {
    pub fn new(max_running: usize) -> Self {
        Self {
            max_running,
            state: Mutex::default(),
        }
    }

    /// Takes a slot for a request of this network.
    ///
    /// # Errors
    /// `Overloaded` when the queue is full, after [`REJECT_DELAY`].
    pub async fn acquire(self: &Arc<Self>, network: &str) -> Result<QueueSlot, AuthError> {
        let slot = self.try_acquire(network);
        if slot.is_none() {
            sleep(REJECT_DELAY).await;
        }
        slot.ok_or(AuthError::Overloaded)
    }

    fn try_acquire(self: &Arc<Self>, network: &str) -> Option<QueueSlot> {
        let mut state = self.lock();
        let all: usize = state.slots.values().sum();
        let of_network = state.slots.get(network).copied().unwrap_or_default();
        let is_full = all >= self.max_running + MAX_QUEUED && of_network > 0;
        if is_full || of_network >= MAX_OF_NETWORK || all >= MAX_SLOTS {
            return None;
        }
        state.slots.insert(network.to_owned(), of_network + 1);
        state.next_number += 1;
        Some(QueueSlot {
            queue: Arc::clone(self),
            network: network.to_owned(),
            position: (of_network, state.next_number),
        })
    }

    /// Gives a free turn to the next request that still waits.
    fn pass_on(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            if state.running >= self.max_running {
                return;
            }
            let Some((_, request)) = state.waiting.pop_first() else {
                return;
            };
            state.running += 1;
            drop(state);
            // A request that has given up leaves its turn to the next: the turn comes back, and
            // dropping it ends up here again.
            if request.send(Turn(Arc::clone(self))).is_ok() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueSlot {
    /// Waits for the request's turn.
    ///
    /// # Errors
    /// `Overloaded` after [`MAX_WAIT`].
    pub async fn turn(&self) -> Result<Turn, AuthError> {
        let (sender, receiver) = oneshot::channel();
        self.queue.lock().waiting.insert(self.position, sender);
        self.queue.pass_on();
        match timeout(MAX_WAIT, receiver).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(AuthError::Overloaded),
        }
    }
}

impl Drop for QueueSlot {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.waiting.remove(&self.position);
        if let Some(slots) = state.slots.get_mut(&self.network) {
            *slots -= 1;
            if *slots == 0 {
                state.slots.remove(&self.network);
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.pass_on();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(max_running: usize) -> Arc<Queue> {
        Arc::new(Queue::new(max_running))
    }

    #[tokio::test(start_paused = true)]
    async fn one_network_leaves_slots_for_all_others() {
        let queue = queue(1);
        let flood: Vec<_> = (0..1000)
            .filter_map(|_| queue.try_acquire("flood"))
            .collect();
        assert_eq!(flood.len(), MAX_OF_NETWORK);
        let many: Vec<_> = (0..100)
            .flat_map(|network| std::iter::repeat_n(format!("bot {network}"), 20))
            .filter_map(|network| queue.try_acquire(&network))
            .collect();
        assert!(flood.len() + many.len() <= MAX_SLOTS);
        assert!(
            queue.try_acquire("home").is_some(),
            "a network without a slot gets one"
        );
        drop((flood, many));
        assert!(
            queue.lock().slots.is_empty(),
            "nothing is left of networks that went away"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_request_of_a_network_comes_before_the_second_of_another() {
        let queue = queue(1);
        let slots: Vec<_> = ["flood", "flood", "flood", "home", "flood"]
            .iter()
            .map(|network| queue.try_acquire(network).unwrap())
            .collect();
        let first = slots[0].turn().await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let waiting = slots.iter().enumerate().skip(1).map(|(index, slot)| {
            let order = Arc::clone(&order);
            async move {
                let turn = slot.turn().await.unwrap();
                order.lock().unwrap().push(index);
                drop(turn);
            }
        });
        let all = futures_util::future::join_all(waiting);
        futures_util::future::join(all, async move { drop(first) }).await;
        assert_eq!(*order.lock().unwrap(), [3, 1, 2, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_gives_up_blocks_nobody() {
        let queue = queue(1);
        let running = queue.try_acquire("a").unwrap();
        let turn = running.turn().await.unwrap();
        let impatient = queue.try_acquire("b").unwrap();
        assert!(
            timeout(Duration::from_millis(1), impatient.turn())
                .await
                .is_err()
        );
        let late = queue.try_acquire("c").unwrap();
        assert_eq!(late.turn().await.err(), Some(AuthError::Overloaded));
        drop(impatient);
        drop(turn);
        assert!(queue.try_acquire("d").unwrap().turn().await.is_ok());
        drop((running, late));
        let state = queue.lock();
        assert!(state.waiting.is_empty() && state.running == 0);
    }
}
