use std::fmt::{self, Write};

use super::super::html::Escaped;

/// A table under a heading, whose cells are HTML. Without a row it is left out.
pub(super) struct Table {
    title: &'static str,
    html: String,
    rows: usize,
}

impl Table {
    pub(super) fn new(title: &'static str, columns: &[&str]) -> Self {
        // Whatever scrolls has to be within reach of the keyboard.
        let id = id_of(title);
        let mut html = format!(
            "<h2 id=\"{id}\">{title}</h2>\n\
             <div class=\"table\" role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\">\n\
             <table>\n<thead><tr>"
        );
        for column in columns {
            // Writing to a string cannot fail.
            let _ = write!(html, "<th scope=\"col\">{column}</th>");
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        Self { title, html, rows: 0 }
    }

    pub(super) fn row(&mut self, cells: &[&dyn fmt::Display]) {
        self.rows += 1;
        self.html.push_str("<tr>");
        for (index, cell) in cells.iter().enumerate() {
            let _ = match index {
                0 => write!(self.html, "<th scope=\"row\">{cell}</th>"),
                _ => write!(self.html, "<td>{cell}</td>"),
            };
        }
        self.html.push_str("</tr>\n");
    }
}

/// The tables one after the other.
pub(super) fn listed(tables: &[Table]) -> String {
    let mut html = String::new();
    for table in tables.iter().filter(|table| table.rows > 0) {
        html.push_str(&table.html);
        html.push_str("</tbody>\n</table>\n</div>\n");
    }
    html
}

/// Links to the tables.
pub(super) fn contents(tables: &[Table]) -> String {
    let mut html = "<nav aria-label=\"On this page\">\n<ul class=\"contents\">\n".to_owned();
    for Table { title, .. } in tables.iter().filter(|table| table.rows > 0) {
        let _ = writeln!(html, "<li><a href=\"#{}\">{title}</a></li>", id_of(title));
    }
    html.push_str("</ul>\n</nav>\n");
    html
}

fn id_of(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

/// Text to be copied: a click selects all of it.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", Escaped(text))
}

/// HTML, one piece on each line of a cell.
pub(super) fn lines(pieces: impl IntoIterator<Item = String>) -> String {
    pieces.into_iter().collect::<Vec<_>>().join("<br>")
}
