//! Tables, and the list of contents that links to them.

use maud::{Markup, html};

/// A table with a heading. A table without rows is not shown.
pub(super) struct Table {
    title: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Markup>>,
}

impl Table {
    pub(super) fn new(title: &'static str, columns: &'static [&'static str]) -> Self {
        Self { title, columns, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: impl Into<Vec<Markup>>) {
        self.rows.push(cells.into());
    }

    fn html(&self) -> Markup {
        let id = id_of(self.title);
        html! {
            h2 id=(id) { (self.title) }
            // The focus makes it possible to scroll the table with the keyboard.
            div class="table" role="region" aria-labelledby=(id) tabindex="0" {
                table {
                    thead { tr { @for column in self.columns { th scope="col" { (column) } } } }
                    tbody {
                        @for row in &self.rows {
                            tr {
                                @for (index, cell) in row.iter().enumerate() {
                                    @if index == 0 {
                                        th scope="row" { (cell) }
                                    } @else {
                                        // On a narrow screen, it replaces the column heading.
                                        td data-label=(self.columns[index]) { (cell) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// All tables that have rows.
pub(super) fn tables(tables: &[Table]) -> Markup {
    html! { @for table in shown(tables) { (table.html()) } }
}

/// Links to a section, and to the tables.
pub(super) fn contents(first: &'static str, tables: &[Table]) -> Markup {
    html! {
        nav aria-label="On this page" {
            ul class="contents" {
                @for title in [first].into_iter().chain(shown(tables).map(|table| table.title)) {
                    li { a href={ "#" (id_of(title)) } { (title) } } " "
                }
            }
        }
    }
}

fn shown(tables: &[Table]) -> impl Iterator<Item = &Table> {
    tables.iter().filter(|table| !table.rows.is_empty())
}

pub(super) fn id_of(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

/// Text without formatting.
pub(super) fn text(text: &str) -> Markup {
    html! { (text) }
}

/// Text to be copied: a click selects all of it.
pub(super) fn code(text: &str) -> Markup {
    html! { code { (text) } }
}

/// The lines of a cell.
pub(super) fn lines(lines: impl IntoIterator<Item = Markup>) -> Markup {
    html! {
        @for (index, line) in lines.into_iter().enumerate() {
            @if index > 0 { br; }
            (line)
        }
    }
}
