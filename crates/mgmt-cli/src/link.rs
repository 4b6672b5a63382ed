//! The next page of what the platform answers in pages (RFC 8288).

use ureq::http::HeaderMap;

/// The path and query that `Link` names as next. The request that follows carries a token, so the link may choose the query and nothing
/// else: no host, no other path, not the page that was just read.
///
/// # Errors
/// In words, where there is a next page that is no such link.
pub(crate) fn next(headers: &HeaderMap, asked: &str) -> Result<Option<String>, String> {
    let values: Vec<&[u8]> = headers.get_all("link").iter().map(ureq::http::HeaderValue::as_bytes).collect();
    let text = match values[..] {
        [] => return Ok(None),
        [value] => std::str::from_utf8(value).ok(),
        _ => None,
    };
    let target = text.and_then(|text| text.strip_prefix('<')?.strip_suffix(">; rel=\"next\""));
    let path = asked.split('?').next().unwrap_or_default();
    let is_next = |target: &&str| {
        let query = target.strip_prefix(path).and_then(|rest| rest.strip_prefix('?'));
        query.is_some_and(|query| query.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')) && *target != asked
    };
    match target.filter(is_next) {
        Some(target) => Ok(Some(target.to_owned())),
        None => Err(format!("the next page is said to be at {:?}, which is not followed", text.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::{HeaderMap, next};

    #[test]
    fn only_another_query_of_the_same_path_is_followed() {
        let check = |link: &str, expected: Result<Option<&str>, ()>| {
            let headers: HeaderMap = [(ureq::http::header::LINK, link.parse().unwrap())].into_iter().collect();
            let found = next(&headers, "/platform/modules/usage?limit=2");
            assert_eq!(found.as_ref().map(Option::as_deref).map_err(|_| ()), expected, "{link}");
        };
        let good = "/platform/modules/usage?limit=2&cursor=abc_-";
        check(&format!("<{good}>; rel=\"next\""), Ok(Some(good)));
        for other in [
            "<https://evil.example/platform/modules/usage?limit=2&cursor=a>; rel=\"next\"",
            "<//evil.example/platform/modules/usage?cursor=a>; rel=\"next\"",
            "<@evil.example/platform/modules/usage?cursor=a>; rel=\"next\"",
            "<.evil.example/?/platform/modules/usage?cursor=a>; rel=\"next\"",
            "</platform/modules/usage/../../lambda-config?cursor=a>; rel=\"next\"",
            "</platform/modules/usage@evil.example?cursor=a>; rel=\"next\"",
            "</platform/modules?cursor=a>; rel=\"next\"",
            "</platform/modules/usage>; rel=\"next\"",
            "</platform/modules/usage?cursor=a#b>; rel=\"next\"",
            "</platform/modules/usage?cursor=a b>; rel=\"next\"",
            "</platform/modules/usage?limit=2>; rel=\"next\"",
            "</platform/modules/usage?cursor=a>; rel=\"prev\"",
            "</platform/modules/usage?cursor=a>",
            "nonsense",
            "",
        ] {
            check(other, Err(()));
        }
        assert_eq!(next(&HeaderMap::new(), "/a?b"), Ok(None));
    }
}
