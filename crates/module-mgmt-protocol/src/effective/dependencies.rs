//! Which modules need which, in an order in which what is needed comes first.

use std::collections::BTreeMap;

/// The dependencies of a list of modules, by their places in that list.
#[derive(Debug, Clone)]
pub struct Dependencies {
    needed: Vec<Vec<Option<usize>>>,
    order: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    None,
    /// What it needs is looked at first.
    Waiting,
    Done,
}

impl Dependencies {
    /// Of modules with their names and what they need: names, with `@` and a version requirement or without.
    pub fn of<'a>(modules: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Self {
        let modules: Vec<(&str, &[String])> = modules.into_iter().collect();
        let places: BTreeMap<&str, usize> =
            modules.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
        let place = |needed: &String| places.get(needed.split('@').next().unwrap_or_default()).copied();
        let needed: Vec<Vec<Option<usize>>> =
            modules.iter().map(|(_, needed)| needed.iter().map(place).collect()).collect();
        let order = order(&needed);
        Self { needed, order }
    }

    /// What a module needs; `None` for what is not in the list.
    pub fn of_module(&self, place: usize) -> &[Option<usize>] {
        &self.needed[place]
    }

    /// Every module once, after all that it needs. Only in a cycle something that is needed comes later.
    pub fn in_order(&self) -> impl Iterator<Item = usize> {
        self.order.iter().copied()
    }
}

/// Walks without recursion: a chain may be longer than the stack.
fn order(needed: &[Vec<Option<usize>>]) -> Vec<usize> {
    let mut visits = vec![Visit::None; needed.len()];
    let mut order = Vec::with_capacity(needed.len());
    let mut waiting: Vec<usize> = (0..needed.len()).rev().collect();
    while let Some(&place) = waiting.last() {
        if visits[place] == Visit::None {
            visits[place] = Visit::Waiting;
            waiting.extend(needed[place].iter().flatten().filter(|&&needed| visits[needed] == Visit::None));
            continue;
        }
        if visits[place] == Visit::Waiting {
            visits[place] = Visit::Done;
            order.push(place);
        }
        waiting.pop();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_comes_first_and_every_module_once() {
        let needs = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (a, b, c, d) = (needs(&["b", "c@^1"]), needs(&["c", "gone"]), needs(&[]), needs(&["d", "a"]));
        let modules: [(&str, &[String]); 4] = [("a", &a), ("b", &b), ("c", &c), ("d", &d)];
        let dependencies = Dependencies::of(modules);
        assert_eq!(dependencies.in_order().collect::<Vec<_>>(), [2, 1, 0, 3]);
        assert_eq!(dependencies.of_module(0), [Some(1), Some(2)], "a version is no part of the name");
        assert_eq!(dependencies.of_module(1), [Some(2), None]);
    }
}
