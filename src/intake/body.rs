//! Reading bodies in bounded memory: what does not fit is not refused, its contents are only not kept.

use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use futures_util::{Stream, StreamExt, pin_mut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// GitLab never sends more (`WebHookService::REQUEST_BODY_SIZE_LIMIT`, 25 megabytes).
pub const LARGEST_BODY: usize = 25 << 20;
/// What is kept at most of a body in its row.
pub const STORED_BODY: usize = 64 << 10;
/// What is kept of a body that there was no memory for.
const BEGINNING: usize = 2 << 10;
/// Memory is taken in pieces of this size; permits are counted in them.
const PIECE: usize = 1 << 10;

/// The memory that all bodies share.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Semaphore>);

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / PIECE).min(Semaphore::MAX_PERMITS))))
    }
}

/// A body that was read to its end.
pub(super) struct Body {
    /// Its length.
    pub(super) length: u64,
    /// All of it; `None` when it was too large for what memory there was.
    pub(super) whole: Option<Vec<u8>>,
    /// Its beginning, when `whole` is `None`.
    pub(super) beginning: Vec<u8>,
    /// Given back when the body is dropped.
    memory: Option<OwnedSemaphorePermit>,
}

impl Body {
    /// What is kept in the delivery's row, and the memory that it takes until it is written.
    pub(super) fn stored(self) -> (Vec<u8>, Option<OwnedSemaphorePermit>) {
        let mut bytes = self.whole.unwrap_or(self.beginning);
        if bytes.len() > STORED_BODY {
            bytes.truncate(STORED_BODY);
            bytes.shrink_to_fit();
        }
        (bytes, self.memory)
    }
}

/// What is kept of a body when the rest cannot be.
pub(super) fn beginning(body: &[u8]) -> Vec<u8> {
    body[..body.len().min(BEGINNING)].to_vec()
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// It took too long.
    Slow,
    /// The connection broke.
    Broken,
}

/// Reads a body to its end; `each` sees every byte of it once, in order.
///
/// # Errors
/// When the sender is too slow or goes away.
pub(super) async fn read<S, B, E>(
    chunks: S,
    budget: &Budget,
    timeout: Duration,
    each: impl FnMut(&[u8]),
) -> Result<Body, BodyFault>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    tokio::time::timeout(timeout, collect(chunks, budget, each))
        .await
        .map_err(|_| BodyFault::Slow)?
}

async fn collect<S, B, E>(chunks: S, budget: &Budget, mut each: impl FnMut(&[u8])) -> Result<Body, BodyFault>
where
    S: Stream<Item = Result<B, E>>,
    B: Buf,
{
    pin_mut!(chunks);
    let mut kept = Kept {
        budget,
        bytes: Some(Vec::new()),
        beginning: Vec::new(),
        memory: None,
    };
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let mut chunk = chunk.map_err(|_| BodyFault::Broken)?;
        while chunk.has_remaining() {
            let bytes = chunk.chunk();
            length += bytes.len() as u64;
            each(bytes);
            kept.push(bytes);
            let count = bytes.len();
            chunk.advance(count);
        }
    }
    Ok(Body {
        length,
        whole: kept.bytes,
        beginning: kept.beginning,
        memory: kept.memory,
    })
}

/// The body so far, as far as there is memory for it.
struct Kept<'a> {
    budget: &'a Budget,
    bytes: Option<Vec<u8>>,
    beginning: Vec<u8>,
    memory: Option<OwnedSemaphorePermit>,
}

impl Kept<'_> {
    fn push(&mut self, chunk: &[u8]) {
        let Some(bytes) = &mut self.bytes else { return };
        let needed = bytes.len() + chunk.len();
        if needed <= LARGEST_BODY && make_room(bytes, needed, self.budget, &mut self.memory) {
            bytes.extend_from_slice(chunk);
            return;
        }
        let mut beginning = beginning(&self.bytes.take().unwrap_or_default());
        let rest = BEGINNING.saturating_sub(beginning.len()).min(chunk.len());
        beginning.extend_from_slice(&chunk[..rest]);
        self.beginning = beginning;
        self.memory = None;
    }
}

/// Takes memory from the budget before the buffer grows; never waits, so that no body waits for another.
fn make_room(bytes: &mut Vec<u8>, needed: usize, budget: &Budget, memory: &mut Option<OwnedSemaphorePermit>) -> bool {
    if needed <= bytes.capacity() {
        return true;
    }
    let wanted = needed.max((bytes.capacity() * 2).min(LARGEST_BODY)).div_ceil(PIECE);
    let held = memory.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
    let Ok(more) = u32::try_from(wanted.saturating_sub(held)) else {
        return false;
    };
    let Ok(permit) = budget.0.clone().try_acquire_many_owned(more) else {
        return false;
    };
    match memory {
        Some(memory) => memory.merge(permit),
        None => *memory = Some(permit),
    }
    bytes.reserve_exact(wanted * PIECE - bytes.len());
    true
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    async fn read_body(sizes: &[usize], budget: &Budget) -> (Body, usize) {
        let chunks = sizes
            .iter()
            .map(|&size| Ok::<_, Infallible>(bytes::Bytes::from(vec![b'x'; size])));
        let mut seen = 0;
        let body = read(stream::iter(chunks), budget, Duration::from_secs(5), |bytes| {
            seen += bytes.len();
        })
        .await
        .unwrap();
        (body, seen)
    }

    #[tokio::test]
    async fn a_body_that_fits_is_kept_whole_and_its_memory_given_back() {
        let budget = Budget::new(64 << 10);
        for sizes in [&[0][..], &[1], &[10_000, 20_000], &[32 << 10]] {
            let (body, seen) = read_body(sizes, &budget).await;
            let length: usize = sizes.iter().sum();
            assert_eq!((body.length as usize, seen), (length, length));
            assert_eq!(body.whole.as_ref().unwrap().len(), length);
            drop(body);
            assert_eq!(budget.0.available_permits(), 64);
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_fit_is_read_to_its_end_and_not_kept() {
        let budget = Budget::new(64 << 10);
        let (body, seen) = read_body(&[40_000, 40_000, 40_000], &budget).await;
        assert_eq!((body.length, seen), (120_000, 120_000));
        assert!(body.whole.is_none());
        assert_eq!(budget.0.available_permits(), 64);
        assert_eq!(body.stored().0.len(), BEGINNING);
    }

    #[tokio::test]
    async fn bodies_share_the_budget() {
        let budget = Budget::new(64 << 10);
        let (first, _) = read_body(&[50 << 10], &budget).await;
        let (second, _) = read_body(&[50 << 10], &budget).await;
        assert!(first.whole.is_some() && second.whole.is_none());
        drop(first);
        let (third, _) = read_body(&[50 << 10], &budget).await;
        assert!(third.whole.is_some());
    }

    #[tokio::test]
    async fn a_body_of_gitlabs_largest_size_is_kept_and_a_byte_more_is_not() {
        let budget = Budget::new(64 << 20);
        let (body, _) = read_body(&[LARGEST_BODY - 1, 1], &budget).await;
        assert_eq!(body.whole.unwrap().len(), LARGEST_BODY);
        let (body, _) = read_body(&[LARGEST_BODY, 1], &budget).await;
        assert!(body.whole.is_none());
    }
}
