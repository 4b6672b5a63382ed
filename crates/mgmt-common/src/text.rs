//! Texts that people read: names, labels, keys.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Blank letters that are no spaces by their category.
const FILLERS: [char; 6] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}', '\u{2800}', '\u{34f}'];

/// Whether nobody sees a character, or it turns the direction of what follows.
pub fn is_invisible(letter: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned};
    let category = letter.general_category();
    matches!(category, Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Unassigned)
        || FILLERS.contains(&letter)
}

/// The first such character: with it two names look alike, or read as another. The two joiners of scripts and emoji are seen in what they
/// join, so behind a letter that is not of ASCII they are fine.
pub fn first_invisible(text: &str) -> Option<char> {
    let mut before = ' ';
    text.chars().find(|letter| {
        let joins = matches!(letter, '\u{200c}' | '\u{200d}') && !before.is_ascii();
        before = *letter;
        is_invisible(*letter) && !joins
    })
}

/// A text of at most so many characters; an ellipsis at the end says that it was longer.
pub fn cut(mut text: String, longest: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(longest) {
        let last = text[..end].char_indices().next_back().map_or(0, |(last, _)| last);
        text.truncate(last);
        text.push('…');
    }
    text
}

/// The fault of a name or label of at most so many characters; `None`: it is fine.
pub fn name_fault(text: &str, longest: usize) -> Option<String> {
    if text.trim().is_empty() || text.chars().count() > longest {
        return Some(format!("must be a text of 1 to {longest} characters without control characters"));
    }
    let hidden = first_invisible(text)?;
    Some(format!("holds U+{:04X}, a control character or one that nobody sees", u32::from(hidden)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_found_and_what_scripts_need_is_not() {
        for hidden in [
            '\u{0}',
            '\n',
            '\u{ad}',
            '\u{200b}',
            '\u{200e}',
            '\u{202e}',
            '\u{2066}',
            '\u{2060}',
            '\u{feff}',
            '\u{61c}',
            '\u{180e}',
            '\u{e0041}',
            '\u{3164}',
            '\u{2028}',
            '\u{e000}',
        ] {
            assert_eq!(first_invisible(&format!("ad{hidden}min")), Some(hidden), "{hidden:?}");
        }
        assert_eq!(first_invisible("ad\u{200d}min"), Some('\u{200d}'));
        for fine in
            ["Über uns", "می\u{200c}خواهم", "👩\u{200d}💻 Dev", "क\u{94d}\u{200d}ष", "日本語", "a\u{a0}b", "e\u{301}"]
        {
            assert_eq!(first_invisible(fine), None, "{fine}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for (text, longest, expected) in [("äöü", 3, "äöü"), ("äöüß", 3, "äö…"), ("", 1, ""), ("ab", 1, "…")]
        {
            assert_eq!(cut(text.to_owned(), longest), expected);
        }
    }

    #[test]
    fn a_name_has_a_length_and_something_to_see() {
        assert_eq!(name_fault("AI", 2), None);
        assert!(name_fault("", 2).is_some() && name_fault(" ", 2).is_some() && name_fault("AIs", 2).is_some());
        assert!(name_fault("\u{200b}", 2).unwrap().contains("U+200B"));
    }
}
