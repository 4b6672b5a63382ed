//! The hours of a week, classed by the minutes they need.

use super::minute_box::MinuteBox;
use super::shape::{self, Shape};
use crate::schedule::grid::{HOURS_PER_WEEK, WeekGrid};

/// Cuts worth trying per class; more hardly ever save a box.
const CUTS_TRIED: usize = 3;

/// Every hour of the week that needs any minute, grouped by the pattern of minutes it needs.
#[derive(Debug, Clone)]
pub(super) struct Classes {
    classes: Vec<Class>,
    /// The hours at which [`shape::rectangles`] may cut the days.
    cuts: Vec<u32>,
}

#[derive(Debug, Clone)]
struct Class {
    minutes: u64,
    shape: Shape,
    rectangles: usize,
}

impl Classes {
    pub(super) fn of(grid: &WeekGrid) -> Self {
        let mut classes: Vec<Class> = Vec::new();
        for hour in 0..HOURS_PER_WEEK {
            let minutes = grid.hour(hour);
            if minutes == 0 {
                continue;
            }
            let index = classes.iter().position(|class| class.minutes == minutes).unwrap_or_else(|| {
                classes.push(Class { minutes, shape: [0; 7], rectangles: 0 });
                classes.len() - 1
            });
            classes[index].shape[hour / 24] |= 1 << (hour % 24);
        }
        let mut cuts: Vec<u32> = (0..24).collect();
        cuts.sort_by_cached_key(|cut| {
            let boxes: usize = classes.iter().map(|class| shape::count_by_days(&class.shape, *cut)).sum();
            (boxes, *cut)
        });
        cuts.truncate(CUTS_TRIED);
        for class in &mut classes {
            class.rectangles = shape::count(&class.shape, &cuts);
        }
        Self { classes, cuts }
    }

    pub(super) fn boxes(&self) -> Vec<MinuteBox> {
        let rectangles = |class: &Class| {
            let minutes = class.minutes;
            shape::rectangles(&class.shape, &self.cuts).into_iter().map(move |(hours, days)| MinuteBox {
                days,
                hours,
                minutes,
            })
        };
        self.classes.iter().flat_map(rectangles).collect()
    }

    /// Unites classes (each hour of both then gets the minutes of both) until at most `most` boxes are left, each time the
    /// two that cost the fewest extra minutes per box saved. One class alone needs at most seven boxes, so any limit from
    /// seven on is reached.
    pub(super) fn unite_down_to(mut self, most: usize) -> Self {
        let mut boxes: usize = self.classes.iter().map(|class| class.rectangles).sum();
        if boxes <= most {
            return self;
        }
        let mut costs: Vec<Vec<u64>> = (0..self.classes.len())
            .map(|high| (0..high).map(|low| self.cost_of_uniting(low, high)).collect())
            .collect();
        while boxes > most {
            let cheapest = (1..costs.len()).flat_map(|high| (0..high).map(move |low| (low, high)));
            let Some((low, high)) = cheapest.min_by_key(|(low, high)| costs[*high][*low]) else {
                break;
            };
            let (first, second) = (&self.classes[low], &self.classes[high]);
            let united = self.united(first, second);
            boxes = boxes + united.rectangles - first.rectangles - second.rectangles;
            // The last class takes the freed place, so that the table of costs stays a triangle.
            self.classes[low] = united;
            self.classes.swap_remove(high);
            costs.pop();
            let left = self.classes.len();
            for changed in [low, high].into_iter().filter(|changed| *changed < left) {
                for other in (0..left).filter(|other| *other != changed) {
                    let (low, high) = (changed.min(other), changed.max(other));
                    costs[high][low] = self.cost_of_uniting(low, high);
                }
            }
        }
        self
    }

    fn united(&self, first: &Class, second: &Class) -> Class {
        let shape: Shape = std::array::from_fn(|day| first.shape[day] | second.shape[day]);
        Class { minutes: first.minutes | second.minutes, shape, rectangles: shape::count(&shape, &self.cuts) }
    }

    /// Extra minutes per box saved, scaled; what saves nothing comes after everything that does.
    fn cost_of_uniting(&self, low: usize, high: usize) -> u64 {
        const SCALE: u64 = 1 << 20;
        let (first, second) = (&self.classes[low], &self.classes[high]);
        let united = self.united(first, second);
        let extra = |class: &Class| {
            let hours: u32 = class.shape.iter().map(|hours| hours.count_ones()).sum();
            u64::from((united.minutes & !class.minutes).count_ones() * hours)
        };
        let extra = extra(first) + extra(second);
        match (first.rectangles + second.rectangles).checked_sub(united.rectangles) {
            None | Some(0) => (extra + 1) * SCALE * SCALE,
            Some(saved) => extra * SCALE / saved as u64,
        }
    }
}
