//! The text that is scraped.

use std::{fmt, sync::Arc};

use prometheus_client::{collector::Collector, encoding::text::encode, registry::Registry};

use crate::controller::metrics::Metrics;

/// In which of Prometheus' two text formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
    OpenMetrics,
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>
    Text,
}

impl Format {
    /// What a scraper asks for: `OpenMetrics` if it can read that.
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Text }
    }

    /// What the answer says of itself.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// Everything that is shown, cheap to clone.
#[derive(Clone, Debug)]
pub struct Exposition(Arc<Registry>);

impl Exposition {
    /// Of what is counted, and what is computed at each scrape.
    #[must_use]
    pub fn new(metrics: &Metrics, objects: impl Collector) -> Self {
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        registry.register_collector(Box::new(objects));
        Self(Arc::new(registry))
    }

    /// All of it.
    ///
    /// # Errors
    /// Never in practice: it writes into memory.
    pub fn text(&self, format: Format) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0)?;
        Ok(match format {
            Format::OpenMetrics => text,
            Format::Text => in_text_format(&text),
        })
    }
}

/// `OpenMetrics` in the older format, in which a family is called as its series are, and which knows neither units nor the
/// type `info` nor an end.
fn in_text_format(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "HELP", _, words] => help = Some(words),
            ["#", "TYPE", name, type_] => {
                let (suffix, type_) = match type_ {
                    "counter" => ("_total", type_),
                    "info" => ("_info", "gauge"),
                    _ => ("", type_),
                };
                let help = help.take().unwrap_or_default();
                text.extend(["# HELP ", name, suffix, " ", help, "\n# TYPE ", name, suffix, " ", type_, "\n"]);
            }
            ["#", ..] => {}
            _ => text.extend([line, "\n"]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scraper_gets_open_metrics_only_if_it_asks_for_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
        assert_eq!(Format::accepted(prometheus), Format::OpenMetrics);
        assert_eq!(Format::accepted("*/*"), Format::Text);
        assert_eq!(Format::accepted(""), Format::Text);
    }

    #[test]
    fn in_the_older_format_a_family_is_called_as_its_series_are() {
        let open_metrics = "\
# HELP asa_build The operator's version.
# TYPE asa_build info
asa_build_info{version=\"0.1.0\"} 1
# HELP workqueue_adds How often.
# TYPE workqueue_adds counter
workqueue_adds_total 7
# HELP workqueue_depth How many.
# TYPE workqueue_depth gauge
# UNIT workqueue_depth credentials
workqueue_depth 3
# EOF
";
        let text = "\
# HELP asa_build_info The operator's version.
# TYPE asa_build_info gauge
asa_build_info{version=\"0.1.0\"} 1
# HELP workqueue_adds_total How often.
# TYPE workqueue_adds_total counter
workqueue_adds_total 7
# HELP workqueue_depth How many.
# TYPE workqueue_depth gauge
workqueue_depth 3
";
        assert_eq!(in_text_format(open_metrics), text);
    }
}
