//! What a database consists of, as kinds of objects, objects, and facts about each.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};

/// Stands for the year and month in the name of a partition, which every database has others of.
const MONTH: &str = "(month)";
/// What the names of partitions begin with.
const PARTITION: &str = "usage_";

/// What is known of one object, each fact with its value.
pub(crate) type Facts = BTreeMap<String, String>;

/// Facts by kind and object.
#[derive(Debug, Default, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Catalog(pub(super) BTreeMap<String, BTreeMap<String, Facts>>);

impl Catalog {
    pub(super) fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).context("db/catalog.json")
    }

    pub(super) fn add(&mut self, kind: String, object: String, facts: Facts) {
        self.0.entry(kind).or_default().insert(object, facts);
    }

    pub(super) fn get(&self, kind: &str, object: &str) -> Option<&Facts> {
        self.0.get(kind)?.get(object)
    }

    /// One line for each object, so that a change of the schema is a readable change of the file.
    pub(super) fn to_text(&self) -> Result<String> {
        let mut text = String::from("{");
        for (number, (kind, objects)) in self.0.iter().enumerate() {
            text += if number == 0 { "\n" } else { ",\n" };
            text += &format!("{}: {{", serde_json::to_string(kind)?);
            for (number, (object, facts)) in objects.iter().enumerate() {
                text += if number == 0 { "\n" } else { ",\n" };
                text += &format!("  {}: {}", serde_json::to_string(object)?, serde_json::to_string(facts)?);
            }
            text += "\n}";
        }
        Ok(text + "\n}\n")
    }

    /// The months whose partitions are there.
    pub(super) fn months(&self) -> BTreeSet<String> {
        let tables = self.0.get("table").into_iter().flat_map(BTreeMap::keys);
        tables.filter_map(|table| month_of(table.strip_prefix("module_mgmt_usage.")?)).collect()
    }

    /// All partitions of months as one.
    ///
    /// # Errors
    /// One month is not as another.
    pub(super) fn with_months_as_one(&self) -> Result<Self> {
        let mut one = Self::default();
        for (kind, object, facts) in self.iter() {
            let facts: Facts = facts.iter().map(|(name, value)| (name.clone(), without_month(value))).collect();
            let general = without_month(object);
            if one.get(kind, &general).is_some_and(|earlier| *earlier != facts) {
                bail!("{kind} {object} is not like those of the other months");
            }
            one.add(kind.to_owned(), general, facts);
        }
        Ok(one)
    }

    /// The reverse of [`Self::with_months_as_one`]: every object of a month once for each of these.
    pub(super) fn with_months(&self, months: &BTreeSet<String>) -> Self {
        let mut all = Self::default();
        for (kind, object, facts) in self.iter() {
            if !object.contains(MONTH) {
                all.add(kind.to_owned(), object.to_owned(), facts.clone());
                continue;
            }
            for month in months {
                let facts = facts.iter().map(|(name, value)| (name.clone(), value.replace(MONTH, month))).collect();
                all.add(kind.to_owned(), object.replace(MONTH, month), facts);
            }
        }
        all
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str, &Facts)> {
        self.0.iter().flat_map(|(kind, objects)| {
            objects.iter().map(move |(object, facts)| (kind.as_str(), object.as_str(), facts))
        })
    }
}

/// `2026_11` of `usage_2026_11`.
fn month_of(name: &str) -> Option<String> {
    let month = name.strip_prefix(PARTITION)?;
    (month.len() == 7 && begins_with_month(month)).then(|| month.to_owned())
}

fn begins_with_month(text: &str) -> bool {
    let pattern = "dddd_dd";
    text.len() >= pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            _ => byte == wanted,
        })
}

fn without_month(text: &str) -> String {
    let mut parts = text.split(PARTITION);
    let mut general = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        general += PARTITION;
        match begins_with_month(part) {
            true => general = general + MONTH + &part[7..],
            false => general += part,
        }
    }
    general
}

#[cfg(test)]
mod tests {
    use super::{Catalog, Facts};

    fn catalog(objects: &[(&str, &str)]) -> Catalog {
        let mut catalog = Catalog::default();
        for (object, definition) in objects {
            let facts = Facts::from([("definition".to_owned(), (*definition).to_owned())]);
            catalog.add("table".to_owned(), (*object).to_owned(), facts);
        }
        catalog
    }

    const OF_TWO_MONTHS: [(&str, &str); 3] = [
        ("module_mgmt_usage.usage_2026_11", "on usage_2026_11"),
        ("module_mgmt_usage.usage_2026_12", "on usage_2026_12"),
        ("module_mgmt_usage.usage_other", "default"),
    ];

    #[test]
    fn months_become_one_and_many_again() {
        let months = catalog(&OF_TWO_MONTHS);
        let one = months.with_months_as_one().unwrap();
        let as_one = [("module_mgmt_usage.usage_(month)", "on usage_(month)"), OF_TWO_MONTHS[2]];
        assert_eq!(one, catalog(&as_one));
        assert_eq!(one.with_months(&months.months()), months);
    }

    #[test]
    fn a_month_unlike_the_others_is_no_pattern_for_them() {
        let mut odd = OF_TWO_MONTHS;
        odd[1].1 = "on usage_2026_11, too";
        assert!(catalog(&odd).with_months_as_one().is_err());
    }

    #[test]
    fn the_text_is_read_as_it_was_written() {
        let months = catalog(&OF_TWO_MONTHS);
        assert_eq!(Catalog::parse(&months.to_text().unwrap()).unwrap(), months);
    }
}
