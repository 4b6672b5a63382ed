//! What pings have proven about a function, and what the next tick may send it for that. Pure.

/// Function name and qualifier as the schedule has them; no qualifier is an empty one.
pub(crate) type Key = (String, String);

/// How a function stands after its native pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Written before the first ping. Where it is found later, nobody knows what that ping ran into.
    Probing,
    Proven,
    Suspended,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Probing => "probing",
            Self::Proven => "proven",
            Self::Suspended => "suspended",
        }
    }

    /// A word that this build does not know counts as suspended: that never pings.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "probing" => Self::Probing,
            "proven" => Self::Proven,
            _ => Self::Suspended,
        }
    }
}

/// What is stored about a function: one row of `platform_warming_target`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// Of the schedule's entry.
    pub(crate) fingerprint: String,
    pub(crate) status: Status,
    /// The code that this is about; `None`: Lambda did not tell.
    pub(crate) code_sha256: Option<String>,
    /// Why it is suspended.
    pub(crate) reason: Option<String>,
}

/// A change of what is known, written only over what it was concluded from: whatever else stands there by then comes from
/// another tick and is newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lesson {
    pub(crate) before: Option<Known>,
    pub(crate) after: Option<Known>,
}

/// What a tick may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stand {
    /// All pings at once.
    Proven,
    /// Proven, but whether for this code is not known now: one ping first. Its trouble suspends nothing.
    Check,
    /// One ping first, after that has been written down. It decides.
    Probe,
    /// Nothing.
    Suspended(String),
}

/// Judges what is known about the same entry by the code that runs now (`None`: Lambda does not tell).
///
/// A proof and a suspension are about code. Other code has proven nothing and has done nothing wrong: it is probed. Where the
/// code of a suspension is not known, it holds.
pub(crate) fn stand(known: Option<&Known>, code: Option<&str>) -> Stand {
    let Some(known) = known else { return Stand::Probe };
    match (known.status, known.code_sha256.as_deref(), code) {
        (Status::Proven, _, None) => Stand::Check,
        (Status::Proven, Some(then), Some(now)) if then == now => Stand::Proven,
        (Status::Proven, ..) => Stand::Probe,
        (_, Some(then), Some(now)) if then != now => Stand::Probe,
        (Status::Probing, ..) => Stand::Suspended("the answer to its first ping was never recorded".into()),
        (Status::Suspended, ..) => Stand::Suspended(known.reason.clone().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_code_keeps_a_proof_and_only_other_code_lifts_a_suspension() {
        let check = |status, then: Option<&str>, now, expected: Stand| {
            let known = Known {
                fingerprint: String::new(),
                status,
                code_sha256: then.map(str::to_owned),
                reason: Some("why".into()),
            };
            assert_eq!(stand(Some(&known), now), expected, "{known:?} {now:?}");
        };
        check(Status::Proven, Some("a"), Some("a"), Stand::Proven);
        check(Status::Proven, Some("a"), Some("b"), Stand::Probe);
        check(Status::Proven, None, Some("a"), Stand::Probe);
        check(Status::Proven, Some("a"), None, Stand::Check);
        check(Status::Suspended, Some("a"), Some("b"), Stand::Probe);
        for (then, now) in [(Some("a"), Some("a")), (None, Some("a")), (Some("a"), None), (None, None)] {
            check(Status::Suspended, then, now, Stand::Suspended("why".into()));
            let lost = "the answer to its first ping was never recorded";
            check(Status::Probing, then, now, Stand::Suspended(lost.into()));
        }
        check(Status::Probing, Some("a"), Some("b"), Stand::Probe);
        assert_eq!(stand(None, None), Stand::Probe);
    }

    #[test]
    fn a_status_is_read_as_it_was_written_and_an_unknown_one_never_pings() {
        for (status, text) in
            [(Status::Probing, "probing"), (Status::Proven, "proven"), (Status::Suspended, "suspended")]
        {
            assert_eq!((status.as_str(), Status::parse(text)), (text, status));
        }
        assert_eq!(Status::parse("of a later build"), Status::Suspended);
    }
}
