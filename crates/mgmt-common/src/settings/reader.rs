//! Reads variables and collects what is wrong with them.

type Source = Box<dyn Fn(&str) -> Option<String>>;

/// Reads settings from a source of variables.
pub struct Reader {
    source: Source,
    faults: Vec<String>,
}

/// Everything that is missing or wrong, one sentence each.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not complete: {}", .0.join("; "))]
pub struct SettingsError(pub Vec<String>);

impl Reader {
    /// Reads the process's environment.
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of environment variables")]
    pub fn environment() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    pub fn new(source: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self { source: Box::new(source), faults: Vec::new() }
    }

    /// An empty variable counts as absent, as Terraform's unset ones are.
    pub fn optional(&mut self, name: &str) -> Option<String> {
        (self.source)(name).filter(|value| !value.is_empty())
    }

    pub fn or(&mut self, name: &str, default: &str) -> String {
        self.optional(name).unwrap_or_else(|| default.to_owned())
    }

    pub fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.faults.push(format!("{name} is missing"));
            String::new()
        })
    }

    pub fn optional_parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let value = self.optional(name)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.faults.push(format!("{name} is not valid"));
        }
        parsed
    }

    /// `None` only together with a fault: the default itself can be parsed.
    pub fn parsed<T>(&mut self, name: &str, default: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        match self.optional(name) {
            Some(_) => self.optional_parsed(name, parse),
            None => parse(default),
        }
    }

    /// Notes what is wrong with a combination of variables.
    pub fn fault(&mut self, sentence: String) {
        self.faults.push(sentence);
    }

    /// # Errors
    /// When any variable was missing or wrong.
    pub fn finish<T>(self, settings: T) -> Result<T, SettingsError> {
        if self.faults.is_empty() { Ok(settings) } else { Err(SettingsError(self.faults)) }
    }
}

#[cfg(test)]
mod tests {
    use super::Reader;
    use crate::settings::DatabaseSettings;

    #[test]
    fn everything_that_is_wrong_is_reported_at_once() {
        let mut reader = Reader::new(|name| (name == "DATABASE_ROLE").then(|| "root".into()));
        let settings = DatabaseSettings::read(&mut reader);
        let error = reader.finish(settings).err().unwrap().to_string();
        assert!(error.contains("DATABASE_ROLE is not valid") && error.contains("DATABASE_URL is missing"), "{error}");
    }
}
