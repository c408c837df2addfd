//! Charts as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::Error;
use crate::findings::{Chart, ChartKind, Line, number, whole};

const WIDTH: u32 = 860;
const BAR_HEIGHT: u32 = 26;
const FONT: &str = "sans-serif";

const SERVER: RGBColor = RGBColor(0x2f, 0x6f, 0xb0);
/// The color of other servers.
const OTHER: RGBColor = RGBColor(0x9a, 0xae, 0xc2);
const POSTGRES: RGBColor = RGBColor(0xe0, 0x8e, 0x2b);
const COLORS: [RGBColor; 5] = [
    SERVER,
    POSTGRES,
    RGBColor(0x3c, 0x99, 0x5b),
    RGBColor(0x9a, 0x4f, 0xa8),
    RGBColor(0x66, 0x66, 0x66),
];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Chart {
    /// The complete SVG file.
    pub(crate) fn svg(&self) -> Result<String, Error> {
        let mut svg = String::new();
        match &self.kind {
            ChartKind::Bars {
                bars,
                is_logarithmic,
            } => {
                let height = 110 + BAR_HEIGHT * u32::try_from(bars.len())?;
                let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
                self.bars(&area, bars, *is_logarithmic)?;
            }
            ChartKind::Lines { x, lines } => {
                let area = SVGBackend::with_string(&mut svg, (WIDTH, 380)).into_drawing_area();
                self.lines(&area, x, lines)?;
            }
        }
        Ok(svg)
    }

    /// Plotters has no category axis, so the rows are numbered and the names are drawn separately.
    fn bars(
        &self,
        area: &Area<'_>,
        bars: &[(String, [f64; 2])],
        is_logarithmic: bool,
    ) -> Result<(), Error> {
        area.fill(&WHITE)?;
        let most = bars
            .iter()
            .map(|(_, [server, postgres])| server + postgres)
            .fold(1.0, f64::max);
        // Bars on a logarithmic axis start at one.
        let scale = |value: f64| {
            if is_logarithmic {
                value.max(1.0).log10()
            } else {
                value
            }
        };
        let end = if is_logarithmic {
            scale(most).ceil() + 0.15
        } else {
            most * 1.12
        };
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, (FONT, 18))
            .margin(10)
            .margin_left(360)
            .margin_right(30)
            .x_label_area_size(45)
            .build_cartesian_2d(0.0..end, 0.0..bars.len() as f64)?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_y_mesh()
            .disable_y_axis()
            .x_desc(self.unit)
            .light_line_style(WHITE);
        let powers = |value: &f64| whole(10_f64.powf(*value).round() as usize);
        let plain = |value: &f64| number(*value);
        if is_logarithmic {
            mesh.x_labels(4).x_label_formatter(&powers).draw()?;
        } else {
            mesh.x_label_formatter(&plain).draw()?;
        }
        let right = (FONT, 13)
            .into_text_style(area)
            .pos(Pos::new(HPos::Right, VPos::Center));
        let left = (FONT, 12)
            .into_text_style(area)
            .pos(Pos::new(HPos::Left, VPos::Center));
        for (index, (name, [server, postgres])) in bars.iter().enumerate() {
            let row = (bars.len() - index) as f64;
            let (top, bottom, middle) = (row - 0.2, row - 0.8, row - 0.5);
            let (first, second) = (scale(*server), scale(server + postgres));
            let color = if name.starts_with("better-auth-layer") {
                SERVER
            } else {
                OTHER
            };
            chart.draw_series([
                Rectangle::new([(0.0, bottom), (first, top)], color.filled()),
                Rectangle::new([(first, bottom), (second, top)], POSTGRES.filled()),
            ])?;
            let text = match postgres {
                0.0 => number(*server),
                _ => format!("{} + {}", number(*server), number(*postgres)),
            };
            chart.draw_series([
                EmptyElement::at((0.0, middle)) + Text::new(name.clone(), (-8, 0), right.clone()),
                EmptyElement::at((second, middle)) + Text::new(text, (6, 0), left.clone()),
            ])?;
        }
        Ok(area.present()?)
    }

    fn lines(&self, area: &Area<'_>, x: &str, lines: &[Line]) -> Result<(), Error> {
        area.fill(&WHITE)?;
        let points = || lines.iter().flat_map(|line| &line.points);
        let (least, most) = points().fold((f64::MAX, 1.0_f64), |(low, high), point| {
            (low.min(point.1), high.max(point.1))
        });
        // Space for the names above the lines.
        let costs = (least * 0.7..most * 8.0).log_scale();
        let (first, last) = points().fold((f64::MAX, 1.0_f64), |(low, high), point| {
            (low.min(point.0), high.max(point.0))
        });
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, (FONT, 18))
            .margin(12)
            .x_label_area_size(45)
            .y_label_area_size(60)
            .build_cartesian_2d((first..last * 1.02).log_scale(), costs)?;
        chart
            .configure_mesh()
            .x_desc(x)
            .y_desc(self.unit)
            .x_label_formatter(&|value| whole(*value as usize))
            .y_label_formatter(&|value| number(*value))
            .light_line_style(WHITE)
            .draw()?;
        for (line, color) in lines.iter().zip(COLORS.into_iter().cycle()) {
            chart
                .draw_series(
                    LineSeries::new(line.points.iter().copied(), color.stroke_width(2))
                        .point_size(3),
                )?
                .label(line.name.clone())
                .legend(move |(x, y)| {
                    Rectangle::new([(x, y - 5), (x + 14, y + 5)], color.filled())
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .label_font((FONT, 13))
            .draw()?;
        Ok(area.present()?)
    }
}
