//! How the speed of `GET /todoitems` on SQLite depends on one number: of connections, of tokens, of
//! todos that the caller owns, or of rows in the table.

use std::{fmt::Write, fs, path::PathBuf, sync::Arc, time::Duration};

use entra_dev::ids::CONTOSO;

use crate::{
    Options,
    fixture::CONNECTIONS,
    load::{Load, Request, Traffic},
    plot::{Line, panels},
    programs::{build_rust_peers, build_todo_api, work_folder},
    report::{folder, machine_table},
    servers::{Server, TODOS},
    stats::{Spread, millis, whole},
    support::Database,
    tenant::Tenant,
};

const CONNECTION_COUNTS: [u32; 6] = [1, 4, 16, 64, 256, 1_024];
const TOKEN_COUNTS: [u32; 6] = [1, 10, 100, 1_000, 10_000, 100_000];
const TODO_COUNTS: [u32; 5] = [1, 10, 100, 1_000, 10_000];
const ROW_COUNTS: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];

pub(crate) async fn run(options: &Options) {
    let bench = Bench {
        options,
        program: build_todo_api(),
        tenant: Tenant::start().await,
        folder: work_folder("load"),
    };
    let curves = [
        bench.connections().await,
        bench.connections_of_poem().await,
        bench.tokens().await,
        bench.todos().await,
        bench.rows().await,
    ];
    fs::write(folder().join("curve.md"), text(options, &curves)).unwrap();
    fs::write(folder().join("curve.svg"), plot(&curves)).unwrap();
    println!("wrote docs/benchmarks/curve.md and curve.svg");
}

/// Measured points that belong together.
struct Curve {
    title: &'static str,
    /// What the numbers count. Curves with the same axis share a plot.
    axis: &'static str,
    note: &'static str,
    is_poem: bool,
    points: Vec<Point>,
}

struct Point {
    number: u32,
    rate: Spread,
    /// Milliseconds.
    p99: Spread,
}

struct Bench<'a> {
    options: &'a Options,
    program: PathBuf,
    tenant: Tenant,
    folder: PathBuf,
}

impl Bench<'_> {
    async fn connections(&self) -> Curve {
        let server = self.server().await;
        Curve {
            title: "Connections",
            axis: "connections",
            note: "The caller has three todos.",
            is_poem: false,
            points: self.points_by_connections(&server),
        }
    }

    async fn connections_of_poem(&self) -> Curve {
        let server = Server::rust_peer(&build_rust_peers(), &self.tenant, "poem", &[]).await;
        Curve {
            title: "Connections of bare poem",
            axis: "connections",
            note: "For comparison: the same bytes from memory, without authentication.",
            is_poem: true,
            points: self.points_by_connections(&server),
        }
    }

    fn points_by_connections(&self, server: &Server) -> Vec<Point> {
        let token = self.tenant.token();
        let point = |count| self.point(server, count, count, Request::Get(&token));
        CONNECTION_COUNTS.map(point).into()
    }

    async fn tokens(&self) -> Curve {
        let server = self.server().await;
        let all = self.tenant.tokens(100_000);
        let file = self.folder.join("tokens");
        let point = |count| {
            fs::write(&file, all[..count as usize].join("\n") + "\n").unwrap();
            self.point(&server, count, CONNECTIONS, Request::Rotate(&file))
        };
        Curve {
            title: "Tokens in rotation",
            axis: "tokens",
            note: "Requests use the tokens in turn. If there are more tokens than entries in the \
                   cache, each signature is verified.",
            is_poem: false,
            points: TOKEN_COUNTS.map(point).into(),
        }
    }

    /// Uma has all todos. A page has at most 100 of them.
    async fn todos(&self) -> Curve {
        let (server, database) = self.server_and_database().await;
        let token = self.tenant.token();
        let (mut points, mut todos) = (Vec::new(), 0);
        for count in TODO_COUNTS {
            database.fill((count - todos) as usize).await;
            todos = count;
            points.push(self.point(&server, count, CONNECTIONS, Request::Get(&token)));
        }
        Curve {
            title: "Todos of the caller",
            axis: "todos of the caller",
            note: "A page has at most 100 todos.",
            is_poem: false,
            points,
        }
    }

    /// Uma has three todos. The others belong to owners with ten todos each.
    async fn rows(&self) -> Curve {
        let (server, database) = self.server_and_database().await;
        server.fill(&self.tenant).await;
        let token = self.tenant.token();
        let (mut points, mut rows) = (Vec::new(), TODOS.len() as u32);
        for count in ROW_COUNTS {
            database.execute(others(rows, count)).await;
            rows = count;
            points.push(self.point(&server, count, CONNECTIONS, Request::Get(&token)));
        }
        Curve {
            title: "Rows in the table",
            axis: "rows",
            note: "The caller has three todos. The other rows belong to owners with ten todos each.",
            is_poem: false,
            points,
        }
    }

    /// A server with three todos.
    async fn server(&self) -> Server {
        // Otherwise, the server would refuse requests, because too many come from one address.
        let variables = [("TRUSTED_PROXIES", "127.0.0.1")];
        let server = Server::todo_api(&self.program, &self.tenant, "sqlite", &variables).await;
        server.fill(&self.tenant).await;
        server
    }

    /// A server with an empty database that this process can also write to.
    async fn server_and_database(&self) -> (Server, Database) {
        let folder = tempfile::tempdir_in(&self.folder).unwrap();
        let database = Database::Sqlite(Arc::new(folder));
        let url = database.url();
        let variables = [("DATABASE_URL", &*url)];
        let server = Server::todo_api(&self.program, &self.tenant, "sqlite", &variables).await;
        (server, database)
    }

    /// Measures several times. The first, short time is for warming up.
    fn point(&self, server: &Server, number: u32, connections: u32, request: Request<'_>) -> Point {
        let url = format!("{}/todoitems", server.url);
        let load = |duration| Load { url: url.clone(), connections, duration, request }.run();
        load(Duration::from_secs(1));
        let traffic: Vec<_> = (0..self.options.rounds).map(|_| load(self.options.time)).collect();
        let spread = |value: fn(&Traffic) -> f64| Spread::of(traffic.iter().map(value).collect());
        let rate = spread(|traffic| traffic.rate).unwrap();
        let p99 = spread(|traffic| millis(traffic.p99)).unwrap();
        println!("  {}, {number}: {rate} req/s, p99 {p99} ms", server.name);
        Point { number, rate, p99 }
    }
}

