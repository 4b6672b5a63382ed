//! Lists in pages: how many rows a request may ask for, and the header that names the next page.

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use percent_encoding::utf8_percent_encode;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::error::{Error, Result};
use super::gateway::SEGMENT;
use crate::db::{Page, PageLimits};

/// How many rows a page of one list has where the request does not say, and at most.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub default: u16,
    pub most: u16,
}

impl Rows {
    /// What `limit` in a query asks for.
    ///
    /// # Errors
    /// 422 where it is not 1 to the most.
    pub fn asked(self, limit: Option<u16>) -> Result<PageLimits> {
        let rows = limit.unwrap_or(self.default);
        if (1..=self.most).contains(&rows) {
            Ok(PageLimits::rows(rows))
        } else {
            Err(Error::invalid("/limit", format!("must be 1 to {}", self.most)))
        }
    }
}

/// A page of a list that is in memory already, sorted by its keys: what is behind `after`, each item as its JSON.
///
/// # Errors
/// An item that cannot be written as JSON.
pub fn cut<T: Serialize>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> &str,
    after: Option<&str>,
    most: PageLimits,
) -> Result<CutPage> {
    let (mut page, mut bytes) = (CutPage::default(), 0);
    for item in items {
        if after.is_some_and(|after| key(&item) <= after) {
            continue;
        }
        let written = to_raw_value(&item).map_err(|error| Error::Internal(format!("an item of a list: {error}")))?;
        bytes += written.get().len();
        let is_full = page.items.len() >= usize::from(most.rows) || bytes > usize::try_from(most.bytes).unwrap_or(0);
        if is_full && !page.items.is_empty() {
            page.has_more = true;
            break;
        }
        page.last = Some(key(&item).to_owned());
        page.items.push(written);
    }
    Ok(page)
}

/// What [`cut`] gives.
#[derive(Debug, Default)]
pub struct CutPage {
    pub items: Vec<Box<RawValue>>,
    /// The key of the last item.
    last: Option<String>,
    has_more: bool,
}

impl CutPage {
    /// The `Link` header, if there are more.
    pub fn link(&self, asked: &Uri) -> HeaderMap {
        match &self.last {
            Some(last) if self.has_more => link_to_next(asked, "cursor", last),
            _ => HeaderMap::new(),
        }
    }
}

/// The `Link` header of a page of the database, if there are more rows; `place` is what the cursor says about the last one.
pub fn link<T>(page: &Page<T>, asked: &Uri, cursor: &str, place: impl FnOnce(&T) -> String) -> HeaderMap {
    match page.rows.last() {
        Some(last) if page.has_more => link_to_next(asked, cursor, &place(last)),
        _ => HeaderMap::new(),
    }
}

/// A `Link` header (RFC 8288) that names the next page: what was asked for, behind another place. Relative, so that it never leads to
/// another host.
pub fn link_to_next(asked: &Uri, cursor: &str, place: &str) -> HeaderMap {
    let is_cursor = |pair: &&str| pair.split('=').next() == Some(cursor);
    let mut pairs: Vec<&str> = asked.query().unwrap_or_default().split('&').filter(|pair| !is_cursor(pair)).collect();
    let own = format!("{cursor}={}", utf8_percent_encode(place, SEGMENT));
    pairs.retain(|pair| !pair.is_empty());
    pairs.push(&own);
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", asked.path(), pairs.join("&"))) {
        headers.insert(header::LINK, value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_where_rows_or_bytes_are_full_and_has_one_item_at_least() {
        let (items, all) = (["a", "b", "cccccccc", "d"], PageLimits { rows: 9, bytes: 100 });
        let cut = |after, most| cut(items, |item| item, after, most).unwrap();
        let texts = |page: &CutPage| page.items.iter().map(|item| item.get().to_owned()).collect::<String>();
        let page = cut(None, PageLimits { rows: 2, ..all });
        assert_eq!((texts(&page).as_str(), page.last.as_deref(), page.has_more), (r#""a""b""#, Some("b"), true));
        let page = cut(Some("b"), PageLimits { bytes: 4, ..all });
        assert_eq!((texts(&page).as_str(), page.has_more), (r#""cccccccc""#, true));
        assert!(page.link(&"/x".parse().unwrap()).contains_key(header::LINK));
        let page = cut(Some("c"), all);
        assert_eq!((texts(&page).as_str(), page.has_more), (r#""cccccccc""d""#, false));
        assert!(page.link(&"/x".parse().unwrap()).is_empty());
    }

    #[test]
    fn the_next_page_is_asked_for_as_this_one_behind_another_place() {
        for (asked, expected) in [
            ("/a", "</a?before=7%2B>; rel=\"next\""),
            ("/a?limit=2&before=9&beforehand=x", "</a?limit=2&beforehand=x&before=7%2B>; rel=\"next\""),
        ] {
            let headers = link_to_next(&asked.parse().unwrap(), "before", "7+");
            assert_eq!(headers[header::LINK], expected);
        }
    }
}
