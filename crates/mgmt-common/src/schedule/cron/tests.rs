use proptest::prelude::*;

use super::*;

fn expression(text: &str) -> CronExpression {
    CronExpression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn legal_expressions_print_in_their_normal_form() {
    let check = |text: &str, printed: &str| {
        let parsed = expression(text);
        assert_eq!(parsed.to_string(), printed, "{text}");
        assert_eq!(expression(printed), parsed, "{text}");
    };
    check("cron(0 10 * * ? *)", "cron(0 10 * * ? *)");
    check("cron(0/15 * * * ? *)", "cron(0/15 * * * ? *)");
    check("cron(*/15 * ? * * *)", "cron(0/15 * ? * * *)");
    check("cron(0/5 8-17 ? * 2-6 *)", "cron(0/5 8-17 ? * MON-FRI *)");
    check("cron(0 8 1 JAN,JUL ? 2026-2030)", "cron(0 8 1 1,7 ? 2026-2030)");
    check("cron(0 8 L * ? *)", "cron(0 8 L * ? *)");
    check("cron(0 8 3W * ? *)", "cron(0 8 3W * ? *)");
    check("cron(0 8 ? * L *)", "cron(0 8 ? * L *)");
    check("cron(0 8 ? * 6L *)", "cron(0 8 ? * 6L *)");
    check("cron(0 8 ? * TUE#2 *)", "cron(0 8 ? * 3#2 *)");
    check("cron(05,59  0-20/5 ? * SUN,SAT 2199)", "cron(5,59 0-20/5 ? * SUN,SAT 2199)");
    check("cron(0/30 20-2 ? * MON-FRI *)", "cron(0/30 20-2 ? * MON-FRI *)");
    check("cron(0 0 ? * FRI-MON *)", "cron(0 0 ? * FRI-MON *)");
    check("cron(0 0 ? * * */2)", "cron(0 0 ? * * */2)");
    // Names would make it longer than EventBridge allows.
    let long = format!("cron(0 0 ? * {} *)", vec!["1"; 100].join(","));
    check(&long, &long);
}

#[test]
fn an_illegal_expression_names_the_field_and_the_reason() {
    let check = |text: &str, message: &str| {
        let error = CronExpression::parse(text).expect_err(text).to_string();
        assert!(error.contains(message), "{text}: {error}");
    };
    check("", "must look like");
    check("rate(5 minutes)", "must look like");
    check("0 10 * * ? *", "must look like");
    check("cron(0 10 * * ?)", "has 5 fields");
    check("cron(0 10 * * ? * *)", "has 7 fields");
    check("cron(0 10 * * * *)", "exactly one");
    check("cron(0 10 ? * ? *)", "exactly one");
    check("cron(0 10 1 * 2 *)", "exactly one");
    check("cron(60 10 ? * * *)", "minutes \"60\"");
    check("cron(-1 10 ? * * *)", "minutes");
    check("cron(+1 10 ? * * *)", "minutes");
    check("cron(0 24 ? * * *)", "hours \"24\": not a value from 0 to 23");
    check("cron(0 0 0 * ? *)", "day-of-month");
    check("cron(0 0 32 * ? *)", "day-of-month");
    check("cron(0 0 ? 13 * *)", "month");
    check("cron(0 0 ? * 0 *)", "day-of-week");
    check("cron(0 0 ? * 8 *)", "day-of-week");
    check("cron(0 0 ? * mon *)", "day-of-week");
    check("cron(0 0 ? * * 1969)", "year");
    check("cron(0 0 ? * * 2200)", "year");
    check("cron(0 0 ? * * 2030-2029)", "cannot wrap");
    check("cron(0/0 0 ? * * *)", "step");
    check("cron(0/60 0 ? * * *)", "step");
    check("cron(0/ 0 ? * * *)", "step");
    check("cron(1, 0 ? * * *)", "minutes \"\"");
    check("cron(*,1 0 ? * * *)", "minutes \"*\"");
    check("cron(? 0 ? * * *)", "minutes");
    check("cron(L 0 ? * * *)", "minutes");
    check("cron(0 0 LW * ? *)", "day-of-month");
    check("cron(0 0 L-3 * ? *)", "day-of-month");
    check("cron(0 0 1,L * ? *)", "day-of-month");
    check("cron(0 0 1,3W * ? *)", "day-of-month");
    check("cron(0 0 ? * 3W *)", "day-of-week");
    check("cron(0 0 ? * 3#6 *)", "1 to 5");
    check("cron(0 0 ? * 3#0 *)", "1 to 5");
    check("cron(0 24/2 ? * * *)", "hours \"24\"");
    check("cron(0 0/24 ? * * *)", "hours \"0/24\": the step must be from 1 to 23");
    check("cron(00000 0 ? * * *)", "minutes \"00000\"");
    check("cron(0/00001 0 ? * * *)", "step");
    check("cron(0/+1 0 ? * * *)", "step");
    check("cron(0 0 ? * * 1970/230)", "from 1 to 229");
    check("cron(0 0 ? 0 * *)", "month \"0\": not a value from 1 to 12");
    check("cron(0 0 ? FEBR * *)", "month");
    check("cron(0 0 ? * 3#1,6#3 *)", "1 to 5");
    check(&format!("cron({} 0 ? * * *)", vec!["1"; 130].join(",")), "256");
}

#[test]
fn an_expression_has_at_most_256_characters() {
    let padded = |length: usize| format!("cron(0 0 ? * * *{})", " ".repeat(length - 17));
    assert!(CronExpression::parse(&padded(256)).is_ok());
    assert_eq!(CronExpression::parse(&padded(257)), Err(CronError::TooLong(257)));
}

#[test]
fn an_expression_fires_in_exactly_its_minutes() {
    let check = |text: &str, minute: &str, fires: bool| {
        assert_eq!(expression(text).fires(minute.parse().unwrap()), fires, "{text} at {minute}");
    };
    // 2026-11-23 is a Monday.
    check("cron(0/5 9-17 ? * MON-FRI *)", "2026-11-23T09:05:00Z", true);
    check("cron(0/5 9-17 ? * MON-FRI *)", "2026-11-23T09:05:59Z", true);
    check("cron(0/5 9-17 ? * MON-FRI *)", "2026-11-23T09:06:00Z", false);
    check("cron(0/5 9-17 ? * MON-FRI *)", "2026-11-23T18:00:00Z", false);
    check("cron(0/5 9-17 ? * MON-FRI *)", "2026-11-22T09:05:00Z", false);
    // The trap of the wrapping range.
    check("cron(0/30 20-2 ? * MON-FRI *)", "2026-11-23T01:30:00Z", true);
    check("cron(0/30 20-2 ? * MON-FRI *)", "2026-11-28T01:30:00Z", false);
    check("cron(0 0 ? * FRI-MON *)", "2026-11-22T00:00:00Z", true);
    check("cron(0 0 ? * FRI-MON *)", "2026-11-24T00:00:00Z", false);
    check("cron(50-10/5 0 ? * * *)", "2026-11-24T00:05:00Z", true);
    check("cron(50-10/5 0 ? * * *)", "2026-11-24T00:15:00Z", false);
    check("cron(0 8 L * ? *)", "2028-02-29T08:00:00Z", true);
    check("cron(0 8 L * ? *)", "2028-02-28T08:00:00Z", false);
    check("cron(0 8 ? * L *)", "2026-11-28T08:00:00Z", true);
    check("cron(0 8 ? * 6L *)", "2026-11-27T08:00:00Z", true);
    check("cron(0 8 ? * 6L *)", "2026-11-20T08:00:00Z", false);
    check("cron(0 8 ? * 3#2 *)", "2026-11-10T08:00:00Z", true);
    check("cron(0 8 ? * 3#2 *)", "2026-11-17T08:00:00Z", false);
    // 2026-08-01 is a Saturday, 2026-05-31 a Sunday, 2026-11-15 a Sunday.
    check("cron(0 8 1W * ? *)", "2026-08-03T08:00:00Z", true);
    check("cron(0 8 31W * ? *)", "2026-05-29T08:00:00Z", true);
    check("cron(0 8 15W * ? *)", "2026-11-16T08:00:00Z", true);
    check("cron(0 8 31W * ? *)", "2026-11-30T08:00:00Z", false);
    check("cron(0 8 1 1 ? 2027-2030/2)", "2029-01-01T08:00:00Z", true);
    check("cron(0 8 1 1 ? 2027-2030/2)", "2028-01-01T08:00:00Z", false);
    // 2026-07-24 is a Friday with one more after it, seven days before the end of the month.
    check("cron(0 8 ? * 6L *)", "2026-07-24T08:00:00Z", false);
    check("cron(0 8 ? * 6L *)", "2026-07-31T08:00:00Z", true);
    check("cron(0 8 ? * 6L *)", "2026-07-30T08:00:00Z", false);
    for (ordinal, day) in [(1, "03"), (2, "10"), (3, "17"), (4, "24"), (5, "31")] {
        for other in 1..=5 {
            check(&format!("cron(0 8 ? * 6#{other} *)"), &format!("2026-07-{day}T08:00:00Z"), other == ordinal);
        }
    }
    check("cron(0 8 ? * 7#1 *)", "2026-08-01T08:00:00Z", true);
    check("cron(0 8 ? * 6#1 *)", "2026-08-07T08:00:00Z", true);
    check("cron(0 8 ? * 7#2 *)", "2026-08-08T08:00:00Z", true);
    check("cron(0 8 ? * 7#1 *)", "2026-08-08T08:00:00Z", false);
    // The weekday itself, the Friday before a Saturday, the Monday after a Sunday; never in another month.
    check("cron(0 8 15W * ? *)", "2026-07-15T08:00:00Z", true);
    check("cron(0 8 15W * ? *)", "2026-07-16T08:00:00Z", false);
    check("cron(0 8 15W * ? *)", "2026-08-14T08:00:00Z", true);
    check("cron(0 8 15W * ? *)", "2026-08-15T08:00:00Z", false);
    check("cron(0 8 15W * ? *)", "2026-11-15T08:00:00Z", false);
    check("cron(0 8 1W * ? *)", "2026-11-02T08:00:00Z", true);
    check("cron(0 8 30W * ? *)", "2026-08-31T08:00:00Z", true);
    check("cron(0 8 28W * ? *)", "2027-02-26T08:00:00Z", true);
    check("cron(0 8 30W * ? *)", "2026-02-27T08:00:00Z", false);
    check("cron(0 8 ? * L *)", "2026-11-27T08:00:00Z", false);
    check("cron(0 8 1 * ? 2026)", "2026-01-01T08:00:00Z", true);
    check("cron(0 8 1 * ? 2026)", "2027-01-01T08:00:00Z", false);
    check("cron(0 8 ? 3 * *)", "2026-03-01T08:00:00Z", true);
    check("cron(0 8 ? 3 * *)", "2026-04-01T08:00:00Z", false);
    check("cron(0 8 31/2 * ? *)", "2026-03-31T08:00:00Z", true);
    check("cron(0 8 30-2 * ? *)", "2026-03-31T08:00:00Z", true);
    check("cron(0 8 30-2 * ? *)", "2026-03-03T08:00:00Z", false);
}

#[test]
fn a_weekly_set_is_written_in_its_shortest_form() {
    let check = |minutes: &[u8], hours: &[u8], weekdays: &[u8], printed: &str| {
        let bits = |values: &[u8]| values.iter().fold(0_u64, |set, value| set | 1 << value);
        let built = CronExpression::weekly(bits(minutes), bits(hours) as u32, bits(weekdays) as u8).unwrap();
        assert_eq!(built.to_string(), printed);
    };
    let every_minute: Vec<u8> = (0..60).collect();
    let every_hour: Vec<u8> = (0..24).collect();
    let every_day: Vec<u8> = (0..7).collect();
    check(&every_minute, &every_hour, &every_day, "cron(* * ? * * *)");
    check(&[0, 15, 30, 45], &[9, 10, 11], &[1, 2, 3, 4, 5], "cron(0/15 9-11 ? * MON-FRI *)");
    check(&[0, 30], &[0, 1, 22, 23], &[0, 6], "cron(0,30 0,1,22,23 ? * SUN,SAT *)");
    check(&every_minute[30..], &every_hour[20..], &[6], "cron(30-59 20-23 ? * SAT *)");
    check(&[1, 2, 3, 30, 35, 40, 45, 50, 55], &[0], &[0], "cron(1-3,30/5 0 ? * SUN *)");
    check(&[55, 57, 59], &[1, 12, 23], &[1, 3, 5], "cron(55/2 1/11 ? * MON/2 *)");
    check(&[53, 56, 59], &[22, 23], &[0, 2, 4, 6], "cron(53/3 22,23 ? * SUN/2 *)");
    check(&[57, 58, 59], &[0, 12], &[5, 6], "cron(57-59 0,12 ? * FRI,SAT *)");
    check(&[1, 30, 59], &[0, 8, 16], &[4, 5, 6], "cron(1/29 0/8 ? * THU-SAT *)");
    check(&[0, 29, 58], &[0, 1, 2], &[0, 3, 6], "cron(0/29 0-2 ? * SUN/3 *)");
    check(&[0, 30, 59], &[0, 1], &[2, 4, 6], "cron(0,30,59 0,1 ? * TUE/2 *)");
    check(&[5, 7, 15, 25, 35, 45, 55], &[0], &[1, 2, 4, 5], "cron(7,5/10 0 ? * MON,TUE,THU,FRI *)");
    check(&[0, 2, 4], &[0, 2, 3, 4], &[0, 1, 2, 3, 4, 5], "cron(0,2,4 0,2-4 ? * SUN-FRI *)");
    check(&[0, 1, 2, 3, 4, 10, 20, 30, 40, 50], &[23], &[6], "cron(1-4,0/10 23 ? * SAT *)");
}

#[test]
fn an_empty_or_illegal_set_has_no_expression() {
    assert_eq!(CronExpression::weekly(0, 1, 1), None);
    assert_eq!(CronExpression::weekly(1, 0, 1), None);
    assert_eq!(CronExpression::weekly(1, 1, 0), None);
    assert_eq!(CronExpression::weekly(1 << 60, 1, 1), None);
    assert_eq!(CronExpression::weekly(1, 1 << 24, 1), None);
    assert_eq!(CronExpression::weekly(1, 1, 1 << 7), None);
}

/// Fields as AWS would accept them, wrapping ranges and names included.
fn legal_text() -> impl Strategy<Value = String> {
    let item = |first: u16, last: u16, step: u16| {
        prop_oneof![
            (first..=last).prop_map(|value| value.to_string()),
            (first..=last, first..=last).prop_map(|(first, last)| format!("{first}-{last}")),
            (first..=last, 1..=step).prop_map(|(first, step)| format!("{first}/{step}")),
            (first..=last, first..=last, 1..=step).prop_map(|(first, last, step)| format!("{first}-{last}/{step}")),
        ]
    };
    let list = move |first, last, step| {
        prop_oneof![
            Just("*".to_owned()),
            prop::collection::vec(item(first, last, step), 1..5).prop_map(|items| items.join(","))
        ]
    };
    let days = prop_oneof![
        list(1, 31, 31).prop_map(|field| (field, "?".to_owned())),
        list(1, 7, 7).prop_map(|field| ("?".to_owned(), field)),
        (1..=31).prop_map(|day| (format!("{day}W"), "?".to_owned())),
        (1..=7, 1..=5).prop_map(|(day, ordinal)| ("?".to_owned(), format!("{day}#{ordinal}"))),
        (1..=7).prop_map(|day| ("?".to_owned(), format!("{day}L"))),
        Just(("L".to_owned(), "?".to_owned())),
        Just(("?".to_owned(), "L".to_owned())),
    ];
    (list(0, 59, 59), list(0, 23, 23), days, list(1, 12, 12), 1970..=2199_u16).prop_map(
        |(minutes, hours, (day_of_month, day_of_week), months, year)| {
            format!("cron({minutes} {hours} {day_of_month} {months} {day_of_week} {year})")
        },
    )
}

proptest! {
    #[test]
    fn printing_and_parsing_an_expression_gives_it_back(text in legal_text()) {
        let parsed = expression(&text);
        prop_assert_eq!(CronExpression::parse(&parsed.to_string()), Ok(parsed));
    }

    #[test]
    fn parsing_never_panics(text in ".{0,60}", fields in "[0-9A-Z*?,/#-]{1,9}( [0-9A-Z*?,/#-]{1,9}){5}") {
        let _ = CronExpression::parse(&text);
        let _ = CronExpression::parse(&format!("cron({fields})"));
    }

    #[test]
    fn a_weekly_expression_is_short_and_fires_for_exactly_its_set(
        minutes in 1_u64..1 << 60, hours in 1_u32..1 << 24, weekdays in 1_u8..1 << 7, probe in 0_i64..10_080,
    ) {
        let built = CronExpression::weekly(minutes, hours, weekdays).unwrap();
        prop_assert!(built.to_string().len() <= MAX_EXPRESSION_LENGTH);
        prop_assert_eq!(expression(&built.to_string()), built.clone());
        // 2026-11-22 is a Sunday.
        let sunday: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        let minute = Timestamp::from_second(sunday.as_second() + probe * 60).unwrap();
        let expected = minutes >> (probe % 60) & 1 == 1
            && hours >> (probe / 60 % 24) & 1 == 1
            && weekdays >> (probe / 1440) & 1 == 1;
        prop_assert_eq!(built.fires(minute), expected);
    }
}
