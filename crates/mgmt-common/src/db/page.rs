//! The first rows of a list, and how much of it an answer can carry.

/// Bytes of rows in one page. Lambda carries 6 MB, in which the answer is a JSON string with its quotes escaped.
const PAGE_BYTES: i32 = 1_500_000;

/// How much of a list is read. One row is read in any case.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    pub rows: u16,
    pub bytes: i32,
}

impl PageLimits {
    /// So many rows, if an answer can carry them.
    pub fn rows(rows: u16) -> Self {
        Self { rows, bytes: PAGE_BYTES }
    }
}

/// The first rows of a list.
#[derive(Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub has_more: bool,
}

impl<T> Page<T> {
    /// The same page of what is made of its rows.
    pub fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page { rows: self.rows.into_iter().map(make).collect(), has_more: self.has_more }
    }
}
