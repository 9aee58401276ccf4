//! Geometry of the bar charts of runs, which the template of the page draws.

use serde::Serialize;

/// Height of the plot, in SVG units, which are CSS pixels.
const PLOT: f64 = 160.0;
/// Space for the labels of the axis on the left.
const LEFT: f64 = 56.0;
/// Space above the plot.
const TOP: f64 = 12.0;
/// Distance between bars.
const PITCH: f64 = 34.0;
/// Width of a bar.
const BAR: f64 = 20.0;
/// The minimum width of a chart.
const LEAST: f64 = 220.0;

/// A bar chart of runs.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    pub(super) ticks: Vec<Tick>,
    pub(super) bars: Vec<Bar>,
}

/// A grid line with its value.
#[derive(Debug, Serialize)]
pub(super) struct Tick {
    pub(super) y: f64,
    pub(super) label: String,
}

/// A bar with its parts, from bottom to top.
#[derive(Debug, Serialize)]
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) middle: f64,
    pub(super) label: String,
    pub(super) title: String,
    pub(super) parts: Vec<Part>,
}

/// A part of a bar.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    pub(super) class: &'static str,
    pub(super) y: f64,
    pub(super) height: f64,
}

/// A bar: its label, its tooltip, and its parts from bottom to top.
pub(super) struct Given {
    pub(super) label: String,
    pub(super) title: String,
    pub(super) parts: Vec<(&'static str, f64)>,
}

/// Lays out bars over an axis that starts at zero. `whole` restricts its labels to whole numbers.
pub(super) fn bars(given: Vec<Given>, whole: bool) -> Chart {
    let sum = |bar: &Given| bar.parts.iter().map(|(_, value)| value).sum::<f64>();
    let highest = given.iter().map(sum).fold(0.0, f64::max);
    let step = step(highest, whole);
    let steps = (highest / step).ceil().max(1.0);
    let bottom = TOP + PLOT;
    let scale = PLOT / (steps * step);
    let mut ticks = Vec::new();
    let mut value = 0.0;
    while value <= steps * step + step / 2.0 {
        ticks.push(Tick {
            y: rounded(bottom - value * scale),
            label: label(value, step),
        });
        value += step;
    }
    let mut x = LEFT + (PITCH - BAR) / 2.0;
    let mut bars = Vec::new();
    for bar in given {
        let mut y = bottom;
        let parts = bar.parts.into_iter().filter(|(_, value)| *value > 0.0);
        let parts = parts.map(|(class, value)| {
            // Parts that are not empty stay visible.
            let height = (value * scale).max(1.5);
            y -= height;
            Part {
                class,
                y: rounded(y),
                height: rounded(height),
            }
        });
        bars.push(Bar {
            x: rounded(x),
            width: BAR,
            middle: rounded(x + BAR / 2.0),
            label: bar.label,
            title: bar.title,
            parts: parts.collect(),
        });
        x += PITCH;
    }
    let right = x.max(LEAST);
    Chart {
        width: rounded(right + 4.0),
        height: bottom + 26.0,
        left: LEFT,
        right: rounded(right),
        bottom,
        ticks,
        bars,
    }
}

/// The distance of ticks: 1, 2 or 5 times a power of ten, with at most five ticks.
fn step(highest: f64, whole: bool) -> f64 {
    let rough = highest.max(f64::MIN_POSITIVE) / 4.0;
    let power = 10_f64.powf(rough.log10().floor().max(-3.0));
    let steps = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = steps.into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(power * 10.0);
    if whole { step.max(1.0) } else { step }
}

fn label(value: f64, step: f64) -> String {
    let digits = match step {
        step if step >= 1.0 => 0,
        step if step >= 0.1 => 1,
        step if step >= 0.01 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

/// Rounds to one decimal place, which keeps the page small.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[f64], whole: bool) -> Chart {
        let given = values.iter().map(|value| Given {
            label: String::new(),
            title: String::new(),
            parts: vec![("passed", *value)],
        });
        bars(given.collect(), whole)
    }

    fn labels(chart: &Chart) -> Vec<&str> {
        chart.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn axis_starts_at_zero_and_ends_above_the_highest_bar() {
        assert_eq!(labels(&chart(&[812.0, 3.0], true)), ["0", "500", "1000"]);
        assert_eq!(labels(&chart(&[3.0], true)), ["0", "1", "2", "3"]);
        assert_eq!(
            labels(&chart(&[0.7], false)),
            ["0.0", "0.2", "0.4", "0.6", "0.8"]
        );
        assert_eq!(labels(&chart(&[0.0], true)), ["0", "1"]);
    }

    #[test]
    fn bars_start_at_the_axis_and_stay_in_the_plot() {
        let chart = chart(&[1.0, 900.0, 0.0], true);
        for bar in &chart.bars {
            for part in &bar.parts {
                assert!(part.y >= TOP - 0.1 && part.height > 0.0, "{part:?}");
                assert!(
                    (part.y + part.height - chart.bottom).abs() < 0.2,
                    "{part:?}"
                );
            }
        }
        assert_eq!(chart.bars[2].parts.len(), 0);
    }
}
