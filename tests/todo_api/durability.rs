//! A killed server loses nothing that it has acknowledged.

use futures_util::future::join_all;
use reqwest::StatusCode;

use crate::support::{CrashLoad, Database, Kept, Launch, Program, client, on_both, read_todos};

on_both!(a_server_killed_50_times_keeps_all_acknowledged_todos);

const KILLS: u64 = 50;
const WRITERS: usize = 16;
/// A round ends after a random number of responses, at most this many.
const RESPONSES: u64 = 120;
/// After this many rounds an admin deletes all todos. This keeps the lists short, and would show
/// ids that are used again.
const ROUNDS_TO_KEEP: u64 = 10;

async fn a_server_killed_50_times_keeps_all_acknowledged_todos(database: Database) {
    let launch = Launch::dev().with("DATABASE_URL", database.url());
    let mut program = Program::launch(launch).await;
    let client = client();
    let [uma, ada] = ["uma", "ada"].map(|person| program.token(person));
    let list = format!("{}/todoitems", program.url);
    let mut kept = Kept::default();
    for round in 1..=KILLS {
        let last = uuid::Uuid::new_v4().as_u64_pair().0 % RESPONSES + 1;
        let load = CrashLoad::new(&client, &list, &uma, round, last);
        let writing = join_all((0..WRITERS).map(|writer| load.write(writer)));
        let killing = async {
            load.last_response().await;
            program.kill();
        };
        tokio::join!(writing, killing);
        program.restart().await;
        kept.add(load.into_known());
        kept.compare(read_todos(&client, &list, &uma).await, round);
        if round % ROUNDS_TO_KEEP == 0 {
            let answer = client.delete(&list).bearer_auth(&ada).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NO_CONTENT);
            kept.forget();
        }
    }
}
