//! AWS's rules for schedule expressions, written from the EventBridge user guide ("Cron expressions reference" and "Rate
//! expressions reference") and on purpose not from our own compiler, so that one mistake is not made twice.

/// Whether `PutRule` would take the expression.
///
/// It is stricter than AWS in one point: a range that wraps (`20-2`) is refused. AWS takes it and then runs it on days nobody
/// meant.
///
/// # Errors
/// One sentence that says what is wrong.
pub fn check_schedule_expression(expression: &str) -> Result<(), String> {
    let inner = |kind: &str| expression.strip_prefix(kind).and_then(|rest| rest.strip_suffix(')'));
    if let Some(rate) = inner("rate(") {
        return check_rate(rate);
    }
    match inner("cron(") {
        Some(cron) => check_cron(cron),
        None => Err("it is neither rate(...) nor cron(...)".to_owned()),
    }
}

fn check_rate(rate: &str) -> Result<(), String> {
    let (value, unit) = rate.split_once(' ').ok_or("rate needs a value and a unit")?;
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let value: u64 = value.parse().map_err(|_| "the rate's value is not a number")?;
    let fits = match value {
        0 => false,
        1 => ["minute", "hour", "day"].contains(&unit),
        _ => ["minutes", "hours", "days"].contains(&unit),
    };
    if plain && fits { Ok(()) } else { Err(format!("{value} {unit} is not a legal rate")) }
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

struct Field {
    name: &'static str,
    first: u32,
    last: u32,
    names: &'static [&'static str],
}

fn check_cron(cron: &str) -> Result<(), String> {
    let fields: Vec<&str> = cron.split(' ').collect();
    let [minutes, hours, day_of_month, month, day_of_week, year] = fields.as_slice() else {
        return Err("cron needs six fields separated by one space".to_owned());
    };
    let plain = |name, first, last| Field { name, first, last, names: &[] };
    let day_of_month_field = plain("day-of-month", 1, 31);
    let day_of_week_field = Field { name: "day-of-week", first: 1, last: 7, names: &DAYS };
    check_field(&plain("minutes", 0, 59), minutes)?;
    check_field(&plain("hours", 0, 23), hours)?;
    check_field(&Field { name: "month", first: 1, last: 12, names: &MONTHS }, month)?;
    check_field(&plain("year", 1970, 2199), year)?;
    match (*day_of_month, *day_of_week) {
        ("?", "?") => Err("day-of-month and day-of-week cannot both be ?".to_owned()),
        ("?", day) => check_day_of_week(&day_of_week_field, day),
        (day, "?") => check_day_of_month(&day_of_month_field, day),
        _ => Err("one of day-of-month and day-of-week must be ?".to_owned()),
    }
}

fn check_day_of_month(field: &Field, day: &str) -> Result<(), String> {
    match day.strip_suffix('W') {
        _ if day == "L" || day == "LW" => Ok(()),
        Some(number) => value(field, number).map(drop),
        None => check_field(field, day),
    }
}

fn check_day_of_week(field: &Field, day: &str) -> Result<(), String> {
    if day == "L" {
        return Ok(());
    }
    if let Some((weekday, nth)) = day.split_once('#') {
        value(field, weekday)?;
        return if ["1", "2", "3", "4", "5"].contains(&nth) { Ok(()) } else { Err(format!("{nth} is not a week")) };
    }
    match day.strip_suffix('L') {
        Some(weekday) => value(field, weekday).map(drop),
        None => check_field(field, day),
    }
}

fn check_field(field: &Field, text: &str) -> Result<(), String> {
    for item in text.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (item, None),
        };
        if let Some(step) = step {
            let number = number(step).ok_or_else(|| format!("{step} is not a step in {}", field.name))?;
            if number == 0 || number > field.last {
                return Err(format!("step {number} is out of range in {}", field.name));
            }
        }
        match range.split_once('-') {
            _ if range == "*" => {}
            Some((first, last)) => {
                if value(field, first)? > value(field, last)? {
                    return Err(format!("the range {range} in {} wraps", field.name));
                }
            }
            None => drop(value(field, range)?),
        }
    }
    Ok(())
}

fn value(field: &Field, text: &str) -> Result<u32, String> {
    let named = field.names.iter().position(|name| *name == text);
    let value = match named {
        Some(index) => u32::try_from(index).ok().map(|index| index + field.first),
        None => number(text),
    };
    value
        .filter(|value| (field.first..=field.last).contains(value))
        .ok_or_else(|| format!("{text:?} is not a value of {}", field.name))
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_expressions_that_aws_takes_are_legal() {
        for legal in [
            "rate(1 minute)",
            "rate(5 minutes)",
            "cron(0/5 9-16 ? * MON-FRI *)",
            "cron(0,30 8 ? * 2-6 *)",
            "cron(15 10 ? * 6L 2024-2030)",
            "cron(0 8 1 * ? *)",
            "cron(0 8 3W * ? *)",
            "cron(0 8 L JAN,JUN ? *)",
            "cron(0 8 ? * FRI#2 *)",
        ] {
            assert_eq!(check_schedule_expression(legal), Ok(()), "{legal}");
        }
        for illegal in [
            "",
            "rate(0 minutes)",
            "rate(1 minutes)",
            "rate(5 minute)",
            "rate(+5 minutes)",
            "rate(5 weeks)",
            "cron(0 8 * * * *)",
            "cron(0 8 ? * ? *)",
            "cron(0 8 1 * MON *)",
            "cron(0 8 ? * MON)",
            "cron(60 8 ? * MON *)",
            "cron(0 24 ? * MON *)",
            "cron(0 20-2 ? * MON *)",
            "cron(0/0 8 ? * MON *)",
            "cron(0 8 ? * 0 *)",
            "cron(0 8 ? * 8 *)",
            "cron(0 8 ? 13 MON *)",
            "cron(0 8  ? * MON *)",
            "cron(0 8 ? * MON 2200)",
            "cron(0, 8 ? * MON *)",
            "0 8 ? * MON *",
        ] {
            assert!(check_schedule_expression(illegal).is_err(), "{illegal}");
        }
    }
}
