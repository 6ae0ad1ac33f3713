//! Curves as SVG: both axes logarithmic, one line a series, its name at its end.

use std::fmt::Write as _;

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What grows to the right.
    pub across: &'static str,
    /// What grows upwards.
    pub upwards: &'static str,
    /// The curves.
    pub series: Vec<Series>,
}

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its points; neither coordinate is below one.
    pub points: Vec<(f64, f64)>,
}

/// Powers of ten from one edge to the other.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
    /// Where they lie in the picture.
    start: f64,
    end: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, start: f64, end: f64) -> Self {
        let logarithms = values.map(f64::log10);
        let low = logarithms.clone().fold(f64::INFINITY, f64::min).floor();
        let high = logarithms.fold(f64::NEG_INFINITY, f64::max).ceil();
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, start, end }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - self.low) / (self.high - self.low);
        self.start + share * (self.end - self.start)
    }

    /// Each power of ten with its place.
    fn powers(&self) -> Vec<(f64, f64)> {
        let powers = (0..32).map(|step| self.low + f64::from(step));
        let powers = powers.take_while(|power| *power <= self.high);
        powers.map(|power| (power, self.place(10_f64.powf(power)))).collect()
    }
}

impl Chart {
    /// The picture as SVG.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let points = self.series.iter().flat_map(|series| series.points.iter().copied());
        let across = Axis::over(points.clone().map(|(across, _)| across), LEFT, RIGHT);
        let upwards = Axis::over(points.map(|(_, upwards)| upwards), BOTTOM, TOP);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <title>{title}</title>\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{title}</text>\n",
            title = escape(&self.title)
        );
        self.grid(&mut svg, across, upwards);
        for (number, series) in self.series.iter().enumerate() {
            curve(&mut svg, series, colour(number), across, upwards);
        }
        self.names(&mut svg, upwards);
        svg.push_str("</svg>\n");
        svg
    }

    fn grid(&self, svg: &mut String, across: Axis, upwards: Axis) {
        for (power, at) in across.powers() {
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/>\
                 <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">1e{power:.0}</text>",
                BOTTOM + 16.0
            );
        }
        for (power, at) in upwards.powers() {
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT} {at:.1}H{RIGHT}\" stroke=\"#ddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">1e{power:.0}</text>",
                LEFT - 6.0,
                at + 4.0
            );
        }
        let (centre, middle) = (f64::midpoint(LEFT, RIGHT), f64::midpoint(TOP, BOTTOM));
        let _ = writeln!(
            svg,
            "<text x=\"{centre}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text x=\"14\" y=\"{middle}\" text-anchor=\"middle\" \
             transform=\"rotate(-90 14 {middle})\">{}</text>",
            HEIGHT - 8.0,
            escape(self.across),
            escape(self.upwards)
        );
    }

    /// The names beside the ends of the curves, each at least a line below the one above it.
    fn names(&self, svg: &mut String, upwards: Axis) {
        let ends = self.series.iter().enumerate().map(|(number, series)| {
            let end = series.points.last().map_or(BOTTOM, |(_, last)| upwards.place(*last));
            (end, number, series)
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
        let mut lowest = TOP;
        for (end, number, series) in ends {
            let at = end.max(lowest);
            lowest = at + 15.0;
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{}\">{}</text>",
                RIGHT + 8.0,
                at + 4.0,
                colour(number),
                escape(&series.name)
            );
        }
    }
}

fn curve(svg: &mut String, series: &Series, colour: &str, across: Axis, upwards: Axis) {
    let places = series.points.iter().map(|(x, y)| (across.place(*x), upwards.place(*y)));
    let places: Vec<(f64, f64)> = places.collect();
    let points: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        svg,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
        points.join(" ")
    );
    for (x, y) in places {
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
}

fn colour(number: usize) -> &'static str {
    COLOURS.get(number.rem_euclid(COLOURS.len())).copied().unwrap_or("#000")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Okabe and Ito's colours, which people who see fewer colours can tell apart as well.
const COLOURS: [&str; 8] =
    ["#000000", "#0072b2", "#56b4e9", "#009e73", "#d55e00", "#cc79a7", "#e69f00", "#999999"];

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 590.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 360.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart {
        let series = |name: &str, points: [(f64, f64); 2]| Series {
            name: name.to_owned(),
            points: points.to_vec(),
        };
        Chart {
            title: "one request".to_owned(),
            across: "relationships",
            upwards: "nanoseconds",
            series: vec![
                series("ours", [(1e3, 100.0), (1e5, 1000.0)]),
                series("<theirs>", [(1e3, 10_000.0), (1e5, 10_000.0)]),
            ],
        }
    }

    #[test]
    fn equal_steps_of_ten_are_equally_far_apart() {
        let axis = Axis::over([1e3, 2e4, 9e4].into_iter(), 0.0, 100.0);
        assert_eq!(axis, Axis { low: 3.0, high: 5.0, start: 0.0, end: 100.0 });
        assert_eq!(axis.powers(), [(3.0, 0.0), (4.0, 50.0), (5.0, 100.0)]);
    }

    #[test]
    fn every_curve_is_drawn_through_its_points() {
        let svg = chart().to_svg();
        // Across 1e3 to 1e5, upwards 1e2 to 1e4.
        assert!(svg.contains("points=\"70.0,360.0 590.0,200.0\""), "{svg}");
        assert!(svg.contains("points=\"70.0,40.0 590.0,40.0\""), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 4);
    }

    #[test]
    fn names_are_text() {
        let svg = chart().to_svg();
        assert!(svg.contains(">&lt;theirs&gt;</text>"), "{svg}");
        assert!(!svg.contains("<theirs"), "{svg}");
    }
}
