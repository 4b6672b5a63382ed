//! What a module demands of another: `module-ai` or `module-ai@>=1.2`.

use std::fmt;

use semver::{Comparator, Op, Version, VersionReq};

use super::name::ModuleName;

/// A dependency, and the versions of it that will do. Without `@` every version does, pre-releases too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    pub name: ModuleName,
    pub versions: Option<VersionReq>,
}

impl Requirement {
    /// # Errors
    /// One sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, versions) = match text.split_once('@') {
            Some((name, versions)) => (name, Some(versions)),
            None => (text, None),
        };
        let name = ModuleName::parse(name)?;
        let versions = versions.map(|versions| {
            VersionReq::parse(versions).map_err(|error| {
                format!("{versions:?} is no version requirement such as \">=1.2\" or \"^2, <2.5\": {error}")
            })
        });
        Ok(Self { name, versions: versions.transpose()? })
    }

    pub fn accepts(&self, version: &Version) -> bool {
        self.versions.as_ref().is_none_or(|versions| versions.matches(version))
    }

    /// Whether it asks for versions below `minimum`: its author counted on something that the dependency no longer promises.
    /// A requirement that names no lower bound is below where all that it accepts is.
    pub fn is_below(&self, minimum: &Version) -> bool {
        let Some(versions) = &self.versions else { return false };
        let lower = versions.comparators.iter().filter_map(lower_bound).max();
        match lower {
            Some(lower) => lower < *minimum,
            None => versions.comparators.iter().filter_map(upper_bound).any(|upper| upper <= *minimum),
        }
    }
}

/// As it is written in `dependencies`; texts that mean the same print the same.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.versions {
            Some(versions) => write!(f, "{}@{versions}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

/// The smallest version that a comparator accepts, where it has one.
fn lower_bound(comparator: &Comparator) -> Option<Version> {
    match comparator.op {
        Op::Less | Op::LessEq => None,
        Op::Greater => match (comparator.minor, comparator.patch) {
            (None, _) => Some(Version::new(comparator.major.saturating_add(1), 0, 0)),
            (Some(minor), None) => Some(Version::new(comparator.major, minor.saturating_add(1), 0)),
            // After a pre-release comes another, or the release itself.
            (Some(_), Some(_)) if !comparator.pre.is_empty() => Some(named(comparator)),
            (Some(minor), Some(patch)) => Some(Version::new(comparator.major, minor, patch.saturating_add(1))),
        },
        _ => Some(named(comparator)),
    }
}

/// The version that a `<` or `<=` comparator ends at.
fn upper_bound(comparator: &Comparator) -> Option<Version> {
    match comparator.op {
        Op::Less => Some(named(comparator)),
        Op::LessEq => match (comparator.minor, comparator.patch) {
            (None, _) => Some(Version::new(comparator.major.saturating_add(1), 0, 0)),
            (Some(minor), None) => Some(Version::new(comparator.major, minor.saturating_add(1), 0)),
            (Some(minor), Some(patch)) => Some(Version::new(comparator.major, minor, patch.saturating_add(1))),
        },
        _ => None,
    }
}

fn named(comparator: &Comparator) -> Version {
    let (minor, patch) = (comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0));
    Version { pre: comparator.pre.clone(), ..Version::new(comparator.major, minor, patch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_a_name_and_perhaps_versions() {
        let parsed = Requirement::parse("module-ai@>=1.2, <3").unwrap();
        assert_eq!(parsed.to_string(), "module-ai@>=1.2, <3");
        assert!(parsed.accepts(&Version::new(1, 2, 0)) && !parsed.accepts(&Version::new(3, 0, 0)));
        assert!(Requirement::parse("module-ai").unwrap().accepts(&"0.0.1-alpha".parse().unwrap()));
        for bad in ["", "ai", "module-ai@", "module-ai@one", "module-ai@>=1.2@2", "@1", "module-ai @1"] {
            assert!(Requirement::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_requirement_beyond_a_version_begins_at_the_next() {
        let requirement = Requirement::parse("module-ai@>1.2.3").unwrap();
        assert!(!requirement.is_below(&Version::new(1, 2, 4)) && requirement.is_below(&Version::new(1, 2, 5)));
    }

    #[test]
    fn a_requirement_below_the_minimum_is_one_that_reaches_below_it() {
        let minimum = Version::new(1, 3, 0);
        let check = |versions: &str, below: bool| {
            let requirement = Requirement::parse(&format!("module-ai@{versions}")).unwrap();
            assert_eq!(requirement.is_below(&minimum), below, "{versions}");
        };
        for versions in [
            ">=1.2",
            "^1",
            "~1.2",
            "=1.2.9",
            ">=1.0, <2",
            "<1.3",
            "<=1.2",
            "<1",
            "1.2",
            ">1.1",
            ">=1.3.0-rc.1",
            ">1.3.0-rc.1",
        ] {
            check(versions, true);
        }
        for versions in
            [">=1.3", "^1.3", "~1.3.0", "=1.4", ">=1.0, >=1.3", "<2", "<=1.3.0", ">1.2", ">1", ">1.3.0", "2", "*"]
        {
            check(versions, false);
        }
    }
}