/// SQL that adds rows of other owners, until the table has `to` rows.
fn others(from: u32, to: u32) -> String {
    let tenant = CONTOSO.replace('-', "");
    format!(
        "INSERT INTO todos (tenant, owner, name)
         WITH RECURSIVE numbers (n) AS (
             SELECT {from} UNION ALL SELECT n + 1 FROM numbers LIMIT {to} - {from}
         )
         SELECT x'{tenant}', unhex(printf('%032x', n / 10)), 'todo number ' || n FROM numbers"
    )
}

fn text(options: &Options, curves: &[Curve]) -> String {
    let Options { rounds, time } = options;
    let seconds = time.as_secs();
    let mut text = format!(
        "# How the speed depends on the load and the data\n\n\
         `make bench-curve ROUNDS={rounds} SECONDS={seconds}` wrote this page. Each point was \
         measured {rounds} times for {seconds} seconds. The tables show the median, and the \
         smallest and the largest value in parentheses.\n\n\
         The load is `GET /todoitems` on SQLite, with a token, with the log off, and with \
         {CONNECTIONS} connections unless the table says otherwise. The token cache has 10,000 \
         entries. The load generator and the server share the processor.\n\n"
    );
    text += &machine_table();
    text += "\n![Requests per second and latency](curve.svg)\n";
    for curve in curves {
        let title = curve.title;
        writeln!(text, "\n## {title}\n\n{}\n", curve.note).unwrap();
        writeln!(text, "| {} | req/s | p99, ms |\n| --- | --- | --- |", curve.axis).unwrap();
        for Point { number: count, rate, p99 } in &curve.points {
            writeln!(text, "| {} | {rate} | {p99} |", whole(*count)).unwrap();
        }
    }
    text
}

/// Two plots for each kind of load.
fn plot(curves: &[Curve]) -> String {
    let mut plots: Vec<(String, Vec<Line<'_>>)> = Vec::new();
    for curve in curves {
        let line = |value: fn(&Point) -> f64| {
            let points = curve.points.iter().map(|point| (point.number.into(), value(point)));
            let points = points.collect();
            match curve.is_poem {
                false => Line { title: "this server", class: "own", points },
                true => Line { title: "bare poem", class: "other", points },
            }
        };
        let rate = line(|point| point.rate.median);
        let p99 = line(|point| point.p99.median);
        for (what, line) in [("req/s", rate), ("p99, ms", p99)] {
            let title = format!("{}: {what}", curve.axis);
            match plots.iter_mut().find(|(known, _)| *known == title) {
                Some((_, lines)) => lines.push(line),
                None => plots.push((title, vec![line])),
            }
        }
    }
    panels(&plots)
}
