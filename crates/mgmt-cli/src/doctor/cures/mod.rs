//! The statement that makes an object as it should be, or the command that does.

mod changed;
mod made;
mod removed;
mod rights;

use self::changed::changed;
use self::made::made;
use self::removed::removed;
use super::compare::Difference;
use super::observe::Viewer;

/// Names in the difference are quoted as SQL wants them, so that a cure can be pasted.
pub(super) fn cure(difference: &Difference, viewer: &Viewer) -> String {
    let object = difference.object.as_str();
    let statement = match (&difference.expected, &difference.found) {
        (None, Some(found)) => removed(&difference.kind, object, found),
        (Some(expected), None) => made(&difference.kind, object, expected),
        (Some(expected), Some(found)) => changed(&difference.kind, object, expected, found, &difference.differing()),
        (None, None) => String::new(),
    };
    statement.replace("(owner)", &viewer.owner).replace("(database)", &viewer.database)
}
